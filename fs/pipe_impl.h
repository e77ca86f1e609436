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

/*
 * INVARIANTS
 * Ring      Buffers [tail, head) of bufs hold data in order; each owns one reference of its page. They are removed at
 *           the front by the one reader there is at a time and added at the back by the one writer:
 *           - who holds `rd` and finds !rd_taken, or who set rd_taken (holding rd) and may have dropped rd since;
 *           - who holds `wr` and finds !wr_taken, or who set wr_taken.
 *           So the reader may look at the front buffer's bytes, and the writer at the room it was promised, with no
 *           lock held: nobody else makes either smaller. What was removed is never put back.
 *           rd and wr are held while user memory is copied, never while waiting for data or room. Who works with
 *           another file meanwhile, for as long as that takes, takes the side over with rd_taken or wr_taken:
 *           others wait for its end as they wait for data or room, and signals end that wait.
 * Size      bufs and nr_slots change under wr (wr_taken false) and lock, and never below what the ring holds.
 * Ends      readers and writers count open files. A count falls before its wake-ups, and the wake-ups come
 *           before the file gives up its part of `files`: who is last in `files` frees, and nobody wakes
 *           after that.
 * FIFO      inode->special is this pipe while files > 0, both under fifo_lock; opening takes its part of `files`
 *           there, so a pipe that is found is alive.
 */
struct pipe {
	struct mutex rd;	    /* RANK_PIPE: one reader copies */
	struct mutex wr;	    /* RANK_PIPE: one writer copies */
	struct spinlock lock;	    /* RANK_OBJECT */
	struct pipe_buf *bufs;	    /* [lock] ring */
	u32 nr_slots;		    /* [lock] power of two */
	u32 head, tail;		    /* [lock] running indexes: next to fill, oldest */
	bool rd_taken;		    /* [lock; set under rd too] a splice owns the front */
	bool wr_taken;		    /* [lock; set under wr too] a splice owns the back */
	bool refused;		    /* [lock] somebody was told "not ready" because of these two */
	struct page *spare;	    /* [lock] an emptied page for the next write */
	u32 readers, writers;	    /* [lock] open ends */
	u32 r_opens, w_opens;	    /* [lock] count every open of an end */
	struct user_account *payer; /* [I] of nr_slots pages */
	u32 files;		    /* [fifo_lock] files (and opens under way) */
	struct inode *inode;	    /* [I] FIFO: where inode->special points back from */
	bool is_fifo;		    /* [I] made by opening a name, not by pipe(2) */
	struct waitq readable, writable, opened;
	struct async_list async;
};

/* Wakes those who sleep in the pipe itself; no event anybody polls for. */
#define PIPE_WAKE_SLEEPERS (1u << 27)

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
/* Sleeps until there is data or no writer: 1 data, 0 end of file, -EAGAIN, -ERESTARTSYS. *slept: set when it did. */
int must_check pipe_wait_data(struct pipe *p, bool nonblock, bool *slept);
/* Sleeps until there is a free slot: 0, -EPIPE, -EAGAIN, -ERESTARTSYS. */
int must_check pipe_wait_room(struct pipe *p, bool nonblock);
