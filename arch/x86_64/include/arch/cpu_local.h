// SPDX-License-Identifier: Apache-2.0
/*
 * cpu_local - the per-CPU area of x86-64, the cycle counter, the doorbell
 *
 * Role      The machine's part of arch/cpu.h. GS base points at struct cpu while in the kernel.
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "vmm/abi/hyp.h"

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
