// SPDX-License-Identifier: Apache-2.0
/*
 * sys_mount - mount, umount2, pivot_root
 *
 * Missing   the descriptor based calls (open_tree, fsopen ...)
 * See       mount(2), umount(2), pivot_root(2)
 */
#include "fs/namei.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/sys/user_path.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mount.h"
#include "syscalls_gen.h"

#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static s64 lookup_user(uaddr_t upath, u32 lookup, struct path *out)
{
	struct user_path up;
	s64 ret = user_path_get(&up, upath);

	if (ret)
		return ret;
	ret = path_lookup(AT_FDCWD, up.s, lookup, out);
	user_path_put(&up);
	return ret;
}

/* mount(2)'s data: text of up to a page, NULL allowed. */
static s64 copy_data(uaddr_t udata, char **out)
{
	s64 n;

	*out = NULL;
	if (uaddr_is_null(udata))
		return 0;
	*out = kmalloc(PATH_MAX);
	if (!*out)
		return -ENOMEM;
	n = strncpy_from_user(*out, udata, PATH_MAX);
	if (n >= 0 && n < PATH_MAX)
		return 0;
	kfree(*out);
	*out = NULL;
	return n < 0 ? n : -EINVAL;
}

static s64 mount_fs(const struct path *at, uaddr_t usource, uaddr_t utype, u32 flags,
		    const char *data)
{
	struct user_path source = { .s = NULL }, type;
	s64 ret;

	if (uaddr_is_null(utype))
		return -EINVAL;
	ret = user_path_get(&type, utype);
	if (ret)
		return ret;
	if (!uaddr_is_null(usource)) {
		ret = user_path_get(&source, usource);
		if (ret)
			goto put_type;
	}
	ret = vfs_mount(source.s, at, type.s, flags, data);
	if (source.s)
		user_path_put(&source);
put_type:
	user_path_put(&type);
	return ret;
}

static s64 mount_from_path(const struct path *at, uaddr_t usource, u32 flags)
{
	struct path from;
	s64 ret = lookup_user(usource, LOOKUP_FOLLOW, &from);

	if (ret)
		return ret;
	ret = flags & MS_BIND ? vfs_bind(&from, at, flags) : vfs_move_mount(&from, at);
	path_put(&from);
	return ret;
}

s64 sys_mount(uaddr_t source, uaddr_t target, uaddr_t type, u64 flags64, uaddr_t udata)
{
	u32 flags = (u32)flags64;
	struct path at;
	char *data;
	s64 ret;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	ret = copy_data(udata, &data);
	if (ret)
		return ret;
	ret = lookup_user(target, LOOKUP_FOLLOW, &at);
	if (ret)
		goto free;
	if (!capable(CAP_SYS_ADMIN))
		ret = -EPERM;
	else if (flags & MS_REMOUNT)
		ret = vfs_remount(&at, flags, data);
	else if (flags & (MS_BIND | MS_MOVE))
		ret = mount_from_path(&at, source, flags);
	else if (flags & MS_PROPAGATION)
		ret = vfs_set_propagation(&at, flags);
	else
		ret = mount_fs(&at, source, type, flags, data);
	path_put(&at);
free:
	kfree(data);
	return ret;
}

s64 sys_umount2(uaddr_t target, u32 flags)
{
	struct path at;
	s64 ret;

	if (flags & ~(u32)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (flags & MNT_EXPIRE)
		return -EINVAL;
	ret = lookup_user(target, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &at);
	if (ret)
		return ret;
	ret = vfs_umount(&at, flags);
	path_put(&at);
	return ret;
}

s64 sys_pivot_root(uaddr_t new_root, uaddr_t put_old)
{
	struct path new, old;
	s64 ret = lookup_user(new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);

	if (ret)
		return ret;
	ret = lookup_user(put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!ret) {
		ret = vfs_pivot_root(&new, &old);
		path_put(&old);
	}
	path_put(&new);
	return ret;
}
