// SPDX-License-Identifier: Apache-2.0
/*
 * sys_splice - moving data between descriptors: sendfile, copy_file_range, splice, tee, vmsplice
 *
 * Role      Between two files data goes through a bounce buffer; between a file and a pipe through pages that the
 *           pipe then owns; between pipes by reference.
 * Rules     What was taken from a pipe and could not be delivered is given back. Positions advance by what
 *           was delivered.
 * Missing   vmsplice copies; splice reads a stream before it knows that the pipe takes it, so a signal at that
 *           moment loses the data read
 * See       sendfile(2), splice(2), copy_file_range(2)
 */
#include "fs/namei.h"
#include "fs/pipe.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/wait.h"
#include "syscalls_gen.h"

#define BOUNCE_BYTES 65536u
#define SPLICE_BUFS  16u
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

/* A position argument: from the pointer, or the file's own. */
static s64 pos_get(struct file *f, uaddr_t uptr, s64 *pos)
{
	if (uaddr_is_null(uptr)) {
		*pos = f->pos;
		return 0;
	}
	if (!f->ops->lseek)
		return -ESPIPE;
	if (get_user(pos, uptr))
		return -EFAULT;
	return *pos < 0 ? -EINVAL : 0;
}

static s64 pos_put(struct file *f, uaddr_t uptr, s64 pos)
{
	if (!uaddr_is_null(uptr))
		return put_user(uptr, pos);
	f->pos = pos;
	return 0;
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

static s64 sendfile_locked(struct file *in, struct file *out, uaddr_t uoff, u64 len)
{
	s64 pos, n, err;

	if (!file_can_read(in) || !file_can_write(out))
		return -EBADF;
	if (!in->ops->read || !in->ops->lseek || inode_is_dir(in->inode))
		return -EINVAL;
	if (out->flags & O_APPEND)
		return -EINVAL;
	err = pos_get(in, uoff, &pos);
	if (err)
		return err;
	n = copy_data(in, &pos, out, out->ops->lseek ? &out->pos : NULL, MIN(len, RW_MAX_BYTES));
	if (n < 0)
		return n;
	err = pos_put(in, uoff, pos);
	return err ? err : n;
}

s64 sys_sendfile(s32 out_fd, s32 in_fd, uaddr_t uoff, u64 len)
{
	struct file *in, *out;
	s64 ret = two_files(in_fd, out_fd, &in, &out);

	if (ret)
		return ret;
	ret = sendfile_locked(in, out, uoff, len);
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
		err = pos_get(in, uin, &in_pos);
	if (!err)
		err = pos_get(out, uout, &out_pos);
	if (err)
		return err;
	len = MIN(len, RW_MAX_BYTES);
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

static void bufs_put(struct pipe_buf *bufs, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		pipe_buf_put(&bufs[i]);
}

/* From a pipe into a file: bytes, or an error when not even one was written. */
static s64 pipe_to_file(struct pipe *p, struct file *out, s64 *out_pos, u64 len, bool nonblock)
{
	struct pipe_buf bufs[SPLICE_BUFS];
	struct iov_cursor c;
	s64 nr = pipe_take(p, len, bufs, SPLICE_BUFS, nonblock), done = 0, w = 0;
	u32 i;

	if (nr <= 0)
		return nr;
	for (i = 0; i < (u32)nr; i++) {
		iov_init_kernel(&c, (char *)(u64)bufs[i].data + bufs[i].off, bufs[i].len);
		w = file_write(out, &c, out_pos);
		if (w < 0)
			break;
		done += w;
		bufs[i].off += (u32)w;
		bufs[i].len -= (u32)w;
		if (bufs[i].len)
			break;
	}
	if (i < (u32)nr)
		pipe_give_back(p, bufs + i, (u32)nr - i);
	bufs_put(bufs, i);
	return done ? done : w;
}

/* One page of the file into the pipe. */
static s64 page_to_pipe(struct file *in, s64 *in_pos, struct pipe *p, u64 len, bool nonblock)
{
	struct pipe_buf b = { .off = 0 };
	struct iov_cursor c;
	struct page *pg;
	s64 n, took;
	s64 at = in_pos ? *in_pos : 0;
	int err = page_alloc(PAGE_USER, &pg);

	if (err)
		return err;
	b.page = pg;
	b.data = page_kaddr(pg);
	iov_init_kernel(&c, page_kaddr(pg), MIN(len, (u64)PAGE_SIZE));
	n = file_read(in, &c, in_pos ? &at : NULL);
	if (n <= 0) {
		page_put(pg);
		return n;
	}
	b.len = (u32)n;
	took = pipe_push(p, &b, 1, nonblock);
	if (took < 1) {
		page_put(pg);
		return took ? took : -EAGAIN;
	}
	if (in_pos)
		*in_pos = at;
	return n;
}

static s64 file_to_pipe(struct file *in, s64 *in_pos, struct file *out, u64 len, bool nonblock)
{
	struct pipe *p = file_pipe(out);
	s64 done = 0, n;

	while (len) {
		/* A stream is only read when the pipe has room, or when we may wait for room. */
		if ((nonblock || done) && !(file_poll(out, NULL) & POLLOUT))
			return done ? done : -EAGAIN;
		n = page_to_pipe(in, in_pos, p, len, nonblock || done);
		if (n <= 0)
			return done ? done : n;
		done += n;
		len -= (u64)n;
		if ((u64)n < PAGE_SIZE && !in_pos)
			break;
	}
	return done;
}

static s64 pipe_to_pipe(struct pipe *from, struct pipe *to, u64 len, bool nonblock, bool copy)
{
	struct pipe_buf bufs[SPLICE_BUFS];
	s64 nr, took, done = 0;

	nr = copy ? pipe_peek(from, len, bufs, SPLICE_BUFS, nonblock)
		  : pipe_take(from, len, bufs, SPLICE_BUFS, nonblock);
	if (nr <= 0)
		return nr;
	took = pipe_push(to, bufs, (u32)nr, nonblock);
	for (s64 i = 0; i < took; i++)
		done += bufs[i].len;
	if (took < nr) {
		u32 from_i = took > 0 ? (u32)took : 0;

		if (copy)
			bufs_put(bufs + from_i, (u32)nr - from_i);
		else
			pipe_give_back(from, bufs + from_i, (u32)nr - from_i);
	}
	return took < 0 ? took : done;
}

static s64 splice_files(struct file *in, uaddr_t uin, struct file *out, uaddr_t uout, u64 len,
			u32 flags)
{
	struct pipe *pin = file_pipe(in), *pout = file_pipe(out);
	bool nonblock = flags & SPLICE_F_NONBLOCK || (pin && in->flags & O_NONBLOCK) ||
			(pout && out->flags & O_NONBLOCK);
	s64 pos = 0, n, err;

	if (!file_can_read(in) || !file_can_write(out))
		return -EBADF;
	if ((pin && !uaddr_is_null(uin)) || (pout && !uaddr_is_null(uout)))
		return -ESPIPE;
	if (pin && pout)
		return pin == pout ? -EINVAL : pipe_to_pipe(pin, pout, len, nonblock, false);
	if (pin) {
		if (out->flags & O_APPEND)
			return -EINVAL;
		err = pos_get(out, uout, &pos);
		n = err ? err
			: pipe_to_file(pin, out, out->ops->lseek ? &pos : NULL, len, nonblock);
		if (n > 0 && out->ops->lseek)
			err = pos_put(out, uout, pos);
		return err ? err : n;
	}
	if (!pout)
		return -EINVAL;
	err = pos_get(in, uin, &pos);
	n = err ? err : file_to_pipe(in, in->ops->lseek ? &pos : NULL, out, len, nonblock);
	if (n > 0 && in->ops->lseek)
		err = pos_put(in, uin, pos);
	return err ? err : n;
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
	ret = splice_files(in, uin, out, uout, MIN(len, RW_MAX_BYTES), flags);
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
		ret = pipe_to_pipe(pin, pout, len, flags & SPLICE_F_NONBLOCK, true);
	file_put(in);
	file_put(out);
	return ret;
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
	if (!file_pipe(f)) {
		ret = -EBADF;
		goto put;
	}
	ret = iov_import(&im, iov, nr);
	if (ret)
		goto put;
	ret = file_can_write(f) ? file_write(f, &im.cur, NULL) : file_read(f, &im.cur, NULL);
	iov_import_fini(&im);
put:
	file_put(f);
	return ret;
}
