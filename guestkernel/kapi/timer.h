// SPDX-License-Identifier: Apache-2.0
/*
 * timer - call a function at a time
 *
 * Role      One tree per CPU behind arch_timer_arm(); implementation in task/timer.c.
 * Rules     The callback runs on the arming CPU with no locks held, from the timer event or from any
 *           kernel exit that notices it is due; it must not sleep. It may re-arm its timer.
 */
#pragma once

#include "guestkernel/kapi/rbtree.h"

struct ktimer {
	struct rb_node node;
	u64 deadline_ns; /* CLOCK_MONOTONIC */
	void (*fn)(struct ktimer *t);
	u32 cpu;
	u8 state; /* idle, queued, running */
};

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *t));
/* Re-arms when already queued. */
void ktimer_arm(struct ktimer *t, u64 deadline_ns);
/* True when it was queued and will not run. Waits for a running callback on another CPU to finish. */
bool ktimer_cancel(struct ktimer *t);
static inline bool ktimer_is_queued(const struct ktimer *t)
{
	return READ_ONCE(t->state) == 1;
}
