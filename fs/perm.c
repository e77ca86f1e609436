// SPDX-License-Identifier: Apache-2.0
/*
 * perm - may these credentials do that to this inode?
 *
 * Role      Path walk and every call that names a file ask here; drivers only see permitted operations.
 * Rules     fsuid, fsgid and groups decide; capabilities override as capabilities(7) describes. Nothing sleeps:
 *           path walk calls with dcache_lock held.
 * Missing   user namespaces
 * See       path_resolution(7), capabilities(7)
 */
#include "fs/acl.h"
#include "fs/inode.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"

int inode_permission_mode(const struct cred *c, const struct inode *inode, u32 mask)
{
	u32 mode = inode->mode;
	int ret;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (c->fsuid == inode->uid) {
		mode >>= 6;
	} else if (unlikely(inode->acl) && mode & S_IRWXG &&
		   (ret = acl_permission(c, inode, mask)) != -EAGAIN) {
		if (!ret)
			return 0;
		mode = 0; /* the list has decided; only capabilities help */
	} else if (((mode >> 3) ^ mode) & 7 && cred_in_group(c, inode->gid)) {
		mode >>= 3;
	}
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

/* Set-group-ID for a group one is not in: decided by the mode asked for, or a umask could hide the execute bit. */
static bool may_give_group(const struct inode *dir, u32 mode)
{
	return (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) ||
	       cred_in_group(current_cred(), dir->gid) || capable(CAP_FSETID);
}

int inode_new_owner(struct inode *dir, u32 mode, u32 umask, struct new_inode *ni)
{
	const struct cred *c = current_cred();
	bool inherited;
	int err;

	ni->uid = c->fsuid;
	ni->gid = c->fsgid;
	if (dir->mode & S_ISGID) {
		ni->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if (!may_give_group(dir, mode))
			mode &= ~(u32)S_ISGID;
	}
	ni->mode = mode;
	err = acl_inherit(dir, ni, &inherited);
	if (!inherited)
		ni->mode &= ~(umask & S_IRWXUGO);
	return err;
}

void inode_made(struct inode *inode, struct new_inode *ni)
{
	if (likely(!ni->acl && !ni->default_acl))
		return;
	if (inode)
		acl_give_new(inode, ni);
	else
		acl_drop_new(ni);
}

struct protect protect = { .symlinks = 1, .hardlinks = 1, .fifos = 1, .regular = 2 };

int protect_follow(const struct cred *c, const struct inode *dir, const struct inode *link)
{
	if (!READ_ONCE(protect.symlinks) || link->uid == c->fsuid || link->uid == dir->uid ||
	    (dir->mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return 0;
	return -EACCES;
}

int protect_link(struct inode *inode)
{
	bool safe = S_ISREG(inode->mode) && !(inode->mode & S_ISUID) &&
		    (inode->mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
		    inode_permission(inode, MAY_READ | MAY_WRITE) == 0;

	return !READ_ONCE(protect.hardlinks) || safe || inode_owner_or_capable(inode) ? 0 : -EPERM;
}

int protect_create(const struct inode *dir, const struct inode *found)
{
	u32 level = S_ISREG(found->mode)    ? READ_ONCE(protect.regular)
		    : S_ISFIFO(found->mode) ? READ_ONCE(protect.fifos)
					    : 1;

	if (likely(!(dir->mode & S_ISVTX)) || !level || found->uid == dir->uid ||
	    found->uid == current_cred()->fsuid)
		return 0;
	return dir->mode & S_IWOTH || (level >= 2 && dir->mode & S_IWGRP) ? -EACCES : 0;
}
