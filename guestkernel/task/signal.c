// SPDX-License-Identifier: Apache-2.0
/*
 * signal - sending and queueing
 *
 * Role      Everything that raises a signal comes here; deliver.c takes them out again.
 * Rules     Choosing a thread for a process signal: the one it was sent to if it does not block it, else the
 *           next in turn that does not. A fatal signal without a core dump starts the end of the whole group at
 *           once, so that it is never late behind others in the queue.
 *           Process 1 ignores signals it has no handler for, as the first process of a pid namespace
 *           does; faults of its own and SIGKILL from the monitor end it.
 * Locking   group->lock; entries are allocated under it (kmalloc does not sleep).
 * See       signal(7), sigqueue(3), tests/syscalls
 */
#include "guestkernel/task/signal.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/job.h"
#include "guestkernel/kapi/poll.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/uapi/capability.h"

static struct kmem_cache *queue_cache;

void signal_init(void)
{
	queue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 8);
	if (!queue_cache)
		panic("no memory for the signal cache");
}

/* The account of the one who gets the signal, referenced. */
static struct user_account *payer_get(struct task *t)
{
	struct user_account *a;

	spin_lock(&t->alloc_lock);
	a = t->cred ? account_get(t->cred->account) : NULL;
	spin_unlock(&t->alloc_lock);
	return a;
}

static struct sigqueue *queue_alloc(struct task *t, bool force)
{
	u64 limit =
		force ? CHARGE_UNLIMITED : READ_ONCE(t->group->rlim[RLIMIT_SIGPENDING].rlim_cur);
	struct user_account *payer = payer_get(t);
	struct sigqueue *q;

	if (charge(payer, CHARGE_SIGPENDING, 1, limit) < 0) {
		account_put(payer);
		return NULL;
	}
	q = kmem_cache_alloc(queue_cache);
	if (!q) {
		charge_release(payer, CHARGE_SIGPENDING, 1);
		return NULL;
	}
	q->timer = NULL;
	q->payer = payer;
	return q;
}

static void queue_release(struct sigqueue *q)
{
	charge_release(q->payer, CHARGE_SIGPENDING, 1);
	kmem_cache_free(queue_cache, q);
}

static void queue_free(struct sigqueue *q)
{
	list_del(&q->link);
	if (q->timer) {
		posix_timer_dequeued_locked(q->timer, &q->info);
		return;
	}
	queue_release(q);
}

void signal_free_queue(struct sigqueue_head *h)
{
	struct sigqueue *q, *tmp;

	list_for_each_entry_safe (q, tmp, &h->list, link)
		queue_free(q);
	h->set = 0;
}

static void discard_from(struct sigqueue_head *h, sigset_t set)
{
	struct sigqueue *q, *tmp;

	if (!(h->set & set))
		return;
	h->set &= ~set;
	list_for_each_entry_safe (q, tmp, &h->list, link)
		if (sig_bit(q->info.si_signo) & set)
			queue_free(q);
}

/* The thread list is stable under group->lock: clone and exit change it with both locks held. */
void signal_discard_locked(struct tgroup *g, sigset_t set)
{
	struct task *t;

	discard_from(&g->shared, set);
	list_for_each_entry (t, &g->threads, thread_link)
		discard_from(&t->pending, set);
}

static void wake_for_signal(struct task *t, bool fatal)
{
	u32 work = fatal ? WORK_SIGNAL | WORK_KILLED : WORK_SIGNAL;

	fetch_or(&t->work, work);
	if (!wake_task(t, fatal ? TASK_SLEEP | TASK_SLEEP_KILL | TASK_STOPPED | TASK_TRACED
				: TASK_SLEEP))
		sched_kick(t);
}

void signal_kill_group_locked(struct tgroup *g, s32 status)
{
	struct task *t;

	if (g->exiting)
		return;
	g->exiting = true;
	g->exit_code = status;
	g->stop_pending = false;
	g->stopped = false;
	list_for_each_entry (t, &g->threads, thread_link)
		if (!t->exited)
			wake_for_signal(t, true);
}

u32 signal_kill_others_locked(struct tgroup *g, struct task *except)
{
	struct task *t;
	u32 n = 0;

	list_for_each_entry (t, &g->threads, thread_link) {
		if (t == except || t->exited)
			continue;
		wake_for_signal(t, true);
		n++;
	}
	return n;
}

static bool is_default_ignored(struct tgroup *g, s32 sig, const struct sigaction *sa)
{
	if (sa->sa_handler == SIG_IGN)
		return true;
	if (sa->sa_handler != SIG_DFL)
		return false;
	if (g->is_init && !g->init_may_die)
		return true;
	return SIGSET_IGNORED_BY_DEFAULT & sig_bit(sig);
}

/* Stop signals and SIGCONT cancel each other. SIGCONT continues a stopped group even when blocked. */
static void stop_and_continue(struct tgroup *g, s32 sig)
{
	struct task *t;

	if (sig_bit(sig) & SIGSET_STOP) {
		signal_discard_locked(g, sig_bit(SIGCONT));
		return;
	}
	if (sig == SIGKILL && g->exiting && g->nr_traced) /* out of the last stop */
		list_for_each_entry (t, &g->threads, thread_link)
			wake_task(t, TASK_TRACED);
	if (sig != SIGCONT)
		return;
	signal_discard_locked(g, SIGSET_STOP);
	if (!g->stop_pending && !g->stopped)
		return;
	if (g->stopped || g->nr_stopped) {
		g->cont_unreported = true;
		g->notify_cont = true;
	}
	g->stop_unreported = false;
	g->stop_pending = false;
	g->stopped = false;
	g->nr_stopped = 0;
	list_for_each_entry (t, &g->threads, thread_link) {
		t->stop_counted = false;
		if (t->trace.seized)
			t->trace.trap_notify = true;
		fetch_or(&t->work, WORK_SIGNAL);
		wake_task(t, t->trace.listening ? TASK_STOPPED | TASK_TRACED : TASK_STOPPED);
	}
}

static bool wants(struct task *t, s32 sig)
{
	if (t->exited || (t->work & WORK_KILLED))
		return false;
	if (sig == SIGKILL)
		return true;
	return !(t->blocked & sig_bit(sig)) &&
	       !(READ_ONCE(t->state) & (TASK_STOPPED | TASK_TRACED));
}

static struct task *choose_thread(struct task *t, s32 sig, enum signal_to to)
{
	struct tgroup *g = t->group;
	struct task *it;

	if (wants(t, sig))
		return t;
	if (to == SIGNAL_TO_THREAD)
		return NULL;
	list_for_each_entry (it, &g->threads, thread_link)
		if (wants(it, sig))
			return it;
	return NULL;
}

/* A thread in sigtimedwait() for this signal. */
static struct task *choose_waiter(struct task *t, s32 sig, enum signal_to to)
{
	struct task *it;

	if (t->wait_set & sig_bit(sig))
		return t;
	if (to == SIGNAL_TO_PROCESS)
		list_for_each_entry (it, &t->group->threads, thread_link)
			if (it->wait_set & sig_bit(sig))
				return it;
	return NULL;
}

static bool kills_at_once(struct task *t, s32 sig)
{
	struct tgroup *g = t->group;
	struct sigaction sa;

	if (sig == SIGKILL)
		return true;
	if (ptrace_is_traced(t)) /* the tracer is asked first */
		return false;
	if (sig_bit(sig) & (SIGSET_CORE | SIGSET_STOP | SIGSET_IGNORED_BY_DEFAULT))
		return false;
	sighand_get_action(g, sig, &sa);
	return sa.sa_handler == SIG_DFL;
}

static void notify(struct task *t, s32 sig, enum signal_to to)
{
	struct tgroup *g = t->group;
	struct task *target = choose_thread(t, sig, to), *waiter;

	if (!waitq_is_idle(g->signal_wait))
		wake_events(g->signal_wait, EPOLLIN | EPOLLRDNORM);
	if (target) {
		if (!g->exiting && kills_at_once(target, sig)) {
			signal_kill_group_locked(g, sig);
			return;
		}
		wake_for_signal(target, false);
		return;
	}
	waiter = choose_waiter(t, sig, to);
	if (waiter)
		wake_for_signal(waiter, false);
}

static bool must_not_lose(const siginfo_t *info)
{
	return info->si_signo >= SIGRTMIN && info->si_code != SI_USER && info->si_code != SI_KERNEL;
}

/* Blocked ones are kept: their disposition may be another when they are unblocked. */
static bool is_ignored_now(struct task *t, s32 sig)
{
	sigset_t keep = t->blocked | t->wait_set;
	struct sigaction sa;

	if (t->work & WORK_RESTORE_MASK)
		keep |= t->saved_blocked;
	if ((keep & sig_bit(sig)) || (ptrace_is_traced(t) && sig != SIGKILL))
		return false;
	sighand_get_action(t->group, sig, &sa);
	return is_default_ignored(t->group, sig, &sa);
}

bool signal_send_entry_locked(struct task *t, struct sigqueue *q, enum signal_to to)
{
	s32 sig = q->info.si_signo;
	struct sigqueue_head *h = to == SIGNAL_TO_PROCESS ? &t->group->shared : &t->pending;

	if (is_ignored_now(t, sig))
		return false;
	list_add_tail(&h->list, &q->link);
	h->set |= sig_bit(sig);
	notify(t, sig, to);
	return true;
}

int signal_send_locked(struct task *t, const siginfo_t *info, enum signal_to to, bool force)
{
	struct tgroup *g = t->group;
	s32 sig = info->si_signo;
	struct sigqueue_head *h = to == SIGNAL_TO_PROCESS ? &g->shared : &t->pending;
	struct sigqueue *q;

	stop_and_continue(g, sig);
	if (!force && is_ignored_now(t, sig))
		return 0;
	if (sig < SIGRTMIN && (h->set & sig_bit(sig)))
		return 0;
	/* the kernel's own must get through, and there is one of each at most */
	q = queue_alloc(t, force || (sig < SIGRTMIN && info->si_code >= 0));
	if (q) {
		q->info = *info;
		list_add_tail(&h->list, &q->link);
	} else if (must_not_lose(info)) {
		return -EAGAIN;
	}
	h->set |= sig_bit(sig);
	notify(t, sig, to);
	return 0;
}

int signal_send(struct task *t, const siginfo_t *info, enum signal_to to)
{
	struct tgroup *g = t->group;
	int r = 0;

	if (!g)
		return -ESRCH;
	spin_lock(&g->lock);
	if (!g->zombie && g->sighand)
		r = signal_send_locked(t, info, to, false);
	spin_unlock(&g->lock);
	return r;
}

void siginfo_user(siginfo_t *info, s32 sig, s32 code)
{
	memset(info, 0, sizeof *info);
	info->si_signo = sig;
	info->si_code = code;
	info->kill.si_pid = current_tgid();
	info->kill.si_uid = current()->cred ? current()->cred->uid : 0;
}

void siginfo_kernel(siginfo_t *info, s32 sig)
{
	memset(info, 0, sizeof *info);
	info->si_signo = sig;
	info->si_code = SI_KERNEL;
}

void signal_send_group(struct tgroup *g, s32 sig)
{
	siginfo_t info;

	siginfo_kernel(&info, sig);
	if (g->leader)
		(void)!signal_send(g->leader, &info, SIGNAL_TO_PROCESS);
}

void signal_from_monitor(s32 pid, s32 sig)
{
	struct task *t = task_find_process_get(pid);
	siginfo_t info;

	if (!t)
		return;
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = SI_USER;
	if (sig == SIGKILL && t->group->is_init) {
		spin_lock(&t->group->lock);
		t->group->init_may_die = true;
		spin_unlock(&t->group->lock);
	}
	(void)!signal_send(t, &info, SIGNAL_TO_PROCESS);
	task_put(t);
}

/* Whoever runs the sandbox takes process 1 for the program: a signal it does not handle ends it, as without a sandbox,
 * and so does one that its handler sends once more, as shells do. */
static void let_init_die(struct tgroup *g, s32 sig)
{
	if (sig_bit(sig) & (SIGSET_STOP | SIGSET_IGNORED_BY_DEFAULT))
		return;
	spin_lock(&g->lock);
	g->init_may_die = true;
	spin_unlock(&g->lock);
}

void signal_from_user(s32 sig, bool to_pgrp, s32 pgrp)
{
	struct task *t = task_find_process_get(1);
	siginfo_t info;

	if (!t)
		return;
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = SI_USER;
	let_init_die(t->group, sig);
	if (!to_pgrp)
		(void)!signal_send(t, &info, SIGNAL_TO_PROCESS);
	else
		(void)job_signal_pgrp(pgrp > 0 ? pgrp : READ_ONCE(t->group->pgrp)->nr, sig);
	task_put(t);
}

void signal_force(const siginfo_t *info)
{
	struct task *t = current();
	struct tgroup *g = t->group;
	s32 sig = info->si_signo;

	spin_lock(&g->lock);
	spin_lock(&g->sighand->lock);
	if ((t->blocked & sig_bit(sig)) || g->sighand->action[sig - 1].sa_handler == SIG_IGN)
		g->sighand->action[sig - 1].sa_handler = SIG_DFL;
	if (g->sighand->action[sig - 1].sa_handler == SIG_DFL && !ptrace_is_traced(t))
		g->init_may_die = true;
	spin_unlock(&g->sighand->lock);
	t->blocked &= ~sig_bit(sig);
	(void)!signal_send_locked(t, info, SIGNAL_TO_THREAD, true);
	fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&g->lock);
}

void signal_force_simple(s32 sig)
{
	siginfo_t info;

	siginfo_kernel(&info, sig);
	signal_force(&info);
}

int signal_may_send(struct task *t, s32 sig)
{
	const struct cred *me = current()->cred, *c;
	bool ok;

	if (t->group == current_group())
		return 0;
	c = task_cred_get(t);
	if (!c)
		return -EPERM;
	ok = me->euid == c->suid || me->euid == c->uid || me->uid == c->suid || me->uid == c->uid;
	cred_put(c);
	if (ok || capable(CAP_KILL))
		return 0;
	if (sig == SIGCONT && t->group->session == current_group()->session)
		return 0;
	return -EPERM;
}

bool signal_fatal_pending(void)
{
	return READ_ONCE(current()->work) & WORK_KILLED;
}

static s32 next_signal(sigset_t set)
{
	if (set & SIGSET_SYNC)
		set &= SIGSET_SYNC;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

static void take_entry(struct sigqueue_head *h, s32 sig, siginfo_t *info)
{
	struct sigqueue *q, *found = NULL;
	bool more = false;

	list_for_each_entry (q, &h->list, link) {
		if (q->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		h->set &= ~sig_bit(sig);
	if (!found) {
		memset(info, 0, sizeof *info);
		info->si_signo = sig;
		info->si_code = SI_USER;
		return;
	}
	*info = found->info;
	list_del(&found->link);
	if (found->timer) {
		posix_timer_dequeued_locked(found->timer, info);
		return;
	}
	queue_release(found);
}

static s32 dequeue_locked(sigset_t set, siginfo_t *info)
{
	struct task *t = current();
	struct tgroup *g = t->group;
	s32 sig = next_signal(t->pending.set & set);

	if (sig) {
		take_entry(&t->pending, sig, info);
		return sig;
	}
	sig = next_signal(g->shared.set & set);
	if (sig)
		take_entry(&g->shared, sig, info);
	return sig;
}

s32 signal_dequeue(sigset_t set, siginfo_t *info)
{
	struct tgroup *g = current_group();
	s32 sig;

	spin_lock(&g->lock);
	sig = dequeue_locked(set, info);
	signal_recalc_locked(current());
	spin_unlock(&g->lock);
	return sig;
}

sigset_t signal_pending_set(struct task *t)
{
	sigset_t set;

	spin_lock(&t->group->lock);
	set = t->pending.set | t->group->shared.set;
	spin_unlock(&t->group->lock);
	return set;
}

void signal_recalc_locked(struct task *t)
{
	struct tgroup *g = t->group;

	if (((t->pending.set | g->shared.set) & ~t->blocked) || g->stop_pending || g->notify_cont ||
	    ptrace_trap_pending(t) || (t->work & WORK_KILLED))
		fetch_or(&t->work, WORK_SIGNAL);
	else
		fetch_and(&t->work, ~(u32)WORK_SIGNAL);
}

/* A signal of the process that we now block may have been meant for us: somebody else gets it. */
static void retarget_locked(struct task *t, sigset_t newly_blocked)
{
	struct tgroup *g = t->group;
	sigset_t set = g->shared.set & newly_blocked;
	struct task *it;

	if (!set || g->nr_threads < 2)
		return;
	list_for_each_entry (it, &g->threads, thread_link)
		if (it != t && !it->exited && (set & ~it->blocked))
			wake_for_signal(it, false);
}

void signal_set_blocked(sigset_t set)
{
	struct task *t = current();
	sigset_t newly;

	set &= ~SIGSET_UNBLOCKABLE;
	if (set == t->blocked)
		return;
	spin_lock(&t->group->lock);
	newly = set & ~t->blocked;
	t->blocked = set;
	retarget_locked(t, newly);
	signal_recalc_locked(t);
	spin_unlock(&t->group->lock);
}
