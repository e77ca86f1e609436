// SPDX-License-Identifier: Apache-2.0
/*
 * main - the boot order
 *
 * Role      kmain() is where the architecture hands over; it ends in the idle loop of CPU 0. All tables that must
 *           be collected in one place are here.
 * Rules     Each line needs the ones above it. Nothing here is done on demand elsewhere.
 */
#include "guestkernel/main.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/param.h"
#include "guestkernel/container.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/host/stream.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/mm/kmap.h"
#include "guestkernel/mm/phys.h"
#include "guestkernel/mm/slab.h"
#include "guestkernel/strace.h"
#include "guestkernel/task/futex.h"
#include "guestkernel/task/sched.h"

/* What the compiler puts into frames and compares. Until kmain() chooses it, a constant; only functions that do not return are
 * active then. */
u64 __stack_chk_guard = 0x5bd1e995c2b2ae00;

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = 1;

static void memory_init(void)
{
	phys_init(boot.ram_base >> PAGE_SHIFT, (boot.ram_base + boot.ram_size) >> PAGE_SHIFT,
		  boot.reserved_end >> PAGE_SHIFT, arch_phys_to_virt(PADDR(boot.page_map)));
	slab_init();
	kmap_init();
	charge_init((boot.ram_base + boot.ram_size - boot.reserved_end) >> PAGE_SHIFT);
}

/* Only the structures: a CPU starts when there is work for it (sched.c). */
static void cpus_init(void)
{
	u32 i, n = boot.cpus < MAX_CPUS ? (u32)boot.cpus : MAX_CPUS;

	for (i = 1; i < n; i++) {
		struct cpu *c = knew(struct cpu);

		if (!c)
			break;
		c->id = i;
		cpus[i] = c;
		nr_cpus = i + 1;
	}
}

static void strace_init(void)
{
	const char *bad = "";

	if (boot.strace && strace_select(boot.strace, &bad))
		log_err("--strace: unknown call or class at \"%s\"", bad);
}

noreturn_fn void kmain(const void *fdt)
{
	boot_parse(fdt); /* what the monitor says */
	arch_init();	 /* memory and devices it tells of */
	hyp_init();	 /* from here on, panics are heard */
	log_level_max = (u32)boot.log_level;
	arch_clock_init(boot.counter_khz, boot.wall_ns, boot.wall_counter);
	rand_init(boot.seed, boot.seed_len);	   /* the heap hides its pointers */
	__stack_chk_guard = rand_u64() & ~0xffull; /* a zero byte first: strings end there */
	memory_init();				   /* frames, heap, kernel stacks */
	cpus_init();
	stream_init(); /* standard streams */
	strace_init();
	task_init(); /* numbers, groups */
	futex_init();
	sched_init(arch_boot_stack_top()); /* this stack becomes CPU 0's idle task */
	container_start();		   /* file systems, process 1 */
	sched_idle_loop();
}

noreturn_fn void secondary_main(struct cpu *c)
{
	(void)c;
	sched_secondary_main();
}
