// SPDX-License-Identifier: Apache-2.0
/*
 * pipe_splice - the sides of a pipe in the hands of splice, tee and vmsplice
 *
 * Role      The pipe side of guestkernel/sys/sys_splice.c (fs/pipe.h).
 * Rules     Buffers moved or copied from one pipe to another are never merged into: their pages may belong to two
 *           pipes, or to a file. Only what the other side has taken leaves a pipe, so there is nothing to give
 *           back when it fails.
 * Locking   As in pipe.c. A side is taken with its mutex held and given up without: see INVARIANTS in pipe_impl.h.
 *           pipe_move() holds one mutex and the spinlock of both pipes, each pair in address order.
 * See       splice(2), tee(2)
 */
#include "fs/pipe_impl.h"
#include "guestkernel/kapi/errno.h"

#define MOVE_BUFS 256u /* under one hold of the locks */

int pipe_begin_take(struct pipe *p, bool nonblock)
{
	bool slept = false;
	int ret;

	for (;;) {
		ret = pipe_wait_data(p, nonblock, &slept);
		if (ret <= 0)
			return ret;
		mutex_lock(&p->rd);
		spin_lock(&p->lock);
		if (!p->rd_taken && !pipe_is_empty(p))
			break;
		spin_unlock(&p->lock);
		mutex_unlock(&p->rd);
	}
	p->rd_taken = true;
	spin_unlock(&p->lock);
	mutex_unlock(&p->rd);
	return 1;
}

bool pipe_front_buf(struct pipe *p, struct pipe_buf *out)
{
	bool any;

	spin_lock(&p->lock);
	any = !pipe_is_empty(p);
	if (any)
		*out = *pipe_front(p);
	spin_unlock(&p->lock);
	return any;
}

void pipe_consume(struct pipe *p, u32 bytes)
{
	struct page *dead;
	bool was_full;

	spin_lock(&p->lock);
	was_full = pipe_is_full(p);
	dead = pipe_consume_locked(p, bytes);
	spin_unlock(&p->lock);
	if (dead)
		page_put(dead);
	wake_one_events(&p->writable, EPOLLOUT | EPOLLWRNORM);
	if (was_full)
		async_signal(&p->async, POLL_OUT);
}

/* Who was refused meanwhile must look again; others only if they sleep in the pipe. */
static void end_side(struct pipe *p, bool *taken, struct waitq *q, u32 events)
{
	spin_lock(&p->lock);
	*taken = false;
	if (!p->refused)
		events = PIPE_WAKE_SLEEPERS;
	p->refused = false;
	spin_unlock(&p->lock);
	wake_events(q, events);
}

void pipe_end_take(struct pipe *p)
{
	end_side(p, &p->rd_taken, &p->readable, EPOLLIN | EPOLLRDNORM);
}

s64 pipe_begin_fill(struct pipe *p, bool nonblock)
{
	s64 room;
	int ret;

	for (;;) {
		ret = pipe_wait_room(p, nonblock);
		if (ret < 0)
			return ret;
		mutex_lock(&p->wr);
		spin_lock(&p->lock);
		if (!p->wr_taken && !pipe_is_full(p))
			break;
		spin_unlock(&p->lock);
		mutex_unlock(&p->wr);
	}
	p->wr_taken = true;
	room = p->nr_slots - (p->head - p->tail);
	spin_unlock(&p->lock);
	mutex_unlock(&p->wr);
	return room;
}

void pipe_fill(struct pipe *p, const struct pipe_buf *b)
{
	spin_lock(&p->lock);
	BUG_ON(!p->wr_taken || pipe_is_full(p));
	pipe_push_locked(p, b);
	spin_unlock(&p->lock);
	wake_one_events(&p->readable, EPOLLIN | EPOLLRDNORM);
	async_signal(&p->async, POLL_IN);
}

void pipe_end_fill(struct pipe *p)
{
	end_side(p, &p->wr_taken, &p->writable, EPOLLOUT | EPOLLWRNORM);
}

/* Both locks held: the first nr bytes of a buffer as a buffer of another pipe, with a reference of its own. */
static struct pipe_buf share(const struct pipe_buf *b, u64 max)
{
	struct pipe_buf c = *b;

	c.flags &= ~(u32)PIPE_BUF_CAN_MERGE;
	c.len = (u32)MIN((u64)c.len, max);
	if (c.page)
		page_get(c.page);
	return c;
}

static s64 move_locked(struct pipe *from, struct pipe *to, u64 max, bool copy)
	REQUIRES(&from->lock, &to->lock)
{
	s64 done = 0;
	u32 i = from->tail;

	for (u32 n = 0; n < MOVE_BUFS && max && i != from->head && !pipe_is_full(to); n++) {
		struct pipe_buf b = share(&from->bufs[i & (from->nr_slots - 1)], max);

		pipe_push_locked(to, &b);
		max -= b.len;
		done += b.len;
		if (copy) {
			i++;
		} else {
			/* Our copy holds the page, so this is not its last reference. */
			struct page *dead = pipe_consume_locked(from, b.len);

			if (dead)
				page_put(dead);
			i = from->tail;
		}
	}
	return done;
}

/* 0: what the caller waited for is gone again. */
static s64 move_once(struct pipe *from, struct pipe *to, u64 max, bool copy) NO_LOCK_ANALYSIS
{
	s64 done = 0;

	mutex_lock_pair(&from->rd, &to->wr);
	spin_lock_pair(&from->lock, &to->lock);
	if (!from->rd_taken && !to->wr_taken)
		done = to->readers ? move_locked(from, to, max, copy) : -EPIPE;
	spin_unlock_pair(&from->lock, &to->lock);
	mutex_unlock_pair(&from->rd, &to->wr);
	return done;
}

s64 pipe_move(struct pipe *from, struct pipe *to, u64 max, bool copy, bool nonblock)
{
	bool slept = false;
	s64 n;

	do {
		n = pipe_wait_data(from, nonblock, &slept);
		if (n <= 0)
			return n;
		n = pipe_wait_room(to, nonblock);
		if (n < 0)
			return n;
		n = move_once(from, to, max, copy);
	} while (n == 0);
	if (n < 0)
		return n;
	if (!copy) {
		wake_one_events(&from->writable, EPOLLOUT | EPOLLWRNORM);
		async_signal(&from->async, POLL_OUT);
	}
	if (slept && !pipe_is_empty(from))
		wake_one_events(&from->readable, PIPE_WAKE_SLEEPERS);
	wake_one_events(&to->readable, EPOLLIN | EPOLLRDNORM);
	async_signal(&to->async, POLL_IN);
	return n;
}
