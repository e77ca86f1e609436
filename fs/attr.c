// SPDX-License-Identifier: Apache-2.0
/*
 * attr - attributes of files: stat, chmod, chown, utimensat, truncate, access, readlink, statfs
 *
 * Role      sys/sys_path.c and sys_file.c call with a place already found.
 * Rules     Every change goes through vfs_setattr(), which tells inotify. Sizes change only here and in writes.
 *           What gives a program rights (set-ID bits, security.capability) belongs to the contents and the owner the file
 *           had when it was given. drop_privs() is the one place that takes it away; everything that changes contents or
 *           owner leads to it:
 *             write, pwritev, sendfile, splice, copy_file_range   file_write() -> file_modifies()
 *             fallocate, MADV_REMOVE                               file_fallocate() -> file_modifies()
 *             truncate, ftruncate, O_TRUNC                         vfs_truncate(), ATTR_CONTENTS
 *             chown of any kind, also to what it was               vfs_chown(), ATTR_OWNER
 *           Set-ID bits stay with CAP_FSETID when contents change, capabilities never. Stores into shared mappings
 *           change neither, as on Linux: who mapped the file for writing could have written it, and a program in
 *           execution cannot be mapped for writing. New ways to change contents call file_modifies() first.
 * Locking   inode->lock exclusively around the driver's setattr; what is dropped is decided under it.
 * See       chmod(2), chown(2), utimensat(2), truncate(2), access(2), inode(7)
 */
#include "fs/acl.h"
#include "fs/filp.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/resource.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/xattr.h"
#include "fs/walk.h"

int vfs_getattr(const struct path *p, struct kstat *st)
{
	struct inode *inode = path_inode(p);

	if (unlikely(inode->ops->getattr))
		return inode->ops->getattr(inode, st);
	inode_fill_stat(inode, st);
	return 0;
}

static u32 attr_events(const struct attr *a)
{
	u32 mask = 0;

	if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		mask |= IN_ATTRIB;
	/* Both times are an attribute, one of them alone is what reading or writing would have changed. */
	if (a->valid & ATTR_SIZE)
		mask |= IN_MODIFY;
	else if ((a->valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		mask |= IN_ATTRIB;
	else if (a->valid & ATTR_ATIME)
		mask |= IN_ACCESS;
	else if (a->valid & ATTR_MTIME)
		mask |= IN_MODIFY;
	return mask;
}

/* The mode without the set-ID bits that this change takes away. A set-group-ID bit without group execution asked for
 * mandatory locks once; who may not give it may not keep it either. */
static u32 mode_after(const struct inode *inode, u32 change)
{
	u32 mode = inode->mode;

	if (change & ATTR_CONTENTS && capable(CAP_FSETID))
		return mode;
	mode &= ~(u32)S_ISUID;
	if (mode & S_IXGRP || (!cred_in_group(current_cred(), inode->gid) && !capable(CAP_FSETID)))
		mode &= ~(u32)S_ISGID;
	return mode;
}

static int drop_caps(struct inode *inode)
{
	int err = 0;

	if (likely(!(inode->flags & INODE_HAS_CAPS)))
		return 0;
	if (inode->ops->setxattr)
		err = inode->ops->setxattr(inode, XATTR_NAME_CAPS, NULL, 0, XATTR_REPLACE);
	if (err && err != -ENODATA)
		return err;
	fetch_and(&inode->flags, ~(u32)INODE_HAS_CAPS);
	return 0;
}

/* Contents or owner of the file change: see the Rules above. Locked. */
static int drop_privs(struct inode *inode, struct attr *a)
{
	u32 mode;
	bool applies = a->valid & ATTR_OWNER ? !inode_is_dir(inode) : S_ISREG(inode->mode);

	if (!applies)
		return 0;
	mode = inode->mode & (S_ISUID | S_ISGID) ? mode_after(inode, a->valid) : inode->mode;
	if (mode != inode->mode) {
		a->mode = mode & S_IALLUGO;
		a->valid |= ATTR_MODE;
	}
	return drop_caps(inode);
}

/* The list's mask follows the mode. */
static int setattr_with_acl(struct inode *inode, const struct attr *a)
{
	struct acl *acl;
	int err = acl_for_mode(inode, a->mode, &acl);

	if (err)
		return err;
	err = inode->ops->setattr(inode, a);
	if (err)
		acl_put(acl);
	else
		err = inode->ops->set_acl(inode, ACL_ACCESS, acl);
	return err;
}

/* The caller has checked permissions. */
static int setattr_locked(struct inode *inode, struct attr *a)
{
	int err = a->valid & (ATTR_CONTENTS | ATTR_OWNER) ? drop_privs(inode, a) : 0;

	a->valid &= ~(u32)(ATTR_CONTENTS | ATTR_OWNER);
	if (err || !a->valid)
		return err;
	if (!inode->ops->setattr)
		return -EPERM;
	return unlikely(a->valid & ATTR_MODE && inode->acl) ? setattr_with_acl(inode, a)
							    : inode->ops->setattr(inode, a);
}

int vfs_setattr(const struct path *p, struct attr *a)
{
	struct inode *inode = path_inode(p);
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	if (inode->flags & (INODE_IMMUTABLE | INODE_APPEND))
		return -EPERM;
	inode_lock(inode);
	err = setattr_locked(inode, a);
	inode_unlock(inode);
	if (!err && notify_active())
		notify_dentry(p->dentry, attr_events(a));
	return err;
}

int vfs_chmod(const struct path *p, u32 mode)
{
	struct inode *inode = path_inode(p);
	struct attr a = { .valid = ATTR_MODE, .mode = mode & S_IALLUGO };
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if (a.mode & S_ISGID && !cred_in_group(current_cred(), inode->gid) && !capable(CAP_FSETID))
		a.mode &= ~(u32)S_ISGID;
	return vfs_setattr(p, &a);
}

static int chown_check(const struct inode *inode, u32 uid, u32 gid)
{
	const struct cred *c = current_cred();

	if (uid != U32_MAX && (c->fsuid != inode->uid || uid != inode->uid) && !capable(CAP_CHOWN))
		return -EPERM;
	if (gid != U32_MAX && gid != inode->gid &&
	    (c->fsuid != inode->uid || !cred_in_group(c, gid)) && !capable(CAP_CHOWN))
		return -EPERM;
	if (gid != U32_MAX && gid == inode->gid && c->fsuid != inode->uid && !capable(CAP_CHOWN))
		return -EPERM;
	return 0;
}

int vfs_chown(const struct path *p, u32 uid, u32 gid)
{
	struct inode *inode = path_inode(p);
	struct attr a = { .uid = uid, .gid = gid };
	int err = mount_want_write(p->mnt);

	if (!err)
		err = chown_check(inode, uid, gid);
	if (err)
		return err;
	a.valid = (uid != U32_MAX ? ATTR_UID : 0) | (gid != U32_MAX ? ATTR_GID : 0) | ATTR_CTIME |
		  ATTR_OWNER;
	a.ctime = inode_now();
	return vfs_setattr(p, &a);
}

int file_modifies(struct file *f)
{
	struct inode *inode = f->inode;
	struct attr a = { .valid = ATTR_CONTENTS };
	int err;

	if (likely(!(inode->mode & (S_ISUID | S_ISGID)) && !(inode->flags & INODE_HAS_CAPS)))
		return 0;
	inode_lock(inode);
	err = setattr_locked(inode, &a);
	inode_unlock(inode);
	if (!err && a.valid && notify_active())
		notify_dentry(f->path.dentry, attr_events(&a));
	return err;
}

static int utimens_one(const struct timespec *ts, const struct timespec *now, u32 bit,
		       struct timespec *out, u32 *valid)
{
	if (ts->tv_nsec == UTIME_OMIT)
		return 0;
	*valid |= bit;
	if (ts->tv_nsec == UTIME_NOW) {
		*out = *now;
		return 0;
	}
	if ((u64)ts->tv_nsec >= 1000000000ull)
		return -EINVAL;
	*out = *ts;
	return 0;
}

int vfs_utimens(const struct path *p, const struct timespec times[2])
{
	struct inode *inode = path_inode(p);
	struct timespec now = inode_now();
	struct attr a = { .valid = 0 };
	bool all_now = !times || (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW);
	int err;

	if (all_now) {
		a.valid = ATTR_ATIME | ATTR_MTIME;
		a.atime = now;
		a.mtime = now;
	} else {
		err = utimens_one(&times[0], &now, ATTR_ATIME, &a.atime, &a.valid);
		if (!err)
			err = utimens_one(&times[1], &now, ATTR_MTIME, &a.mtime, &a.valid);
		if (err || !a.valid)
			return err;
	}
	err = mount_want_write(p->mnt);
	if (err)
		return err;
	if (!inode_owner_or_capable(inode)) {
		/* Whoever may write may also say "now", but nothing else. */
		if (!all_now)
			return -EPERM;
		err = inode_permission(inode, MAY_WRITE);
		if (err)
			return err;
	}
	return vfs_setattr(p, &a);
}

int vfs_truncate(const struct path *p, u64 size, struct file *f)
{
	struct inode *inode = path_inode(p);
	struct attr a = { .valid = ATTR_SIZE | ATTR_MTIME | ATTR_CONTENTS, .size = size };
	int err;

	if (size > inode->sb->max_bytes)
		return -EFBIG;
	if (size > current_rlimit(RLIMIT_FSIZE) && size > inode->size) {
		current_send_signal(SIGXFSZ);
		return -EFBIG;
	}
	if (!f) {
		if (inode_is_dir(inode))
			return -EISDIR;
		if (!S_ISREG(inode->mode))
			return -EINVAL;
		err = mount_want_write(p->mnt);
		if (!err)
			err = inode_permission(inode, MAY_WRITE);
		if (!err)
			err = inode_get_write(inode);
		if (err)
			return err;
	}
	a.mtime = inode_now();
	err = vfs_setattr(p, &a);
	if (!f)
		inode_put_write(inode);
	return err;
}

/* access(2) asks with the real identity; capabilities only when that is the super-user's. */
static void access_cred(const struct cred *c, struct cred *out)
{
	*out = *c;
	out->fsuid = c->uid;
	out->fsgid = c->gid;
	out->cap_effective = c->uid ? 0 : c->cap_permitted;
}

int vfs_access(s32 dirfd, const char *path, u32 mask, u32 flags)
{
	u32 lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct cred real;
	struct path p;
	struct walk w;
	int err;

	if (mask & ~7u || flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = walk_init(&w, dirfd, NULL, path, lookup);
	if (err)
		return err;
	if (!(flags & AT_EACCESS)) {
		access_cred(w.cred, &real);
		w.cred = &real;
	}
	err = walk_run(&w);
	if (!err)
		walk_take(&w, &p);
	walk_fini(&w);
	if (err)
		return err;
	if (mask & MAY_EXEC && S_ISREG(path_inode(&p)->mode) && p.mnt->flags & MNT_NOEXEC)
		err = -EACCES;
	if (!err && mask)
		err = inode_permission_as(w.cred, path_inode(&p), mask);
	if (!err && mask & MAY_WRITE &&
	    (S_ISREG(path_inode(&p)->mode) || inode_is_dir(path_inode(&p)) ||
	     S_ISLNK(path_inode(&p)->mode)))
		err = mount_want_write(p.mnt);
	path_put(&p);
	return err;
}

s64 vfs_readlink(const struct path *p, char *buf, u32 size)
{
	struct inode *inode = path_inode(p);
	u64 len;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	if (!inode->link)
		return inode->ops->readlink ? inode->ops->readlink(inode, buf, size) : -EINVAL;
	len = MIN(strlen(inode->link), (size_t)size);
	memcpy(buf, inode->link, len);
	return (s64)len;
}

static s64 statfs_flags(const struct mount *m)
{
	static const struct {
		u32 mnt, st;
	} map[] = {
		{MNT_NOSUID,	      ST_NOSUID	},
		     { MNT_NODEV,	  ST_NODEV	   },
		{ MNT_NOEXEC,      ST_NOEXEC	},
		     { MNT_NOATIME,	    ST_NOATIME    },
		{ MNT_NODIRATIME,  ST_NODIRATIME },
		     { MNT_RELATIME,    ST_RELATIME	 },
		{ MNT_NOSYMFOLLOW, ST_NOSYMFOLLOW},
	};
	s64 flags = ST_VALID;

	if (mount_want_write(m))
		flags |= ST_RDONLY;
	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		if (m->flags & map[i].mnt)
			flags |= map[i].st;
	return flags;
}

int vfs_statfs(const struct path *p, struct statfs *st)
{
	struct super *sb = path_inode(p)->sb;
	int err = 0;

	memset(st, 0, sizeof *st);
	st->f_type = (s64)sb->magic;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_LEN_MAX;
	st->f_fsid.val[0] = (s32)sb->dev;
	if (sb->ops->statfs)
		err = sb->ops->statfs(sb, st);
	if (!st->f_frsize)
		st->f_frsize = st->f_bsize;
	st->f_flags = statfs_flags(p->mnt);
	return err;
}
