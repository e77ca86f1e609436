// SPDX-License-Identifier: Apache-2.0
/*
 * exit - the end of threads and processes
 *
 * Role      exit(2), exit_group(2), fatal signals (deliver.c), kernel threads.
 * Rules     A thread first gives back what other processes can see (memory, files), then under tasklist_lock
 *           leaves its group. The last thread to leave makes the group a zombie and tells the parent.
 *           Orphans go to the nearest ancestor that is a child subreaper, else to process 1. When process 1
 *           ends the sandbox ends.
 * Locking   tasklist_lock, then group->lock.
 * Missing   core dump files, process accounting.
 */
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/poll.h"
#include "guestkernel/kapi/semundo.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/exit.h"
#include "guestkernel/task/job_int.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/ptrace.h"

static void release_resources(struct task *t)
{
	struct aspace *mm = t->mm;
	struct fdtable *files = t->files;
	struct fs_ctx *fs = t->fs;
	struct ns_set *ns = t->ns;
	u64 rss;

	if (mm) {
		task_release_mm_users(t);
		rss = (atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
		       atomic64_read(&mm->rss_shmem)) *
		      4;
		rss = MAX(rss, mm->hiwater_rss * 4);
		if (t->group->maxrss_kb < rss)
			t->group->maxrss_kb = rss;
	}
	spin_lock(&t->alloc_lock);
	t->mm = NULL;
	t->files = NULL;
	t->fs = NULL;
	t->ns = NULL;
	spin_unlock(&t->alloc_lock);
	if (mm) {
		aspace_activate(NULL);
		aspace_put(mm);
	}
	if (files)
		fdtable_put(files);
	if (fs)
		fs_ctx_put(fs);
	if (ns)
		ns_set_put(ns);
	if (t->sem_undo)
		sem_undo_put(t->sem_undo);
	t->sem_undo = NULL;
}

static void add_usage(struct tgroup *g, struct task *t)
{
	struct task_times tt;

	task_times(t, &tt);
	g->utime_ns += tt.utime_ns;
	g->stime_ns += tt.stime_ns;
	g->nvcsw += t->nvcsw;
	g->nivcsw += t->nivcsw;
	g->min_flt += t->min_flt;
	g->maj_flt += t->maj_flt;
}

/* [T] The number stops naming the task. */
static void unhash_task(struct task *t)
{
	struct pid *p = t->pid;

	p->task = NULL;
	wake_events(&p->exit_wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	pid_release_if_unused(p);
}

void task_release_thread(struct task *t) NO_LOCK_ANALYSIS
{
	struct tgroup *g = t->group;

	spin_lock(&g->lock);
	list_del(&t->thread_link);
	signal_free_queue(&t->pending);
	spin_unlock(&g->lock);
	unhash_task(t);
	task_uncharge(t->cred);
	task_put(t);
}

void task_reap_group(struct tgroup *g, bool was_waited_for) NO_LOCK_ANALYSIS
{
	struct tgroup *p = g->parent;
	struct task *leader = g->leader;

	if (unlikely(leader->trace.tracer))
		ptrace_unlink(leader);
	if (p && was_waited_for) {
		p->cutime_ns += g->utime_ns + g->cutime_ns;
		p->cstime_ns += g->stime_ns + g->cstime_ns;
		p->cnvcsw += g->nvcsw + g->cnvcsw;
		p->cnivcsw += g->nivcsw + g->cnivcsw;
		p->cmin_flt += g->min_flt + g->cmin_flt;
		p->cmaj_flt += g->maj_flt + g->cmaj_flt;
		p->cmaxrss_kb = MAX(p->cmaxrss_kb, g->maxrss_kb);
		p->cmaxrss_kb = MAX(p->cmaxrss_kb, g->cmaxrss_kb);
	}
	list_del(&g->sibling);
	list_del(&g->pgrp_link);
	g->session->nr_session--;
	g->parent = NULL;
	if (g->session != g->pgrp)
		pid_release_if_unused(g->session);
	pid_release_if_unused(g->pgrp);
	task_release_thread(leader); /* may be the last reference on g */
	if (p)
		tgroup_put(p);
}

/* [T] Who adopts the children of g. */
static struct tgroup *find_reaper(struct tgroup *g)
{
	struct tgroup *p;

	for (p = g->parent; g->has_subreaper && p && !p->is_init; p = p->parent)
		if (p->subreaper && !p->zombie && !p->exiting)
			return p;
	return init_group;
}

static void reparent(struct tgroup *child, struct tgroup *to)
{
	struct tgroup *old = child->parent;

	list_del(&child->sibling);
	list_add_tail(&to->children, &child->sibling);
	tgroup_get(to);
	child->parent = to;
	WRITE_ONCE(child->ppid, to->tgid);
	child->parent_tid = to->tgid;
	child->exit_signal = SIGCHLD;
	if (child->pdeath_signal)
		signal_send_group(child, child->pdeath_signal);
	if (child->zombie && !child->leader->trace.tracer && signal_notify_parent_exit(child))
		task_reap_group(child, false);
	else
		job_check_orphaned(child, old, NULL);
	tgroup_put(old);
}

/* [T] */
static void exit_children(struct tgroup *g)
{
	struct tgroup *to = find_reaper(g), *c, *tmp;

	if (list_empty(&g->children) || to == g)
		return;
	list_for_each_entry_safe (c, tmp, &g->children, sibling)
		reparent(c, to);
}

/* [T] A thread goes, its process stays: children it created get their parent-death signal. */
static void parent_thread_gone(struct task *t)
{
	struct tgroup *c;

	list_for_each_entry (c, &t->group->children, sibling) {
		if (c->parent_tid != t->tid)
			continue;
		c->parent_tid = t->group->tgid;
		if (c->pdeath_signal)
			signal_send_group(c, c->pdeath_signal);
	}
}

void task_group_dead(struct tgroup *g)
{
	exit_children(g);
	g->zombie = true;
	if (g->leader->pid) {
		g->leader->pid->dead = true;
		wake_events(&g->leader->pid->exit_wait, EPOLLIN | EPOLLRDNORM);
	}
	job_check_orphaned(g, g->parent, g);
	if (ptrace_report_exit(g))
		task_reap_group(g, false);
}

/* [T] True: it was the last thread of the group. */
static bool leave_group(struct task *t) NO_LOCK_ANALYSIS
{
	struct tgroup *g = t->group;
	bool stop_done, last;

	add_usage(g, t);
	spin_lock(&g->lock);
	t->exited = true;
	last = --g->nr_threads == 0;
	stop_done = signal_stop_thread_gone_locked(g, t);
	if (g->leader == t && !g->exiting)
		g->exit_code = t->exit_code;
	seccomp_exit(t);
	spin_unlock(&g->lock);
	if (stop_done)
		signal_notify_parent_stop(g, CLD_STOPPED);
	if (!waitq_is_idle(&g->thread_wait))
		wake_all(&g->thread_wait);
	return last;
}

void task_exit(s32 status)
{
	struct task *t = current();
	struct tgroup *g = t->group;
	bool last = false, kept, is_init = g && g->is_init;

	if (g)
		ptrace_event(PTRACE_EVENT_EXIT, (u64)status);
	t->exit_code = status;
	release_resources(t);
	if (g) {
		if (atomic_sub(&g->live, 1) == 0) {
			itimer_exit_group(g);
			posix_timer_exit_group(g);
			job_leader_exit(g);
		}
	}
	defer_drain();
	t->is_beyond_drain = true;
	if (g) {
		spin_lock(&tasklist_lock);
		ptrace_exit_tracer(t);
		if (g->nr_threads > 1 && !list_empty(&g->children))
			parent_thread_gone(t);
		last = leave_group(t);
		kept = g->leader != t && ptrace_keep_thread(t);
		if (last && !is_init && !g->nr_trace_zombies)
			task_group_dead(g);
		if (g->leader != t && !kept)
			task_release_thread(t);
		spin_unlock(&tasklist_lock);
		if (last && is_init)
			init_exited(g->exit_code);
	}
	WRITE_ONCE(t->state, TASK_DEAD);
	schedule();
	BUG();
}

void task_exit_group(s32 status)
{
	struct tgroup *g = current_group();

	spin_lock(&g->lock);
	signal_kill_group_locked(g, status);
	status = g->exit_code;
	spin_unlock(&g->lock);
	task_exit(status);
}
