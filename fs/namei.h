// SPDX-License-Identifier: Apache-2.0
/*
 * namei - from a path text to a place in the mount tree, and the calls that change names
 *
 * Role      sys/sys_path.c, exec and procfs are the callers. Works with the current task's root, working
 *           directory and credentials.
 * Rules     Paths are kernel text, at most PATH_MAX bytes with the NUL. Results carry references.
 *           dirfd may be AT_FDCWD. All checks of permission, mount flags and limits happen here.
 */
#pragma once

#include "fs/mount.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"

enum lookup_flags {
	LOOKUP_FOLLOW = 1u << 0,    /* follow a symbolic link in the last component */
	LOOKUP_DIRECTORY = 1u << 1, /* the result must be a directory */
	LOOKUP_EMPTY = 1u << 2,	    /* "" means dirfd itself (AT_EMPTY_PATH) */
	LOOKUP_NO_XDEV = 1u << 3,   /* RESOLVE_* of openat2 */
	LOOKUP_NO_MAGICLINKS = 1u << 4,
	LOOKUP_NO_SYMLINKS = 1u << 5,
	LOOKUP_BENEATH = 1u << 6,
	LOOKUP_IN_ROOT = 1u << 7,
	LOOKUP_CACHED = 1u << 8,
	LOOKUP_PARENT = 1u << 9, /* internal: stop at the last component */
};

/* Resolve. */
int must_check path_lookup(s32 dirfd, const char *path, u32 lookup, struct path *out);
static inline struct inode *path_inode(const struct path *p)
{
	return p->dentry->inode;
}

/* getcwd(2): length with the NUL, -ENOENT when the directory was removed, -ERANGE. */
s64 must_check path_getcwd(char *buf, u32 size);

/* All flags open(2) knows (the last is FASYNC); it ignores others, openat2 refuses them. */
#define VFS_OPEN_FLAGS                                                                        \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | \
	 O_TMPFILE | 020000)
/* Open. how->flags as in open(2), resolve RESOLVE_*. mode has not had the umask applied. */
int must_check vfs_open(s32 dirfd, const char *path, const struct open_how *how, struct file **out);

/* Names. */
int must_check vfs_mkdirat(s32 dirfd, const char *path, u32 mode);
int must_check vfs_mknodat(s32 dirfd, const char *path, u32 mode, u32 rdev);
int must_check vfs_symlinkat(const char *target, s32 dirfd, const char *path);
int must_check vfs_linkat(s32 olddirfd, const char *oldpath, s32 newdirfd, const char *newpath,
			  u32 flags);
int must_check vfs_unlinkat(s32 dirfd, const char *path, u32 flags);
int must_check vfs_renameat(s32 olddirfd, const char *oldpath, s32 newdirfd, const char *newpath,
			    u32 flags);
/* Bind of an AF_UNIX socket: makes the name, *out is its place. */
int must_check vfs_mksocket(const char *path, u32 mode, struct path *out);

/* Attributes. */
int must_check vfs_getattr(const struct path *p, struct kstat *st);
int must_check vfs_setattr(const struct path *p, struct attr *a);
int must_check vfs_chmod(const struct path *p, u32 mode);
int must_check vfs_chown(const struct path *p, u32 uid, u32 gid);
/* NULL times: now. tv_nsec may be UTIME_NOW or UTIME_OMIT. */
int must_check vfs_utimens(const struct path *p, const struct timespec times[2]);
int must_check vfs_truncate(const struct path *p, u64 size, struct file *f);
int must_check vfs_access(s32 dirfd, const char *path, u32 mask, u32 flags);
/* Bytes stored, not terminated. */
s64 must_check vfs_readlink(const struct path *p, char *buf, u32 size);
int must_check vfs_statfs(const struct path *p, struct statfs *st);
