// SPDX-License-Identifier: Apache-2.0
/*
 * sched - which task runs on which CPU
 *
 * Role      wait queues, mutexes and exit call schedule(); everything that makes a task runnable calls
 *           wake_task().
 * Locking   Run queue locks are the innermost of task/; see sched.c for the order of sleep and wake.
 */
#pragma once

#include "guestkernel/task/task.h"

/* The boot CPU: makes its idle task out of the boot stack, which ends at boot_stack_top. cpus[] is filled. */
void sched_init(void *boot_stack_top);
/* The boot CPU becomes its idle loop: main.c calls this last. */
noreturn_fn void sched_idle_loop(void);
/* Entry of another CPU on its idle stack; the architecture has set this_cpu(). */
noreturn_fn void sched_secondary_main(void);
/* Called by the architecture-neutral first return of a new task. */
void sched_finish_switch(void);

/* Gives the CPU away; returns when this task is chosen again. A task in another state than TASK_RUNNABLE is
 * taken off the queue. */
void schedule(void);
/* sched_yield(2). */
void sched_yield_current(void);
/* Makes t runnable if its state is in states. True when it was asleep. */
bool wake_task(struct task *t, u32 states);
/* First wake of a new task. */
void sched_start(struct task *t);
/* Changes nice/policy/affinity under the queue lock; affinity of a running task moves it. */
void sched_set_nice(struct task *t, s32 nice);
void sched_set_policy(struct task *t, u32 policy, u32 rt_priority);
int must_check sched_set_affinity(struct task *t, u64 mask);
/* Runnable or running tasks of all CPUs. */
u32 sched_nr_running(void);
/* Load averages (1, 5, 15 minutes), fixed point with 11 fraction bits. */
void sched_loadavg(u64 out[3]);
u64 sched_switches(void);
/* Makes a task that runs on another CPU enter the kernel. */
void sched_kick(struct task *t);
/* Timer side: slice of the running task ended? */
void sched_tick(u64 now);
u64 sched_slice_deadline(void);
u64 sched_cpu_mask(void);
