// SPDX-License-Identifier: Apache-2.0
/*
 * open - open(2) and openat2(2): from flags and a path to a struct file
 *
 * Role      sys_open* calls vfs_open(). exec opens for itself (fs/exec.c).
 * Rules     Order of checks as in Linux: path, existence (O_EXCL), type, permission, mount flags, then the
 *           driver's open, then truncation. Something just created is not checked against its own mode.
 * Locking   The directory is locked only when O_CREAT did not find the name.
 * Missing   O_PATH with AT_EMPTY_PATH re-open of sockets; O_DSYNC and O_SYNC mean nothing in memory
 * See       open(2), openat2(2); tests/unit/namei_test.c
 */
#include "fs/filp.h"
#include "fs/notify.h"
#include "fs/walk.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/mount.h"

#define OPEN_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define O_TMPFILE_BIT	(O_TMPFILE & ~O_DIRECTORY)

static u32 open_access(u32 flags)
{
	static const u8 may[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				   MAY_READ | MAY_WRITE };
	u32 mask = may[flags & O_ACCMODE];

	if (flags & O_TRUNC)
		mask |= MAY_WRITE;
	return mask;
}

static u32 resolve_to_lookup(u64 resolve)
{
	u32 l = 0;

	if (likely(!resolve))
		return 0;
	if (resolve & RESOLVE_NO_XDEV)
		l |= LOOKUP_NO_XDEV;
	if (resolve & RESOLVE_NO_MAGICLINKS)
		l |= LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_NO_SYMLINKS)
		l |= LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_BENEATH)
		l |= LOOKUP_BENEATH;
	if (resolve & RESOLVE_IN_ROOT)
		l |= LOOKUP_IN_ROOT;
	if (resolve & RESOLVE_CACHED)
		l |= LOOKUP_CACHED;
	return l;
}

static int open_check_access(const struct path *p, u32 flags, u32 mask)
{
	struct inode *inode = path_inode(p);
	int err;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (p->mnt->flags & MNT_NODEV)
			return -EACCES;
		break;
	}
	err = inode_permission(inode, mask);
	if (err)
		return err;
	if (mask & MAY_WRITE && S_ISREG(inode->mode)) {
		err = mount_want_write(p->mnt);
		if (err)
			return err;
	}
	if (inode->flags & INODE_APPEND && mask & MAY_WRITE &&
	    (!(flags & O_APPEND) || flags & O_TRUNC))
		return -EPERM;
	if (flags & O_NOATIME && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

static int open_finish(const struct path *p, u32 flags, bool created, struct file **out)
{
	struct inode *inode = path_inode(p);
	struct file *f;
	int err;

	if (!(flags & O_PATH) && !created) {
		err = open_check_access(p, flags, open_access(flags));
		if (err)
			return err;
	}
	/* O_TRUNC and O_NOCTTY stay until the driver has seen them: no need to copy up what will be cut off; a
	 * terminal becomes the controlling one only for those who did not say no. */
	err = file_alloc(p, flags & ~(u32)(O_CREAT | O_EXCL | O_CLOEXEC), &f);
	if (err)
		return err;
	if (flags & O_PATH) {
		f->flags &= ~(u32)O_NOCTTY;
		*out = f;
		return 0;
	}
	err = file_open(f);
	f->flags &= ~(u32)(O_TRUNC | O_NOCTTY);
	if (!err)
		notify_file(f, IN_OPEN);
	if (!err && flags & O_TRUNC && S_ISREG(inode->mode) && !created)
		err = vfs_truncate(p, 0, f);
	if (err) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

/* The name does not exist: w->path is the directory, locked exclusively; *d its negative dentry. */
static int open_make(struct walk *w, u32 mode, struct dentry *d)
{
	struct inode *dir = path_inode(&w->path), *inode;
	struct new_inode ni = { 0 };
	int err;

	err = mount_want_write(w->path.mnt);
	if (!err)
		err = inode_may_create(dir);
	if (err)
		return err;
	if (!dir->ops->create)
		return -EACCES;
	err = inode_new_owner(dir, S_IFREG | (mode & S_IALLUGO), fs_ctx_umask(w->fs), &ni);
	if (err)
		return err;
	err = dir->ops->create(dir, &w->last, &ni, &inode);
	inode_made(err ? NULL : inode, &ni);
	if (!err)
		dentry_instantiate(d, inode);
	return err;
}

/* Finds or makes the last component. *d: its dentry, positive. */
static int open_last(struct walk *w, u32 flags, u32 mode, struct dentry **d, bool *created)
{
	struct inode *dir = path_inode(&w->path);
	int err;

	inode_lock_shared(dir);
	err = walk_lookup_last(w, d);
	inode_unlock_shared(dir);
	if (err || (*d)->inode)
		return err;
	dentry_put(*d);
	inode_lock(dir);
	err = walk_lookup_last(w, d);
	if (!err && !(*d)->inode) {
		err = open_make(w, mode, *d);
		if (err)
			dentry_put(*d);
		*created = !err;
	}
	inode_unlock(dir);
	if (*created && notify_active())
		notify_inode(dir, IN_CREATE, (*d)->name, 0);
	return err;
}

/* One round of O_CREAT: w has reached a directory. 1: a link was entered, walk on. */
static int open_create_round(struct walk *w, u32 flags, u32 mode, struct path *p, bool *created)
{
	struct dentry *d;
	int err;

	if (w->last_type != WALK_LAST_NORMAL) {
		if (flags & O_EXCL)
			return -EEXIST;
		if (inode_is_dir(path_inode(&w->path)))
			return -EISDIR;
		/* A magic link (/proc/self/fd/1) has led to the object itself. */
		*p = w->path;
		path_get(p);
		return 0;
	}
	if (w->trailing)
		return -EISDIR;
	err = open_last(w, flags, mode, &d, created);
	if (err)
		return err;
	if (!*created && flags & O_EXCL) {
		dentry_put(d);
		return -EEXIST;
	}
	if (S_ISLNK(d->inode->mode) && w->flags & LOOKUP_FOLLOW) {
		err = walk_follow(w, d);
		dentry_put(d);
		return err ? err : 1;
	}
	p->mnt = mount_get(w->path.mnt);
	p->dentry = d;
	path_climb(p);
	if (w->flags & LOOKUP_NO_XDEV && p->mnt != w->path.mnt)
		err = -EXDEV;
	else if (!*created && inode_is_dir(path_inode(p)))
		err = -EISDIR;
	else if (!*created)
		err = protect_create(path_inode(&w->path), path_inode(p));
	if (err)
		path_put(p);
	return err;
}

static int open_create(struct walk *w, const struct open_how *how, struct file **out)
{
	u32 flags = (u32)how->flags;
	bool created = false;
	struct path p;
	int err;

	do {
		err = walk_run(w);
		if (!err)
			err = open_create_round(w, flags, (u32)how->mode, &p, &created);
	} while (err == 1);
	if (err)
		return err;
	err = open_finish(&p, flags, created, out);
	path_put(&p);
	return err;
}

static int open_tmpfile(const struct path *dirp, u32 flags, u32 mode, struct file **out)
{
	struct inode *dir = path_inode(dirp), *inode;
	struct new_inode ni = { 0 };
	struct path p = { .mnt = dirp->mnt };
	struct name n;
	char text[24];
	int err;

	err = mount_want_write(dirp->mnt);
	if (!err)
		err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (!dir->ops->tmpfile)
		return -EOPNOTSUPP;
	err = inode_new_owner(dir, S_IFREG | (mode & S_IALLUGO), fs_ctx_umask(current_fs()), &ni);
	if (err)
		return err;
	err = dir->ops->tmpfile(dir, &ni, &inode);
	inode_made(err ? NULL : inode, &ni);
	if (err)
		return err;
	if (!(flags & O_EXCL))
		fetch_or(&inode->flags, INODE_LINKABLE);
	n = name_make(text,
		      (u32)snprintf(text, sizeof text, "#%llu", (unsigned long long)inode->ino));
	err = dentry_create(dirp->dentry, &n, inode, &p.dentry);
	if (err) {
		inode_put(inode);
		return err;
	}
	p.dentry->flags |= DENTRY_DELETED;
	err = open_finish(&p, flags & ~(u32)O_TMPFILE_BIT & ~(u32)O_DIRECTORY, true, out);
	dentry_put(p.dentry);
	return err;
}

static int open_how_check(const struct open_how *how)
{
	u32 flags = (u32)how->flags;

	if (how->flags & ~(u64)(u32)VFS_OPEN_FLAGS || how->resolve & ~0x3full)
		return -EINVAL;
	if ((how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) ==
	    (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
		return -EINVAL;
	if (flags & O_TMPFILE_BIT) {
		if ((flags & O_TMPFILE) != O_TMPFILE || flags & O_CREAT ||
		    !(open_access(flags & O_ACCMODE) & MAY_WRITE))
			return -EINVAL;
	} else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
		return -EINVAL;
	}
	if (how->resolve & RESOLVE_CACHED && flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT))
		return -EAGAIN;
	return 0;
}

int vfs_open(s32 dirfd, const char *path, const struct open_how *in, struct file **out)
{
	struct open_how how = *in;
	u32 flags, lookup;
	struct walk w;
	struct path p;
	int err;

	if (how.flags & O_PATH)
		how.flags &= OPEN_PATH_FLAGS;
	err = open_how_check(&how);
	if (err)
		return err;
	flags = (u32)how.flags;
	lookup = resolve_to_lookup(how.resolve);
	if (!(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		lookup |= LOOKUP_FOLLOW;
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	if (flags & O_CREAT)
		lookup |= LOOKUP_PARENT;
	err = walk_init(&w, dirfd, NULL, path, lookup);
	if (err)
		return err;
	if (flags & O_CREAT) {
		err = open_create(&w, &how, out);
		walk_fini(&w);
		return err;
	}
	err = walk_run(&w);
	if (!err)
		walk_take(&w, &p);
	walk_fini(&w);
	if (err)
		return err;
	if (flags & O_TMPFILE_BIT)
		err = open_tmpfile(&p, flags, (u32)how.mode, out);
	else
		err = open_finish(&p, flags, false, out);
	path_put(&p);
	return err;
}
