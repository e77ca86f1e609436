// SPDX-License-Identifier: Apache-2.0
/*
 * pid - numbers of threads, process groups and sessions
 *
 * Rules     A number stays taken while a thread, a process group or a session has it, so a group never
 *           changes its members by reuse of its leader's number. References on struct pid (pidfds) do
 *           not keep the number.
 * Locking   tasklist_lock covers the table and all links.
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/task/task.h"

struct spinlock tasklist_lock = SPINLOCK_INIT(RANK_TASKLIST);
u32 pid_max = PID_MAX_DEFAULT;

static struct xarray pids = XARRAY_INIT; /* [T] */
static s32 last_nr;			 /* [T] */

static int table_insert(struct pid *p, s32 want)
{
	u64 nr = 0;
	int r;

	if (want) {
		if ((u32)want >= pid_max)
			return -EINVAL;
		if (xa_load(&pids, (u64)want))
			return -EEXIST;
		r = xa_store(&pids, (u64)want, p, NULL);
		nr = (u64)want;
	} else {
		r = xa_alloc(&pids, (u64)last_nr + 1, pid_max - 1, p, &nr);
		if (r == -ENOSPC)
			r = xa_alloc(&pids, PID_RESERVED, pid_max - 1, p, &nr);
		if (r == -ENOSPC)
			r = -EAGAIN;
		if (r == 0)
			last_nr = (s32)nr;
	}
	p->nr = (s32)nr;
	return r;
}

int pid_alloc(s32 want, struct pid **out)
{
	struct pid *p = knew(struct pid);
	int r;

	if (!p)
		return -ENOMEM;
	refs_init(&p->refs, 1);
	list_init(&p->pgrp);
	waitq_init(&p->exit_wait);
	spin_lock(&tasklist_lock);
	r = table_insert(p, want);
	spin_unlock(&tasklist_lock);
	if (r < 0)
		kfree(p);
	else
		*out = p;
	return r;
}

struct pid *pid_lookup(s32 nr)
{
	return nr > 0 ? xa_load(&pids, (u64)nr) : NULL;
}

struct pid *pid_find_get(s32 nr)
{
	struct pid *p;

	spin_lock(&tasklist_lock);
	p = pid_lookup(nr);
	if (p)
		refs_get(&p->refs);
	spin_unlock(&tasklist_lock);
	return p;
}

void pid_put(struct pid *p)
{
	if (refs_put(&p->refs))
		kfree(p);
}

void pid_release_if_unused(struct pid *p)
{
	if (p->task || !list_empty(&p->pgrp) || p->nr_session)
		return;
	if (xa_load(&pids, (u64)p->nr) != p)
		return;
	xa_erase(&pids, (u64)p->nr);
	pid_put(p);
}

struct task *task_find_get(s32 tid)
{
	struct pid *p;
	struct task *t = NULL;

	spin_lock(&tasklist_lock);
	p = pid_lookup(tid);
	if (p && p->task) {
		t = p->task;
		task_get(t);
	}
	spin_unlock(&tasklist_lock);
	return t;
}

struct task *task_find_process_get(s32 tgid)
{
	struct task *t = task_find_get(tgid);

	if (t && t->group->tgid != tgid) {
		task_put(t);
		return NULL;
	}
	return t;
}

struct task *task_next(s32 *tgid)
{
	u64 nr = *tgid > 0 ? (u64)*tgid : 0;
	struct task *t = NULL;
	struct pid *p;

	spin_lock(&tasklist_lock);
	for (p = xa_find(&pids, &nr); p; nr++, p = xa_find(&pids, &nr)) {
		if (!p->task || p->task->group->leader != p->task)
			continue;
		t = p->task;
		task_get(t);
		*tgid = (s32)nr;
		break;
	}
	spin_unlock(&tasklist_lock);
	return t;
}

struct task *task_next_thread(struct tgroup *g, s32 *tid)
{
	struct task *t, *best = NULL;

	spin_lock(&tasklist_lock);
	list_for_each_entry (t, &g->threads, thread_link)
		if (t->tid >= *tid && (!best || t->tid < best->tid))
			best = t;
	if (best) {
		task_get(best);
		*tid = best->tid;
	}
	spin_unlock(&tasklist_lock);
	return best;
}
