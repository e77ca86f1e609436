// SPDX-License-Identifier: Apache-2.0
/*
 * file - life of open files; reading and writing with all checks
 *
 * Role      open.c, anonfs.c and memfd.c create files; everybody reads and writes through file_read() and
 *           file_write().
 * Rules     The last file_put() may sleep: it runs the driver's release, or defers it when it is called by
 *           another file's release (kapi/defer.h): files hold files (sockets do), as deep as a program likes. A file without operations yet (open
 *           failed, O_PATH) has file_no_ops.
 * Locking   pos_lock is taken by the system calls that use f->pos; see sys/sys_file.c.
 * See       open(2), fs/fdtable.c
 */
#include "fs/filp.h"
#include "fs/lock.h"
#include "fs/notify.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/signal.h"

#define RELATIME_NS (24ull * 3600 * NSEC_PER_SEC)

static const struct file_ops file_no_ops;

int file_alloc(const struct path *p, u32 flags, struct file **out)
{
	struct file *f = knew(struct file);

	if (!f)
		return -ENOMEM;
	refs_init(&f->refs, 1);
	f->flags = flags;
	f->ops = &file_no_ops;
	f->path = *p;
	path_get(p);
	f->inode = p->dentry->inode;
	f->cred = cred_get(current_cred());
	mutex_init(&f->pos_lock, RANK_FILE_POS);
	spin_init(&f->lock, RANK_FILE);
	list_init(&f->epoll_links);
	*out = f;
	return 0;
}

static bool counts_writers(const struct file *f)
{
	return file_can_write(f) && S_ISREG(f->inode->mode) && f->ops != &file_no_ops &&
	       !(f->flags & FILE_UNCOUNTED);
}

int file_open(struct file *f)
{
	struct inode *inode = f->inode;
	bool writes = file_can_write(f) && S_ISREG(inode->mode) && !(f->flags & FILE_UNCOUNTED);
	int err;

	if (writes) {
		err = mount_get_write(f->path.mnt);
		if (err)
			return err;
		err = inode_get_write(inode);
		if (err) {
			mount_put_write(f->path.mnt);
			return err;
		}
	}
	err = inode->ops->open ? inode->ops->open(inode, f) : default_open(inode, f);
	if (err) {
		f->ops = &file_no_ops;
		if (writes) {
			inode_put_write(inode);
			mount_put_write(f->path.mnt);
		}
	}
	return err;
}

static void file_last_put(struct deferred *d)
{
	struct file *f = container_of(d, struct file, last_put);

	/* Also when the list is empty: who took the last item out may still hold the lock. */
	if (f->was_watched)
		epoll_forget_file(f);
	if (unlikely(f->async))
		async_forget_file(f);
	if (f->inode->locks)
		lock_file_gone(f);
	if (notify_active() && !(f->flags & O_PATH))
		notify_dentry(f->path.dentry,
			      file_can_write(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (counts_writers(f)) {
		inode_put_write(f->inode);
		mount_put_write(f->path.mnt);
	}
	if (f->flags & FILE_DENIES_WRITE)
		inode_allow_write(f->inode);
	if (f->ops->release)
		f->ops->release(f);
	cred_put(f->cred);
	path_put(&f->path);
	kfree(f);
}

void file_put(struct file *f)
{
	if (!refs_put(&f->refs))
		return;
	f->last_put.run = file_last_put;
	defer_run(&f->last_put);
}

static bool ts_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

void file_accessed(struct file *f, struct inode *data)
{
	u32 mnt = f->path.mnt->flags;
	struct timespec now;

	if (f->flags & O_NOATIME || mnt & (MNT_NOATIME | MNT_RDONLY) ||
	    data->sb->flags & MS_RDONLY || data->flags & INODE_NOATIME ||
	    (mnt & MNT_NODIRATIME && inode_is_dir(data)))
		return;
	now = inode_now();
	if (mnt & MNT_RELATIME && !ts_before(&data->atime, &data->mtime) &&
	    !ts_before(&data->atime, &data->ctime) &&
	    now.tv_sec - data->atime.tv_sec < (s64)(RELATIME_NS / NSEC_PER_SEC))
		return;
	data->atime = now;
}

s64 file_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	s64 n;

	if (!file_can_read(f))
		return -EBADF;
	if (!f->ops->read)
		return inode_is_dir(f->inode) ? -EISDIR : -EINVAL;
	n = f->ops->read(f, dst, pos);
	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

s64 file_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	s64 n;

	if (!file_can_write(f))
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	if (unlikely(f->inode->mode & (S_ISUID | S_ISGID) || f->inode->flags & INODE_HAS_CAPS) &&
	    iov_left(src)) {
		n = file_modifies(f);
		if (n)
			return n;
	}
	n = f->ops->write(f, src, pos);
	if (n > 0)
		notify_file(f, IN_MODIFY);
	else if (unlikely(n == -EPIPE))
		current_send_signal(SIGPIPE);
	return n;
}

int file_fallocate(struct file *f, s32 mode, s64 off, s64 len)
{
	int err;

	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	err = file_modifies(f);
	if (!err)
		err = f->ops->fallocate(f, mode, off, len);
	if (!err)
		notify_file(f, IN_MODIFY);
	return err;
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
	if (!f->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll(f, pt);
}
