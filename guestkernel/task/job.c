// SPDX-License-Identifier: Apache-2.0
/*
 * job - sessions, process groups, controlling terminals
 *
 * Rules     A process group is orphaned when no member has a parent outside the group but inside the
 *           session; stopped members of a group that becomes orphaned get SIGHUP and SIGCONT.
 *           The session keeps a reference on its terminal (struct pid.tty of the session's number).
 * Locking   tasklist_lock covers pgrp and session links, pid->tty and the tty_session's fields.
 * See       credentials(7), setpgid(2), setsid(2), tty_ioctl(4)
 */
#include "guestkernel/task/job_int.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"

/* [T] */
static bool pgrp_is_orphaned(struct pid *pgrp, const struct tgroup *ignored)
{
	struct tgroup *g;

	list_for_each_entry (g, &pgrp->pgrp, pgrp_link) {
		struct tgroup *p = g->parent;

		if (g == ignored || g->zombie ||
		    !p) /* process 1 counts, as in a container on Linux */
			continue;
		if (p->pgrp != pgrp && p->session == g->session)
			return false;
	}
	return true;
}

static bool has_stopped(struct pid *pgrp)
{
	struct tgroup *g;

	list_for_each_entry (g, &pgrp->pgrp, pgrp_link)
		if (READ_ONCE(g->stopped))
			return true;
	return false;
}

/* [T] A process that is just forking passes signals for a whole group on to its child. */
static void note_for_children(struct tgroup *g, s32 sig)
{
	if (likely(!READ_ONCE(g->nr_forking)))
		return;
	spin_lock(&g->lock);
	if (g->nr_forking)
		g->fork_signals |= sig_bit(sig);
	spin_unlock(&g->lock);
}

/* [T] */
static u32 signal_pgrp(struct pid *pgrp, s32 sig)
{
	struct tgroup *g, *tmp;
	u32 n = 0;

	list_for_each_entry_safe (g, tmp, &pgrp->pgrp, pgrp_link) {
		note_for_children(g, sig);
		signal_send_group(g, sig);
		n++;
	}
	return n;
}

void job_check_orphaned(struct tgroup *g, struct tgroup *parent, struct tgroup *ignored)
{
	struct pid *pgrp = g->pgrp;

	if (!parent || parent->pgrp == pgrp || parent->session != g->session)
		return;
	if (!has_stopped(pgrp) || !pgrp_is_orphaned(pgrp, ignored))
		return;
	signal_pgrp(pgrp, SIGHUP);
	signal_pgrp(pgrp, SIGCONT);
}

bool job_group_is_orphaned(struct tgroup *g)
{
	bool r;

	spin_lock(&tasklist_lock);
	r = pgrp_is_orphaned(g->pgrp, NULL);
	spin_unlock(&tasklist_lock);
	return r;
}

int job_signal_pgrp(s32 nr, s32 sig)
{
	struct pid *p;
	u32 n = 0;

	spin_lock(&tasklist_lock);
	p = pid_lookup(nr);
	if (p)
		n = signal_pgrp(p, sig);
	spin_unlock(&tasklist_lock);
	return n ? 0 : -ESRCH;
}

s32 job_current_pgrp(void)
{
	return current_group()->pgrp->nr;
}

bool job_current_is_session_leader(void)
{
	return current_group()->session->nr == current_group()->tgid;
}

struct tty_session *job_ctty_get(void)
{
	struct tty_session *ts;

	spin_lock(&tasklist_lock);
	ts = current_group()->session->tty;
	if (ts)
		ts->get(ts);
	spin_unlock(&tasklist_lock);
	return ts;
}

bool job_is_ctty(const struct tty_session *ts)
{
	return READ_ONCE(current_group()->session->tty) == ts;
}

/* [T] The caller drops the session's reference after unlocking. */
static void detach(struct pid *session, struct tty_session *ts)
{
	session->tty = NULL;
	ts->session = 0;
	ts->pgrp = 0;
}

static void attach(struct tty_session *ts)
{
	struct tgroup *g = current_group();

	ts->get(ts);
	ts->session = g->session->nr;
	ts->pgrp = g->pgrp->nr;
	g->session->tty = ts;
}

int job_set_ctty(struct tty_session *ts, bool steal)
{
	struct tgroup *g = current_group();
	bool stolen = false;
	int r = 0;

	spin_lock(&tasklist_lock);
	if (ts->session == g->session->nr && job_current_is_session_leader())
		goto out;
	r = -EPERM;
	if (!job_current_is_session_leader() || g->session->tty)
		goto out;
	if (ts->session) {
		struct pid *other = pid_lookup(ts->session);

		if (!steal || !capable(CAP_SYS_ADMIN))
			goto out;
		if (other && other->tty == ts) {
			detach(other, ts);
			stolen = true;
		}
	}
	attach(ts);
	r = 0;
out:
	spin_unlock(&tasklist_lock);
	if (stolen)
		ts->put(ts);
	return r;
}

void job_open_tty(struct tty_session *ts)
{
	struct tgroup *g = current_group();

	if (!g || !job_current_is_session_leader())
		return;
	spin_lock(&tasklist_lock);
	if (!g->session->tty && !ts->session)
		attach(ts);
	spin_unlock(&tasklist_lock);
}

/* A session loses its terminal; leader_left: by its leader. */
static void give_up(struct pid *session, bool hang_up)
{
	struct tty_session *ts;
	struct pid *fg = NULL;

	spin_lock(&tasklist_lock);
	ts = session->tty;
	if (ts) {
		fg = pid_lookup(ts->pgrp);
		detach(session, ts);
		if (fg) {
			signal_pgrp(fg, SIGHUP);
			signal_pgrp(fg, SIGCONT);
		}
	}
	spin_unlock(&tasklist_lock);
	if (!ts)
		return;
	if (hang_up && ts->hangup)
		ts->hangup(ts);
	ts->put(ts);
}

void job_leader_exit(struct tgroup *g)
{
	if (g->session->nr == g->tgid && READ_ONCE(g->session->tty))
		give_up(g->session, true);
}

int job_detach_ctty(struct tty_session *ts)
{
	if (!job_is_ctty(ts))
		return -ENOTTY;
	if (job_current_is_session_leader())
		give_up(current_group()->session, false);
	return 0;
}

void job_tty_hangup(struct tty_session *ts)
{
	struct pid *session, *fg;
	bool drop = false;

	spin_lock(&tasklist_lock);
	session = pid_lookup(ts->session);
	fg = pid_lookup(ts->pgrp);
	if (fg) {
		signal_pgrp(fg, SIGHUP);
		signal_pgrp(fg, SIGCONT);
	}
	if (session && session->tty == ts) {
		if (session->task && session != fg) {
			signal_send_group(session->task->group, SIGHUP);
			signal_send_group(session->task->group, SIGCONT);
		}
		detach(session, ts);
		drop = true;
	}
	spin_unlock(&tasklist_lock);
	if (drop)
		ts->put(ts);
}

int job_set_foreground(struct tty_session *ts, s32 pgrp)
{
	struct tgroup *g, *me = current_group();
	struct pid *p;
	int r = -ENOTTY;

	if (pgrp < 0)
		return -EINVAL;
	spin_lock(&tasklist_lock);
	if (me->session->tty != ts)
		goto out;
	r = -ESRCH;
	p = pid_lookup(pgrp);
	if (!p)
		goto out;
	r = -EPERM;
	g = list_first(&p->pgrp, struct tgroup, pgrp_link);
	if (!g || g->session != me->session)
		goto out;
	ts->pgrp = pgrp;
	r = 0;
out:
	spin_unlock(&tasklist_lock);
	return r;
}

bool job_signal_is_blocked(s32 sig)
{
	struct sigaction sa;

	if (current()->blocked & sig_bit(sig))
		return true;
	sighand_get_action(current_group(), sig, &sa);
	return sa.sa_handler == SIG_IGN;
}

int job_check_background(struct tty_session *ts, s32 sig)
{
	struct tgroup *g = current_group();

	if (READ_ONCE(g->session->tty) != ts || ts->pgrp == g->pgrp->nr || !ts->pgrp)
		return 0;
	if (job_signal_is_blocked(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (job_group_is_orphaned(g))
		return -EIO;
	(void)job_signal_pgrp(g->pgrp->nr, sig);
	fetch_or(&current()->work, WORK_SIGNAL);
	return signal_interrupted(-ERESTARTSYS);
}

s64 job_setsid(void)
{
	struct tgroup *g = current_group();
	struct pid *own, *old_pgrp, *old_session;
	s64 r = -EPERM;

	spin_lock(&tasklist_lock);
	own = pid_lookup(g->tgid);
	if (!own || !list_empty(&own->pgrp) || own->nr_session)
		goto out;
	old_pgrp = g->pgrp;
	old_session = g->session;
	list_del(&g->pgrp_link);
	list_add_tail(&own->pgrp, &g->pgrp_link);
	old_session->nr_session--;
	own->nr_session++;
	g->pgrp = own;
	g->session = own;
	pid_release_if_unused(old_pgrp);
	if (old_session != old_pgrp)
		pid_release_if_unused(old_session);
	r = own->nr;
out:
	spin_unlock(&tasklist_lock);
	return r;
}

/* [T] */
static s64 setpgid_locked(s32 pid, s32 pgid)
{
	struct tgroup *me = current_group(), *g;
	struct pid *p = pid_lookup(pid), *to, *old;

	if (!p || !p->task || p->task->group->leader != p->task)
		return -ESRCH;
	g = p->task->group;
	if (g->parent == me) {
		if (g->session != me->session)
			return -EPERM;
		if (g->did_exec)
			return -EACCES;
	} else if (g != me) {
		return -ESRCH;
	}
	if (g->session->nr == g->tgid)
		return -EPERM;
	to = p;
	if (pgid != pid) {
		struct tgroup *member;

		to = pid_lookup(pgid);
		member = to ? list_first(&to->pgrp, struct tgroup, pgrp_link) : NULL;
		if (!member || member->session != me->session)
			return -EPERM;
	}
	old = g->pgrp;
	if (old == to)
		return 0;
	list_del(&g->pgrp_link);
	list_add_tail(&to->pgrp, &g->pgrp_link);
	g->pgrp = to;
	pid_release_if_unused(old);
	return 0;
}

s64 job_setpgid(s32 pid, s32 pgid)
{
	s64 r;

	if (pgid < 0)
		return -EINVAL;
	if (!pid)
		pid = current_tgid();
	if (!pgid)
		pgid = pid;
	spin_lock(&tasklist_lock);
	r = setpgid_locked(pid, pgid);
	spin_unlock(&tasklist_lock);
	return r;
}

static s64 number_of(s32 pid, bool session)
{
	struct tgroup *g = current_group();
	struct pid *p;
	s64 r = -ESRCH;

	spin_lock(&tasklist_lock);
	if (pid) {
		p = pid_lookup(pid);
		g = p && p->task ? p->task->group : NULL;
	}
	if (g)
		r = session ? g->session->nr : g->pgrp->nr;
	spin_unlock(&tasklist_lock);
	return r;
}

s64 job_getpgid(s32 pid)
{
	return number_of(pid, false);
}

s64 job_getsid(s32 pid)
{
	return number_of(pid, true);
}

/* [T] */
static s64 kill_one(struct tgroup *g, s32 sig)
{
	siginfo_t info;
	int r = signal_may_send(g->leader, sig);

	if (r < 0 || sig == 0)
		return r;
	note_for_children(g, sig);
	siginfo_user(&info, sig, SI_USER);
	return signal_send(g->leader, &info, SIGNAL_TO_PROCESS);
}

s64 job_kill_group(s32 pgrp, s32 sig)
{
	struct tgroup *g, *tmp;
	struct pid *p;
	s64 r = -ESRCH;

	spin_lock(&tasklist_lock);
	p = pgrp ? pid_lookup(pgrp) : current_group()->pgrp;
	if (p) {
		list_for_each_entry_safe (g, tmp, &p->pgrp, pgrp_link) {
			s64 e = kill_one(g, sig);

			if (e == 0 || r == -ESRCH)
				r = r == 0 ? 0 : e;
		}
	}
	spin_unlock(&tasklist_lock);
	return r;
}

s64 job_kill_all(s32 sig)
{
	s32 nr = 2;
	struct task *t;
	s64 r = -ESRCH;

	for (; (t = task_next(&nr)) != NULL; nr++) {
		if (t->group != current_group() && !t->group->is_init) {
			s64 e;

			spin_lock(&tasklist_lock);
			e = t->group->leader == t ? kill_one(t->group, sig) : -ESRCH;
			spin_unlock(&tasklist_lock);
			if (e == 0 || r == -ESRCH)
				r = e == -EPERM ? r : e;
		}
		task_put(t);
	}
	return r;
}
