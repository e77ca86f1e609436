// SPDX-License-Identifier: Apache-2.0
/*
 * rename - renameat2(2)
 *
 * Role      The one call that changes two directories.
 * Rules     A directory never becomes its own descendant; mount points do not move and are not replaced; both
 *           names must be on one mount.
 * Locking   Walk to both directories (nothing held). If they differ: sb->rename_lock, which keeps the shape of
 *           the directory tree still, then the ancestor before the descendant, unrelated ones by address. Then
 *           look both names up, check, lock the target (and the moved object when exchanged), act, correct the
 *           name cache, unlock in reverse.
 * Missing   RENAME_WHITEOUT where the driver has none
 * See       rename(2)
 */
#include "fs/notify.h"
#include "fs/walk.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"

struct rename_op {
	struct walk from, to;
	struct dentry *d_from, *d_to;
	struct inode *dir_from, *dir_to;
	u32 flags;
};

static void rename_lock_dirs(struct rename_op *op) NO_LOCK_ANALYSIS
{
	struct dentry *a = op->from.path.dentry, *b = op->to.path.dentry;

	if (a == b) {
		inode_lock(op->dir_from);
		return;
	}
	mutex_lock(&op->dir_from->sb->rename_lock);
	if (dentry_is_below(b, a)) {
		inode_lock(op->dir_from);
		inode_lock_child(op->dir_to);
	} else if (dentry_is_below(a, b)) {
		inode_lock(op->dir_to);
		inode_lock_child(op->dir_from);
	} else {
		inode_lock_pair(op->dir_from, op->dir_to);
	}
}

static void rename_unlock_dirs(struct rename_op *op) NO_LOCK_ANALYSIS
{
	inode_unlock_pair(op->dir_from, op->dir_to);
	if (op->dir_from != op->dir_to)
		mutex_unlock(&op->dir_from->sb->rename_lock);
}

static int rename_check_ancestry(const struct rename_op *op)
{
	struct dentry *dir_from = op->from.path.dentry, *dir_to = op->to.path.dentry;

	if (dir_from == dir_to)
		return 0;
	/* The moved directory would contain itself; or the replaced one contains what moves. */
	if (dentry_is_below(dir_to, op->d_from))
		return -EINVAL;
	if (op->d_to->inode && dentry_is_below(dir_from, op->d_to))
		return op->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int rename_check_target(struct rename_op *op, bool is_dir)
{
	struct inode *target = op->d_to->inode;

	if (!target) {
		if (op->flags & RENAME_EXCHANGE)
			return -ENOENT;
		return inode_may_create(op->dir_to);
	}
	if (op->flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (op->flags & RENAME_EXCHANGE)
		return inode_may_delete(op->dir_to, target, inode_is_dir(target));
	return inode_may_delete(op->dir_to, target, is_dir);
}

static int rename_check(struct rename_op *op)
{
	struct inode *inode = op->d_from->inode;
	struct inode *target = op->d_to->inode;
	bool is_dir;
	int err;

	if (!inode)
		return -ENOENT;
	is_dir = inode_is_dir(inode);
	if (op->flags & RENAME_NOREPLACE && target)
		return -EEXIST;
	if (!is_dir && (op->from.trailing || (!(op->flags & RENAME_EXCHANGE) && op->to.trailing)))
		return -ENOTDIR;
	if (op->flags & RENAME_EXCHANGE && target && op->to.trailing && !inode_is_dir(target))
		return -ENOTDIR;
	err = rename_check_ancestry(op);
	if (!err)
		err = inode_may_delete(op->dir_from, inode, is_dir);
	if (!err)
		err = rename_check_target(op, is_dir);
	/* ".." of a directory changes: that is a write to it. */
	if (!err && is_dir && op->dir_from != op->dir_to)
		err = inode_permission(inode, MAY_WRITE);
	if (!err && op->flags & RENAME_EXCHANGE && inode_is_dir(target) &&
	    op->dir_from != op->dir_to)
		err = inode_permission(target, MAY_WRITE);
	if (err)
		return err;
	if (!op->dir_from->ops->rename)
		return -EPERM;
	return (op->d_from->flags | op->d_to->flags) & DENTRY_MOUNTED ? -EBUSY : 0;
}

static void notify_moved(struct inode *from, const char *old, struct inode *to, const char *new,
			 struct inode *inode, struct inode *replaced)
{
	u32 isdir = inode_is_dir(inode) ? IN_ISDIR : 0, cookie = notify_next_cookie();

	notify_inode(from, IN_MOVED_FROM | isdir, old, cookie);
	notify_inode(to, IN_MOVED_TO | isdir, new, cookie);
	if (replaced)
		notify_inode(replaced, IN_ATTRIB | (inode_is_dir(replaced) ? IN_ISDIR : 0), NULL,
			     0);
	notify_inode(inode, IN_MOVE_SELF, NULL, 0);
}

/* The names were changed already: d_from has the new one. */
static void rename_notify(struct rename_op *op, struct inode *inode, struct inode *target,
			  const struct name *old_name)
{
	bool exchange = op->flags & RENAME_EXCHANGE;
	char old[NAME_LEN_MAX + 1];

	for (u32 i = 0; i < old_name->len; i++)
		old[i] = old_name->s[i];
	old[old_name->len] = 0;
	notify_moved(op->dir_from, old, op->dir_to, op->d_from->name, inode,
		     exchange ? NULL : target);
	if (exchange)
		notify_moved(op->dir_to, op->d_from->name, op->dir_from, old, target, NULL);
}

static int rename_act(struct rename_op *op)
{
	struct inode *target = op->d_to->inode;
	struct rename_req req = {
		.old_dir = op->dir_from,
		.new_dir = op->dir_to,
		.old_name = op->from.last,
		.new_name = op->to.last,
		.inode = op->d_from->inode,
		.target = target,
		.flags = op->flags,
	};
	int err;

	/* Two names of one file: nothing to do, says POSIX. */
	if (target == req.inode)
		return 0;
	if (target)
		inode_lock_child(target);
	err = op->dir_from->ops->rename(&req);
	if (!err && target && inode_is_dir(target) && !(op->flags & RENAME_EXCHANGE))
		fetch_or(&target->flags, INODE_DEAD);
	if (target)
		inode_unlock(target);
	if (err)
		return err;
	dentry_move(op->d_from, op->d_to, op->flags & RENAME_EXCHANGE);
	/* The old name is a whiteout device now: let the driver tell. */
	if (op->flags & RENAME_WHITEOUT)
		dentry_drop(op->d_to);
	if (notify_active())
		rename_notify(op, req.inode, target, &op->from.last);
	return 0;
}

static int rename_locked(struct rename_op *op)
{
	int err = walk_lookup_last(&op->from, &op->d_from);

	if (err)
		return err;
	err = walk_lookup_last(&op->to, &op->d_to);
	if (!err) {
		err = rename_check(op);
		if (!err)
			err = rename_act(op);
		dentry_put(op->d_to);
	}
	dentry_put(op->d_from);
	return err;
}

static int rename_walked(struct rename_op *op)
{
	int err;

	if (op->from.path.mnt != op->to.path.mnt)
		return -EXDEV;
	if (op->from.last_type != WALK_LAST_NORMAL)
		return -EBUSY;
	if (op->to.last_type != WALK_LAST_NORMAL)
		return op->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = mount_want_write(op->from.path.mnt);
	if (err)
		return err;
	op->dir_from = path_inode(&op->from.path);
	op->dir_to = path_inode(&op->to.path);
	rename_lock_dirs(op);
	err = rename_locked(op);
	rename_unlock_dirs(op);
	return err;
}

int vfs_renameat(s32 olddirfd, const char *oldpath, s32 newdirfd, const char *newpath, u32 flags)
{
	struct rename_op op = { .flags = flags };
	int err;

	if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_WHITEOUT && !capable(CAP_MKNOD))
		return -EPERM;
	err = walk_init(&op.from, olddirfd, NULL, oldpath, LOOKUP_PARENT);
	if (err)
		return err;
	err = walk_run(&op.from);
	if (err)
		goto fini_from;
	err = walk_init(&op.to, newdirfd, NULL, newpath, LOOKUP_PARENT);
	if (err)
		goto fini_from;
	err = walk_run(&op.to);
	if (!err)
		err = rename_walked(&op);
	walk_fini(&op.to);
fini_from:
	walk_fini(&op.from);
	return err;
}
