// SPDX-License-Identifier: Apache-2.0
/*
 * start - first code of the kernel process, more CPUs, its own faults
 *
 * Role      The monitor jumps to process_entry with struct pm_boot. Nothing of the monitor's stays mapped.
 * Rules     In this order: drop the monitor's remains, find the CPU's features, fork the spawner, take signals, install
 *           the filter, kmain(). The kernel's data and stacks are shared memory, so after the fork parent and
 *           child share them: the child never uses them.
 * Missing   Hosts without FSGSBASE or XSAVE.
 * See       vmm/abi/process.h
 */
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/frame.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/param.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "arch/x86_64/guest/features.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/main.h"
#include "guestkernel/panic.h"

BUILD_BUG_ON(offsetof(struct cpu, arch.current) != 8);
BUILD_BUG_ON(offsetof(struct arch_thread, ksp) != 0);
BUILD_BUG_ON(HYP_ABI_VERSION != 2);

#define FAULT_STACK 8192
/* VM FS FILES SIGHAND THREAD SYSVSEM */
#define CLONE_CPU 0x50f00ull
#define SA_FAULT  0x4c000004ull
#define UC_REGS	  40

const struct pm_boot *pm_boot;

static struct cpu boot_cpu;
static u8 fault_stack[MAX_CPUS][FAULT_STACK] __attribute__((aligned(16)));

extern char boot_stack_top[], kernel_start[], kernel_end[];
extern const char fault_restorer[], fault_entry[];
noreturn_fn void kernel_fault(s32 sig, const u8 *info, const u64 *uc);
noreturn_fn void secondary_start(struct cpu *c);

__asm__(".pushsection .text.entry, \"ax\"\n"
	"	.globl process_entry\n"
	"process_entry:\n"
	"	leaq boot_stack_top(%rip), %rsp\n"
	"	xorl %ebp, %ebp\n"
	"	call arch_start\n"
	"	ud2\n"
	"	.globl fault_entry, fault_restorer\n"
	"fault_entry:\n"
	"	andq $-16, %rsp\n"
	"	call kernel_fault\n"
	"fault_restorer:\n"
	"	ud2\n"
	".popsection\n"
	".pushsection .bss\n"
	"	.align 4096\n"
	"	.skip 16384\n"
	"	.globl boot_stack_top\n"
	"boot_stack_top:\n"
	".popsection\n"
	".pushsection .note.monitor, \"a\"\n"
	"	.align 4\n"
	"	.long 8, 4, 1\n"
	"	.asciz \"monitor\"\n"
	"	.long 2\n" /* HYP_ABI_VERSION */
	".popsection\n");

/* Offset in the memory file of something in the kernel's image. */
u64 image_offset(const void *p)
{
	return (u64)p - PM_KERNEL_BASE;
}

void *arch_boot_stack_top(void)
{
	return boot_stack_top;
}

static u64 ram_end(void)
{
	u64 end = HYP_RAM_BASE + pm_boot->ram_bytes;
	u32 i;

	for (i = 0; i < pm_boot->nr_windows; i++)
		end = MAX(end, pm_boot->window[i].gpa + pm_boot->window[i].bytes);
	return PM_DIRECT_BASE + ALIGN_UP(end, PAGE_SIZE);
}

static void unmap_between(u64 from, u64 to)
{
	host_call3(HOST_MUNMAP, from, to - from, 0);
}

static void unmap_remains(void)
{
	unmap_between(0, PM_KERNEL_BASE);
	unmap_between(ALIGN_UP((u64)kernel_end, PAGE_SIZE), PM_DIRECT_BASE);
	unmap_between(ram_end(), HOST_VA_END);
}

static void take_faults(u32 cpu)
{
	const u64 ss[3] = { (u64)fault_stack[cpu], 0, FAULT_STACK };
	const u64 sa[4] = { (u64)fault_entry, SA_FAULT, (u64)fault_restorer, 0 };
	static const u8 signals[] = { 4, 5, 7, 8, 11, 31 };
	u32 i;

	host_call3(HOST_SIGALTSTACK, (u64)ss, 0, 0);
	if (cpu)
		return;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		host_call(HOST_SIGACTION, signals[i], (u64)sa, 0, 8, 0, 0);
}

/* Threads of a stub whose service thread ended first are our children: nobody waits for them, so none stays a zombie. */
static void ignore_ended_stubs(void)
{
	const u64 ignore[4] = { 1, 0, 0, 0 };

	host_call(HOST_SIGACTION, 17, (u64)ignore, 0, 8, 0, 0);
}

/* Signals of this process are its bugs, or the host's lack of memory. */
noreturn_fn void kernel_fault(s32 sig, const u8 *info, const u64 *uc)
{
	const u64 *w = uc + UC_REGS / 8;
	struct regs r = { .bp = w[10], .sp = w[15], .ip = w[16] };

	panic_at(&r, w[22], "kernel process: signal %d at address 0x%lx", sig, w[22]);
}

static void set_this_cpu(struct cpu *c)
{
	c->arch.self = c;
	__asm__ volatile("wrgsbase %0" : : "r"(c)); /* the host offers it: arch_process_check() */
	place_start();
}

static void install_filter(void)
{
	struct {
		u16 len, pad[3];
		u64 filter;
	} p = { .len = (u16)pm_boot->filter[PM_FILTER_KERNEL].count,
		.filter = PM_DIRECT_BASE + pm_boot->filter[PM_FILTER_KERNEL].gpa };
	s64 ret;

	host_call(HOST_PRCTL, 38, 1, 0, 0, 0, 0);
	if (!p.len)
		return;
	ret = host_call3(HOST_SECCOMP, 1, 0, (u64)&p);
	if (ret)
		panic("installing the kernel's filter: %ld", ret);
}

noreturn_fn void arch_start(const struct pm_boot *b)
{
	pm_boot = b;
	cpus[0] = &boot_cpu;
	set_this_cpu(&boot_cpu);
	unmap_remains();
	features_detect();
	fpu_setup();
	ignore_ended_stubs();
	stub_spawner_start();
	take_faults(0);
	install_filter();
	kmain((const void *)(PM_DIRECT_BASE + b->fdt_gpa));
}

noreturn_fn void secondary_start(struct cpu *c)
{
	set_this_cpu(c);
	take_faults(c->id);
	secondary_main(c);
}

/* All memory is mapped. */
void arch_init(void)
{
}

/* The new thread finds its CPU in r12: its stack is empty. The monitor is told, so that its watchdog looks. */
int arch_cpu_start(struct cpu *c, void *stack_top)
{
	struct hyp_cpu_start req = { .cpu = c->id };
	s64 ret = arch_hostcall(HYP_CPU_START, &req, sizeof req, NULL, 0);
	register u64 r12 __asm__("r12") = (u64)c; /* from here on no calls */
	register u64 r10 __asm__("r10") = 0;
	register u64 r8 __asm__("r8") = 0;

	if (ret < 0)
		return (int)ret;
	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r12, %%rdi\n\t"
			 "call secondary_start\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "0"(HOST_CLONE), "D"(CLONE_CPU),
			   "S"(ALIGN_DOWN((u64)stack_top - 64, 16)), "d"(0), "r"(r10), "r"(r8),
			   "r"(r12)
			 : "rcx", "r11", "memory");
	return ret < 0 ? (int)ret : 0;
}

noreturn_fn void arch_cpu_stop(void)
{
	u32 word = 0;

	for (;;)
		host_futex_wait(&word, 0, NULL);
}
