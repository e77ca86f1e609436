// SPDX-License-Identifier: Apache-2.0
/*
 * ptrace - who traces whom; stops and what is told about them
 *
 * Role      See ptrace.h.
 * Rules     A stop: the thread notes why, becomes TASK_TRACED under its group's lock, tells its tracer, sleeps. The
 *           stops of one thread of a group have nothing to do with those of the others, but for group stops.
 *           An exited thread that is traced stays until its tracer has waited for it, and its process with it.
 * Missing   PTRACE_O_SUSPEND_SECCOMP.
 * See       ptrace(2), tests/syscalls/ptrace.c
 */
#include "guestkernel/task/ptrace.h"
#include "arch/trace.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/exit.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/ptrace.h"
#include "guestkernel/uapi/sched.h"

#define NOT_STOPPED (-1)

/* [T S] cred: by whose rights. */
static void link_locked(struct task *t, struct task *tracer, const struct cred *cred, bool seized,
			u32 options)
{
	t->trace.tracer = tracer;
	t->trace.cred = cred_get(cred);
	t->trace.seized = seized;
	t->trace.options = options;
	t->trace.resume = TRACE_CONT;
	t->group->nr_traced++;
	list_add_tail(&tracer->trace.tracees, &t->trace.link);
}

/* [T S] */
static void unlink_locked(struct task *t)
{
	list_del(&t->trace.link);
	t->group->nr_traced--;
	t->trace.tracer = NULL;
	cred_put(t->trace.cred);
	t->trace.cred = NULL;
	t->trace.seized = false;
	t->trace.options = 0;
	t->trace.trap_stop = t->trace.trap_notify = false;
	t->trace.unreported = false;
}

void ptrace_unlink(struct task *t)
{
	spin_lock(&t->group->lock);
	if (t->trace.tracer)
		unlink_locked(t);
	spin_unlock(&t->group->lock);
}

/* Is it too late to stop? Of an end by SIGKILL, and of every end before the last stop. */
static bool must_go_on(const struct task *t, s32 code)
{
	if (!(READ_ONCE(t->work) & WORK_KILLED))
		return false;
	return code >> 8 != PTRACE_EVENT_EXIT || (t->group->exit_code & 0x7f) == SIGKILL;
}

/* [S] held, dropped while stopped. The signal to go on with, or NOT_STOPPED. */
static s32 stop_locked(s32 code, s32 why, siginfo_t *info, u64 message) NO_LOCK_ANALYSIS
{
	struct task *t = current();
	struct tgroup *g = t->group;
	struct trace *tr = &t->trace;
	s32 sig;

	if (!tr->tracer || must_go_on(t, code))
		return NOT_STOPPED;
	if (tr->is_stepping)
		arch_step_end(&t->thread);
	tr->is_stepping = false;
	tr->trap_stop = false;
	if (code >> 8 == PTRACE_EVENT_STOP)
		tr->trap_notify = false;
	tr->code = code;
	tr->info = info;
	tr->has_info = info != NULL;
	tr->message = message;
	tr->unreported = true;
	WRITE_ONCE(t->state, TASK_TRACED);
	spin_unlock(&g->lock);
	spin_lock(&tasklist_lock);
	if (tr->tracer)
		signal_notify_stop(tr->tracer->group, t, why,
				   why == CLD_STOPPED ? g->stop_signal & 0x7f : code & 0x7f);
	spin_unlock(&tasklist_lock);
	while (READ_ONCE(t->state) == TASK_TRACED)
		schedule();
	spin_lock(&g->lock);
	tr->unreported = tr->listening = tr->has_info = false;
	tr->info = NULL;
	sig = tr->code == code && must_go_on(t, 0) ? 0
						   : tr->code; /* killed: nobody chose a signal */
	tr->code = 0;
	t->quick_nr = 0; /* the next call looks whether it is watched */
	signal_recalc_locked(t);
	if (tr->resume == TRACE_STEP || tr->resume == TRACE_SYSEMU_STEP)
		tr->is_stepping = arch_step_begin();
	return sig;
}

/* Stops that are no signals look like SIGTRAP with the code in si_code. */
static s32 notify_locked(s32 code, s32 why, u64 message)
{
	siginfo_t info;

	siginfo_user(&info, code & 0x7f, code);
	info.kill.si_pid = current()->tid;
	return stop_locked(code, why, &info, message);
}

s32 ptrace_signal_locked(siginfo_t *info) NO_LOCK_ANALYSIS
{
	struct task *t = current();
	s32 was = info->si_signo, sig;

	sig = stop_locked(was, CLD_TRAPPED, info, 0);
	if (sig == NOT_STOPPED)
		return was;
	if (sig == 0)
		return 0;
	if (sig != was) { /* the tracer chose another one, and said nothing about it */
		memset(info, 0, sizeof *info);
		info->si_signo = sig;
		info->si_code = SI_USER;
		spin_unlock(&t->group->lock);
		spin_lock(&tasklist_lock);
		if (t->trace.tracer) {
			info->kill.si_pid = t->trace.tracer->group->tgid;
			info->kill.si_uid = task_uid(t->trace.tracer);
		}
		spin_unlock(&tasklist_lock);
		spin_lock(&t->group->lock);
	}
	if ((t->blocked & sig_bit(sig)) && sig != SIGKILL && sig != SIGSTOP) {
		(void)!signal_send_locked(t, info, SIGNAL_TO_THREAD, false);
		return 0;
	}
	return sig;
}

void ptrace_trap_locked(void)
{
	struct task *t = current();
	struct tgroup *g = t->group;
	bool in_group_stop = g->stop_pending || g->stopped;
	s32 sig = in_group_stop ? g->stop_signal : SIGTRAP;

	if (t->trace.stay_stopped) {
		signal_stay_stopped_locked(g);
		return;
	}
	t->trace.trap_notify = false;
	if (!t->trace.trap_stop && !t->trace.seized)
		return;
	t->trace.trap_stop = false;
	if (t->trace.seized)
		notify_locked(sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0);
	else
		stop_locked(sig, CLD_STOPPED, NULL, 0);
}

void ptrace_event(u32 event, u64 message)
{
	struct task *t = current();

	if (!ptrace_is_traced(t))
		return;
	spin_lock(&t->group->lock);
	if (t->trace.options & 1u << event)
		notify_locked(SIGTRAP | (s32)event << 8, CLD_TRAPPED, message);
	spin_unlock(&t->group->lock);
	/* The tracer may only now have asked for stops at calls; this one's end is the first. */
	if (t->trace.resume != TRACE_CONT && !t->trace.end_is_seen) {
		t->trace.end_is_due = true;
		fetch_or(&t->work, WORK_SIGNAL);
	}
}

/* The begin or end of a system call. A signal the tracer goes on with is sent. */
static void syscall_stop(struct regs *r, bool is_exit)
{
	struct task *t = current();
	bool is_good = t->trace.options & PTRACE_O_TRACESYSGOOD;
	u64 mark = regs_trace_mark(r, is_exit);
	siginfo_t info;
	s32 sig;

	spin_lock(&t->group->lock);
	sig = notify_locked(SIGTRAP | (is_good ? 0x80 : 0), CLD_TRAPPED,
			    is_exit ? PTRACE_EVENTMSG_SYSCALL_EXIT : PTRACE_EVENTMSG_SYSCALL_ENTRY);
	spin_unlock(&t->group->lock);
	regs_trace_done(r, is_exit, mark);
	if (sig > 0) {
		siginfo_kernel(&info, sig);
		(void)!signal_send(t, &info, SIGNAL_TO_THREAD);
	}
}

static void step_report(struct regs *r)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = SIGTRAP;
	info.si_code = TRAP_BRKPT;
	info.fault.si_addr = regs_ip(r);
	signal_force(&info);
}

bool ptrace_syscall_begin(struct regs *r)
{
	u8 how = current()->trace.resume;

	if (how == TRACE_CONT || how == TRACE_STEP)
		return true;
	syscall_stop(r, false);
	return how == TRACE_SYSCALL && !signal_fatal_pending() && (s32)regs_syscall_nr(r) != -1;
}

void ptrace_syscall_end(struct regs *r)
{
	struct task *t = current();
	u8 how = t->trace.resume;

	if (how == TRACE_SYSCALL)
		syscall_stop(r, true);
	else if ((how == TRACE_STEP || how == TRACE_SYSEMU_STEP) && ptrace_is_traced(t))
		step_report(r);
}

void ptrace_late_syscall_end(struct regs *r)
{
	current()->trace.end_is_due = false;
	ptrace_syscall_end(r);
}

bool ptrace_frame_begin(void)
{
	struct task *t = current();
	bool was = t->trace.is_stepping;

	if (was)
		arch_step_end(&t->thread);
	t->trace.is_stepping = false;
	return was;
}

void ptrace_frame_end(void)
{
	struct task *t = current();

	spin_lock(&t->group->lock);
	notify_locked(SIGTRAP, CLD_TRAPPED, 0);
	spin_unlock(&t->group->lock);
}

u32 ptrace_clone_event(const struct clone_req *q)
{
	struct task *t = current();
	u32 event;

	if (likely(!ptrace_is_traced(t)) || (q->flags & CLONE_UNTRACED))
		return 0;
	event = q->flags & CLONE_VFORK	    ? PTRACE_EVENT_VFORK
		: q->exit_signal != SIGCHLD ? PTRACE_EVENT_CLONE
					    : PTRACE_EVENT_FORK;
	return t->trace.options & 1u << event ? event : 0;
}

/* The creator's group lock is held, which is the child's too when it is a thread; nobody knows another child yet. */
void ptrace_clone_locked(struct task *child, const struct clone_req *q, u32 event)
{
	struct task *me = current();

	if (me->trace.is_stepping)
		arch_step_end(&child->thread);
	if (likely(!me->trace.tracer) || !(event || (q->flags & CLONE_PTRACE)))
		return;
	link_locked(child, me->trace.tracer, me->trace.cred, me->trace.seized, me->trace.options);
	if (me->trace.seized)
		child->trace.trap_stop = true;
	else
		child->pending.set |= sig_bit(SIGSTOP);
	child->work |= WORK_SIGNAL;
}

void ptrace_exec(s32 old_tid)
{
	struct task *t = current();
	siginfo_t info;

	if (likely(!ptrace_is_traced(t)))
		return;
	if (t->trace.options & PTRACE_O_TRACEEXEC) {
		ptrace_event(PTRACE_EVENT_EXEC, (u64)old_tid);
	} else if (!t->trace.seized) {
		siginfo_user(&info, SIGTRAP, SI_USER);
		(void)!signal_send(t, &info, SIGNAL_TO_THREAD);
	}
}

bool ptrace_allows_privileges_locked(void)
{
	const struct task *t = current();

	return likely(!t->trace.tracer) || cred_capable(t->trace.cred, CAP_SYS_PTRACE);
}

/* [S] Whether it was stopped for its tracer. */
static bool let_go_locked(struct task *t, s32 sig)
{
	struct tgroup *g = t->group;

	unlink_locked(t);
	t->trace.resume = TRACE_CONT;
	if (t->exited)
		return false;
	if (g->stopped) {
		t->trace.stay_stopped = true;
		fetch_or(&t->work, WORK_SIGNAL);
	}
	t->trace.code = sig;
	return wake_task(t, TASK_TRACED);
}

/* [T] A thread that was kept for its tracer goes; the process, if it was the last that kept it. */
static void release_zombie(struct task *t)
{
	struct tgroup *g = t->group;
	bool last;

	t->trace.zombie = false;
	tgroup_get(g);
	task_release_thread(t);
	last = --g->nr_trace_zombies == 0 && g->nr_threads == 0;
	if (last)
		task_group_dead(g);
	tgroup_put(g);
}

/* [T] */
static void let_go(struct task *t, s32 sig)
{
	struct tgroup *g = t->group;
	bool by_parent = ptrace_by_parent(t);

	spin_lock(&g->lock);
	let_go_locked(t, sig);
	spin_unlock(&g->lock);
	if (t->trace.zombie)
		release_zombie(t);
	else if (t == g->leader && g->zombie && !by_parent && signal_notify_parent_exit(g))
		task_reap_group(g, false);
}

void ptrace_exit_tracer(struct task *t)
{
	struct task *it;
	siginfo_t info;

	/* letting go of one may remove others */
	while ((it = list_first(&t->trace.tracees, struct task, trace.link)) != NULL) {
		if (it->trace.options & PTRACE_O_EXITKILL) {
			siginfo_kernel(&info, SIGKILL);
			(void)!signal_send(it, &info, SIGNAL_TO_PROCESS);
		}
		let_go(it, 0);
	}
}

bool ptrace_keep_thread(struct task *t)
{
	struct tgroup *tracer;

	if (likely(!t->trace.tracer))
		return false;
	tracer = t->trace.tracer->group;
	if (signal_notify_exit(tracer, t, SIGCHLD, t->exit_code)) {
		ptrace_unlink(t);
		return false;
	}
	t->trace.zombie = true;
	t->group->nr_trace_zombies++;
	return true;
}

bool ptrace_report_exit(struct tgroup *g)
{
	struct task *leader = g->leader;

	if (likely(!leader->trace.tracer) || ptrace_by_parent(leader))
		return signal_notify_parent_exit(g);
	if (!signal_notify_exit(leader->trace.tracer->group, leader, SIGCHLD, g->exit_code))
		return false;
	ptrace_unlink(leader);
	return signal_notify_parent_exit(g);
}

static bool is_wanted(const struct task *t, const struct wait_req *q)
{
	if (q->type == P_PID)
		return t->tid == q->id;
	return q->type != P_PGID || t->group->pgrp->nr == q->id;
}

static void fill(struct wait_result *res, struct task *t, s32 status, s32 code)
{
	memset(res, 0, sizeof *res);
	res->pid = t->tid;
	res->uid = task_uid(t);
	res->status = status;
	res->code = code;
	if (t == t->group->leader)
		rusage_of_group(t->group, &res->usage);
}

static bool take_stop(struct task *t, const struct wait_req *q, struct wait_result *res)
{
	bool found = false;

	spin_lock(&t->group->lock);
	if (t->trace.unreported && !t->trace.listening) {
		fill(res, t, t->trace.code << 8 | 0x7f, CLD_TRAPPED);
		t->trace.unreported = q->options & WNOWAIT;
		found = true;
	}
	spin_unlock(&t->group->lock);
	return found;
}

static s32 end_code(s32 status)
{
	return !(status & 0x7f) ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* An exited thread, or a process that is not our child; our own children are waited for as such. */
static bool take_end(struct task *t, const struct wait_req *q, struct wait_result *res)
{
	struct tgroup *g = t->group;
	s32 status = t->exit_code;

	if (!(q->options & WEXITED))
		return false;
	if (t == g->leader) {
		if (!g->zombie || ptrace_by_parent(t))
			return false;
		status = g->exit_code;
	} else if (!t->trace.zombie) {
		return false;
	}
	fill(res, t, status, end_code(status));
	if (!(q->options & WNOWAIT))
		let_go(t, 0);
	return true;
}

static s64 look_of(struct task *tracer, const struct wait_req *q, struct wait_result *res)
{
	struct task *t;
	s64 r = -ECHILD;

	list_for_each_entry (t, &tracer->trace.tracees, trace.link) {
		if (!is_wanted(t, q))
			continue;
		if (take_stop(t, q, res) || take_end(t, q, res))
			return res->pid;
		if (!t->exited || (q->options & WEXITED))
			r = 0;
	}
	return r;
}

s64 ptrace_look(const struct wait_req *q, struct wait_result *res)
{
	struct task *me = current(), *it;
	s64 r = -ECHILD, n;

	if (q->options & __WNOTHREAD)
		return look_of(me, q, res);
	list_for_each_entry (it, &me->group->threads, thread_link) {
		if (list_empty(&it->trace.tracees))
			continue;
		n = look_of(it, q, res);
		if (n > 0)
			return n;
		if (n == 0)
			r = 0;
	}
	return r;
}

/* The thread that created the current process, or the leader of its parent. */
static struct task *creator(struct tgroup *g)
{
	struct pid *p = pid_lookup(g->parent_tid);
	struct task *t = p ? p->task : NULL;

	if (t && t->group == g->parent && !t->exited)
		return t;
	t = g->parent->leader;
	return t->exited ? NULL : t;
}

int ptrace_traceme(void) NO_LOCK_ANALYSIS
{
	struct task *t = current(), *tracer;
	int r = -EPERM;

	spin_lock(&tasklist_lock);
	tracer = t->group->parent ? creator(t->group) : NULL;
	spin_lock(&t->group->lock);
	if (!t->trace.tracer && tracer) {
		link_locked(t, tracer, t->cred, false, 0);
		r = 0;
	}
	spin_unlock(&t->group->lock);
	spin_unlock(&tasklist_lock);
	if (r == 0)
		arch_trace_begin(t->mm);
	return r;
}

/* [T S] 0, 1: it was stopped, -EPERM. */
static int attach_locked(struct task *t, bool seize, u32 options)
{
	if (t->trace.tracer || t->exited || t->is_kthread || !task_may_access(t, ACCESS_REAL))
		return -EPERM;
	link_locked(t, current(), current()->cred, seize, options);
	if (READ_ONCE(t->state) == TASK_STOPPED) {
		t->trace.trap_stop = true;
		fetch_or(&t->work, WORK_SIGNAL);
		wake_task(t, TASK_STOPPED);
		return 1;
	}
	return 0;
}

/* [T] t was stopped and is on its way to the stop for us: requests may follow at once, as if it never had run. */
static void wait_until_traced(struct task *t) NO_LOCK_ANALYSIS
{
	while (t->trace.tracer == current() && READ_ONCE(t->state) != TASK_TRACED &&
	       !(READ_ONCE(t->work) & WORK_KILLED) && !t->exited)
		if (wait_on_killable(&current_group()->child_wait, &tasklist_lock) < 0)
			break;
}

int ptrace_attach(struct task *t, bool seize, u32 options) NO_LOCK_ANALYSIS
{
	struct aspace *mm;
	siginfo_t info;
	int r;

	if (t->group == current_group() || !task_access_mm(t, ACCESS_REAL, &mm))
		return -EPERM;
	if (!mm)
		return -EPERM;
	spin_lock(&tasklist_lock);
	spin_lock(&t->group->lock);
	r = attach_locked(t, seize, options);
	if (r >= 0 && !seize) {
		siginfo_kernel(&info, SIGSTOP);
		(void)!signal_send_locked(t, &info, SIGNAL_TO_THREAD, true);
	}
	spin_unlock(&t->group->lock);
	if (r > 0)
		wait_until_traced(t);
	spin_unlock(&tasklist_lock);
	if (r >= 0)
		arch_trace_begin(mm);
	aspace_put(mm);
	return MIN(r, 0);
}

bool ptrace_is_mine(struct task *t)
{
	return READ_ONCE(t->trace.tracer) == current();
}

int ptrace_lock_stopped(struct task *t) NO_LOCK_ANALYSIS
{
	for (;;) {
		spin_lock(&t->group->lock);
		if (t->trace.tracer != current() || READ_ONCE(t->state) != TASK_TRACED ||
		    t->trace.listening) {
			spin_unlock(&t->group->lock);
			return -ESRCH;
		}
		if (!load_acquire(&t->on_cpu))
			return 0;
		spin_unlock(&t->group->lock);
		arch_spin_relax(); /* it is on its way to sleep */
	}
}

void ptrace_resume_locked(struct task *t, u8 how, s32 sig)
{
	t->trace.resume = how;
	t->trace.code = sig;
	t->trace.unreported = false;
	wake_task(t, TASK_TRACED);
}

int ptrace_detach(struct task *t, s32 sig) NO_LOCK_ANALYSIS
{
	int r = ptrace_lock_stopped(t);

	if (r < 0)
		return r;
	spin_unlock(&t->group->lock);
	/* nobody but us and SIGKILL ends the stop */
	spin_lock(&tasklist_lock);
	if (t->trace.tracer == current())
		let_go(t, sig);
	else
		r = -ESRCH;
	spin_unlock(&tasklist_lock);
	return r;
}

int ptrace_interrupt(struct task *t)
{
	int r = -EIO;

	spin_lock(&t->group->lock);
	if (t->trace.seized && !t->exited) {
		t->trace.trap_stop = true;
		fetch_or(&t->work, WORK_SIGNAL);
		if (!wake_task(t, TASK_SLEEP | (t->trace.listening ? TASK_TRACED : 0)))
			sched_kick(t);
		r = 0;
	}
	spin_unlock(&t->group->lock);
	return r;
}

int ptrace_listen_locked(struct task *t)
{
	if (!t->trace.seized || t->trace.code >> 8 != PTRACE_EVENT_STOP)
		return -EIO;
	t->trace.listening = true;
	t->trace.resume = TRACE_CONT;
	if (t->trace.trap_notify)
		wake_task(t, TASK_TRACED);
	return 0;
}

s32 ptrace_tracer_tid(struct task *t)
{
	s32 tid;

	if (likely(!ptrace_is_traced(t)))
		return 0;
	spin_lock(&tasklist_lock);
	tid = t->trace.tracer ? t->trace.tracer->tid : 0;
	spin_unlock(&tasklist_lock);
	return tid;
}
