// SPDX-License-Identifier: Apache-2.0
/* futex - what exit, exec and sys_futex.c call */
#pragma once

#include "guestkernel/task/task.h"

void futex_init(void);
struct futex_call {
	uaddr_t ua, ua2;
	u32 op; /* FUTEX_* command without flags */
	bool is_private;
	u32 val, val2, val3;
	u64 deadline_ns; /* CLOCK_MONOTONIC, NO_DEADLINE */
};
s64 futex_wait(const struct futex_call *c, u32 bitset);
s64 futex_wake(uaddr_t ua, bool is_private, u32 nr, u32 bitset);
s64 futex_requeue(const struct futex_call *c, bool cmp);
s64 futex_wake_op(const struct futex_call *c);
s64 futex_lock_pi(const struct futex_call *c, bool try_only);
s64 futex_unlock_pi(const struct futex_call *c);

struct futex_wait_item {
	uaddr_t ua;
	u32 val;
	bool is_private;
};
/* Index of the one that was woken, or -errno. */
s64 futex_wait_many(const struct futex_wait_item *items, u32 nr, u64 deadline_ns);

/* Kernel's own wake of a word that it has just changed: shared and private waiters. */
void futex_wake_user(uaddr_t ua, u32 nr);
/* Walks the robust list of the exiting task. */
void futex_robust_exit(struct task *t);
