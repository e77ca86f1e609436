// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - the running CPU: per-CPU area, halting, relaxing, cycle counter
 *
 * Role      Contract of the cpu part of an architecture; x86-64. GS base points at struct cpu while in
 *           the kernel.
 * Rules     The kernel runs with interrupts off; they are on only in user mode and inside
 *           arch_cpu_idle(). A spinning CPU must call arch_spin_relax() so that it answers remote calls.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct arch_aspace;
struct cpu;
struct task;

struct arch_cpu {
	struct cpu *self;	       /* gs:0 */
	struct task *current;	       /* gs:8 */
	u64 kstack_top;		       /* gs:16: kernel stack of the current task */
	u64 user_sp;		       /* gs:24: scratch of the syscall entry */
	u32 apic_id;		       /* gs:32 */
	u32 ipi_pending;	       /* gs:36: bit mask of enum arch_ipi, set by the sender */
	struct arch_aspace *active_as; /* whose tables CR3 holds; NULL: the boot tables */
	void *fpu_owner;
	struct arch_cpu_tables *tables; /* GDT, TSS, IST stacks */
};

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline struct task *current(void)
{
	struct task *t;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(t));
	return t;
}

static inline u64 arch_cycles(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Rings once: the request is in the channel page (vmm/abi/hyp.h); the reply is there on return. */
static inline void arch_doorbell(u32 nr)
{
	__asm__ volatile("outl %0, %w1"
			 :
			 : "a"(nr), "d"(0x0d0b)
			 : "memory"); /* HYP_DOORBELL_PORT */
}

/* One round of a spin loop: pause, and serve pending remote calls (TLB shootdown, stop). */
void arch_spin_relax(void);
/* Sleeps until an interrupt; returns with interrupts off after it was handled. The caller has checked that
 * there is nothing to do; a wake-up sent since then is not lost. */
void arch_cpu_idle(void);
/* Starts CPU id: it calls sched_secondary_main() on its own idle stack. 0 or -errno. */
int arch_cpu_start(struct cpu *c, void *stack_top);
/* Upper end of the stack kmain() runs on. */
void *arch_boot_stack_top(void);
/* Halts this CPU forever (panic, shutdown). */
noreturn_fn void arch_cpu_stop(void);
