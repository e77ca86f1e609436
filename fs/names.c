// SPDX-License-Identifier: Apache-2.0
/*
 * names - the calls that make and remove names: mkdir, mknod, symlink, link, unlink, rmdir
 *
 * Role      sys/sys_path.c calls them; rename is in rename.c.
 * Rules     Each walks to the directory of the last component, locks it, looks the name up, checks, lets the
 *           driver act, and then corrects the name cache. After the driver acted nothing fails.
 * Locking   Directory exclusively, then the victim or link target exclusively.
 * See       unlink(2), link(2), mknod(2)
 */
#include "fs/notify.h"
#include "fs/walk.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"

/* A walk that ended at a directory, its lock, and the dentry of the last component. */
struct name_op {
	struct walk w;
	struct inode *dir;
	struct dentry *d;
};

static void name_op_end(struct name_op *op)
{
	if (op->d)
		dentry_put(op->d);
	inode_unlock(op->dir);
	walk_fini(&op->w);
}

static int name_op_begin(struct name_op *op, s32 dirfd, const char *path)
{
	int err = walk_init(&op->w, dirfd, NULL, path, LOOKUP_PARENT);

	if (err)
		return err;
	err = walk_run(&op->w);
	if (err)
		walk_fini(&op->w);
	return err;
}

/* Locks the directory and finds the name. */
static int name_op_lookup(struct name_op *op)
{
	int err;

	op->d = NULL;
	op->dir = path_inode(&op->w.path);
	inode_lock(op->dir);
	err = walk_lookup_last(&op->w, &op->d);
	if (err)
		name_op_end(op);
	return err;
}

/* The name must be free; want_dir: a trailing slash is all right. */
static int name_op_create(struct name_op *op, s32 dirfd, const char *path, bool want_dir)
{
	int err = name_op_begin(op, dirfd, path);

	if (err)
		return err;
	if (op->w.last_type != WALK_LAST_NORMAL) {
		walk_fini(&op->w);
		return -EEXIST;
	}
	err = name_op_lookup(op);
	if (err)
		return err;
	if (op->d->inode)
		err = -EEXIST;
	else if (op->w.trailing && !want_dir)
		err = -ENOENT;
	if (!err)
		err = mount_want_write(op->w.path.mnt);
	if (!err)
		err = inode_may_create(op->dir);
	if (err)
		name_op_end(op);
	return err;
}

static int name_op_make(struct name_op *op, struct new_inode *ni)
{
	struct inode *inode = NULL;
	int err = -EPERM;

	if (op->dir->ops->create)
		err = op->dir->ops->create(op->dir, &op->w.last, ni, &inode);
	inode_made(err ? NULL : inode, ni);
	if (err)
		return err;
	dentry_instantiate(op->d, inode);
	if (notify_active())
		notify_inode(op->dir, IN_CREATE | (S_ISDIR(ni->mode) ? IN_ISDIR : 0), op->d->name,
			     0);
	return 0;
}

static int make_node(s32 dirfd, const char *path, u32 mode, u32 rdev, struct path *out)
{
	struct new_inode ni = { .rdev = rdev };
	struct name_op op;
	int err = name_op_create(&op, dirfd, path, S_ISDIR(mode));

	if (err)
		return err;
	err = inode_new_owner(op.dir, mode, fs_ctx_umask(op.w.fs), &ni);
	if (!err)
		err = name_op_make(&op, &ni);
	if (!err && out) {
		out->mnt = mount_get(op.w.path.mnt);
		out->dentry = dentry_get(op.d);
	}
	name_op_end(&op);
	return err;
}

int vfs_mkdirat(s32 dirfd, const char *path, u32 mode)
{
	return make_node(dirfd, path, S_IFDIR | (mode & 01777), 0, NULL);
}

int vfs_mknodat(s32 dirfd, const char *path, u32 mode, u32 rdev)
{
	u32 type = mode & S_IFMT;

	switch (type) {
	case 0:
		type = S_IFREG;
		fallthrough;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		rdev = 0;
		break;
	case S_IFCHR:
		/* Device 0:0 is the whiteout of overlay file systems, which anybody may make. */
		if (rdev == 0)
			break;
		fallthrough;
	case S_IFBLK:
		if (!capable(CAP_MKNOD))
			return -EPERM;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make_node(dirfd, path, type | (mode & S_IALLUGO), rdev, NULL);
}

int vfs_mksocket(const char *path, u32 mode, struct path *out)
{
	int err = make_node(AT_FDCWD, path, S_IFSOCK | (mode & S_IALLUGO), 0, out);

	return err == -EEXIST ? -EADDRINUSE : err;
}

int vfs_symlinkat(const char *target, s32 dirfd, const char *path)
{
	struct new_inode ni = { .link = target };
	struct name_op op;
	int err;

	if (!*target)
		return -ENOENT;
	err = name_op_create(&op, dirfd, path, false);
	if (err)
		return err;
	err = inode_new_owner(op.dir, S_IFLNK | 0777, 0, &ni);
	if (!err)
		err = name_op_make(&op, &ni);
	name_op_end(&op);
	return err;
}

static int link_check(const struct path *from, struct inode *inode, const struct name_op *op)
{
	if (from->mnt != op->w.path.mnt)
		return -EXDEV;
	if (inode->flags & (INODE_APPEND | INODE_IMMUTABLE) || inode_is_dir(inode))
		return -EPERM;
	if (!op->dir->ops->link)
		return -EPERM;
	return protect_link(inode);
}

static int link_path(const struct path *from, s32 newdirfd, const char *newpath)
{
	struct inode *inode = path_inode(from);
	struct name_op op;
	int err = name_op_create(&op, newdirfd, newpath, false);

	if (err)
		return err;
	err = link_check(from, inode, &op);
	if (err)
		goto end;
	inode_lock(inode);
	if (!inode->nlink && !(inode->flags & INODE_LINKABLE))
		err = -ENOENT;
	else
		err = op.dir->ops->link(op.dir, &op.w.last, inode);
	if (!err)
		fetch_and(&inode->flags, ~(u32)INODE_LINKABLE);
	inode_unlock(inode);
	if (err)
		goto end;
	dentry_instantiate(op.d, inode_get(inode));
	if (notify_active()) {
		notify_inode(inode, IN_ATTRIB, NULL, 0);
		notify_inode(op.dir, IN_CREATE, op.d->name, 0);
	}
end:
	name_op_end(&op);
	return err;
}

/* Who handed a descriptor on may not have meant a name. */
static bool opened_with_these_rights(s32 fd)
{
	struct file *f;
	bool ok;

	if (fd_lookup_path(fd, &f))
		return false;
	ok = f->cred == current_cred();
	file_put(f);
	return ok;
}

int vfs_linkat(s32 olddirfd, const char *oldpath, s32 newdirfd, const char *newpath, u32 flags)
{
	u32 lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct path from;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!*oldpath && !capable(CAP_DAC_READ_SEARCH) &&
		    !opened_with_these_rights(olddirfd))
			return -ENOENT;
		lookup |= LOOKUP_EMPTY;
	}
	err = path_lookup(olddirfd, oldpath, lookup, &from);
	if (err)
		return err;
	err = link_path(&from, newdirfd, newpath);
	path_put(&from);
	return err;
}

static int unlink_last_type(enum walk_last type, bool want_dir)
{
	if (type == WALK_LAST_NORMAL)
		return 0;
	if (!want_dir)
		return -EISDIR;
	if (type == WALK_LAST_DOTDOT)
		return -ENOTEMPTY;
	return type == WALK_LAST_DOT ? -EINVAL : -EBUSY;
}

static int unlink_check(const struct name_op *op, bool want_dir)
{
	struct inode *victim = op->d->inode;
	int err;

	if (!victim)
		return -ENOENT;
	if (!want_dir && op->w.trailing)
		return inode_is_dir(victim) ? -EISDIR : -ENOTDIR;
	err = inode_may_delete(op->dir, victim, want_dir);
	if (err)
		return err;
	if (!(want_dir ? op->dir->ops->rmdir : op->dir->ops->unlink))
		return -EPERM;
	return op->d->flags & DENTRY_MOUNTED ? -EBUSY : 0;
}

/* IN_DELETE_SELF comes when the object goes, which may be in use still; a directory nobody uses ends before its parent
 * hears of it, as on Linux. */
static void unlink_notify(struct name_op *op, struct inode *victim, bool is_dir)
{
	char name[NAME_LEN_MAX + 1];

	memcpy(name, op->w.last.s, op->w.last.len);
	name[op->w.last.len] = 0;
	if (is_dir) {
		dentry_put(op->d);
		op->d = NULL;
	} else {
		notify_inode(victim, IN_ATTRIB, NULL, 0);
	}
	notify_inode(op->dir, IN_DELETE | (is_dir ? IN_ISDIR : 0), name, 0);
}

static int unlink_locked(struct name_op *op, bool want_dir)
{
	struct inode *victim = op->d->inode;
	int err;

	inode_lock_child(victim);
	if (want_dir)
		err = op->dir->ops->rmdir(op->dir, &op->w.last, victim);
	else
		err = op->dir->ops->unlink(op->dir, &op->w.last, victim);
	if (!err && want_dir)
		fetch_or(&victim->flags, INODE_DEAD);
	inode_unlock(victim);
	if (err)
		return err;
	dentry_delete(op->d);
	if (notify_active())
		unlink_notify(op, victim, want_dir);
	return 0;
}

int vfs_unlinkat(s32 dirfd, const char *path, u32 flags)
{
	bool want_dir = flags & AT_REMOVEDIR;
	struct name_op op;
	int err;

	if (flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	err = name_op_begin(&op, dirfd, path);
	if (err)
		return err;
	err = unlink_last_type(op.w.last_type, want_dir);
	if (!err)
		err = mount_want_write(op.w.path.mnt);
	if (err) {
		walk_fini(&op.w);
		return err;
	}
	err = name_op_lookup(&op);
	if (err)
		return err;
	err = unlink_check(&op, want_dir);
	if (!err)
		err = unlink_locked(&op, want_dir);
	name_op_end(&op);
	return err;
}
