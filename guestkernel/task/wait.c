// SPDX-License-Identifier: Apache-2.0
/*
 * wait - wait4 and waitid
 *
 * Rules     The condition is looked at and slept on under tasklist_lock, the lock under which children change.
 * See       wait4(2), waitid(2)
 */
#include "guestkernel/task/wait.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/exit.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/signal.h"

static struct timeval ns_to_timeval(u64 ns)
{
	return (struct timeval){ (s64)(ns / NSEC_PER_SEC),
				 (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

void rusage_of_group(struct tgroup *g, struct rusage *ru)
{
	memset(ru, 0, sizeof *ru);
	ru->ru_utime = ns_to_timeval(g->utime_ns + g->cutime_ns);
	ru->ru_stime = ns_to_timeval(g->stime_ns + g->cstime_ns);
	ru->ru_maxrss = (s64)(g->maxrss_kb > g->cmaxrss_kb ? g->maxrss_kb : g->cmaxrss_kb);
	ru->ru_minflt = (s64)(g->min_flt + g->cmin_flt);
	ru->ru_majflt = (s64)(g->maj_flt + g->cmaj_flt);
	ru->ru_nvcsw = (s64)(g->nvcsw + g->cnvcsw);
	ru->ru_nivcsw = (s64)(g->nivcsw + g->cnivcsw);
}

static bool is_wanted(const struct tgroup *c, const struct wait_req *q)
{
	if (q->type == P_PID && c->tgid != q->id)
		return false;
	if (q->type == P_PGID && c->pgrp->nr != q->id)
		return false;
	if ((q->options & __WNOTHREAD) && c->parent_tid != current()->tid)
		return false;
	if ((q->options & __WALL) || ptrace_by_parent(c->leader))
		return true;
	return (c->exit_signal != SIGCHLD) == !!(q->options & __WCLONE);
}

static void fill(struct wait_result *res, struct tgroup *c, s32 status, s32 code)
{
	res->pid = c->tgid;
	res->uid = task_uid(c->leader);
	res->status = status;
	res->code = code;
	rusage_of_group(c, &res->usage);
}

static bool take_zombie(struct tgroup *c, const struct wait_req *q, struct wait_result *res)
{
	s32 code = CLD_EXITED;

	if (!c->zombie || !(q->options & WEXITED))
		return false;
	if (c->leader->trace.tracer && !ptrace_by_parent(c->leader))
		return false; /* its tracer comes first */
	if (c->exit_code & 0x7f)
		code = c->exit_code & 0x80 ? CLD_DUMPED : CLD_KILLED;
	fill(res, c, c->exit_code, code);
	if (!(q->options & WNOWAIT))
		task_reap_group(c, true);
	return true;
}

static bool take_stopped(struct tgroup *c, const struct wait_req *q, struct wait_result *res)
{
	bool found = false;

	if (c->zombie)
		return false;
	spin_lock(&c->lock);
	if ((q->options & WSTOPPED) && c->stop_unreported && !ptrace_by_parent(c->leader)) {
		fill(res, c, c->stop_signal << 8 | 0x7f, CLD_STOPPED);
		c->stop_unreported = q->options & WNOWAIT;
		found = true;
	} else if ((q->options & WCONTINUED) && c->cont_unreported) {
		fill(res, c, 0xffff, CLD_CONTINUED);
		c->cont_unreported = q->options & WNOWAIT;
		found = true;
	}
	spin_unlock(&c->lock);
	return found;
}

/* [T] Of what is waited for. A zombie has only its end to tell, unless its tracer keeps it. */
static bool has_news_to_come(const struct tgroup *c, const struct wait_req *q)
{
	return !c->zombie || (q->options & WEXITED) ||
	       (c->leader->trace.tracer && !ptrace_by_parent(c->leader));
}

/* [T] Number of a child with news, 0: children but no news, -ECHILD. */
static s64 look(const struct wait_req *q, struct wait_result *res)
{
	struct tgroup *g = current_group(), *c;
	s64 r = -ECHILD, traced;

	list_for_each_entry (c, &g->children, sibling) {
		if (!is_wanted(c, q))
			continue;
		if (take_zombie(c, q, res) || take_stopped(c, q, res))
			return res->pid;
		if (has_news_to_come(c, q))
			r = 0;
		if (q->type == P_PID)
			break;
	}
	traced = ptrace_look(q, res);
	return traced > 0 ? traced : r == 0 ? 0 : traced;
}

s64 task_wait(const struct wait_req *q, struct wait_result *res)
{
	s64 r;

	spin_lock(&tasklist_lock);
	for (;;) {
		r = look(q, res);
		if (r != 0 || (q->options & WNOHANG))
			break;
		r = wait_on(&current_group()->child_wait, &tasklist_lock);
		if (r < 0) {
			/* The child may have changed just before the signal that announces it. */
			s64 again = look(q, res);

			if (again != 0)
				r = again;
			break;
		}
	}
	spin_unlock(&tasklist_lock);
	return r;
}
