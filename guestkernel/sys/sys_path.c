// SPDX-License-Identifier: Apache-2.0
/*
 * sys_path - calls that take a path: open, make, remove, rename, working directory
 *
 * Role      Copies paths in and calls fs/. Attribute calls are in sys_attr.c.
 * Rules     Old calls without a directory descriptor are the *at calls with AT_FDCWD.
 * See       open(2), openat2(2), mkdir(2), rename(2), getcwd(2)
 */
#include "fs/filp.h"
#include "fs/namei.h"
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/sys/user_path.h"
#include "guestkernel/uapi/capability.h"
#include "syscalls_gen.h"

static s64 open_how(s32 dirfd, uaddr_t upath, const struct open_how *how)
{
	struct user_path up;
	struct file *f;
	s64 ret = user_path_get(&up, upath);

	if (ret)
		return ret;
	ret = vfs_open(dirfd, up.s, how, &f);
	user_path_put(&up);
	if (ret)
		return ret;
	ret = fd_install(f, how->flags & O_CLOEXEC);
	if (ret < 0)
		file_put(f);
	return ret;
}

s64 sys_openat(s32 dirfd, uaddr_t path, u32 flags, u32 mode)
{
	struct open_how how = { .flags = flags & VFS_OPEN_FLAGS, .mode = mode };

	/* O_TMPFILE contains O_DIRECTORY, which alone must not look like it. */
	return open_how(dirfd, path, &how);
}

s64 sys_open(uaddr_t path, u32 flags, u32 mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

s64 sys_creat(uaddr_t path, u32 mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

s64 sys_openat2(s32 dirfd, uaddr_t path, uaddr_t uhow, u64 size)
{
	struct open_how how;
	int err;

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&how, sizeof how, uhow, size);
	if (err)
		return err;
	if (how.flags & ~(u64)VFS_OPEN_FLAGS)
		return -EINVAL;
	if (how.flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? how.mode & ~(u64)S_IALLUGO
							       : how.mode)
		return -EINVAL;
	if (how.flags & O_PATH && how.flags & ~(u64)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))
		return -EINVAL;
	return open_how(dirfd, path, &how);
}

s64 sys_mkdirat(s32 dirfd, uaddr_t path, u32 mode)
{
	struct user_path up;
	s64 ret = user_path_get(&up, path);

	if (ret)
		return ret;
	ret = vfs_mkdirat(dirfd, up.s, mode);
	user_path_put(&up);
	return ret;
}

s64 sys_mkdir(uaddr_t path, u32 mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

s64 sys_mknodat(s32 dirfd, uaddr_t path, u32 mode, u32 dev)
{
	struct user_path up;
	s64 ret = user_path_get(&up, path);

	if (ret)
		return ret;
	ret = vfs_mknodat(dirfd, up.s, mode, dev);
	user_path_put(&up);
	return ret;
}

s64 sys_mknod(uaddr_t path, u32 mode, u32 dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

s64 sys_unlinkat(s32 dirfd, uaddr_t path, u32 flags)
{
	struct user_path up;
	s64 ret = user_path_get(&up, path);

	if (ret)
		return ret;
	ret = vfs_unlinkat(dirfd, up.s, flags);
	user_path_put(&up);
	return ret;
}

s64 sys_unlink(uaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

s64 sys_rmdir(uaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

s64 sys_symlinkat(uaddr_t target, s32 dirfd, uaddr_t path)
{
	struct user_path from, to;
	s64 ret = user_path_get(&from, target);

	if (ret)
		return ret;
	ret = user_path_get(&to, path);
	if (!ret) {
		ret = vfs_symlinkat(from.s, dirfd, to.s);
		user_path_put(&to);
	}
	user_path_put(&from);
	return ret;
}

s64 sys_symlink(uaddr_t target, uaddr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

s64 sys_linkat(s32 olddirfd, uaddr_t oldpath, s32 newdirfd, uaddr_t newpath, u32 flags)
{
	struct user_path from, to;
	s64 ret = user_path_get(&from, oldpath);

	if (ret)
		return ret;
	ret = user_path_get(&to, newpath);
	if (!ret) {
		ret = vfs_linkat(olddirfd, from.s, newdirfd, to.s, flags);
		user_path_put(&to);
	}
	user_path_put(&from);
	return ret;
}

s64 sys_link(uaddr_t oldpath, uaddr_t newpath)
{
	return sys_linkat(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

s64 sys_renameat2(s32 olddirfd, uaddr_t oldpath, s32 newdirfd, uaddr_t newpath, u32 flags)
{
	struct user_path from, to;
	s64 ret = user_path_get(&from, oldpath);

	if (ret)
		return ret;
	ret = user_path_get(&to, newpath);
	if (!ret) {
		ret = vfs_renameat(olddirfd, from.s, newdirfd, to.s, flags);
		user_path_put(&to);
	}
	user_path_put(&from);
	return ret;
}

s64 sys_renameat(s32 olddirfd, uaddr_t oldpath, s32 newdirfd, uaddr_t newpath)
{
	return sys_renameat2(olddirfd, oldpath, newdirfd, newpath, 0);
}

s64 sys_rename(uaddr_t oldpath, uaddr_t newpath)
{
	return sys_renameat2(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

s64 sys_getcwd(uaddr_t out, u64 size)
{
	char *buf = kmalloc(PATH_MAX);
	s64 ret;

	if (!buf)
		return -ENOMEM;
	ret = path_getcwd(buf, PATH_MAX);
	if (ret == -ERANGE)
		ret = -ENAMETOOLONG;
	if (ret > 0) {
		if ((u64)ret > size)
			ret = -ERANGE;
		else if (copy_to_user(out, buf, (size_t)ret))
			ret = -EFAULT;
	}
	kfree(buf);
	return ret;
}

static s64 change_cwd(const struct path *p)
{
	s64 ret = inode_permission(path_inode(p), MAY_EXEC);

	if (!ret)
		fs_ctx_set_cwd(current_fs(), p);
	return ret;
}

static s64 lookup_dir(uaddr_t upath, struct path *p)
{
	struct user_path up;
	s64 ret = user_path_get(&up, upath);

	if (ret)
		return ret;
	ret = path_lookup(AT_FDCWD, up.s, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, p);
	user_path_put(&up);
	return ret;
}

s64 sys_chdir(uaddr_t path)
{
	struct path p;
	s64 ret = lookup_dir(path, &p);

	if (ret)
		return ret;
	ret = change_cwd(&p);
	path_put(&p);
	return ret;
}

s64 sys_fchdir(s32 fd)
{
	struct file *f;
	s64 ret = fd_lookup_path(fd, &f);

	if (ret)
		return ret;
	ret = inode_is_dir(f->inode) ? change_cwd(&f->path) : -ENOTDIR;
	file_put(f);
	return ret;
}

s64 sys_chroot(uaddr_t path)
{
	struct path p;
	s64 ret = lookup_dir(path, &p);

	if (ret)
		return ret;
	ret = inode_permission(path_inode(&p), MAY_EXEC);
	if (!ret && !capable(CAP_SYS_CHROOT))
		ret = -EPERM;
	if (!ret)
		fs_ctx_set_root(current_fs(), &p);
	path_put(&p);
	return ret;
}

s64 sys_umask(u32 mask)
{
	return fs_ctx_swap_umask(current_fs(), mask);
}
