// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs - the writable root: changes in memory over read-only images
 *
 * Role      Root of every container. Lower layers are EROFS super blocks, the upper one a tmpfs; neither is
 *           mounted anywhere.
 * Rules     Theory. An overlay inode stands for one object. It has lower inodes (a file one, a merged directory
 *           one per layer) or an upper inode or both. Copy-up gives it an upper inode: for a file a tmpfs
 *           file with the same contents, for a directory an empty tmpfs directory that records what differs from
 *           the lower ones: new names, and whiteouts (character device 0:0) for names that are gone. The upper
 *           inode needs no name of its own: it hangs on the overlay inode, which is pinned in memory from then on.
 *           So hard links survive copy-up, inode numbers never change, a directory can be renamed without copying
 *           what is below it, and parents are not copied up with their children.
 *           An entry of an upper directory names an upper inode; "copied" leads from there to the overlay
 *           inode if that has lower parts. Entries hide lower names.
 *           A file opened read-only before copy-up keeps reading the lower data, as on Linux.
 * Locking   An upper directory changes only under the exclusive lock of its overlay directory. is_copying
 *           makes copy-ups happen once. An upper file's lock is taken inside the overlay inode's.
 * Missing   layers on disk: everything above the images lives and dies with the sandbox; so mount(2) of an overlay with
 *           a program's own lowerdir and upperdir is ENODEV: an upper object here needs no name in an upper
 *           directory, there it must have one. nlink of directories that merge is 1
 * See       Linux Documentation/filesystems/overlayfs.rst; tests/model/overlay_model.c
 */
#include "fs/overlayfs_impl.h"
#include "fs/acl.h"

#include "fs/filp.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/xattr.h"

#define OVL_UPPER_PERCENT 75u
#define OVL_INO_UPPER	  (1ull << 40)
#define OVL_INO_LAYER(i)  ((u64)(i) << 41)

static const struct inode_ops ovl_inode_ops;

u64 ovl_lower_ino(const struct ovl_super *os, const struct super *layer, u64 ino)
{
	u32 i = 0;

	while (i + 1 < os->nr_lower && os->lower[i] != layer)
		i++;
	return ino + OVL_INO_LAYER(i);
}

static struct ovl_inode *copied_find(struct ovl_super *os, const struct inode *upper)
{
	struct ovl_inode *oi;

	spin_lock(&os->lock);
	oi = xa_load(&os->copied, upper->ino);
	if (oi)
		inode_get(&oi->vfs);
	spin_unlock(&os->lock);
	return oi;
}

u64 ovl_upper_ino(struct ovl_super *os, const struct inode *upper)
{
	struct ovl_inode *oi;
	u64 ino;

	spin_lock(&os->lock);
	oi = xa_load(&os->copied, upper->ino);
	ino = oi ? oi->vfs.ino : upper->ino + OVL_INO_UPPER;
	spin_unlock(&os->lock);
	return ino;
}

void ovl_sync_attr(struct ovl_inode *oi)
{
	struct inode *real = ovl_real(oi);

	oi->vfs.mode = real->mode;
	oi->vfs.uid = real->uid;
	oi->vfs.gid = real->gid;
	oi->vfs.size = real->size;
	oi->vfs.atime = real->atime;
	oi->vfs.mtime = real->mtime;
	oi->vfs.ctime = real->ctime;
}

static int load_acl(struct inode *inode, struct inode *lower, enum acl_kind kind, const char *name)
{
	s64 n = lower->ops->getxattr ? lower->ops->getxattr(lower, name, NULL, 0) : -ENODATA;
	struct acl *a;
	void *value;

	if (n <= 0 || n > XATTR_SIZE_MAX)
		return n == -ENOMEM ? (int)n : 0;
	value = kmalloc((size_t)n);
	if (!value)
		return -ENOMEM;
	n = lower->ops->getxattr(lower, name, value, (size_t)n);
	n = n < 0 ? n : acl_parse(value, (size_t)n, &a);
	kfree(value);
	/* One that makes no sense is none; the mode's group bits are then the group's. */
	if (!n)
		acl_attach(inode, kind, a);
	return n == -ENOMEM ? (int)n : 0;
}

/* Layers that are never written keep lists as attributes. */
static int load_acls(struct inode *inode, struct inode *lower)
{
	int err = load_acl(inode, lower, ACL_ACCESS, XATTR_NAME_POSIX_ACL_ACCESS);

	return err || !inode_is_dir(inode)
		       ? err
		       : load_acl(inode, lower, ACL_DEFAULT, XATTR_NAME_POSIX_ACL_DEFAULT);
}

/* Consumes the references. */
static int ovl_new(struct super *sb, u64 ino, struct inode *upper, struct inode *const *lower,
		   u32 nr, struct inode **out)
{
	struct ovl_inode *oi = kzalloc(sizeof *oi + nr * sizeof *lower);
	struct inode *real = upper ? upper : lower[0], *old;
	int err = 0;

	if (!oi) {
		if (upper)
			inode_put(upper);
		for (u32 i = 0; i < nr; i++)
			inode_put(lower[i]);
		return -ENOMEM;
	}
	list_init(&oi->pin_link);
	oi->upper = upper;
	oi->nr_lower = nr;
	for (u32 i = 0; i < nr; i++)
		oi->lower[i] = lower[i];
	inode_init(&oi->vfs, sb, ino, real->mode,
		   S_ISDIR(real->mode) ? &ovl_dir_inode_ops : &ovl_inode_ops);
	ovl_sync_attr(oi);
	oi->vfs.btime = real->btime;
	oi->vfs.flags |= real->flags & INODE_HAS_CAPS;
	oi->vfs.rdev = real->rdev;
	oi->vfs.link = real->link;
	oi->vfs.nlink = upper || real->nlink ? real->nlink : 1;
	oi->vfs.fops = S_ISDIR(real->mode) ? &ovl_dir_fops : NULL;
	if (upper)
		acl_share(&oi->vfs, upper);
	else if (real->flags & INODE_HAS_CAPS)
		err = load_acls(&oi->vfs, real);
	if (err) {
		inode_put(&oi->vfs);
		return err;
	}
	old = inode_hash_insert(&oi->vfs);
	if (old)
		inode_put(&oi->vfs);
	*out = old ? old : &oi->vfs;
	return 0;
}

int ovl_get_by_upper(struct super *sb, struct inode *upper, struct inode **out)
{
	struct ovl_super *os = ovl_sb(sb);
	struct ovl_inode *oi = copied_find(os, upper);
	struct inode *inode;

	inode = oi ? &oi->vfs : inode_hash_find(sb, upper->ino + OVL_INO_UPPER);
	if (inode) {
		inode_put(upper);
		*out = inode;
		return 0;
	}
	return ovl_new(sb, upper->ino + OVL_INO_UPPER, upper, NULL, 0, out);
}

int ovl_get_by_lower(struct super *sb, struct inode *const *lower, u32 nr, struct inode **out)
{
	u64 ino = ovl_lower_ino(ovl_sb(sb), lower[0]->sb, lower[0]->ino);
	struct inode *inode = inode_hash_find(sb, ino);

	if (!inode)
		return ovl_new(sb, ino, NULL, lower, nr, out);
	for (u32 i = 0; i < nr; i++)
		inode_put(lower[i]);
	*out = inode;
	return 0;
}

void ovl_pin(struct ovl_inode *oi)
{
	struct ovl_super *os = ovl_sb(oi->vfs.sb);
	bool pin;

	spin_lock(&os->lock);
	pin = list_empty(&oi->pin_link);
	if (pin) {
		list_add_tail(&os->pinned, &oi->pin_link);
		inode_get(&oi->vfs);
	}
	spin_unlock(&os->lock);
}

void ovl_unpin(struct ovl_inode *oi)
{
	struct ovl_super *os = ovl_sb(oi->vfs.sb);
	bool pinned;

	spin_lock(&os->lock);
	pinned = !list_empty(&oi->pin_link);
	list_del(&oi->pin_link);
	if (oi->upper && oi->nr_lower && xa_load(&os->copied, oi->upper->ino) == oi)
		(void)xa_erase(&os->copied, oi->upper->ino);
	spin_unlock(&os->lock);
	if (pinned)
		inode_put(&oi->vfs);
}

void ovl_evict(struct inode *inode)
{
	struct ovl_inode *oi = ovl_i(inode);

	if (oi->upper)
		inode_put(oi->upper);
	for (u32 i = 0; i < oi->nr_lower; i++)
		inode_put(oi->lower[i]);
	acl_put(oi->vfs.acl);
	acl_put(oi->vfs.default_acl);
	kfree(oi);
}

/* Attributes. */

int ovl_getattr(struct inode *inode, struct kstat *st)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct inode *real = ovl_real(oi);
	int err = 0;

	if (real->ops->getattr)
		err = real->ops->getattr(real, st);
	else
		inode_fill_stat(real, st);
	if (err)
		return err;
	st->dev = inode->sb->dev;
	st->ino = inode->ino;
	if (inode_is_dir(inode))
		st->nlink = oi->upper && oi->nr_lower ? 1 : st->nlink;
	else
		st->nlink = inode->nlink;
	if (inode->flags & INODE_IMMUTABLE)
		st->attributes |= STATX_ATTR_IMMUTABLE;
	if (inode->flags & INODE_APPEND)
		st->attributes |= STATX_ATTR_APPEND;
	return 0;
}

int ovl_setattr(struct inode *inode, const struct attr *a)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct inode *upper;
	int err = ovl_copy_up(oi, a->valid & ATTR_SIZE ? a->size : U64_MAX);

	if (err)
		return err;
	upper = ovl_upper(oi);
	if (inode_is_dir(inode)) {
		err = upper->ops->setattr(upper, a);
	} else {
		inode_lock(upper);
		err = upper->ops->setattr(upper, a);
		inode_unlock(upper);
	}
	ovl_sync_attr(oi);
	return err;
}

s64 ovl_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct inode *real = ovl_real(ovl_i(inode));

	return real->ops->getxattr ? real->ops->getxattr(real, name, value, size) : -EOPNOTSUPP;
}

int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, u32 flags)
{
	struct ovl_inode *oi = ovl_i(inode);
	int err = ovl_copy_up(oi, U64_MAX);

	if (err)
		return err;
	err = ovl_upper(oi)->ops->setxattr(ovl_upper(oi), name, value, size, flags);
	if (!err && ovl_upper(oi)->flags & INODE_HAS_CAPS)
		fetch_or(&inode->flags, INODE_HAS_CAPS);
	return err;
}

int ovl_set_acl(struct inode *inode, enum acl_kind kind, struct acl *a)
{
	struct ovl_inode *oi = ovl_i(inode);
	int err = ovl_copy_up(oi, U64_MAX);

	if (err) {
		acl_put(a);
		return err;
	}
	acl_attach(ovl_upper(oi), kind, acl_get(a));
	acl_attach(inode, kind, a);
	return 0;
}

s64 ovl_listxattr(struct inode *inode, char *list, size_t size)
{
	struct inode *real = ovl_real(ovl_i(inode));

	return real->ops->listxattr ? real->ops->listxattr(real, list, size) : 0;
}

/* Regular files work on the real inode directly: no cost per read. */
static int ovl_open(struct inode *inode, struct file *f)
{
	struct ovl_inode *oi = ovl_i(inode);
	struct inode *real;
	int err;

	if (!S_ISREG(inode->mode))
		return default_open(inode, f);
	if (file_can_write(f) || f->flags & O_TRUNC) {
		err = ovl_copy_up(oi, f->flags & O_TRUNC ? 0 : U64_MAX);
		if (err)
			return err;
	}
	real = ovl_real(oi);
	f->priv = real;
	f->ops = real->fops;
	return 0;
}

static const struct inode_ops ovl_inode_ops = {
	.getattr = ovl_getattr,
	.setattr = ovl_setattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
	.listxattr = ovl_listxattr,
	.set_acl = ovl_set_acl,
	.open = ovl_open,
	.evict = ovl_evict,
};

/* Super block. */

static int ovl_statfs(struct super *sb, struct statfs *st)
{
	struct super *upper = ovl_sb(sb)->upper;

	return upper->ops->statfs(upper, st);
}

static int ovl_remount(struct super *sb, u32 *flags, const char *data)
{
	return 0;
}

static void ovl_drop_pinned(struct ovl_super *os)
{
	struct ovl_inode *oi;

	do {
		spin_lock(&os->lock);
		oi = list_first(&os->pinned, struct ovl_inode, pin_link);
		spin_unlock(&os->lock);
		if (oi)
			ovl_unpin(oi);
	} while (oi);
}

static void ovl_umount(struct super *sb)
{
	struct ovl_super *os = ovl_sb(sb);

	ovl_drop_pinned(os);
	xa_fini(&os->copied);
	inode_put(os->whiteout);
	super_put(os->upper);
	for (u32 i = 0; i < os->nr_lower; i++)
		super_put(os->lower[i]);
	kfree(os);
}

static const struct super_ops ovl_super_ops = {
	.statfs = ovl_statfs,
	.remount = ovl_remount,
	.umount = ovl_umount,
};

/* The root merges the layers' roots from the start. */
static int ovl_make_root(struct super *sb)
{
	struct ovl_super *os = ovl_sb(sb);
	struct inode *lower[OVL_LOWERS_MAX];
	int err;

	for (u32 i = 0; i < os->nr_lower; i++)
		lower[i] = inode_get(os->lower[i]->root);
	err = ovl_new(sb, ovl_lower_ino(os, lower[0]->sb, lower[0]->ino), NULL, lower, os->nr_lower,
		      &sb->root);
	if (err)
		return err;
	return ovl_copy_up(ovl_i(sb->root), U64_MAX);
}

int ovl_create(struct super *const *lowers, u32 nr, struct super *upper, struct super **out)
{
	struct new_inode wh = { .mode = S_IFCHR };
	struct ovl_super *os;
	struct super *sb;
	int err;

	if (!nr || nr > OVL_LOWERS_MAX)
		return -EINVAL;
	os = knew(struct ovl_super);
	if (!os)
		return -ENOMEM;
	waitq_init(&os->copy_wq);
	spin_init(&os->lock, RANK_OBJECT);
	xa_init(&os->copied);
	list_init(&os->pinned);
	err = tmpfs_layer_new(upper, &wh, &os->whiteout);
	if (err)
		goto free;
	err = super_create(&ovl_fs_type, &ovl_super_ops, OVERLAYFS_SUPER_MAGIC, &sb);
	if (err) {
		inode_put(os->whiteout);
		goto free;
	}
	os->upper = super_get(upper);
	os->nr_lower = nr;
	for (u32 i = 0; i < nr; i++)
		os->lower[i] = super_get(lowers[i]);
	sb->priv = os;
	err = ovl_make_root(sb);
	if (err) {
		super_put(sb);
		return err;
	}
	super_put(upper);
	for (u32 i = 0; i < nr; i++)
		super_put(lowers[i]);
	*out = sb;
	return 0;
free:
	kfree(os);
	return err;
}

static int ovl_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	const struct ovl_layers *l = a->kdata;
	struct super *lower[OVL_LOWERS_MAX], *upper;
	u32 nr = 0;
	int err;

	if (!l || !l->nr_lower || l->nr_lower > OVL_LOWERS_MAX)
		return -EINVAL;
	err = tmpfs_create_layer(l->upper_percent ? l->upper_percent : OVL_UPPER_PERCENT, 0755,
				 &upper);
	if (err)
		return err;
	while (nr < l->nr_lower) {
		err = erofs_create_layer(&l->lower[nr], &lower[nr]);
		if (err)
			goto put;
		nr++;
	}
	err = ovl_create(lower, nr, upper, out);
	if (!err) {
		(*out)->flags = a->flags & MS_RDONLY;
		return 0;
	}
put:
	while (nr--)
		super_put(lower[nr]);
	super_put(upper);
	return err;
}

const struct fs_type ovl_fs_type = {
	.name = "overlay",
	.no_dev = true,
	.is_stacked = true,
	.mount = ovl_mount,
};
