// SPDX-License-Identifier: Apache-2.0
/*
 * ptrace - one thread watches and changes another
 *
 * Role      sys_ptrace.c decodes the requests; ptrace.c keeps who traces whom, stops threads and tells their tracers.
 *           The rest of task/ calls the hooks below where Linux's threads stop.
 * Rules     A tracer is a thread. A stopped thread has state TASK_TRACED and goes on when its tracer says so, when the
 *           tracer ends or lets it go, or by SIGKILL. Whoever ends such a stop holds the group's lock, so that a
 *           request made under it finds the thread where it was.
 * Locking   tasklist_lock, then the tracee's group->lock.
 * See       ptrace(2)
 */
#pragma once

#include "guestkernel/task/wait.h"

struct clone_req;
struct regs;

static inline bool ptrace_is_traced(const struct task *t)
{
	return READ_ONCE(t->trace.tracer) != NULL;
}
/* [T] or [S] of t. */
static inline bool ptrace_by_parent(const struct task *t)
{
	return t->trace.tracer && t->trace.tracer->group == t->group->parent;
}
/* The current thread's calls go through ptrace_syscall_begin() and ptrace_syscall_end(). */
static inline bool ptrace_watches_calls(const struct task *t)
{
	return READ_ONCE(t->trace.resume) != TRACE_CONT;
}
static inline bool ptrace_trap_pending(const struct task *t)
{
	return t->trace.trap_stop || t->trace.trap_notify || t->trace.stay_stopped;
}

/* Stops of the current thread. */
/* A signal is about to be delivered: what is delivered instead, in *info; 0: nothing. [S] held, dropped meanwhile. */
s32 ptrace_signal_locked(siginfo_t *info);
/* What ptrace_trap_pending() announced. [S] held, dropped meanwhile. */
void ptrace_trap_locked(void);
/* event of PTRACE_EVENT_*, if the tracer asked for it. */
void ptrace_event(u32 event, u64 message);
/* Around the system call in r, which is made only if the first says so; its result is stored between them. */
bool ptrace_syscall_begin(struct regs *r);
void ptrace_syscall_end(struct regs *r);
/* On the way to user mode, for a call that was not watched when it began; see ptrace_event(). */
void ptrace_late_syscall_end(struct regs *r);
/* A signal frame is going to be built, and was built: true when the thread is stepping. */
bool ptrace_frame_begin(void);
void ptrace_frame_end(void);

/* Life. */
/* The event a clone() is for its tracer, 0: none. */
u32 ptrace_clone_event(const struct clone_req *q);
/* [T] The child of a call with that event is traced as its creator is; it does not run yet. */
void ptrace_clone_locked(struct task *child, const struct clone_req *q, u32 event);
/* The program was replaced; the thread's number was old_tid. */
void ptrace_exec(s32 old_tid);
/* [S] May an exec of the current thread gain privileges? */
bool ptrace_allows_privileges_locked(void);
/* [T] The thread ends: those it traces are let go of. */
void ptrace_exit_tracer(struct task *t);
/* [T] A thread that is not the leader has left its group: true when it stays for its tracer. */
bool ptrace_keep_thread(struct task *t);
/* [T] The group is a zombie: its parent is told or, first, its tracer. True: nobody waits, reap it now. */
bool ptrace_report_exit(struct tgroup *g);
/* [T] t is being removed. */
void ptrace_unlink(struct task *t);

/* wait4() of the current thread: [T] as look() of wait.c, for what it traces. */
s64 ptrace_look(const struct wait_req *q, struct wait_result *res);

/* Requests (sys_ptrace.c). */
int must_check ptrace_traceme(void);
int must_check ptrace_attach(struct task *t, bool seize, u32 options);
/* Takes the group's lock if t is stopped and ours to command; else -ESRCH, nothing locked. */
int must_check ptrace_lock_stopped(struct task *t) TRY_ACQUIRES(false, t->group->lock);
/* Of a stopped thread [S]. */
void ptrace_resume_locked(struct task *t, u8 how, s32 sig);
int must_check ptrace_detach(struct task *t, s32 sig);
int must_check ptrace_interrupt(struct task *t);
int must_check ptrace_listen_locked(struct task *t);
/* Is t traced by the current thread? */
bool ptrace_is_mine(struct task *t);
s32 ptrace_tracer_tid(struct task *t);
