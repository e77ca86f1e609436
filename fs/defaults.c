// SPDX-License-Identifier: Apache-2.0
/*
 * defaults - operations a driver may plug in: open by type, regular files over the page cache
 *
 * Role      inode_ops.open NULL means default_open(); a memory file system gives pagecache_file_ops.
 * Rules     f->priv is the data inode: the inode that has the pages, which under overlayfs is the layer's. Size
 *           limits (RLIMIT_FSIZE, the file system's) and seals are enforced here, under the data inode's lock.
 * Locking   Writers hold the data inode's lock exclusively; readers none.
 * See       fs/tmpfs.c
 */
#include "fs/dentry.h"
#include "fs/filp.h"
#include "fs/inode.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"
#include "guestkernel/uapi/signal.h"

int default_open(struct inode *inode, struct file *f)
{
	switch (inode->mode & S_IFMT) {
	case S_IFCHR:
		return chrdev_open(inode, f);
	case S_IFIFO:
		return fifo_open(inode, f);
	case S_IFBLK:
	case S_IFSOCK:
		return -ENXIO;
	case S_IFREG:
		f->priv = inode;
		break;
	}
	f->ops = inode->fops;
	return inode->fops ? 0 : -EINVAL;
}

s64 pagecache_file_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct inode *inode = f->priv;
	s64 n;

	if (*pos < 0)
		return -EINVAL;
	n = pagecache_read(inode, dst, pos);
	if (n >= 0)
		file_accessed(f, inode);
	return n;
}

/* Cuts src at the limits; -EFBIG when nothing may be written. */
static int write_limits(struct inode *inode, struct iov_cursor *src, s64 pos)
{
	u64 limit = current_rlimit(RLIMIT_FSIZE);

	if ((u64)pos >= limit) {
		current_send_signal(SIGXFSZ);
		return -EFBIG;
	}
	if (limit - (u64)pos < iov_left(src))
		iov_truncate(src, limit - (u64)pos);
	if ((u64)pos >= inode->sb->max_bytes)
		return -EFBIG;
	if (inode->sb->max_bytes - (u64)pos < iov_left(src))
		iov_truncate(src, inode->sb->max_bytes - (u64)pos);
	return 0;
}

static int write_seals(const struct inode *inode, struct iov_cursor *src, s64 pos)
{
	if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (inode->seals & F_SEAL_GROW && (u64)pos + iov_left(src) > inode->size) {
		if ((u64)pos >= inode->size)
			return -EPERM;
		iov_truncate(src, inode->size - (u64)pos);
	}
	return 0;
}

static s64 pagecache_file_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct inode *inode = f->priv;
	s64 n = 0;
	int err;

	if (!iov_left(src))
		return 0;
	inode_lock(inode);
	if (f->flags & O_APPEND)
		*pos = (s64)inode->size;
	err = *pos < 0 ? -EINVAL : write_limits(inode, src, *pos);
	if (!err && unlikely(inode->seals & ~(u32)F_SEAL_SEAL))
		err = write_seals(inode, src, *pos);
	if (!err)
		n = pagecache_write(inode, src, pos);
	inode_unlock(inode);
	return err ? err : n;
}

static int pagecache_file_mmap(struct file *f, struct mmap_req *req)
{
	struct inode *inode = f->priv;
	bool shared = (req->flags & MAP_TYPE) != MAP_PRIVATE;

	if (shared && inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
		if (req->prot & PROT_WRITE)
			return -EPERM;
		req->may_write = false;
	}
	inode->pages.pager.ops->get(&inode->pages.pager);
	req->pager = &inode->pages.pager;
	file_accessed(f, inode);
	return 0;
}

s64 default_lseek(struct file *f, s64 off, s32 whence, u64 size)
{
	s64 base = 0, pos;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = (s64)size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (off < 0 || (u64)off >= size)
			return -ENXIO;
		base = whence == SEEK_HOLE ? (s64)size - off : 0;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, off, &pos))
		return -EOVERFLOW;
	if (pos < 0)
		return -EINVAL;
	f->pos = pos;
	return pos;
}

s64 dir_lseek(struct file *f, s64 off, s32 whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return default_lseek(f, off, whence, 0);
}

static s64 pagecache_file_lseek(struct file *f, s64 off, s32 whence)
{
	struct inode *inode = f->priv;
	s64 pos;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return default_lseek(f, off, whence, READ_ONCE(inode->size));
	if (off < 0)
		return -ENXIO;
	pos = pagecache_seek(inode, (u64)off, whence == SEEK_HOLE);
	if (pos >= 0)
		f->pos = pos;
	return pos;
}

static int fallocate_locked(struct inode *inode, s32 mode, u64 off, u64 len)
{
	u64 end = off + len;
	int err = 0;

	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		if (off < inode->size)
			err = pagecache_punch(inode, off, MIN(end, inode->size) - off);
		inode_touch(inode);
		return err;
	}
	if (end > inode->size && !(mode & FALLOC_FL_KEEP_SIZE) && inode->seals & F_SEAL_GROW)
		return -EPERM;
	if (mode & FALLOC_FL_ZERO_RANGE) {
		if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		if (off < inode->size)
			err = pagecache_punch(inode, off, MIN(end, inode->size) - off);
	}
	/* Pages beyond the size do not exist here, so only the part inside can be reserved first. */
	if (!err && end > inode->size && !(mode & FALLOC_FL_KEEP_SIZE)) {
		u64 old = inode->size;

		err = pagecache_truncate(inode, end);
		if (!err)
			err = pagecache_reserve(inode, off, len);
		if (err)
			(void)!pagecache_truncate(inode, old);
	} else if (!err && off < inode->size) {
		err = pagecache_reserve(inode, off, MIN(end, inode->size) - off);
	}
	if (!err)
		inode_touch(inode);
	return err;
}

static int pagecache_file_fallocate(struct file *f, s32 mode, s64 off, s64 len)
{
	struct inode *inode = f->priv;
	u64 end = (u64)off + (u64)len;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (end > inode->sb->max_bytes)
		return -EFBIG;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > current_rlimit(RLIMIT_FSIZE)) {
		current_send_signal(SIGXFSZ);
		return -EFBIG;
	}
	inode_lock(inode);
	err = fallocate_locked(inode, mode, (u64)off, (u64)len);
	inode_unlock(inode);
	return err;
}

static int pagecache_file_fsync(struct file *f, bool data_only)
{
	return 0; /* memory is as stable as it gets */
}

static s64 seals_add(struct file *f, struct inode *inode, u64 arg)
{
	s64 ret = -EPERM;

	if (arg &
	    ~(u64)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EINVAL;
	if (!file_can_write(f))
		return -EPERM;
	inode_lock(inode);
	if (!(inode->seals & F_SEAL_SEAL)) {
		ret = -EBUSY;
		if (!(arg & F_SEAL_WRITE) || inode->seals & F_SEAL_WRITE ||
		    !atomic_read(&inode->pages.pager.nr_writable)) {
			inode->seals |= (u32)arg;
			ret = 0;
		}
	}
	inode_unlock(inode);
	return ret;
}

static s64 pagecache_file_fcntl(struct file *f, u32 cmd, u64 arg)
{
	struct inode *inode = f->priv;

	switch (cmd) {
	case F_GET_SEALS:
		return inode->seals;
	case F_ADD_SEALS:
		return seals_add(f, inode, arg);
	default:
		return -EINVAL;
	}
}

bool dir_emit_dots(struct file *f, struct dir_ctx *ctx)
{
	struct dentry *parent;
	bool ok = true;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, f->inode->ino, mode_to_dtype(S_IFDIR), 1))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		parent = dentry_parent(f->path.dentry);
		ok = ctx->emit(ctx, "..", 2, parent->inode->ino, mode_to_dtype(S_IFDIR), 2);
		dentry_put(parent);
		if (ok)
			ctx->pos = 2;
	}
	return ok;
}

static int default_dir_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct inode *dir = f->inode;
	int err;

	if (!dir->ops->iterate)
		return -ENOTDIR;
	if (!dir_emit_dots(f, ctx))
		return 0;
	inode_lock_shared(dir);
	err = dir->ops->iterate(dir, ctx);
	inode_unlock_shared(dir);
	if (!err)
		file_accessed(f, dir);
	return err;
}

const struct file_ops default_dir_fops = {
	.iterate = default_dir_iterate,
	.lseek = dir_lseek,
	.fsync = pagecache_file_fsync,
};

const struct file_ops pagecache_file_ops = {
	.read = pagecache_file_read,
	.write = pagecache_file_write,
	.mmap = pagecache_file_mmap,
	.lseek = pagecache_file_lseek,
	.fsync = pagecache_file_fsync,
	.fallocate = pagecache_file_fallocate,
	.fcntl = pagecache_file_fcntl,
	.can_splice_from = true,
	.can_splice_to = true,
};
