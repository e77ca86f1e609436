// SPDX-License-Identifier: Apache-2.0
/*
 * guest_process - guestlib.h in a kernel process: the doorbell is a futex, CPUs are threads
 *
 * Rules     No handlers and no filter of its own: any signal ends it.
 * See       vmm/abi/process.h
 */
#include "tests/lib/guestlib.h"

#include "guestkernel/kapi/bug.h"
#include "vmm/abi/process.h"

#define NR_CLONE   56
#define NR_FUTEX   202
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define CLONE_CPU  0x50f00 /* VM FS FILES SIGHAND THREAD SYSVSEM */

static u8 stacks[4][8192] __attribute__((aligned(16)));

noreturn_fn void guest_process_start(const struct pm_boot *b);

__asm__(".pushsection .text.entry, \"ax\"\n"
	"	.globl process_entry\n"
	"process_entry:\n"
	"	leaq guest_stack_top(%rip), %rsp\n"
	"	xorl %ebp, %ebp\n"
	"	call guest_process_start\n"
	"	ud2\n"
	".popsection\n"
	".pushsection .note.monitor, \"a\"\n"
	"	.align 4\n"
	"	.long 8, 4, 1\n"
	"	.asciz \"monitor\"\n"
	"	.long 2\n" /* HYP_ABI_VERSION */
	".popsection\n"
	".pushsection .stub, \"ax\"\n" /* the kernel's linker script wants one */
	"	nop\n"
	".popsection\n"
	".pushsection .bss\n"
	"	.align 4096\n"
	"	.skip 16384\n"
	"guest_stack_top:\n"
	".popsection\n");

static s64 host_call4(u64 nr, u64 a, u64 b, u64 c, u64 d)
{
	register u64 r10 __asm__("r10") = d;
	s64 ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

void *at_gpa(u64 gpa)
{
	return (void *)(PM_DIRECT_BASE + gpa);
}

void ring_doorbell(void)
{
	u32 *bell = &channel(0)->bell;

	__atomic_store_n(bell, PM_BELL_RUNG, __ATOMIC_RELEASE);
	host_call4(NR_FUTEX, (u64)bell, FUTEX_WAKE, 1, 0);
	while (__atomic_load_n(bell, __ATOMIC_ACQUIRE) == PM_BELL_RUNG)
		host_call4(NR_FUTEX, (u64)bell, FUTEX_WAIT, PM_BELL_RUNG, 0);
}

/* The monitor hears of it, as on the other machine; the thread is our own affair. */
void machine_init(void)
{
}

void start_cpu(u32 cpu, void (*fn)(void))
{
	struct hyp_cpu_start s = { .cpu = cpu, .ip = (u64)fn };
	u64 *top = (u64 *)(stacks[cpu & 3] + sizeof stacks[0]);
	s64 ret;

	raw_call(HYP_CPU_START, sizeof s, &s, sizeof s);
	*--top = (u64)fn;
	__asm__ volatile("xorl %%r10d, %%r10d\n\t"
			 "xorl %%r8d, %%r8d\n\t"
			 "syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "ret\n"
			 "1:"
			 : "=a"(ret)
			 : "0"(NR_CLONE), "D"(CLONE_CPU), "S"(top), "d"(0)
			 : "rcx", "r11", "r10", "r8", "memory");
	if (ret < 0)
		panic("clone");
}

noreturn_fn void guest_process_start(const struct pm_boot *b)
{
	guest_start(at_gpa(b->fdt_gpa));
	for (;;)
		__asm__ volatile("ud2");
}
