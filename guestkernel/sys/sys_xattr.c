// SPDX-License-Identifier: Apache-2.0
/*
 * sys_xattr - the calls on extended attributes
 *
 * Rules     Names are copied first, then values; sizes above the limits of xattr(7) are refused before anything is
 *           allocated.
 * See       setxattr(2), getxattr(2), listxattr(2), removexattr(2)
 */
#include "fs/namei.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/sys/user_path.h"
#include "guestkernel/uapi/xattr.h"
#include "syscalls_gen.h"

static s64 place_by_path(uaddr_t upath, bool follow, struct path *out)
{
	struct user_path up;
	s64 ret = user_path_get(&up, upath);

	if (ret)
		return ret;
	ret = path_lookup(AT_FDCWD, up.s, follow ? LOOKUP_FOLLOW : 0, out);
	user_path_put(&up);
	return ret;
}

static s64 place_by_fd(s32 fd, struct path *out)
{
	struct file *f;
	s64 ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

static s64 copy_name(char *name, uaddr_t uname)
{
	s64 n = strncpy_from_user(name, uname, XATTR_NAME_MAX + 1);

	if (n < 0)
		return n;
	return n == 0 || n > XATTR_NAME_MAX ? -ERANGE : 0;
}

static s64 set_at(const struct path *p, uaddr_t uname, uaddr_t value, u64 size, u32 flags)
{
	char name[XATTR_NAME_MAX + 1];
	void *buf;
	s64 ret;

	if (flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	ret = copy_name(name, uname);
	if (ret)
		return ret;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	buf = kmalloc(size ? size : 1);
	if (!buf)
		return -ENOMEM;
	ret = copy_from_user(buf, value, size);
	if (!ret)
		ret = vfs_setxattr(p, name, buf, size, flags);
	kfree(buf);
	return ret;
}

static s64 get_at(const struct path *p, uaddr_t uname, uaddr_t value, u64 size)
{
	char name[XATTR_NAME_MAX + 1];
	void *buf = NULL;
	s64 ret = copy_name(name, uname);

	if (ret)
		return ret;
	if (size) {
		size = MIN(size, (u64)XATTR_SIZE_MAX);
		buf = kmalloc(size);
		if (!buf)
			return -ENOMEM;
	}
	ret = vfs_getxattr(p, name, buf, size);
	if (ret > 0 && buf && copy_to_user(value, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

static s64 list_at(const struct path *p, uaddr_t list, u64 size)
{
	void *buf = NULL;
	s64 ret;

	if (size) {
		size = MIN(size, (u64)XATTR_LIST_MAX);
		buf = kmalloc(size);
		if (!buf)
			return -ENOMEM;
	}
	ret = vfs_listxattr(p, buf, size);
	if (ret > 0 && buf && copy_to_user(list, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

static s64 remove_at(const struct path *p, uaddr_t uname)
{
	char name[XATTR_NAME_MAX + 1];
	s64 ret = copy_name(name, uname);

	return ret ? ret : vfs_removexattr(p, name);
}

/* The three forms of each call: a path, a path whose last link is meant itself, a descriptor. */
enum place_kind { BY_PATH, BY_LINK, BY_FD };

static s64 place_of(enum place_kind k, u64 where, struct path *out)
{
	return k == BY_FD ? place_by_fd((s32)where, out)
			  : place_by_path(UADDR(where), k == BY_PATH, out);
}

static s64 set_xattr(enum place_kind k, u64 where, uaddr_t name, uaddr_t value, u64 size, u32 flags)
{
	struct path p;
	s64 ret = place_of(k, where, &p);

	if (ret)
		return ret;
	ret = set_at(&p, name, value, size, flags);
	path_put(&p);
	return ret;
}

static s64 get_xattr(enum place_kind k, u64 where, uaddr_t name, uaddr_t value, u64 size)
{
	struct path p;
	s64 ret = place_of(k, where, &p);

	if (ret)
		return ret;
	ret = get_at(&p, name, value, size);
	path_put(&p);
	return ret;
}

static s64 list_xattr(enum place_kind k, u64 where, uaddr_t list, u64 size)
{
	struct path p;
	s64 ret = place_of(k, where, &p);

	if (ret)
		return ret;
	ret = list_at(&p, list, size);
	path_put(&p);
	return ret;
}

static s64 remove_xattr(enum place_kind k, u64 where, uaddr_t name)
{
	struct path p;
	s64 ret = place_of(k, where, &p);

	if (ret)
		return ret;
	ret = remove_at(&p, name);
	path_put(&p);
	return ret;
}

s64 sys_setxattr(uaddr_t path, uaddr_t name, uaddr_t value, u64 size, u32 flags)
{
	return set_xattr(BY_PATH, path.va, name, value, size, flags);
}

s64 sys_lsetxattr(uaddr_t path, uaddr_t name, uaddr_t value, u64 size, u32 flags)
{
	return set_xattr(BY_LINK, path.va, name, value, size, flags);
}

s64 sys_fsetxattr(s32 fd, uaddr_t name, uaddr_t value, u64 size, u32 flags)
{
	return set_xattr(BY_FD, (u64)fd, name, value, size, flags);
}

s64 sys_getxattr(uaddr_t path, uaddr_t name, uaddr_t value, u64 size)
{
	return get_xattr(BY_PATH, path.va, name, value, size);
}

s64 sys_lgetxattr(uaddr_t path, uaddr_t name, uaddr_t value, u64 size)
{
	return get_xattr(BY_LINK, path.va, name, value, size);
}

s64 sys_fgetxattr(s32 fd, uaddr_t name, uaddr_t value, u64 size)
{
	return get_xattr(BY_FD, (u64)fd, name, value, size);
}

s64 sys_listxattr(uaddr_t path, uaddr_t list, u64 size)
{
	return list_xattr(BY_PATH, path.va, list, size);
}

s64 sys_llistxattr(uaddr_t path, uaddr_t list, u64 size)
{
	return list_xattr(BY_LINK, path.va, list, size);
}

s64 sys_flistxattr(s32 fd, uaddr_t list, u64 size)
{
	return list_xattr(BY_FD, (u64)fd, list, size);
}

s64 sys_removexattr(uaddr_t path, uaddr_t name)
{
	return remove_xattr(BY_PATH, path.va, name);
}

s64 sys_lremovexattr(uaddr_t path, uaddr_t name)
{
	return remove_xattr(BY_LINK, path.va, name);
}

s64 sys_fremovexattr(s32 fd, uaddr_t name)
{
	return remove_xattr(BY_FD, (u64)fd, name);
}
