// SPDX-License-Identifier: Apache-2.0
/*
 * waitq - wait queues: sleeping until something changes
 *
 * Rules     A sleeper's entry is taken out of the queue by the wake that reached it, so two wakes of one
 *           waiter each never hit the same one. A wait that was woken returns 0 even when a signal or the
 *           deadline came too: a wake is never swallowed by a caller that gives up.
 *           A waker that finds the queue empty does not take its lock. Whoever changes a condition does so before the
 *           full barrier in wake_*(); who waits for it joins the queue, a full barrier, and looks again.
 *           The waker stores "woken" as its last access to the entry, which lives on the sleeper's stack.
 * Locking   q->lock (RANK_WAITQ), then run queue locks. Sleep and wake order: sched.c.
 */
#include "guestkernel/kapi/wait.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/timer.h"

struct sleeper {
	struct wait_entry e;
	bool woken;
};

struct sleep_timer {
	struct ktimer timer;
	struct task *task;
	bool expired;
};

bool wait_entry_wake_task(struct wait_entry *e, u32 events)
{
	return wake_task(e->task, TASK_WAKE_NORMAL);
}

static bool sleeper_wake(struct wait_entry *e, u32 events)
{
	struct sleeper *s = container_of(e, struct sleeper, e);

	wake_task(e->task, TASK_WAKE_NORMAL);
	list_del(&e->link);
	store_release(&s->woken, true);
	return true;
}

static void sleep_timer_fired(struct ktimer *t)
{
	struct sleep_timer *st = container_of(t, struct sleep_timer, timer);

	WRITE_ONCE(st->expired, true);
	wake_task(st->task, TASK_WAKE_NORMAL);
}

void waitq_add(struct waitq *q, struct wait_entry *e)
{
	spin_lock(&q->lock);
	e->queue = q;
	if (e->exclusive)
		list_add_tail(&q->entries, &e->link);
	else
		list_add(&q->entries, &e->link);
	spin_unlock(&q->lock);
	smp_mb();
}

void waitq_remove(struct wait_entry *e)
{
	struct waitq *q = e->queue;

	spin_lock(&q->lock);
	list_del(&e->link);
	spin_unlock(&q->lock);
}

static bool must_give_up(u32 state)
{
	u32 work = READ_ONCE(current()->work);

	if (state == TASK_SLEEP)
		return work & (WORK_SIGNAL | WORK_KILLED);
	if (state == TASK_SLEEP_KILL)
		return (work & WORK_KILLED) || ((work & WORK_SIGNAL) && signal_fatal_pending());
	return false;
}

/* The state is set; sleeps unless there is a reason not to. 0, -ETIMEDOUT, -ERESTARTSYS. */
static int sleep_until(u32 state, u64 deadline_ns)
{
	struct sleep_timer st;
	int r = 0;

	if (unlikely(must_give_up(state))) {
		WRITE_ONCE(current()->state, TASK_RUNNABLE);
		return signal_interrupted(-ERESTARTSYS);
	}
	if (deadline_ns == NO_DEADLINE) {
		schedule();
	} else {
		st.task = current();
		st.expired = false;
		ktimer_init(&st.timer, sleep_timer_fired);
		ktimer_arm(&st.timer, deadline_ns);
		schedule();
		if (!READ_ONCE(st.expired))
			ktimer_cancel(&st.timer);
		else
			ktimer_cancel(&st.timer); /* waits for a callback still running elsewhere */
		if (st.expired)
			r = -ETIMEDOUT;
	}
	if (unlikely(must_give_up(state)))
		r = signal_interrupted(-ERESTARTSYS);
	return r;
}

static int wait_common(struct waitq *q, struct spinlock *lock, u32 state, bool exclusive,
		       u64 deadline_ns) NO_LOCK_ANALYSIS
{
	struct sleeper s = {
		.e = {.wake = sleeper_wake, .task = current(), .exclusive = exclusive}
	};
	int r;

	WRITE_ONCE(current()->state, state);
	waitq_add(q, &s.e);
	current()->wait_chan = (u64)q;
	spin_unlock(lock);
	r = sleep_until(state, deadline_ns);
	current()->wait_chan = 0;
	if (!load_acquire(&s.woken))
		waitq_remove(&s.e);
	if (s.woken)
		r = 0;
	spin_lock(lock);
	return r;
}

int wait_on(struct waitq *q, struct spinlock *lock)
{
	return wait_common(q, lock, TASK_SLEEP, false, NO_DEADLINE);
}

int wait_on_until(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
{
	return wait_common(q, lock, TASK_SLEEP, false, deadline_ns);
}

int wait_on_exclusive(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
{
	return wait_common(q, lock, TASK_SLEEP, true, deadline_ns);
}

int wait_on_killable(struct waitq *q, struct spinlock *lock)
{
	int r = wait_common(q, lock, TASK_SLEEP_KILL, false, NO_DEADLINE);

	return r < 0 ? -ERESTARTNOINTR : 0;
}

void wait_on_always(struct waitq *q, struct spinlock *lock)
{
	(void)!wait_common(q, lock, TASK_SLEEP_ALWAYS, false, NO_DEADLINE);
}

void wait_prepare(void)
{
	WRITE_ONCE(current()->state, TASK_SLEEP);
	smp_mb();
}

int wait_sleep(u64 deadline_ns)
{
	int r = sleep_until(TASK_SLEEP, deadline_ns);

	WRITE_ONCE(current()->state, TASK_RUNNABLE);
	return r;
}

void wait_finish(void)
{
	WRITE_ONCE(current()->state, TASK_RUNNABLE);
}

static void wake_entries(struct waitq *q, u32 events, u32 nr_exclusive)
{
	struct wait_entry *e, *tmp;

	smp_mb();
	if (waitq_is_idle(q))
		return;
	spin_lock(&q->lock);
	list_for_each_entry_safe (e, tmp, &q->entries, link) {
		bool exclusive = e->exclusive;

		if (e->wake(e, events) && exclusive && --nr_exclusive == 0)
			break;
	}
	spin_unlock(&q->lock);
}

void wake_all(struct waitq *q)
{
	wake_entries(q, 0, U32_MAX);
}

void wake_one(struct waitq *q)
{
	wake_entries(q, 0, 1);
}

void wake_events(struct waitq *q, u32 events)
{
	wake_entries(q, events, U32_MAX);
}

void wake_one_events(struct waitq *q, u32 events)
{
	wake_entries(q, events, 1);
}
