// SPDX-License-Identifier: Apache-2.0
/*
 * pipe_impl - the pipe object, shared by pipe.c and pipe_splice.c only
 *
 * Locking   See pipe.c.
 */
#pragma once

#include "fs/inode.h"
#include "fs/pipe.h"
#include "guestkernel/kapi/async.h"

struct pipe {
	struct mutex rd;       /* RANK_PIPE: one reader copies */
	struct mutex wr;       /* RANK_PIPE: one writer copies */
	struct spinlock lock;  /* RANK_OBJECT */
	struct pipe_buf *bufs; /* [lock] ring */
	u32 nr_slots;	       /* [lock] power of two */
	u32 head, tail;	       /* [lock] running indexes: next to fill, oldest */
	struct page *spare;    /* [lock] an emptied page for the next write */
	u32 readers, writers;  /* [lock] open ends */
	u32 r_opens, w_opens;  /* [lock] count every open of an end */
	u32 files;	       /* [fifo_lock] files (and opens under way) */
	struct inode *inode;   /* [I] FIFO: where inode->special points back from */
	bool is_fifo;	       /* [I] made by opening a name, not by pipe(2) */
	struct waitq readable, writable, opened;
	struct async_list async;
};

/* lock held, or a racy hint. */
static inline bool pipe_is_empty(const struct pipe *p)
{
	return READ_ONCE(p->head) == READ_ONCE(p->tail);
}
static inline bool pipe_is_full(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail) >= READ_ONCE(p->nr_slots);
}
static inline struct pipe_buf *pipe_front(struct pipe *p)
{
	return &p->bufs[p->tail & (p->nr_slots - 1)];
}
static inline struct pipe_buf *pipe_last(struct pipe *p)
{
	return &p->bufs[(p->head - 1) & (p->nr_slots - 1)];
}

struct page *pipe_consume_locked(struct pipe *p, u32 n) REQUIRES(&p->lock);
void pipe_push_locked(struct pipe *p, const struct pipe_buf *b) REQUIRES(&p->lock);
struct pipe_buf *pipe_replace_ring_locked(struct pipe *p, struct pipe_buf *ring, u32 nr)
	REQUIRES(&p->lock);
int must_check pipe_wait_data(struct pipe *p, bool nonblock);
int must_check pipe_wait_room(struct pipe *p, bool nonblock);
