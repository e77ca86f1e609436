// SPDX-License-Identifier: Apache-2.0
/*
 * sys_file - calls on an open file: read, write, seek, directories, sync, space
 *
 * Role      Decode, look the descriptor up, call fs/.
 * Rules     The position of a file that others may use is locked around the operation (read(2): atomic
 *           with respect to each other); a file only this thread can reach is not.
 * See       read(2), write(2), lseek(2), preadv2(2), getdents64(2)
 */
#include "fs/namei.h"
#include "fs/notify.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/dirent.h"
#include "guestkernel/uapi/uio.h"
#include "syscalls_gen.h"

#define DENTS_BUF_MAX 32768u

static bool file_needs_pos_lock(const struct file *f)
{
	/* One reference is the table's, one ours. */
	return refs_read(&f->refs) > 2 || fdtable_is_shared(current_fds());
}

static s64 rw_at_file_pos(struct file *f, struct iov_cursor *c, bool write) NO_LOCK_ANALYSIS
{
	s64 (*op)(struct file *, struct iov_cursor *, s64 *) = write ? file_write : file_read;
	bool lock;
	s64 n;

	if (!f->ops->lseek)
		return op(f, c, NULL);
	lock = file_needs_pos_lock(f);
	if (lock)
		mutex_lock(&f->pos_lock);
	n = op(f, c, &f->pos);
	if (lock)
		mutex_unlock(&f->pos_lock);
	return n;
}

static s64 rw(s32 fd, uaddr_t buf, u64 n, bool write)
{
	struct iov_cursor c;
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = iov_init_user(&c, buf, n);
	if (!ret)
		ret = rw_at_file_pos(f, &c, write);
	file_put(f);
	return ret;
}

s64 sys_read(s32 fd, uaddr_t buf, u64 n)
{
	return rw(fd, buf, n, false);
}

s64 sys_write(s32 fd, uaddr_t buf, u64 n)
{
	return rw(fd, buf, n, true);
}

static s64 rw_at(struct file *f, struct iov_cursor *c, s64 pos, bool write)
{
	if (pos < 0)
		return -EINVAL;
	if (!f->ops->lseek)
		return -ESPIPE;
	return write ? file_write(f, c, &pos) : file_read(f, c, &pos);
}

static s64 prw(s32 fd, uaddr_t buf, u64 n, s64 pos, bool write)
{
	struct iov_cursor c;
	struct file *f;
	s64 ret;

	if (pos < 0)
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	ret = iov_init_user(&c, buf, n);
	if (!ret)
		ret = rw_at(f, &c, pos, write);
	file_put(f);
	return ret;
}

s64 sys_pread64(s32 fd, uaddr_t buf, u64 n, s64 pos)
{
	return prw(fd, buf, n, pos, false);
}

s64 sys_pwrite64(s32 fd, uaddr_t buf, u64 n, s64 pos)
{
	return prw(fd, buf, n, pos, true);
}

/* at_pos: the position is the argument, else the file's. */
static s64 rwv(s32 fd, uaddr_t iov, u64 nr, const s64 *at_pos, bool write)
{
	struct iov_import im;
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = iov_import(&im, iov, nr);
	if (ret)
		goto put;
	ret = at_pos ? rw_at(f, &im.cur, *at_pos, write) : rw_at_file_pos(f, &im.cur, write);
	iov_import_fini(&im);
put:
	file_put(f);
	return ret;
}

s64 sys_readv(s32 fd, uaddr_t iov, u64 nr)
{
	return rwv(fd, iov, nr, NULL, false);
}

s64 sys_writev(s32 fd, uaddr_t iov, u64 nr)
{
	return rwv(fd, iov, nr, NULL, true);
}

/* On 64-bit machines the low word holds the whole position. */
s64 sys_preadv(s32 fd, uaddr_t iov, u64 nr, u64 pos_l, u64 pos_h)
{
	s64 pos = (s64)pos_l;

	return pos < 0 ? -EINVAL : rwv(fd, iov, nr, &pos, false);
}

s64 sys_pwritev(s32 fd, uaddr_t iov, u64 nr, u64 pos_l, u64 pos_h)
{
	s64 pos = (s64)pos_l;

	return pos < 0 ? -EINVAL : rwv(fd, iov, nr, &pos, true);
}

/* RWF_APPEND: the flag for one call. Done on the file because drivers look there. */
static s64 rwv_append(s32 fd, uaddr_t iov, u64 nr, const s64 *at_pos)
{
	struct file *f;
	u32 old;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	mutex_lock(&f->pos_lock);
	old = fetch_or(&f->flags, O_APPEND);
	if (at_pos) {
		ret = rwv(fd, iov, nr, at_pos, true);
	} else {
		struct iov_import im;

		ret = iov_import(&im, iov, nr);
		if (!ret) {
			ret = file_write(f, &im.cur, f->ops->lseek ? &f->pos : NULL);
			iov_import_fini(&im);
		}
	}
	if (!(old & O_APPEND))
		fetch_and(&f->flags, ~(u32)O_APPEND);
	mutex_unlock(&f->pos_lock);
	file_put(f);
	return ret;
}

static s64 rwv2(s32 fd, uaddr_t iov, u64 nr, u64 pos_l, u32 flags, bool write)
{
	s64 pos = (s64)pos_l;
	const s64 *at = pos == -1 ? NULL : &pos;

	if (flags & ~(u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND))
		return -EOPNOTSUPP;
	if (pos < -1)
		return -EINVAL;
	if (flags & RWF_APPEND && write)
		return rwv_append(fd, iov, nr, at);
	return rwv(fd, iov, nr, at, write);
}

s64 sys_preadv2(s32 fd, uaddr_t iov, u64 nr, u64 pos_l, u64 pos_h, u32 flags)
{
	return rwv2(fd, iov, nr, pos_l, flags, false);
}

s64 sys_pwritev2(s32 fd, uaddr_t iov, u64 nr, u64 pos_l, u64 pos_h, u32 flags)
{
	return rwv2(fd, iov, nr, pos_l, flags, true);
}

s64 sys_lseek(s32 fd, s64 off, u32 whence)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	if (whence > SEEK_MAX) {
		ret = -EINVAL;
	} else if (!f->ops->lseek) {
		ret = -ESPIPE;
	} else {
		mutex_lock(&f->pos_lock);
		ret = f->ops->lseek(f, off, (s32)whence);
		mutex_unlock(&f->pos_lock);
	}
	file_put(f);
	return ret;
}

/* Directory reading into a bounce buffer; both record layouts. */
struct dents {
	struct dir_ctx ctx;
	char *buf;
	u32 used, size;
	bool old_layout;
	bool overflow; /* an entry did not fit */
};

static bool dents_emit(struct dir_ctx *ctx, const char *name, u32 len, u64 ino, u8 type, s64 next)
{
	struct dents *d = container_of(ctx, struct dents, ctx);
	u32 head = d->old_layout ? offsetof(struct linux_dirent, d_name)
				 : offsetof(struct linux_dirent64, d_name);
	/* The old layout keeps the type behind the name's NUL. */
	u32 reclen = ALIGN_UP(head + len + 1 + (d->old_layout ? 1u : 0u), 8u);
	char *rec = d->buf + d->used;

	if (reclen > d->size - d->used) {
		d->overflow = true;
		return false;
	}
	memset(rec + reclen - 8, 0, 8);
	if (d->old_layout) {
		struct linux_dirent *e = (struct linux_dirent *)rec;

		e->d_ino = ino;
		e->d_off = (u64)next;
		e->d_reclen = (u16)reclen;
		rec[reclen - 1] = (char)type;
	} else {
		struct linux_dirent64 *e = (struct linux_dirent64 *)rec;

		e->d_ino = ino;
		e->d_off = next;
		e->d_reclen = (u16)reclen;
		e->d_type = type;
	}
	memcpy(rec + head, name, len);
	rec[head + len] = 0;
	d->used += reclen;
	return true;
}

static s64 dents_read(struct file *f, struct dents *d, uaddr_t out)
{
	int err;

	if (!f->ops->iterate)
		return -ENOTDIR;
	if (f->inode->flags & INODE_DEAD)
		return -ENOENT;
	mutex_lock(&f->pos_lock);
	d->ctx.pos = f->pos;
	err = f->ops->iterate(f, &d->ctx);
	if (!err && !d->used && d->overflow)
		err = -EINVAL;
	if (d->used)
		err = copy_to_user(out, d->buf, d->used);
	if (!err)
		f->pos = d->ctx.pos;
	mutex_unlock(&f->pos_lock);
	if (!err)
		notify_file(f, IN_ACCESS);
	return err ? err : (s64)d->used;
}

static s64 getdents(s32 fd, uaddr_t out, u32 n, bool old_layout)
{
	struct dents d = { .ctx.emit = dents_emit, .old_layout = old_layout };
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	d.size = MIN(n, DENTS_BUF_MAX);
	d.buf = d.size ? kmalloc(d.size) : NULL;
	if (d.size && !d.buf)
		ret = -ENOMEM;
	else
		ret = dents_read(f, &d, out);
	kfree(d.buf);
	file_put(f);
	return ret;
}

s64 sys_getdents(s32 fd, uaddr_t out, u32 n)
{
	return getdents(fd, out, n, true);
}

s64 sys_getdents64(s32 fd, uaddr_t out, u32 n)
{
	return getdents(fd, out, n, false);
}

static s64 fsync_fd(s32 fd, bool data_only)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
	file_put(f);
	return ret;
}

s64 sys_fsync(s32 fd)
{
	return fsync_fd(fd, false);
}

s64 sys_fdatasync(s32 fd)
{
	return fsync_fd(fd, true);
}

/* All writable file systems are memory: there is nothing to bring to a disk. */
s64 sys_sync(void)
{
	return 0;
}

s64 sys_syncfs(s32 fd)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	if (f->inode->sb->ops->sync)
		ret = f->inode->sb->ops->sync(f->inode->sb);
	file_put(f);
	return ret;
}

s64 sys_sync_file_range(s32 fd, s64 off, s64 n, u32 flags)
{
	struct file *f;
	s64 ret;

	if (flags & ~(u32)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			   SYNC_FILE_RANGE_WAIT_AFTER) ||
	    off < 0 || n < 0 || off + n < 0)
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) && !S_ISLNK(f->inode->mode) &&
	    !S_ISBLK(f->inode->mode))
		ret = -ESPIPE;
	file_put(f);
	return ret;
}

s64 sys_ftruncate(s32 fd, s64 size)
{
	struct file *f;
	s64 ret;

	if (size < 0)
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	if (!S_ISREG(f->inode->mode) || !file_can_write(f))
		ret = -EINVAL;
	else
		ret = vfs_truncate(&f->path, (u64)size, f);
	file_put(f);
	return ret;
}

static s64 fallocate_file(struct file *f, u32 mode, s64 off, s64 len)
{
	if (!file_can_write(f))
		return -EBADF;
	if (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (f->inode->flags & INODE_IMMUTABLE ||
	    (f->inode->flags & INODE_APPEND && mode & ~(u32)FALLOC_FL_KEEP_SIZE))
		return -EPERM;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		return -ENODEV;
	if (off + len < 0)
		return -EFBIG;
	return file_fallocate(f, (s32)mode, off, len);
}

s64 sys_fallocate(s32 fd, u32 mode, s64 off, s64 len)
{
	struct file *f;
	s64 ret;

	if (off < 0 || len <= 0)
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	ret = fallocate_file(f, mode, off, len);
	file_put(f);
	return ret;
}

s64 sys_fadvise64(s32 fd, s64 off, u64 len, u32 advice)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	if (S_ISFIFO(f->inode->mode))
		ret = -ESPIPE;
	else if (advice > POSIX_FADV_NOREUSE || (s64)len < 0)
		ret = -EINVAL;
	file_put(f);
	return ret;
}

/* Nothing is slow to read: the data is in memory or in the image window. */
s64 sys_readahead(s32 fd, s64 off, u64 n)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	if (!file_can_read(f))
		ret = -EBADF;
	else if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		ret = -EINVAL;
	file_put(f);
	return ret;
}
