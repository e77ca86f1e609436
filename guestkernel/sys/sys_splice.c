// SPDX-License-Identifier: Apache-2.0
/*
 * sys_splice - moving data between descriptors: sendfile, copy_file_range, splice, tee, vmsplice
 *
 * Role      Between two files data goes through a bounce buffer; between a file and a pipe through pages that the
 *           pipe then owns; between pipes by reference.
 * Rules     Only what was delivered leaves a pipe, and a file is read only after the pipe has promised room: neither
 *           an error nor a signal loses data. Positions advance by what was delivered; the file's own is read
 *           before and stored after, each under pos_lock, which nobody holds while waiting for a pipe: two
 *           calls at once on one open file may both start at one place, as on Linux.
 *           A position and a length, whatever a program gives, are checked to add up below 2^63 first.
 * Missing   vmsplice copies; files of /proc/<pid> are sources and targets here, on Linux most are not.
 * See       sendfile(2), splice(2), copy_file_range(2)
 */
#include "fs/namei.h"
#include "fs/pipe.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/signal.h"
#include "net/socket.h"
#include "syscalls_gen.h"

#define BOUNCE_BYTES 65536u
#define SPLICE_PAGES 16u
#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* in_pos, out_pos: NULL for streams. */
static s64 copy_data(struct file *in, s64 *in_pos, struct file *out, s64 *out_pos, u64 len)
{
	u32 size = (u32)MIN(len, (u64)BOUNCE_BYTES);
	char *buf = kmalloc(size);
	struct iov_cursor c;
	s64 done = 0, r, w, at;

	if (!buf)
		return -ENOMEM;
	while (len) {
		at = *in_pos;
		iov_init_kernel(&c, buf, MIN(len, (u64)size));
		r = file_read(in, &c, &at);
		if (r <= 0) {
			if (!done)
				done = r;
			break;
		}
		iov_init_kernel(&c, buf, (size_t)r);
		w = file_write(out, &c, out_pos);
		if (w < 0) {
			if (!done)
				done = w;
			break;
		}
		*in_pos += w;
		done += w;
		len -= (u64)w;
		if (w < r || signal_pending())
			break;
		cond_resched();
	}
	kfree(buf);
	return done;
}

/* A position of its own, or *uptr's, or 0 of a stream. none: the error when a position is given that f has not. */
static s64 pos_get(struct file *f, uaddr_t uptr, s64 none, s64 *pos)
{
	*pos = 0;
	if (!uaddr_is_null(uptr))
		return f->ops->lseek ? get_user(pos, uptr) : none;
	if (f->ops->lseek) {
		mutex_lock(&f->pos_lock);
		*pos = f->pos;
		mutex_unlock(&f->pos_lock);
	}
	return 0;
}

static s64 pos_put(struct file *f, uaddr_t uptr, s64 pos)
{
	if (!uaddr_is_null(uptr))
		return put_user(uptr, pos);
	if (f->ops->lseek) {
		mutex_lock(&f->pos_lock);
		f->pos = pos;
		mutex_unlock(&f->pos_lock);
	}
	return 0;
}

static bool range_is_bad(s64 pos, u64 len)
{
	return pos < 0 || len > (u64)(S64_MAX - pos);
}

static s64 two_files(s32 in_fd, s32 out_fd, struct file **in, struct file **out)
{
	s64 ret = fd_lookup(in_fd, in);

	if (ret)
		return ret;
	ret = fd_lookup(out_fd, out);
	if (ret)
		file_put(*in);
	return ret;
}

static s64 sendfile(struct file *in, struct file *out, uaddr_t uoff, u64 len)
{
	bool seeks = out->ops->lseek != NULL;
	s64 pos, out_pos, n, err;

	if (!file_can_read(in) || !file_can_write(out))
		return -EBADF;
	err = pos_get(in, uoff, -ESPIPE, &pos);
	if (!err)
		err = pos_get(out, UADDR(0), 0, &out_pos);
	if (err)
		return err;
	if (range_is_bad(pos, len))
		return -EINVAL;
	len = MIN(len, RW_MAX_BYTES);
	if (range_is_bad(out_pos, len) || out->flags & O_APPEND)
		return -EINVAL;
	if (!in->ops->can_splice_from || !in->ops->lseek || inode_is_dir(in->inode))
		return -EINVAL;
	if (!out->ops->can_splice_to && !file_pipe(out))
		return -EINVAL;
	n = copy_data(in, &pos, out, seeks ? &out_pos : NULL, len);
	if (n < 0)
		return n;
	err = pos_put(in, uoff, pos);
	if (!err)
		err = pos_put(out, UADDR(0), out_pos);
	return err ? err : n;
}

s64 sys_sendfile(s32 out_fd, s32 in_fd, uaddr_t uoff, u64 len)
{
	struct file *in, *out;
	s64 ret = two_files(in_fd, out_fd, &in, &out);

	if (ret)
		return ret;
	ret = sendfile(in, out, uoff, len);
	file_put(in);
	file_put(out);
	return ret;
}

static s64 copy_range_check(struct file *in, struct file *out)
{
	if (inode_is_dir(in->inode) || inode_is_dir(out->inode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!file_can_read(in) || !file_can_write(out) || out->flags & O_APPEND)
		return -EBADF;
	return 0;
}

static s64 copy_range(struct file *in, uaddr_t uin, struct file *out, uaddr_t uout, u64 len)
{
	s64 in_pos, out_pos, n, err = copy_range_check(in, out);

	if (!err)
		err = pos_get(in, uin, -ESPIPE, &in_pos);
	if (!err)
		err = pos_get(out, uout, -ESPIPE, &out_pos);
	if (err)
		return err;
	if (in_pos < 0 || out_pos < 0)
		return -EINVAL;
	len = MIN(len, RW_MAX_BYTES);
	len = MIN(len, (u64)(S64_MAX - MAX(in_pos, out_pos)));
	if (in->inode == out->inode && in_pos < out_pos + (s64)len && out_pos < in_pos + (s64)len)
		return -EINVAL;
	n = copy_data(in, &in_pos, out, &out_pos, len);
	if (n <= 0)
		return n;
	err = pos_put(in, uin, in_pos);
	if (!err)
		err = pos_put(out, uout, out_pos);
	return err ? err : n;
}

s64 sys_copy_file_range(s32 in_fd, uaddr_t uin, s32 out_fd, uaddr_t uout, u64 len, u32 flags)
{
	struct file *in, *out;
	s64 ret;

	if (flags)
		return -EINVAL;
	ret = two_files(in_fd, out_fd, &in, &out);
	if (ret)
		return ret;
	ret = len ? copy_range(in, uin, out, uout, len) : copy_range_check(in, out);
	file_put(in);
	file_put(out);
	return ret;
}

/* From a pipe into a file: bytes, or an error when not even one was written. */
static s64 pipe_to_file(struct pipe *p, struct file *out, s64 *out_pos, u64 len, bool nonblock)
{
	s64 done = 0, w = pipe_begin_take(p, nonblock);
	struct iov_cursor c;
	struct pipe_buf b;

	if (w <= 0)
		return w;
	while (len && pipe_front_buf(p, &b)) {
		b.len = (u32)MIN((u64)b.len, len);
		iov_init_kernel(&c, (char *)(u64)b.data + b.off, b.len);
		w = file_write(out, &c, out_pos);
		if (w <= 0)
			break;
		pipe_consume(p, (u32)w);
		done += w;
		len -= (u64)w;
		if (w < b.len || signal_pending())
			break;
		cond_resched();
	}
	pipe_end_take(p);
	return done ? done : w;
}

struct splice_pages {
	struct page *page[SPLICE_PAGES];
	struct iov_seg seg[SPLICE_PAGES];
	u32 nr;
};

static int pages_alloc(struct splice_pages *sp, u64 len, u32 max)
{
	int err = 0;

	for (sp->nr = 0; len && sp->nr < max; sp->nr++) {
		struct iov_seg *seg = &sp->seg[sp->nr];

		err = page_alloc(PAGE_USER, &sp->page[sp->nr]);
		if (err)
			break;
		seg->kern = page_kaddr(sp->page[sp->nr]);
		seg->len = MIN(len, (u64)PAGE_SIZE);
		len -= seg->len;
	}
	return sp->nr ? 0 : err;
}

/* The first `bytes` go into the pipe, which has room; the other pages are given back. */
static void pages_to_pipe(struct splice_pages *sp, struct pipe *p, u64 bytes)
{
	for (u32 i = 0; i < sp->nr; i++) {
		struct pipe_buf b = {
			.page = sp->page[i],
			.data = sp->seg[i].kern,
			.len = (u32)MIN(bytes, sp->seg[i].len),
		};

		bytes -= b.len;
		if (b.len)
			pipe_fill(p, &b);
		else
			page_put(b.page);
	}
}

/* SPLICE_F_NONBLOCK is about the pipe; only stream sockets of AF_UNIX take it for themselves too, as on Linux. */
static s64 splice_read(struct file *in, struct iov_cursor *c, s64 *pos, u32 flags)
{
	struct socket *sk = file_socket(in);
	struct msg m = { .iov = c };
	s64 n;

	if (!(flags & SPLICE_F_NONBLOCK) || !sk || sk->family != AF_UNIX || sk->type != SOCK_STREAM)
		return file_read(in, c, pos);
	n = sock_recv(sk, &m, true);
	scm_fini(&m.scm);
	return n;
}

/* One read: of a stream what is there, which may be waited for once; of a datagram socket one datagram. */
static s64 read_to_pipe(struct file *in, s64 *in_pos, struct pipe *p, u64 len, u32 flags,
			bool nonblock)
{
	s64 n = pipe_begin_fill(p, nonblock);
	struct splice_pages sp;
	struct iov_cursor c;

	if (n < 0)
		return n;
	n = pages_alloc(&sp, len, (u32)MIN(n, (s64)SPLICE_PAGES));
	if (!n) {
		c = (struct iov_cursor){ .seg = sp.seg, .nr_segs = sp.nr, .is_kernel = true };
		for (u32 i = 0; i < sp.nr; i++)
			c.left += sp.seg[i].len;
		n = splice_read(in, &c, in_pos, flags);
		pages_to_pipe(&sp, p, n > 0 ? (u64)n : 0);
	}
	pipe_end_fill(p);
	return n;
}

static s64 file_to_pipe(struct file *in, s64 *in_pos, struct pipe *p, u64 len, u32 flags,
			bool nonblock)
{
	s64 done = 0, n;

	do {
		n = read_to_pipe(in, in_pos, p, len, flags, nonblock || done);
		if (n <= 0)
			break;
		done += n;
		len -= (u64)n;
		cond_resched();
	} while (len && in_pos && !signal_pending());
	if (n == -EPIPE && !done)
		current_send_signal(SIGPIPE);
	return done ? done : n;
}

static s64 pipe_to_pipe(struct file *in, struct file *out, u64 len, u32 flags, bool copy)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK;
	s64 n = pipe_move(file_pipe(in), file_pipe(out), len, copy, nonblock);

	if (n == -EPIPE)
		current_send_signal(SIGPIPE);
	return n;
}

static s64 splice_out(struct file *in, struct file *out, uaddr_t uout, u64 len, u32 flags)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK || in->flags & O_NONBLOCK;
	s64 pos, n, err = pos_get(out, uout, -EINVAL, &pos);

	if (err)
		return err;
	if (out->flags & O_APPEND || range_is_bad(pos, len) || !out->ops->can_splice_to)
		return -EINVAL;
	n = pipe_to_file(file_pipe(in), out, out->ops->lseek ? &pos : NULL, MIN(len, RW_MAX_BYTES),
			 nonblock);
	if (n > 0)
		err = pos_put(out, uout, pos);
	return err ? err : n;
}

static s64 splice_in(struct file *in, uaddr_t uin, struct file *out, u64 len, u32 flags)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK || out->flags & O_NONBLOCK;
	s64 pos, n, err = pos_get(in, uin, -EINVAL, &pos);

	if (err)
		return err;
	if (range_is_bad(pos, len) || !in->ops->can_splice_from)
		return -EINVAL;
	n = file_to_pipe(in, in->ops->lseek ? &pos : NULL, file_pipe(out), MIN(len, RW_MAX_BYTES),
			 flags, nonblock);
	if (n > 0)
		err = pos_put(in, uin, pos);
	return err ? err : n;
}

static s64 splice_files(struct file *in, uaddr_t uin, struct file *out, uaddr_t uout, u64 len,
			u32 flags)
{
	struct pipe *pin = file_pipe(in), *pout = file_pipe(out);

	if (!file_can_read(in) || !file_can_write(out))
		return -EBADF;
	if ((pin && !uaddr_is_null(uin)) || (pout && !uaddr_is_null(uout)))
		return -ESPIPE;
	if (pin && pout)
		return pin == pout ? -EINVAL : pipe_to_pipe(in, out, len, flags, false);
	if (pin)
		return splice_out(in, out, uout, len, flags);
	return pout ? splice_in(in, uin, out, len, flags) : -EINVAL;
}

s64 sys_splice(s32 in_fd, uaddr_t uin, s32 out_fd, uaddr_t uout, u64 len, u32 flags)
{
	struct file *in, *out;
	s64 ret;

	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	ret = two_files(in_fd, out_fd, &in, &out);
	if (ret)
		return ret;
	ret = splice_files(in, uin, out, uout, len, flags);
	file_put(in);
	file_put(out);
	return ret;
}

s64 sys_tee(s32 in_fd, s32 out_fd, u64 len, u32 flags)
{
	struct pipe *pin, *pout;
	struct file *in, *out;
	s64 ret;

	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	ret = two_files(in_fd, out_fd, &in, &out);
	if (ret)
		return ret;
	pin = file_pipe(in);
	pout = file_pipe(out);
	if (!file_can_read(in) || !file_can_write(out))
		ret = -EBADF;
	else if (!pin || !pout || pin == pout)
		ret = -EINVAL;
	else
		ret = pipe_to_pipe(in, out, len, flags, true);
	file_put(in);
	file_put(out);
	return ret;
}

/* How far the current segment goes within one page. */
static u64 user_piece(const struct iov_cursor *c)
{
	const struct iov_seg *seg = c->seg;
	u64 off = c->seg_off;

	for (; off == seg->len; off = 0)
		seg++;
	return MIN(seg->len - off, PAGE_SIZE - ((seg->user.va + off) & (PAGE_SIZE - 1)));
}

/* As much as there is room for now; a buffer for each page of the program's that is touched. */
static s64 user_to_pipe(struct pipe *p, struct iov_cursor *src, u32 flags)
{
	s64 done = 0, n, room = pipe_begin_fill(p, flags & SPLICE_F_NONBLOCK);

	if (room < 0) {
		if (room == -EPIPE)
			current_send_signal(SIGPIPE);
		return room;
	}
	for (n = 0; room && iov_left(src); room--) {
		struct pipe_buf b = { 0 };

		n = page_alloc(PAGE_USER, &b.page);
		if (n)
			break;
		b.data = page_kaddr(b.page);
		n = iov_get_some(src, (char *)(u64)b.data, user_piece(src));
		if (n <= 0) {
			page_put(b.page);
			break;
		}
		b.len = (u32)n;
		pipe_fill(p, &b);
		done += n;
	}
	pipe_end_fill(p);
	return done ? done : n;
}

static s64 pipe_to_user(struct pipe *p, struct iov_cursor *dst, u32 flags)
{
	s64 done = 0, n = pipe_begin_take(p, flags & SPLICE_F_NONBLOCK);
	struct pipe_buf b;

	if (n <= 0)
		return n;
	while (iov_left(dst) && pipe_front_buf(p, &b)) {
		n = iov_put_some(dst, b.data + b.off, MIN((u64)b.len, iov_left(dst)));
		if (n <= 0)
			break;
		pipe_consume(p, (u32)n);
		done += n;
	}
	pipe_end_take(p);
	return done ? done : n;
}

s64 sys_vmsplice(s32 fd, uaddr_t iov, u64 nr, u32 flags)
{
	struct iov_import im;
	struct file *f;
	s64 ret;

	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	ret = -EBADF;
	if (!file_pipe(f))
		goto put;
	ret = iov_import(&im, iov, nr);
	if (ret)
		goto put;
	if (!iov_left(&im.cur))
		ret = 0;
	else if (file_can_write(f))
		ret = user_to_pipe(file_pipe(f), &im.cur, flags);
	else
		ret = pipe_to_user(file_pipe(f), &im.cur, flags);
	iov_import_fini(&im);
put:
	file_put(f);
	return ret;
}
