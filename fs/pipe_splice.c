// SPDX-License-Identifier: Apache-2.0
/*
 * pipe_splice - moving page references into and out of pipes
 *
 * Role      The pipe side of splice, tee and vmsplice (fs/pipe.h).
 * Rules     Moved buffers are never merged into: their pages may belong to a file or to user memory.
 * Locking   As in pipe.c: rd to remove, wr to add, lock for the ring. Nothing is copied here.
 * See       splice(2), tee(2)
 */
#include "fs/pipe_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"

/* lock held. Copies references of up to max bytes from ring position *at on. */
static u32 copy_refs_locked(struct pipe *p, u64 max, struct pipe_buf *out, u32 nr)
	REQUIRES(&p->lock)
{
	u32 n = 0;

	for (u32 i = p->tail; i != p->head && n < nr && max; i++) {
		out[n] = p->bufs[i & (p->nr_slots - 1)];
		out[n].flags &= ~(u32)PIPE_BUF_CAN_MERGE;
		out[n].len = (u32)MIN((u64)out[n].len, max);
		if (out[n].page)
			page_get(out[n].page);
		max -= out[n++].len;
	}
	return n;
}

s64 pipe_peek(struct pipe *p, u64 max, struct pipe_buf *out, u32 nr, bool nonblock)
{
	s64 n = pipe_wait_data(p, nonblock);

	if (n <= 0)
		return n;
	spin_lock(&p->lock);
	n = copy_refs_locked(p, max, out, nr);
	spin_unlock(&p->lock);
	return n;
}

s64 pipe_take(struct pipe *p, u64 max, struct pipe_buf *out, u32 nr, bool nonblock)
{
	s64 n;

	if (!max || !nr)
		return 0;
	do {
		n = pipe_wait_data(p, nonblock);
		if (n <= 0)
			return n;
		mutex_lock(&p->rd);
		spin_lock(&p->lock);
		n = copy_refs_locked(p, max, out, nr);
		for (u32 i = 0; i < n; i++) {
			/* Our copy holds the page, so this cannot be the last reference. */
			struct page *dead = pipe_consume_locked(p, out[i].len);

			if (dead)
				page_put(dead);
		}
		spin_unlock(&p->lock);
		mutex_unlock(&p->rd);
	} while (n == 0);
	wake_one_events(&p->writable, EPOLLOUT | EPOLLWRNORM);
	async_signal(&p->async, POLL_OUT);
	if (!pipe_is_empty(p))
		wake_one_events(&p->readable, EPOLLIN | EPOLLRDNORM);
	return n;
}

void pipe_give_back(struct pipe *p, const struct pipe_buf *bufs, u32 nr)
{
	struct pipe_buf *old = NULL;

	mutex_lock(&p->rd);
	spin_lock(&p->lock);
	/* Writers may have used the slots meanwhile: then the ring grows. */
	if (p->head - p->tail + nr > p->nr_slots) {
		u32 slots = p->nr_slots;
		struct pipe_buf *ring;

		while (slots < p->head - p->tail + nr)
			slots <<= 1;
		ring = kcalloc(slots, sizeof *ring);
		if (ring)
			old = pipe_replace_ring_locked(p, ring, slots);
	}
	while (nr && p->head - p->tail < p->nr_slots)
		p->bufs[--p->tail & (p->nr_slots - 1)] = bufs[--nr];
	spin_unlock(&p->lock);
	mutex_unlock(&p->rd);
	kfree(old);
	if (nr)
		log_warn("pipe: out of memory, %u buffers of a failed splice are lost", nr);
	while (nr--) {
		struct pipe_buf b = bufs[nr];

		pipe_buf_put(&b);
	}
	wake_one_events(&p->readable, EPOLLIN | EPOLLRDNORM);
}

s64 pipe_push(struct pipe *p, const struct pipe_buf *bufs, u32 nr, bool nonblock)
{
	u32 done = 0;
	int ret;

	if (!nr)
		return 0;
	do {
		ret = pipe_wait_room(p, nonblock);
		if (ret < 0)
			return ret;
		mutex_lock(&p->wr);
		spin_lock(&p->lock);
		while (done < nr && !pipe_is_full(p)) {
			struct pipe_buf b = bufs[done++];

			b.flags &= ~(u32)PIPE_BUF_CAN_MERGE;
			pipe_push_locked(p, &b);
		}
		spin_unlock(&p->lock);
		mutex_unlock(&p->wr);
	} while (done == 0);
	wake_one_events(&p->readable, EPOLLIN | EPOLLRDNORM);
	async_signal(&p->async, POLL_IN);
	return done;
}
