// SPDX-License-Identifier: Apache-2.0
/*
 * sys_fd - calls on descriptors: close, dup, fcntl, ioctl, flock, close_range
 *
 * Missing   leases, directory notification (F_NOTIFY)
 * See       dup(2), fcntl(2), ioctl(2), flock(2), close_range(2)
 */
#include "fs/fdtable.h"
#include "fs/lock.h"
#include "fs/namei.h"
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/uapi/ioctl.h"
#include "syscalls_gen.h"

#define SETFL_CHANGES (O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT)

s64 sys_close(s32 fd)
{
	return fd_close(fd);
}

static s64 dup_min(struct file *f, s32 min, bool cloexec)
{
	s64 fd;

	file_get(f);
	fd = fd_install_min(f, cloexec, min);
	if (fd < 0)
		file_put(f);
	return fd;
}

s64 sys_dup(s32 fd)
{
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	ret = fd_install(f, false);
	if (ret < 0)
		file_put(f);
	return ret;
}

static s64 dup_to(s32 fd, s32 newfd, bool cloexec)
{
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	ret = fd_install_at(f, newfd, cloexec);
	if (ret < 0)
		file_put(f);
	return ret;
}

s64 sys_dup2(s32 fd, s32 newfd)
{
	bool cloexec;

	if (fd == newfd)
		return fd_get_cloexec(fd, &cloexec) ? -EBADF : newfd;
	return dup_to(fd, newfd, false);
}

s64 sys_dup3(s32 fd, s32 newfd, u32 flags)
{
	if (flags & ~(u32)O_CLOEXEC || fd == newfd)
		return -EINVAL;
	return dup_to(fd, newfd, flags & O_CLOEXEC);
}

s64 sys_close_range(u32 first, u32 last, u32 flags)
{
	struct fdtable *t = current_fds();

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE && fdtable_is_shared(t)) {
		int err = fdtable_clone(t, &t);

		if (err)
			return err;
		current_set_fds(t);
	}
	fdtable_close_range(t, first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

static s64 set_status_flags(struct file *f, s32 fd, u32 flags)
{
	int err;

	if (f->inode->flags & INODE_APPEND && file_can_write(f) && !(flags & O_APPEND))
		return -EPERM;
	if (flags & O_NOATIME && !(f->flags & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((flags ^ f->flags) & O_ASYNC) {
		err = async_set(f, fd, flags & O_ASYNC);
		if (err && err != -ENOTTY)
			return err;
	}
	spin_lock(&f->lock);
	WRITE_ONCE(f->flags, (f->flags & ~(u32)SETFL_CHANGES) | (flags & SETFL_CHANGES));
	spin_unlock(&f->lock);
	return 0;
}

static s64 get_owner_ex(struct file *f, uaddr_t out)
{
	struct f_owner_ex o;

	async_get_owner(f, &o.type, &o.pid);
	return put_user(out, o);
}

static s64 set_owner_ex(struct file *f, uaddr_t in)
{
	struct f_owner_ex o;
	int err = get_user(&o, in);

	if (err)
		return err;
	if (o.type < F_OWNER_TID || o.type > F_OWNER_PGRP)
		return -EINVAL;
	return async_set_owner(f, o.type, o.pid);
}

/* Another thread may have closed fd while this one waited for the lock: the close did not find it, and nobody would
 * ever take it away. */
static int undo_if_closed(struct file *f, s32 fd, struct flock *fl)
{
	if (fd_is_file(fd, f))
		return 0;
	fl->l_type = F_UNLCK;
	/* No memory to cut it out: then all that the table holds goes, as at the close. None may stay. */
	if (lock_fcntl(f, F_SETLK, fl, current_fds()))
		lock_posix_close(f, current_fds());
	return -EBADF;
}

static s64 record_lock(struct file *f, s32 fd, u32 cmd, uaddr_t arg)
{
	struct flock fl;
	int err = get_user(&fl, arg);

	if (err)
		return err;
	if (cmd == F_SETLK || cmd == F_SETLKW)
		fdtable_will_own_locks(current_fds());
	err = lock_fcntl(f, cmd, &fl, current_fds());
	if (err)
		return err;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return put_user(arg, fl);
	if ((cmd == F_SETLK || cmd == F_SETLKW) && fl.l_type != F_UNLCK)
		return undo_if_closed(f, fd, &fl);
	return 0;
}

static s64 get_owner(struct file *f)
{
	s32 type, nr;

	async_get_owner(f, &type, &nr);
	return type == F_OWNER_PGRP ? -nr : nr;
}

/* Positive: a process, negative: a group. */
static s64 set_owner(struct file *f, s32 who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	if (who < 0)
		return async_set_owner(f, F_OWNER_PGRP, -who);
	return async_set_owner(f, F_OWNER_PID, who);
}

static s64 fcntl_owner(struct file *f, u32 cmd, u64 arg)
{
	switch (cmd) {
	case F_GETOWN:
		return get_owner(f);
	case F_SETOWN:
		return set_owner(f, (s32)arg);
	case F_GETOWN_EX:
		return get_owner_ex(f, UADDR(arg));
	case F_SETOWN_EX:
		return set_owner_ex(f, UADDR(arg));
	case F_GETSIG:
		return async_get_signal(f);
	default:
		return arg > _NSIG ? -EINVAL : async_set_signal(f, (s32)arg);
	}
}

static s64 fcntl_file(struct file *f, s32 fd, u32 cmd, u64 arg)
{
	switch (cmd) {
	case F_SETFL:
		return set_status_flags(f, fd, (u32)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_lock(f, fd, cmd, UADDR(arg));
	case F_GETOWN:
	case F_SETOWN:
	case F_GETOWN_EX:
	case F_SETOWN_EX:
	case F_GETSIG:
	case F_SETSIG:
		return fcntl_owner(f, cmd, arg);
	default:
		return f->ops->fcntl ? f->ops->fcntl(f, cmd, arg) : -EINVAL;
	}
}

/* The commands that also work on O_PATH descriptors; 1: none of them. */
static s64 fcntl_descriptor(struct file *f, s32 fd, u32 cmd, u64 arg)
{
	bool cloexec;
	int err;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_min(f, (s32)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		err = fd_get_cloexec(fd, &cloexec);
		return err ? err : cloexec;
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		/* 64-bit programs see O_LARGEFILE only where they asked for it; Linux always sets it. */
		return (f->flags & FILE_STATUS_FLAGS) | (f->flags & O_PATH ? 0 : O_LARGEFILE);
	default:
		return 1;
	}
}

s64 sys_fcntl(s32 fd, u32 cmd, u64 arg)
{
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	if (cmd == F_DUPFD_QUERY) {
		struct file *other;

		ret = fd_lookup_path((s32)arg, &other);
		if (!ret) {
			ret = other == f;
			file_put(other);
		}
	} else if (cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL || cmd == F_DUPFD ||
		   cmd == F_DUPFD_CLOEXEC) {
		ret = fcntl_descriptor(f, fd, cmd, arg);
	} else {
		ret = f->flags & O_PATH ? -EBADF : fcntl_file(f, fd, cmd, arg);
	}
	file_put(f);
	return ret;
}

s64 sys_flock(s32 fd, u32 op)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = lock_flock(f, op);
	file_put(f);
	return ret;
}

static s64 ioctl_nonblock(struct file *f, uaddr_t arg)
{
	s32 on;
	int err = get_user(&on, arg);

	if (err)
		return err;
	spin_lock(&f->lock);
	WRITE_ONCE(f->flags, on ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK);
	spin_unlock(&f->lock);
	return 0;
}

static s64 ioctl_async(struct file *f, s32 fd, uaddr_t arg)
{
	s32 on;
	int err = get_user(&on, arg);

	if (err || !on == !(f->flags & O_ASYNC))
		return err;
	return async_set(f, fd, on);
}

/* Sockets only; the same as F_SETOWN. */
static s64 ioctl_owner(struct file *f, u32 cmd, uaddr_t arg)
{
	s32 who;
	int err;

	if (!S_ISSOCK(f->inode->mode))
		return -ENOTTY;
	if (cmd == FIOGETOWN || cmd == SIOCGPGRP)
		return put_user(arg, (s32)get_owner(f));
	err = get_user(&who, arg);
	return err ? err : set_owner(f, who);
}

static u32 inode_fs_flags(const struct inode *inode)
{
	u32 flags = 0;

	if (inode->flags & INODE_IMMUTABLE)
		flags |= FS_IMMUTABLE_FL;
	if (inode->flags & INODE_APPEND)
		flags |= FS_APPEND_FL;
	if (inode->flags & INODE_NODUMP)
		flags |= FS_NODUMP_FL;
	if (inode->flags & INODE_NOATIME)
		flags |= FS_NOATIME_FL;
	return flags;
}

static s64 set_fs_flags(struct file *f, uaddr_t arg)
{
	struct inode *inode = f->inode;
	u32 flags, set = 0;
	int err = get_user(&flags, arg);

	if (!err)
		err = mount_want_write(f->path.mnt);
	if (err)
		return err;
	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if (flags & ~(u32)(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL))
		return -EOPNOTSUPP;
	if ((flags ^ inode_fs_flags(inode)) & (FS_IMMUTABLE_FL | FS_APPEND_FL) &&
	    !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	set |= flags & FS_IMMUTABLE_FL ? INODE_IMMUTABLE : 0;
	set |= flags & FS_APPEND_FL ? INODE_APPEND : 0;
	set |= flags & FS_NODUMP_FL ? INODE_NODUMP : 0;
	set |= flags & FS_NOATIME_FL ? INODE_NOATIME : 0;
	fetch_and(&inode->flags,
		  ~(u32)(INODE_IMMUTABLE | INODE_APPEND | INODE_NODUMP | INODE_NOATIME));
	fetch_or(&inode->flags, set);
	inode_lock(inode);
	inode->ctime = inode_now();
	inode_unlock(inode);
	return 0;
}

/* Requests on regular files and directories; -ENOTTY: not one of them. */
static s64 ioctl_inode(struct file *f, u32 cmd, uaddr_t arg)
{
	struct kstat st;
	int err;

	if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode))
		return -ENOTTY;
	switch (cmd) {
	case FS_IOC_GETFLAGS:
		return put_user(arg, inode_fs_flags(f->inode));
	case FS_IOC_SETFLAGS:
		return set_fs_flags(f, arg);
	case FIGETBSZ:
		return put_user(arg, (s32)1 << f->inode->blkbits);
	}
	if (cmd != FIONREAD && cmd != FIOQSIZE)
		return -ENOTTY;
	err = vfs_getattr(&f->path, &st);
	if (err)
		return err;
	if (cmd == FIOQSIZE)
		return put_user(arg, (s64)st.size);
	if (!S_ISREG(f->inode->mode))
		return -ENOTTY;
	return put_user(arg, (s32)((s64)st.size - f->pos));
}

/* No file system here can be frozen. */
static s64 ioctl_freeze(u32 cmd)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return cmd == FIFREEZE ? -EOPNOTSUPP : -EINVAL;
}

static s64 ioctl_file(struct file *f, s32 fd, u32 cmd, u64 arg)
{
	s64 ret;

	switch (cmd) {
	case FIOCLEX:
		return fd_set_cloexec(fd, true);
	case FIONCLEX:
		return fd_set_cloexec(fd, false);
	case FIONBIO:
		return ioctl_nonblock(f, UADDR(arg));
	case FIOASYNC:
		return ioctl_async(f, fd, UADDR(arg));
	case FIOSETOWN:
	case FIOGETOWN:
	case SIOCSPGRP:
	case SIOCGPGRP:
		return ioctl_owner(f, cmd, UADDR(arg));
	case FIFREEZE:
	case FITHAW:
		return ioctl_freeze(cmd);
	}
	ret = ioctl_inode(f, cmd, UADDR(arg));
	if (ret != -ENOTTY)
		return ret;
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

s64 sys_ioctl(s32 fd, u32 cmd, u64 arg)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = ioctl_file(f, fd, cmd, arg);
	file_put(f);
	return ret;
}
