// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs_copy - copy-up: a lower object gets an upper one
 *
 * Rules     The upper object is complete (data, attributes, extended attributes) before it is published; lower
 *           objects never change, so no lock on them is needed. Published, the overlay inode is pinned and
 *           known by the upper inode's number.
 * Locking   is_copying of the object, which sleeps and can be killed. Callers may hold any inode or directory lock of
 *           the overlay.
 */
#include "fs/overlayfs_impl.h"

#include "fs/acl.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/xattr.h"

static int copy_data(struct inode *lower, struct inode *upper, u64 size)
{
	u64 pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct page *to, *from;
	int err;

	for (u64 i = 0; i < pages; i++) {
		err = pagecache_get(upper, i, true, &to);
		if (err)
			return err;
		if (lower->ops->readpage) {
			err = lower->ops->readpage(lower, i, to);
		} else {
			err = pagecache_get(lower, i, false, &from);
			if (!err && from) {
				memcpy(page_kaddr(to), page_kaddr(from), PAGE_SIZE);
				page_put(from);
			}
		}
		page_put(to);
		if (err)
			return err;
		cond_resched();
		if (current_is_killed())
			return -EINTR;
	}
	WRITE_ONCE(upper->size, size);
	/* Zeroes what was copied beyond a size that cuts a page. */
	return pagecache_truncate(upper, size);
}

static int copy_one_xattr(struct inode *lower, struct inode *upper, const char *name, char *value)
{
	s64 n;

	if (acl_kind_of(name))
		return 0; /* the overlay inode has it: acl_share() */
	n = lower->ops->getxattr(lower, name, value, XATTR_SIZE_MAX);
	if (n < 0)
		return (int)n;
	return upper->ops->setxattr(upper, name, value, (size_t)n, 0);
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
	char *list, *value;
	s64 n;
	int err = 0;

	if (!lower->ops->listxattr || !lower->ops->getxattr)
		return 0;
	n = lower->ops->listxattr(lower, NULL, 0);
	if (n <= 0 || n > XATTR_LIST_MAX)
		return n < 0 ? (int)n : 0;
	list = kmalloc((size_t)n);
	value = kmalloc(XATTR_SIZE_MAX);
	if (!list || !value) {
		err = -ENOMEM;
		goto free;
	}
	n = lower->ops->listxattr(lower, list, (size_t)n);
	for (s64 i = 0; i < n && !err; i += (s64)strlen(list + i) + 1)
		err = copy_one_xattr(lower, upper, list + i, value);
	if (n < 0)
		err = (int)n;
free:
	kfree(list);
	kfree(value);
	return err;
}

static int make_upper(struct ovl_super *os, struct inode *lower, u64 size_limit, struct inode **out)
{
	struct new_inode ni = {
		.mode = lower->mode,
		.uid = lower->uid,
		.gid = lower->gid,
		.rdev = lower->rdev,
		.link = lower->link,
	};
	struct inode *upper;
	int err = tmpfs_layer_new(os->upper, &ni, &upper);

	if (err)
		return err;
	if (S_ISREG(lower->mode))
		err = copy_data(lower, upper, MIN(lower->size, size_limit));
	if (!err)
		err = copy_xattrs(lower, upper);
	if (err) {
		inode_put(upper);
		return err;
	}
	upper->atime = lower->atime;
	upper->mtime = lower->mtime;
	upper->ctime = lower->ctime;
	*out = upper;
	return 0;
}

static int publish(struct ovl_super *os, struct ovl_inode *oi, struct inode *upper)
{
	void *old;
	int err;

	spin_lock(&os->lock);
	err = xa_store(&os->copied, upper->ino, oi, &old);
	if (!err)
		store_release(&oi->upper, upper);
	spin_unlock(&os->lock);
	if (!err)
		ovl_pin(oi);
	return err;
}

/* 0: the caller copies, and ends with copy_end(); 1: it is done already. */
static int copy_begin(struct ovl_super *os, struct ovl_inode *oi)
{
	int err = 0;

	spin_lock(&os->lock);
	while (oi->is_copying && !err)
		err = wait_on_killable(&os->copy_wq, &os->lock) ? -EINTR : 0;
	if (!err && oi->upper)
		err = 1;
	if (!err)
		oi->is_copying = true;
	spin_unlock(&os->lock);
	return err;
}

static void copy_end(struct ovl_super *os, struct ovl_inode *oi)
{
	spin_lock(&os->lock);
	oi->is_copying = false;
	spin_unlock(&os->lock);
	wake_all(&os->copy_wq);
}

int ovl_copy_up(struct ovl_inode *oi, u64 size_limit)
{
	struct ovl_super *os = ovl_sb(oi->vfs.sb);
	struct inode *upper;
	int err;

	if (ovl_upper(oi))
		return 0;
	err = copy_begin(os, oi);
	if (err)
		return err < 0 ? err : 0;
	err = make_upper(os, oi->lower[0], size_limit, &upper);
	if (!err) {
		acl_share(upper, &oi->vfs);
		err = publish(os, oi, upper);
		if (err)
			inode_put(upper);
	}
	copy_end(os, oi);
	return err;
}
