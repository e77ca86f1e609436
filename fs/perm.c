// SPDX-License-Identifier: Apache-2.0
/*
 * perm - may these credentials do that to this inode?
 *
 * Role      Path walk and every call that names a file ask here; drivers only see permitted operations.
 * Rules     fsuid, fsgid and groups decide; capabilities override as capabilities(7) describes. Nothing sleeps:
 *           path walk calls with dcache_lock held.
 * Missing   POSIX access control lists; user namespaces
 * See       path_resolution(7), capabilities(7)
 */
#include "fs/inode.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"

int inode_permission_mode(const struct cred *c, const struct inode *inode, u32 mask)
{
	u32 mode = inode->mode;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (c->fsuid == inode->uid)
		mode >>= 6;
	else if (((mode >> 3) ^ mode) & 7 && cred_in_group(c, inode->gid))
		mode >>= 3;
	if ((mode & mask) == mask)
		return 0;
	if (S_ISDIR(inode->mode)) {
		if (!(mask & MAY_WRITE) && cred_capable(c, CAP_DAC_READ_SEARCH))
			return 0;
		return cred_capable(c, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && cred_capable(c, CAP_DAC_READ_SEARCH))
		return 0;
	/* Execution needs at least one execute bit, even for the super-user. */
	if ((!(mask & MAY_EXEC) || inode->mode & S_IXUGO) && cred_capable(c, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission_as(const struct cred *c, struct inode *inode, u32 mask)
{
	if (mask & MAY_WRITE && inode->flags & INODE_IMMUTABLE)
		return -EPERM;
	if (unlikely(inode->ops->permission))
		return inode->ops->permission(c, inode, mask);
	return inode_permission_mode(c, inode, mask);
}

int inode_permission(struct inode *inode, u32 mask)
{
	return inode_permission_as(current_cred(), inode, mask);
}

bool inode_owner_or_capable(const struct inode *inode)
{
	return current_cred()->fsuid == inode->uid || capable(CAP_FOWNER);
}

int inode_may_create(struct inode *dir)
{
	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int inode_may_delete(struct inode *dir, struct inode *victim, bool want_dir)
{
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	u32 fsuid = current_cred()->fsuid;

	if (err)
		return err;
	if (dir->flags & INODE_APPEND)
		return -EPERM;
	if (dir->mode & S_ISVTX && victim->uid != fsuid && dir->uid != fsuid &&
	    !capable(CAP_FOWNER))
		return -EPERM;
	if (victim->flags & (INODE_APPEND | INODE_IMMUTABLE))
		return -EPERM;
	if (want_dir && !inode_is_dir(victim))
		return -ENOTDIR;
	if (!want_dir && inode_is_dir(victim))
		return -EISDIR;
	return 0;
}

void inode_new_owner(const struct inode *dir, u32 mode, struct new_inode *ni)
{
	const struct cred *c = current_cred();

	ni->uid = c->fsuid;
	ni->gid = c->fsgid;
	if (dir->mode & S_ISGID) {
		ni->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !cred_in_group(c, ni->gid) && !capable(CAP_FSETID))
			mode &= ~(u32)S_ISGID;
	}
	ni->mode = mode;
}
