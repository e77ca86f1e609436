// SPDX-License-Identifier: Apache-2.0
/*
 * cpu_local - the per-CPU area of aarch64, the cycle counter, the doorbell
 *
 * Role      The machine's part of arch/cpu.h. TPIDR_EL1 points at struct cpu.
 */
#pragma once

#include "arch/layout.h"
#include "guestkernel/kapi/types.h"
#include "vmm/abi/hyp.h"

struct arch_aspace;
struct cpu;
struct task;

struct arch_cpu {
	struct task *current;
	void *idle_stack;	       /* [I] where the CPU begins */
	u32 ipi_pending;	       /* bit mask of enum arch_ipi, set by the sender */
	struct arch_aspace *active_as; /* whose tables TTBR0 holds; NULL: none */
	struct arch_aspace *loaded_as; /* [asid lock] the same, for the number keeper in mmu.c */
	void *fpu_owner;
};

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

static inline struct task *current(void)
{
	return *(struct task *const volatile *)
		this_cpu(); /* arch.current comes first in struct cpu */
}

static inline u64 arch_cycles(void)
{
	u64 v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

/* Rings once: the request is in the channel page (vmm/abi/hyp.h); the reply is there on return. */
static inline void arch_doorbell(u32 nr)
{
	__asm__ volatile("dsb sy; str %w0, [%1]"
			 :
			 : "r"(nr), "r"(DIRECT_MAP_BASE + HYP_DOORBELL_GPA)
			 : "memory");
}
