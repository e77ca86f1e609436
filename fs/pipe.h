// SPDX-License-Identifier: Apache-2.0
/*
 * pipe - pipes, FIFOs and what splice(2) needs of them
 *
 * Role      pipe_create() makes both ends of an anonymous pipe; fifo_open() is how the VFS opens an
 *           S_IFIFO inode. splice, tee and vmsplice move page references with the pipe_* helpers.
 * Rules     A pipe_buf owns one reference of its page (page NULL: a frame of the read-only window, which
 *           lives forever). Buffers taken from a pipe must be put or given back.
 * See       pipe(7), fifo(7), splice(2); fs/pipe.c
 */
#pragma once

#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"

#define PIPE_BUF_ATOMIC 4096u
#define PIPE_DEF_SLOTS	16u
#define PIPE_MAX_BYTES	(1u << 20)

struct pipe;

enum pipe_buf_flag {
	PIPE_BUF_CAN_MERGE = 1u << 0, /* our own page, later writes may append */
	PIPE_BUF_PACKET = 1u << 1,    /* O_DIRECT: one read takes at most this buffer */
};

struct pipe_buf {
	struct page *page; /* referenced, or NULL for a window frame */
	const char *data;  /* kernel address of the frame */
	u32 off, len;
	u32 flags;
};

/* flags: O_CLOEXEC is the caller's business; O_NONBLOCK and O_DIRECT are honoured. */
int must_check pipe_create(u32 flags, struct file **rd, struct file **wr);

/* fifo_open() and fifo_evict() are declared in fs/inode.h. */

/* NULL when f is not a pipe or FIFO. The pipe lives as long as f. */
struct pipe *file_pipe(const struct file *f);

/* Splice support. All sleep unless nonblock; -EAGAIN, -ERESTARTSYS as read and write would.
 *
 * pipe_take: removes up to max bytes in at most nr buffers (the last one split if needed); returns the number
 * of buffers, 0 at end of file.
 * pipe_give_back: puts untouched buffers (in order) back at the front; only by the taker and only
 * while it has been the only reader since (otherwise order is lost, data never is).
 * pipe_peek: like pipe_take but copies references and leaves the pipe as it is (tee).
 * pipe_push: appends buffers, taking over their references; returns how many were taken (at least one unless
 * an error is returned), -EPIPE without readers.
 */
s64 must_check pipe_take(struct pipe *p, u64 max, struct pipe_buf *out, u32 nr, bool nonblock);
void pipe_give_back(struct pipe *p, const struct pipe_buf *bufs, u32 nr);
s64 must_check pipe_peek(struct pipe *p, u64 max, struct pipe_buf *out, u32 nr, bool nonblock);
s64 must_check pipe_push(struct pipe *p, const struct pipe_buf *bufs, u32 nr, bool nonblock);
void pipe_buf_put(struct pipe_buf *b);
