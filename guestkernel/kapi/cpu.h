// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - the per-CPU structure
 *
 * Role      One struct cpu per vCPU; this_cpu() (arch/cpu.h) finds the running one. The arch part comes
 *           first because assembly addresses it.
 */
#pragma once

#include "arch/cpu.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/rbtree.h"

#define MAX_CPUS 64

struct task;

struct cpu {
	struct arch_cpu arch; /* first: offsets known to assembly */
	u32 id;		      /* [I] */
	bool online;
	bool need_resched; /* set by anybody, read on the way to user mode */
	bool in_idle;
	struct task *idle; /* [I] */
	struct task *prev; /* task we switched away from; released by sched_finish_switch() */
	/* scheduler (task/sched.c) */
	struct spinlock rq_lock; /* RANK_RUNQUEUE */
	struct list rq[2];	 /* [rq_lock] runnable: 0 normal, 1 idle class */
	u32 nr_running;		 /* [rq_lock] */
	u64 slice_end_ns;
	u64 idle_ns, idle_since_ns, user_ns, kernel_ns, switches;
	/* timers (task/timer.c) */
	struct spinlock timer_lock;   /* RANK_TIMER */
	struct rb_root timers;	      /* [timer_lock] */
	struct ktimer *timer_running; /* [timer_lock] */
	u32 resched_calls;	      /* of cond_resched() */
	u64 timer_armed_ns;	      /* deadline given to the arch timer, U64_MAX: none */
	/* frame cache (mm/phys.c) */
	struct page *page_cache; /* private free frames, linked by page->next_free */
	u32 page_cache_nr;
	struct page *zero_cache; /* the same of never-used frames: known to be zero */
	u32 zero_cache_nr;
	void *mm_private; /* mm's current address space on this CPU */
} cacheline_aligned;

extern struct cpu *cpus[MAX_CPUS];
extern u32 nr_cpus;

#define for_each_cpu(c) for (u32 cpu_i_ = 0; cpu_i_ < nr_cpus && ((c) = cpus[cpu_i_], 1); cpu_i_++)
