// SPDX-License-Identifier: Apache-2.0
/*
 * sys_futex - futex, robust lists
 *
 * Missing   FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_FD.
 * See       task/futex.c
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/clock.h"
#include "guestkernel/task/futex.h"
#include "guestkernel/uapi/futex.h"
#include "syscalls_gen.h"

static s64 wait_restart(struct restart_block *rb)
{
	struct futex_call c = {
		.ua = UADDR(rb->arg[0]),
		.val = (u32)rb->arg[1],
		.is_private = rb->arg[3],
		.deadline_ns = rb->deadline_ns,
	};
	s64 r = futex_wait(&c, (u32)rb->arg[2]);

	if (r != -ERESTARTSYS)
		return r;
	rb->fn = wait_restart;
	return -ERESTART_RESTARTBLOCK;
}

/* A relative timeout must not start anew when the call is restarted. */
static s64 do_wait(const struct futex_call *c, u32 bitset)
{
	struct restart_block *rb = &current()->restart;
	s64 r = futex_wait(c, bitset);

	if (r != -ERESTARTSYS || c->deadline_ns == NO_DEADLINE)
		return r;
	rb->fn = wait_restart;
	rb->arg[0] = c->ua.va;
	rb->arg[1] = c->val;
	rb->arg[2] = bitset;
	rb->arg[3] = c->is_private;
	rb->deadline_ns = c->deadline_ns;
	return -ERESTART_RESTARTBLOCK;
}

static bool has_timeout(u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2;
}

static s64 read_timeout(u32 cmd, u32 op, uaddr_t uts, u64 *deadline)
{
	bool realtime = (op & FUTEX_CLOCK_REALTIME) || cmd == FUTEX_LOCK_PI;
	struct timespec ts;
	u64 ns;

	*deadline = NO_DEADLINE;
	if (uaddr_is_null(uts))
		return 0;
	if (get_user(&ts, uts))
		return -EFAULT;
	if (!timespec_to_ns(&ts, &ns))
		return -EINVAL;
	return clock_to_monotonic(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns,
				  cmd != FUTEX_WAIT, deadline);
}

s64 sys_futex(uaddr_t ua, u32 op, u32 val, uaddr_t timeout, uaddr_t ua2, u32 val3)
{
	u32 cmd = op & FUTEX_CMD_MASK;
	struct futex_call c = {
		.ua = ua,
		.ua2 = ua2,
		.is_private = op & FUTEX_PRIVATE_FLAG,
		.val = val,
		.val2 = (u32)timeout.va,
		.val3 = val3,
		.deadline_ns = NO_DEADLINE,
	};
	s64 r;

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET &&
	    cmd != FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (has_timeout(cmd)) {
		r = read_timeout(cmd, op, timeout, &c.deadline_ns);
		if (r < 0)
			return r;
	}
	switch (cmd) {
	case FUTEX_WAIT:
		return do_wait(&c, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return do_wait(&c, val3);
	case FUTEX_WAKE:
		return futex_wake(ua, c.is_private, val ? val : 1, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(ua, c.is_private, val ? val : 1, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(&c, false);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(&c, true);
	case FUTEX_WAKE_OP:
		return futex_wake_op(&c);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(&c, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(&c, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(&c);
	}
	return -ENOSYS;
}

s64 sys_set_robust_list(uaddr_t head, u64 len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	current()->robust_list = head;
	return 0;
}

s64 sys_get_robust_list(s32 pid, uaddr_t uhead, uaddr_t ulen)
{
	u64 head, len = sizeof(struct robust_list_head);
	struct task *t;

	if (!pid) {
		head = current()->robust_list.va;
	} else {
		t = task_find_get(pid);
		if (!t)
			return -ESRCH;
		if (!task_may_access(t, ACCESS_REAL)) {
			task_put(t);
			return -EPERM;
		}
		head = t->robust_list.va;
		task_put(t);
	}
	if (put_user(ulen, len) || put_user(uhead, head))
		return -EFAULT;
	return 0;
}

static s64 read_waitv(uaddr_t uwaiters, u32 nr, struct futex_wait_item *items)
{
	struct futex_waitv v;

	for (u32 i = 0; i < nr; i++) {
		if (get_user(&v, uaddr_add(uwaiters, i * sizeof v)))
			return -EFAULT;
		if ((v.flags & ~(u32)(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)) || v.reserved ||
		    (v.flags & FUTEX2_SIZE_MASK) != FUTEX2_SIZE_U32 || v.val > U32_MAX)
			return -EINVAL;
		items[i].ua = UADDR(v.uaddr);
		items[i].val = (u32)v.val;
		items[i].is_private = v.flags & FUTEX2_PRIVATE;
	}
	return 0;
}

s64 sys_futex_waitv(uaddr_t uwaiters, u32 nr, u32 flags, uaddr_t uts, s32 clock)
{
	struct futex_wait_item *items;
	u64 deadline = NO_DEADLINE, ns;
	struct timespec ts;
	s64 r;

	if (flags || !nr || nr > FUTEX_WAITV_MAX || uaddr_is_null(uwaiters))
		return -EINVAL;
	if (!uaddr_is_null(uts)) {
		if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
			return -EINVAL;
		if (get_user(&ts, uts))
			return -EFAULT;
		if (!timespec_to_ns(&ts, &ns) || clock_to_monotonic(clock, ns, true, &deadline) < 0)
			return -EINVAL;
	}
	items = kcalloc(nr, sizeof *items);
	if (!items)
		return -ENOMEM;
	r = read_waitv(uwaiters, nr, items);
	if (r == 0)
		r = futex_wait_many(items, nr, deadline);
	kfree(items);
	return r;
}
