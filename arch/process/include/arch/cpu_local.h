// SPDX-License-Identifier: Apache-2.0
/*
 * cpu_local - the per-CPU area of the process machine, the cycle counter, the doorbell
 *
 * Role      The machine's part of arch/cpu.h: a CPU is a thread of the kernel process, whose GS base points at
 *           struct cpu.
 * Rules     "Interrupts" (the monitor's events, other CPUs, the timer) are looked at while waiting for
 *           application code, in arch_cpu_idle() and, where they ask for an answer, in arch_spin_relax().
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct arch_aspace;
struct cpu;
struct task;

struct arch_cpu {
	struct cpu *self;     /* gs:0 */
	struct task *current; /* gs:8 */
	u64 kstack_top;
	u32 ipi_pending;	       /* bit mask of enum arch_ipi, set by the sender */
	u32 uaccess;		       /* odd while application memory is being copied */
	struct arch_aspace *active_as; /* that user memory accesses go to */
	void *fpu_owner;	       /* unused here: each application thread knows */
	u64 timer_at;		       /* cycles; 0: none */
	u32 relaxed;		       /* rounds of waiting for spinlocks */
	/* process/guest/place.c */
	u32 place;	 /* enum place */
	u32 spin;	 /* rounds a handover is worth waiting for awake */
	u32 slow;	 /* handovers that outlasted that, against those that did not */
	u32 quick;	 /* short runs of the application in a row */
	u32 demand;	 /* host CPUs it wants while not idle */
	u32 pin;	 /* host CPU + 1 this thread is bound to; 0: none */
	u32 app_pin;	 /* the same for the application's threads */
	u64 pin_until;	 /* cycles, as all that follow */
	u64 apart_since; /* spinning on two host CPUs began */
	u64 apart_at;	 /* earliest next try */
	u64 apart_pause; /* how long the last pause was */
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
void arch_doorbell(u32 nr);
