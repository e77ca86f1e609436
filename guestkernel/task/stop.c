// SPDX-License-Identifier: Apache-2.0
/*
 * stop - stopping and continuing a thread group; what the parent is told
 *
 * Rules     A stop is pending until every live thread has reached its way to user mode and stopped; the
 *           last one reports. SIGCONT and SIGKILL end it at any point (signal.c).
 * Locking   group->lock for the state; tasklist_lock, then the parent's group->lock, for the report.
 */
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"

static void stop_complete(struct tgroup *g)
{
	g->stopped = true;
	g->stop_pending = false;
	g->stop_unreported = true;
	g->cont_unreported = false;
}

void signal_do_stop_locked(struct tgroup *g) NO_LOCK_ANALYSIS
{
	struct task *t = current(), *it;
	bool last;

	if (!t->stop_counted) {
		t->stop_counted = true;
		g->nr_stopped++;
	}
	last = g->nr_stopped >= g->nr_threads;
	if (ptrace_is_traced(t))
		t->trace.trap_stop = true; /* stops there */
	if (last) {
		stop_complete(g);
	} else {
		list_for_each_entry (it, &g->threads, thread_link) {
			if (it == t || it->exited || it->stop_counted)
				continue;
			fetch_or(&it->work, WORK_SIGNAL);
			if (!wake_task(it, TASK_SLEEP))
				sched_kick(it);
		}
	}
	if (!t->trace.trap_stop)
		WRITE_ONCE(t->state, TASK_STOPPED);
	spin_unlock(&g->lock);
	if (last) {
		spin_lock(&tasklist_lock);
		if (!ptrace_by_parent(g->leader))
			signal_notify_parent_stop(g, CLD_STOPPED);
		spin_unlock(&tasklist_lock);
	}
	while (READ_ONCE(t->state) == TASK_STOPPED)
		schedule();
	spin_lock(&g->lock);
}

void signal_stay_stopped_locked(struct tgroup *g) NO_LOCK_ANALYSIS
{
	struct task *t = current();

	t->trace.stay_stopped = false;
	if (!g->stopped)
		return; /* a stop under way counts us in; one that has ended does not concern us */
	WRITE_ONCE(t->state, TASK_STOPPED);
	spin_unlock(&g->lock);
	while (READ_ONCE(t->state) == TASK_STOPPED)
		schedule();
	spin_lock(&g->lock);
}

bool signal_stop_thread_gone_locked(struct tgroup *g, struct task *t)
{
	if (t->stop_counted) {
		t->stop_counted = false;
		g->nr_stopped--;
	}
	if (!g->stop_pending || !g->nr_threads || g->nr_stopped < g->nr_threads)
		return false;
	stop_complete(g);
	return true;
}

static void fill_child_info(siginfo_t *info, struct task *who, const struct task_times *tt, s32 sig,
			    s32 code, s32 status)
{
	memset(info, 0, sizeof *info);
	info->si_signo = sig;
	info->si_code = code;
	info->child.si_pid = who->tid;
	info->child.si_uid = task_uid(who);
	info->child.si_status = status;
	info->child.si_utime = (s64)(tt->utime_ns / 10000000);
	info->child.si_stime = (s64)(tt->stime_ns / 10000000);
}

void signal_notify_stop(struct tgroup *p, struct task *who, s32 cld_code, s32 status)
{
	struct task_times tt = { who->group->utime_ns, who->group->stime_ns };
	struct sigaction sa;
	siginfo_t info;

	if (!p || !p->leader)
		return;
	fill_child_info(&info, who, &tt, SIGCHLD, cld_code, status);
	spin_lock(&p->lock);
	sighand_get_action(p, SIGCHLD, &sa);
	if (sa.sa_handler != SIG_IGN && !(sa.sa_flags & SA_NOCLDSTOP))
		(void)!signal_send_locked(p->leader, &info, SIGNAL_TO_PROCESS, false);
	spin_unlock(&p->lock);
	wake_all(&p->child_wait);
}

void signal_notify_parent_stop(struct tgroup *g, s32 cld_code)
{
	signal_notify_stop(g->parent, g->leader, cld_code,
			   cld_code == CLD_STOPPED ? g->stop_signal : SIGCONT);
}

bool signal_notify_exit(struct tgroup *p, struct task *who, s32 sig, s32 wait_status)
{
	struct task_times tt = { who->group->utime_ns, who->group->stime_ns };
	s32 code = CLD_EXITED, status = wait_status >> 8 & 0xff;
	struct sigaction sa;
	siginfo_t info;
	bool reap = false;

	if (!p || !p->leader)
		return true;
	if (wait_status & 0x7f) {
		code = wait_status & 0x80 ? CLD_DUMPED : CLD_KILLED;
		status = wait_status & 0x7f;
	}
	fill_child_info(&info, who, &tt, sig, code, status);
	spin_lock(&p->lock);
	sighand_get_action(p, SIGCHLD, &sa);
	if (sig == SIGCHLD) {
		if (sa.sa_handler == SIG_IGN || (sa.sa_flags & SA_NOCLDWAIT))
			reap = true;
		if (sa.sa_handler == SIG_IGN)
			sig = 0;
	}
	if (sig > 0 && sig <= _NSIG)
		(void)!signal_send_locked(p->leader, &info, SIGNAL_TO_PROCESS, false);
	spin_unlock(&p->lock);
	if (!waitq_is_idle(&p->child_wait))
		wake_all(&p->child_wait);
	return reap;
}

bool signal_notify_parent_exit(struct tgroup *g)
{
	return signal_notify_exit(g->parent, g->leader, g->exit_signal, g->exit_code);
}
