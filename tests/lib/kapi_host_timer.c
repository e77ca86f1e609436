// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_timer - kernel timers of host tests
 *
 * Role      Armed timers wait until the test moves the clock with host_timers_run(), or, over host_sched.c,
 *           until a sleeping thread notices that one is due.
 * Locking   timers_lock covers the tree and which timer is running; callbacks run without it, one at a time.
 */
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/timer.h"
#include "tests/lib/kapi_host.h"

enum { TIMER_IDLE, TIMER_QUEUED };

static struct spinlock timers_lock = SPINLOCK_INIT(RANK_TIMER);
static struct rb_root timers = RB_ROOT_INIT; /* [timers_lock] */
static struct ktimer *running;		     /* [timers_lock] */

static void unqueue_locked(struct ktimer *t)
{
	if (t->state == TIMER_QUEUED)
		rb_erase(&timers, &t->node);
	t->state = TIMER_IDLE;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *t))
{
	*t = (struct ktimer){ .fn = fn };
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	struct rb_node **link, *parent = NULL;

	spin_lock(&timers_lock);
	unqueue_locked(t);
	t->deadline_ns = deadline_ns;
	t->state = TIMER_QUEUED;
	link = &timers.node;
	while (*link) {
		parent = *link;
		link = deadline_ns < rb_entry(parent, struct ktimer, node)->deadline_ns
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&t->node, parent, link);
	rb_insert_fixup(&timers, &t->node);
	spin_unlock(&timers_lock);
}

bool ktimer_cancel(struct ktimer *t)
{
	bool was_queued;

	spin_lock(&timers_lock);
	while (running == t) {
		spin_unlock(&timers_lock);
		host_yield();
		spin_lock(&timers_lock);
	}
	was_queued = t->state == TIMER_QUEUED;
	unqueue_locked(t);
	spin_unlock(&timers_lock);
	return was_queued;
}

u64 host_timers_next(void)
{
	struct ktimer *t;
	u64 deadline;

	spin_lock(&timers_lock);
	t = rb_entry_or_null(rb_first(&timers), struct ktimer, node);
	deadline = t ? t->deadline_ns : U64_MAX;
	spin_unlock(&timers_lock);
	return deadline;
}

u32 host_timers_expire(u64 now_ns)
{
	struct ktimer *t;
	u32 n = 0;

	spin_lock(&timers_lock);
	while (!running && (t = rb_entry_or_null(rb_first(&timers), struct ktimer, node)) &&
	       t->deadline_ns <= now_ns) {
		unqueue_locked(t);
		running = t;
		spin_unlock(&timers_lock);
		t->fn(t);
		n++;
		spin_lock(&timers_lock);
		running = NULL;
	}
	spin_unlock(&timers_lock);
	return n;
}

u32 host_timers_run(u64 now_ns)
{
	host_clock_fix(now_ns);
	return host_timers_expire(now_ns);
}
