// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_timer - kernel timers of host tests, run by hand
 *
 * Role      Armed timers wait until the test moves the clock with host_timers_run().
 * Rules     Not for tests that arm from several threads at once and run at the same time: one lock covers
 *           the list, callbacks run without it.
 */
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/timer.h"
#include "tests/lib/kapi_host.h"

enum { TIMER_IDLE, TIMER_QUEUED };

static struct spinlock timers_lock = SPINLOCK_INIT(RANK_TIMER);
static struct rb_root timers = RB_ROOT_INIT; /* [timers_lock] */

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
	was_queued = t->state == TIMER_QUEUED;
	unqueue_locked(t);
	spin_unlock(&timers_lock);
	return was_queued;
}

u32 host_timers_run(u64 now_ns)
{
	u32 n = 0;

	host_clock_fix(now_ns);
	for (;; n++) {
		struct ktimer *t;

		spin_lock(&timers_lock);
		t = rb_entry_or_null(rb_first(&timers), struct ktimer, node);
		if (!t || t->deadline_ns > now_ns)
			break;
		unqueue_locked(t);
		spin_unlock(&timers_lock);
		t->fn(t);
	}
	spin_unlock(&timers_lock);
	return n;
}
