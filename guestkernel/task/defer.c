// SPDX-License-Identifier: Apache-2.0
/*
 * defer - the lists behind kapi/defer.h
 *
 * Role      Each task has a list. WORK_DEFERRED brings its task to trap_user_exit(), which drains it; task_exit()
 *           drains it once more before the process is seen to be dead.
 * Rules     A timer or event that comes while a task is in the kernel uses the list of that task: it gets out. Who
 *           never gets out: kernel threads, which drain after each release of their own; the idle task,
 *           which cannot sleep, and a task behind its last drain. What these two put goes to a list of
 *           orphans and is released by a kernel thread made for it; when memory is too short for
 *           that, the next task that drains takes the orphans along.
 *           One release is one step; the steps are cond_resched() points, so a chain of any length costs
 *           its owner time and nobody else.
 * Locking   Lists of tasks: interrupts are off in the kernel, so only their task changes them. orphan_lock
 *           (RANK_OBJECT_INNER) for the orphans.
 */
#include "guestkernel/kapi/defer.h"

#include "guestkernel/task/sched.h"
#include "guestkernel/task/task.h"

static struct spinlock orphan_lock = SPINLOCK_INIT(RANK_OBJECT_INNER);
static struct defer_list orphans; /* [orphan_lock] */
static bool has_worker;		  /* [orphan_lock] */

static void push(struct defer_list *l, struct deferred *d)
{
	d->next = NULL;
	if (l->first)
		l->last->next = d;
	else
		l->first = d;
	l->last = d;
}

static struct deferred *pop(struct defer_list *l)
{
	struct deferred *d = l->first;

	if (d)
		l->first = d->next;
	return d;
}

static void run_one(struct defer_list *l, struct deferred *d)
{
	l->is_running = true;
	d->run(d);
	l->is_running = false;
}

/* Ends when there is nothing left, so that an idle sandbox has no thread and no memory for it. */
static void worker(void *arg)
{
	bool more;

	do {
		defer_drain();
		spin_lock(&orphan_lock);
		more = orphans.first != NULL;
		has_worker = more;
		spin_unlock(&orphan_lock);
	} while (more);
}

static void add_orphan(struct deferred *d)
{
	bool start;

	spin_lock(&orphan_lock);
	push(&orphans, d);
	start = !has_worker;
	has_worker = true;
	spin_unlock(&orphan_lock);
	if (start && kernel_thread_create(worker, NULL, "release", NULL))
		WRITE_ONCE(has_worker, false);
}

void defer_add(struct deferred *d)
{
	struct task *t = current();

	if (unlikely(t->is_idle || t->is_beyond_drain)) {
		add_orphan(d);
		return;
	}
	push(&t->deferred, d);
	fetch_or(&t->work, WORK_DEFERRED);
}

void defer_run(struct deferred *d)
{
	struct task *t = current();

	if (unlikely(t->deferred.is_running)) {
		defer_add(d);
		return;
	}
	run_one(&t->deferred, d);
	if (unlikely(t->is_kthread && t->deferred.first))
		defer_drain();
}

static struct deferred *pop_orphan(void)
{
	struct deferred *d;

	if (likely(!READ_ONCE(orphans.first)))
		return NULL;
	spin_lock(&orphan_lock);
	d = pop(&orphans);
	spin_unlock(&orphan_lock);
	return d;
}

void defer_drain(void)
{
	struct defer_list *l = &current()->deferred;
	struct deferred *d;

	fetch_and(&current()->work, ~(u32)WORK_DEFERRED);
	while ((d = pop(l)) != NULL || (d = pop_orphan()) != NULL) {
		run_one(l, d);
		cond_resched();
	}
}
