// SPDX-License-Identifier: Apache-2.0
/*
 * hoststream - a byte stream to or from the monitor (standard input, output, error)
 *
 * Role      Implemented by host/stream.c over the shared rings (vmm/abi/ring.h); used by fs/hoststream.c
 *           (files, console terminal).
 * Rules     read and write never sleep and may be called under any spinlock of rank below RANK_HYP.
 *           -EAGAIN from either arms the monitor: when data or room comes, host/stream.c wakes `wq` (with
 *           wake_events: EPOLLIN or EPOLLOUT, plus EPOLLHUP/EPOLLERR at the end) and then calls notify.
 */
#pragma once

#include "guestkernel/kapi/wait.h"

struct host_stream;

struct host_stream_ops {
	/* Bytes; 0 at end of file; -EAGAIN. */
	s64 (*read)(struct host_stream *s, void *buf, size_t n);
	/* Bytes; -EAGAIN when full; -EPIPE when the monitor's side is closed. */
	s64 (*write)(struct host_stream *s, const void *buf, size_t n);
	/* What a poll sees now (EPOLLIN | EPOLLHUP ... or EPOLLOUT | EPOLLERR) and, for FIONREAD, the
	 * bytes waiting. Arms the monitor when not ready. bytes may be NULL. */
	u32 (*poll)(struct host_stream *s, u32 *bytes);
};

struct host_stream {
	const struct host_stream_ops *ops; /* [I] */
	struct spinlock lock; /* RANK_OBJECT_INNER: serialises this side, sleepers' condition */
	struct waitq wq;
	/* May be NULL. Called after wq was woken, with no locks held, from the event interrupt: must not
	 * sleep. */
	void (*notify)(struct host_stream *s);
	void *notify_ctx;
};

static inline void host_stream_init(struct host_stream *s, const struct host_stream_ops *ops)
{
	s->ops = ops;
	spin_init(&s->lock, RANK_OBJECT_INNER);
	waitq_init(&s->wq);
	s->notify = NULL;
	s->notify_ctx = NULL;
}
