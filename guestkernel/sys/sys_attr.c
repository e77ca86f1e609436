// SPDX-License-Identifier: Apache-2.0
/*
 * sys_attr - calls that read and change attributes of files
 *
 * Role      Finds the place (path or descriptor), calls fs/attr.c, converts to the ABI's structures.
 * See       stat(2), statx(2), chmod(2), chown(2), utimensat(2), access(2), statfs(2)
 */
#include "fs/namei.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/sys/user_path.h"
#include "syscalls_gen.h"

/* A place out of (dirfd, path, AT_*): NULL or "" with AT_EMPTY_PATH means the descriptor. */
static s64 place_get(s32 dirfd, uaddr_t upath, u32 at_flags, struct path *out)
{
	u32 lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct user_path up;
	s64 ret;

	if (at_flags & AT_EMPTY_PATH) {
		lookup |= LOOKUP_EMPTY;
		if (uaddr_is_null(upath))
			return path_lookup(dirfd, "", lookup, out);
	}
	ret = user_path_get(&up, upath);
	if (ret)
		return ret;
	ret = path_lookup(dirfd, up.s, lookup, out);
	user_path_put(&up);
	return ret;
}

static s64 stat_put(const struct kstat *k, uaddr_t out)
{
	struct stat st;

	memset(&st, 0, sizeof st);
	st.st_dev = k->dev;
	st.st_ino = k->ino;
	st.st_mode = k->mode;
	st.st_nlink = k->nlink;
	st.st_uid = k->uid;
	st.st_gid = k->gid;
	st.st_rdev = k->rdev;
	st.st_size = (s64)k->size;
	st.st_blksize = (__typeof__(st.st_blksize))k->blksize;
	st.st_blocks = (s64)k->blocks;
	st.st_atime = (__typeof__(st.st_atime))k->atime.tv_sec;
	st.st_atime_nsec = (__typeof__(st.st_atime_nsec))k->atime.tv_nsec;
	st.st_mtime = (__typeof__(st.st_mtime))k->mtime.tv_sec;
	st.st_mtime_nsec = (__typeof__(st.st_mtime_nsec))k->mtime.tv_nsec;
	st.st_ctime = (__typeof__(st.st_ctime))k->ctime.tv_sec;
	st.st_ctime_nsec = (__typeof__(st.st_ctime_nsec))k->ctime.tv_nsec;
	return copy_to_user(out, &st, sizeof st);
}

s64 sys_newfstatat(s32 dirfd, uaddr_t path, uaddr_t out, u32 flags)
{
	struct kstat k;
	struct path p;
	s64 ret;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	ret = place_get(dirfd, path, flags, &p);
	if (ret)
		return ret;
	ret = vfs_getattr(&p, &k);
	path_put(&p);
	return ret ? ret : stat_put(&k, out);
}

s64 sys_stat(uaddr_t path, uaddr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, 0);
}

s64 sys_lstat(uaddr_t path, uaddr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

s64 sys_fstat(s32 fd, uaddr_t out)
{
	struct kstat k;
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	ret = vfs_getattr(&f->path, &k);
	file_put(f);
	return ret ? ret : stat_put(&k, out);
}

static struct statx_timestamp statx_time(const struct timespec *ts)
{
	return (struct statx_timestamp){ .tv_sec = ts->tv_sec, .tv_nsec = (u32)ts->tv_nsec };
}

static void statx_fill(const struct kstat *k, const struct path *p, struct statx *x)
{
	memset(x, 0, sizeof *x);
	x->stx_mask = STATX_BASIC_STATS | STATX_MNT_ID;
	x->stx_blksize = k->blksize;
	x->stx_attributes = k->attributes;
	x->stx_attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP |
				 STATX_ATTR_MOUNT_ROOT;
	if (p->dentry == p->mnt->root)
		x->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	x->stx_nlink = k->nlink;
	x->stx_uid = k->uid;
	x->stx_gid = k->gid;
	x->stx_mode = (u16)k->mode;
	x->stx_ino = k->ino;
	x->stx_size = k->size;
	x->stx_blocks = k->blocks;
	x->stx_atime = statx_time(&k->atime);
	x->stx_mtime = statx_time(&k->mtime);
	x->stx_ctime = statx_time(&k->ctime);
	if (k->has_btime) {
		x->stx_btime = statx_time(&k->btime);
		x->stx_mask |= STATX_BTIME;
	}
	x->stx_rdev_major = dev_major(k->rdev);
	x->stx_rdev_minor = dev_minor(k->rdev);
	x->stx_dev_major = dev_major(k->dev);
	x->stx_dev_minor = dev_minor(k->dev);
	x->stx_mnt_id = p->mnt->id;
}

s64 sys_statx(s32 dirfd, uaddr_t path, u32 flags, u32 mask, uaddr_t out)
{
	struct statx x;
	struct kstat k;
	struct path p;
	s64 ret;

	if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
			   AT_STATX_SYNC_TYPE))
		return -EINVAL;
	ret = place_get(dirfd, path, flags, &p);
	if (ret)
		return ret;
	ret = vfs_getattr(&p, &k);
	if (!ret)
		statx_fill(&k, &p, &x);
	path_put(&p);
	return ret ? ret : copy_to_user(out, &x, sizeof x);
}

s64 sys_fchmodat2(s32 dirfd, uaddr_t path, u32 mode, u32 flags)
{
	struct path p;
	s64 ret;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = place_get(dirfd, path, flags, &p);
	if (ret)
		return ret;
	ret = vfs_chmod(&p, mode);
	path_put(&p);
	return ret;
}

s64 sys_fchmodat(s32 dirfd, uaddr_t path, u32 mode)
{
	return sys_fchmodat2(dirfd, path, mode, 0);
}

s64 sys_chmod(uaddr_t path, u32 mode)
{
	return sys_fchmodat2(AT_FDCWD, path, mode, 0);
}

s64 sys_fchmod(s32 fd, u32 mode)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = vfs_chmod(&f->path, mode);
	file_put(f);
	return ret;
}

s64 sys_fchownat(s32 dirfd, uaddr_t path, u32 uid, u32 gid, u32 flags)
{
	struct path p;
	s64 ret;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = place_get(dirfd, path, flags, &p);
	if (ret)
		return ret;
	ret = vfs_chown(&p, uid, gid);
	path_put(&p);
	return ret;
}

s64 sys_chown(uaddr_t path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

s64 sys_lchown(uaddr_t path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

s64 sys_fchown(s32 fd, u32 uid, u32 gid)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = vfs_chown(&f->path, uid, gid);
	file_put(f);
	return ret;
}

/* path NULL: the descriptor itself. */
static s64 utimens_at(s32 dirfd, uaddr_t path, const struct timespec *times, u32 flags)
{
	struct file *f;
	struct path p;
	s64 ret;

	if (uaddr_is_null(path) && dirfd != AT_FDCWD) {
		if (flags & ~(u32)AT_EMPTY_PATH)
			return -EINVAL;
		ret = fd_lookup(dirfd, &f);
		if (ret)
			return ret;
		ret = vfs_utimens(&f->path, times);
		file_put(f);
		return ret;
	}
	ret = place_get(dirfd, path, flags, &p);
	if (ret)
		return ret;
	ret = vfs_utimens(&p, times);
	path_put(&p);
	return ret;
}

s64 sys_utimensat(s32 dirfd, uaddr_t path, uaddr_t utimes, u32 flags)
{
	struct timespec times[2];
	int err;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!uaddr_is_null(utimes)) {
		err = copy_from_user(times, utimes, sizeof times);
		if (err)
			return err;
		/* Nothing to change: not even the path is looked at. */
		if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
			return 0;
	}
	return utimens_at(dirfd, path, uaddr_is_null(utimes) ? NULL : times, flags);
}

s64 sys_futimesat(s32 dirfd, uaddr_t path, uaddr_t utimes)
{
	struct timespec times[2];
	struct timeval tv[2];
	int err;

	if (uaddr_is_null(utimes))
		return utimens_at(dirfd, path, NULL, 0);
	err = copy_from_user(tv, utimes, sizeof tv);
	if (err)
		return err;
	for (u32 i = 0; i < 2; i++) {
		if ((u64)tv[i].tv_usec >= 1000000)
			return -EINVAL;
		times[i] = (struct timespec){ tv[i].tv_sec, tv[i].tv_usec * 1000 };
	}
	return utimens_at(dirfd, path, times, 0);
}

s64 sys_utimes(uaddr_t path, uaddr_t utimes)
{
	return sys_futimesat(AT_FDCWD, path, utimes);
}

s64 sys_utime(uaddr_t path, uaddr_t ubuf)
{
	struct timespec times[2];
	struct utimbuf buf;
	int err;

	if (uaddr_is_null(ubuf))
		return utimens_at(AT_FDCWD, path, NULL, 0);
	err = get_user(&buf, ubuf);
	if (err)
		return err;
	times[0] = (struct timespec){ buf.actime, 0 };
	times[1] = (struct timespec){ buf.modtime, 0 };
	return utimens_at(AT_FDCWD, path, times, 0);
}

s64 sys_truncate(uaddr_t path, s64 size)
{
	struct path p;
	s64 ret;

	if (size < 0)
		return -EINVAL;
	ret = place_get(AT_FDCWD, path, 0, &p);
	if (ret)
		return ret;
	ret = vfs_truncate(&p, (u64)size, NULL);
	path_put(&p);
	return ret;
}

s64 sys_faccessat2(s32 dirfd, uaddr_t path, u32 mask, u32 flags)
{
	struct user_path up;
	s64 ret = user_path_get(&up, path);

	if (ret)
		return ret;
	ret = vfs_access(dirfd, up.s, mask, flags);
	user_path_put(&up);
	return ret;
}

s64 sys_faccessat(s32 dirfd, uaddr_t path, u32 mask)
{
	return sys_faccessat2(dirfd, path, mask, 0);
}

s64 sys_access(uaddr_t path, u32 mask)
{
	return sys_faccessat2(AT_FDCWD, path, mask, 0);
}

s64 sys_readlinkat(s32 dirfd, uaddr_t path, uaddr_t out, u64 usize)
{
	s32 size = (s32)usize;
	struct path p;
	char *buf, first;
	s64 ret;

	if (size <= 0)
		return -EINVAL;
	/* An empty path names a link opened with O_PATH|O_NOFOLLOW. */
	ret = place_get(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &p);
	if (ret)
		return ret;
	buf = kmalloc(PATH_MAX);
	ret = buf ? vfs_readlink(&p, buf, MIN((u32)size, (u32)PATH_MAX)) : -ENOMEM;
	if (ret == -EINVAL && get_user(&first, path) == 0 && !first)
		ret = -ENOENT; /* nothing was named, and it is no link */
	path_put(&p);
	if (ret > 0 && copy_to_user(out, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

s64 sys_readlink(uaddr_t path, uaddr_t out, u64 size)
{
	return sys_readlinkat(AT_FDCWD, path, out, size);
}

s64 sys_statfs(uaddr_t path, uaddr_t out)
{
	struct statfs st;
	struct path p;
	s64 ret = place_get(AT_FDCWD, path, 0, &p);

	if (ret)
		return ret;
	ret = vfs_statfs(&p, &st);
	path_put(&p);
	return ret ? ret : copy_to_user(out, &st, sizeof st);
}

s64 sys_fstatfs(s32 fd, uaddr_t out)
{
	struct statfs st;
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	ret = vfs_statfs(&f->path, &st);
	file_put(f);
	return ret ? ret : copy_to_user(out, &st, sizeof st);
}
