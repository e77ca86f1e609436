// SPDX-License-Identifier: Apache-2.0
/*
 * pipe - pipes, FIFOs and what splice(2) needs of them
 *
 * Role      pipe_create() makes both ends of an anonymous pipe; fifo_open() is how the VFS opens an
 *           S_IFIFO inode. splice, tee and vmsplice use the helpers below.
 * Rules     A pipe_buf owns one reference of its page (page NULL: a frame of the read-only window, which
 *           lives forever).
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

/* Splice support. All that waits sleeps unless nonblock; -EAGAIN, -ERESTARTSYS as read and write would.
 *
 * Out of a pipe: pipe_begin_take() makes the caller the only reader (1; 0 at end of file), who looks at the front buffer
 * (no reference: it stays), removes what it has used, and ends. Into a pipe: pipe_begin_fill() makes the caller
 * the only writer and returns the number of free slots, at least one (-EPIPE without readers); pipe_fill()
 * takes over the buffer and its reference. Between, the caller may sleep and holds no lock of the pipe.
 */
int must_check pipe_begin_take(struct pipe *p, bool nonblock);
bool pipe_front_buf(struct pipe *p, struct pipe_buf *out);
void pipe_consume(struct pipe *p, u32 bytes);
void pipe_end_take(struct pipe *p);
s64 must_check pipe_begin_fill(struct pipe *p, bool nonblock);
void pipe_fill(struct pipe *p, const struct pipe_buf *b);
void pipe_end_fill(struct pipe *p);
/* Moves up to max bytes by reference, or copies the references (tee). Bytes, 0 at end of file, -EPIPE. */
s64 must_check pipe_move(struct pipe *from, struct pipe *to, u64 max, bool copy, bool nonblock);
void pipe_buf_put(struct pipe_buf *b);
