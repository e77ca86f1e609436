// SPDX-License-Identifier: Apache-2.0
/*
 * signal - sending, queueing and delivering signals
 *
 * Locking   group->lock (RANK_SIGHAND) covers both queues, masks as others see them and stop state;
 *           sighand->lock (leaf) the dispositions. Functions ending in _locked want group->lock.
 */
#pragma once

#include "guestkernel/task/task.h"

struct regs;

enum signal_to { SIGNAL_TO_THREAD, SIGNAL_TO_PROCESS };

/* dispositions (sighand.c) */
struct sighand *must_check sighand_alloc(void);
struct sighand *must_check sighand_copy(struct sighand *from, bool clear);
void sighand_put(struct sighand *s);
void sighand_get_action(struct tgroup *g, s32 sig, struct sigaction *out);
/* exec: handlers become default, ignored ones stay. */
void sighand_flush(struct sighand *s);
s64 signal_action(s32 sig, const struct sigaction *new, struct sigaction *old);

void signal_init(void);
/* Queues. info->si_signo 1 .. 64. -EAGAIN: the limit is reached and the signal must not be lost. */
int signal_send(struct task *t, const siginfo_t *info, enum signal_to to);
int signal_send_locked(struct task *t, const siginfo_t *info, enum signal_to to, bool force);
/* With an entry of the caller's (timers). False: ignored, not queued. */
bool signal_send_entry_locked(struct task *t, struct sigqueue *q, enum signal_to to);
/* As the kernel, to a group; [T] may be held. */
void signal_send_group(struct tgroup *g, s32 sig);
/* From the monitor: SIGKILL also ends process 1. */
void signal_from_monitor(s32 pid, s32 sig);
/*
 * What the monitor was sent by its user: to process 1, which has no protection from it; to_pgrp: to a whole process
 * group, 0: that of process 1.
 */
void signal_from_user(s32 sig, bool to_pgrp, s32 pgrp);
/* Even when blocked or ignored; to the current thread. */
void signal_force(const siginfo_t *info);
void signal_force_simple(s32 sig);
/* May the current task send sig to t? 0 or -EPERM. */
int signal_may_send(struct task *t, s32 sig);
void siginfo_user(siginfo_t *info, s32 sig, s32 code);
void siginfo_kernel(siginfo_t *info, s32 sig);

/* Every thread of the group is going to exit with status. */
void signal_kill_group_locked(struct tgroup *g, s32 status);
/* exec: the other threads only. Number of them. */
u32 signal_kill_others_locked(struct tgroup *g, struct task *except);
bool signal_fatal_pending(void);
/* The only maker of -ERESTART*: the current call ends with err, which deliver.c replaces before a program can see it. */
static inline int signal_interrupted(int err)
{
	fetch_or(&current()->work, WORK_RESTART);
	return err;
}

/* Takes the next signal of set out of the queues. 0: none. */
s32 signal_dequeue(sigset_t set, siginfo_t *info);
sigset_t signal_pending_set(struct task *t);
void signal_set_blocked(sigset_t set);
/* Is the current task, whose stack pointer is sp, on its alternate stack? One that disarms itself never counts. */
bool signal_on_altstack(const struct task *t, u64 sp);
/* sigaltstack(2) with this stack pointer. -EPERM, -EINVAL, -ENOMEM. */
int must_check signal_set_altstack(const stack_t *ss, u64 sp);
/* signalfd.c: where readers and pollers of g wait. */
void signalfd_init(void);
struct waitq *signalfd_queue(const struct tgroup *g);
/* Recomputes WORK_SIGNAL; for the current task, or t being new. */
void signal_recalc_locked(struct task *t);
/* Where the work is done on the way to user mode. */
void signal_deliver(struct regs *r);
void signal_free_queue(struct sigqueue_head *q);
/* Forgets pending signals that became ignored. */
void signal_discard_locked(struct tgroup *g, sigset_t set);

/* Group stop (stop.c). */
void signal_do_stop_locked(struct tgroup *g); /* drops and retakes the lock */
/* A thread leaves the group while a stop is under way: true when that completes the stop. */
bool signal_stop_thread_gone_locked(struct tgroup *g, struct task *t);
/* [T] Tells the parent: CLD_STOPPED, CLD_CONTINUED. */
void signal_notify_parent_stop(struct tgroup *g, s32 cld_code);
/* [T] The same for one thread, to whoever traces it. */
void signal_notify_stop(struct tgroup *to, struct task *who, s32 cld_code, s32 status);
/* [T] Of a thread or a whole process (its leader), to its parent or tracer. True when nobody will wait. */
bool signal_notify_exit(struct tgroup *to, struct task *who, s32 sig, s32 wait_status);
/* The current thread's tracer has gone while its group is stopped: waits for the end of that. */
void signal_stay_stopped_locked(struct tgroup *g);
/* [T] The group is a zombie: exit signal to the parent. True when nobody will wait: reap it now. */
bool signal_notify_parent_exit(struct tgroup *g);

/* Timers that end in signals (itimer.c, posix_timer.c). */
void itimer_init_group(struct tgroup *g);
void itimer_exit_group(struct tgroup *g);
void posix_timer_exit_group(struct tgroup *g);
/* The wall clock was set: its times come shift_ns later than before. */
void posix_timer_clock_was_set(s64 shift_ns);
void posix_timer_dequeued_locked(struct posix_timer *pt, siginfo_t *info);

/* job.c: the process group of g has nobody outside who could continue it. Takes [T]. */
bool job_group_is_orphaned(struct tgroup *g);
