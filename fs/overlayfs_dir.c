// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs_dir - names of the overlay: lookup, make, remove, rename
 *
 * Rules     An upper entry decides; without one the lower layers are asked, topmost first, until a file, a
 *           whiteout or an opaque directory ends the search. A name that exists below is removed by an upper
 *           whiteout. Every change that may fail for memory comes before those that cannot.
 * Locking   As inode_ops says; upper directories are covered by their overlay directory's lock.
 */
#include "fs/overlayfs_impl.h"

#include "fs/tmpfs.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/fcntl.h"

#define OPAQUE_XATTR "trusted.overlay.opaque"

static bool lower_is_opaque(struct inode *dir)
{
	char v[2];

	return dir->ops->getxattr && dir->ops->getxattr(dir, OPAQUE_XATTR, v, sizeof v) == 1 &&
	       v[0] == 'y';
}

int ovl_lookup_lower(struct inode *dir, const struct name *n, struct inode *found[OVL_LOWERS_MAX],
		     u32 *nr)
{
	struct ovl_inode *od = ovl_i(dir);
	struct inode *inode;
	int err = 0;

	*nr = 0;
	for (u32 i = 0; i < od->nr_lower; i++) {
		err = od->lower[i]->ops->lookup(od->lower[i], n, &inode);
		if (err == -ENOENT) {
			err = 0;
			continue;
		}
		if (err)
			break;
		if (ovl_is_whiteout(inode) || (*nr && !inode_is_dir(inode))) {
			inode_put(inode);
			break;
		}
		found[(*nr)++] = inode;
		if (!inode_is_dir(inode) || lower_is_opaque(inode))
			break;
	}
	if (err)
		while (*nr)
			inode_put(found[--*nr]);
	return err;
}

/* 1: the name exists in a lower layer, 0: not. */
static int lower_has_name(struct inode *dir, const struct name *n)
{
	struct inode *found[OVL_LOWERS_MAX];
	u32 nr;
	int err = ovl_lookup_lower(dir, n, found, &nr);

	if (err)
		return err;
	for (u32 i = 0; i < nr; i++)
		inode_put(found[i]);
	return nr != 0;
}

static int ovl_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct inode *upper_dir = ovl_upper(ovl_i(dir)), *u;
	struct inode *found[OVL_LOWERS_MAX];
	u32 nr;
	int err;

	u = upper_dir ? tmpfs_layer_get(upper_dir, n) : NULL;
	if (u) {
		if (ovl_is_whiteout(u))
			return -ENOENT;
		return ovl_get_by_upper(dir->sb, inode_get(u), out);
	}
	err = ovl_lookup_lower(dir, n, found, &nr);
	if (err)
		return err;
	return nr ? ovl_get_by_lower(dir->sb, found, nr, out) : -ENOENT;
}

/* The directory's times moved with its entries. */
static void dir_changed(struct inode *dir)
{
	ovl_sync_attr(ovl_i(dir));
}

static int ovl_create_name(struct inode *dir, const struct name *n, const struct new_inode *ni,
			   struct inode **out)
{
	struct ovl_super *os = ovl_sb(dir->sb);
	struct inode *upper;
	int err;

	/* An application's whiteout device would vanish under its own name. */
	if (S_ISCHR(ni->mode) && !ni->rdev)
		return -EPERM;
	err = ovl_copy_up(ovl_i(dir), U64_MAX);
	if (err)
		return err;
	err = tmpfs_layer_new(os->upper, ni, &upper);
	if (err)
		return err;
	err = ovl_get_by_upper(dir->sb, inode_get(upper), out);
	if (!err) {
		err = tmpfs_layer_put(ovl_upper(ovl_i(dir)), n, upper);
		if (err)
			inode_put(*out);
	}
	if (!err) {
		(*out)->nlink = upper->nlink;
		dir_changed(dir);
	}
	inode_put(upper);
	return err;
}

static int ovl_tmpfile(struct inode *dir, const struct new_inode *ni, struct inode **out)
{
	struct inode *upper;
	int err = tmpfs_layer_new(ovl_sb(dir->sb)->upper, ni, &upper);

	return err ? err : ovl_get_by_upper(dir->sb, upper, out);
}

/* A name of the object appeared or went. Pure upper objects count with their tmpfs inode. */
static void count_link(struct inode *inode, s32 by)
{
	struct ovl_inode *oi = ovl_i(inode);

	if (!oi->nr_lower)
		inode->nlink = oi->upper->nlink;
	else if (by > 0 || inode->nlink)
		inode->nlink += (u32)by;
	if (oi->nr_lower && !inode->nlink)
		ovl_unpin(oi);
	else if (oi->nr_lower)
		ovl_pin(oi);
	inode->ctime = inode_now();
	if (oi->upper)
		oi->upper->ctime = inode->ctime;
}

static int ovl_link(struct inode *dir, const struct name *n, struct inode *target)
{
	struct ovl_inode *od = ovl_i(dir), *ot = ovl_i(target);
	int err = ovl_copy_up(od, U64_MAX);

	if (!err)
		err = ovl_copy_up(ot, U64_MAX);
	if (!err)
		err = tmpfs_layer_put(ovl_upper(od), n, ovl_upper(ot));
	if (err)
		return err;
	count_link(target, 1);
	dir_changed(dir);
	return 0;
}

/* Takes the name away: a whiteout when it would show through from below. */
static int remove_name(struct inode *dir, const struct name *n)
{
	struct ovl_inode *od = ovl_i(dir);
	int err = lower_has_name(dir, n), below = err;

	if (err < 0)
		return err;
	err = ovl_copy_up(od, U64_MAX);
	if (err)
		return err;
	if (below)
		return tmpfs_layer_put(ovl_upper(od), n, ovl_sb(dir->sb)->whiteout);
	tmpfs_layer_remove(ovl_upper(od), n);
	return 0;
}

static int ovl_unlink(struct inode *dir, const struct name *n, struct inode *victim)
{
	int err = remove_name(dir, n);

	if (err)
		return err;
	count_link(victim, -1);
	dir_changed(dir);
	return 0;
}

static int ovl_rmdir(struct inode *dir, const struct name *n, struct inode *victim)
{
	int err = ovl_check_empty(victim);

	if (!err)
		err = remove_name(dir, n);
	if (err)
		return err;
	victim->nlink = 0;
	ovl_unpin(ovl_i(victim));
	dir_changed(dir);
	return 0;
}

/* Both names now lead to the other's object. */
static int exchange_names(const struct rename_req *r)
{
	struct inode *old_up = ovl_upper(ovl_i(r->old_dir)), *new_up = ovl_upper(ovl_i(r->new_dir));
	struct inode *a = ovl_upper(ovl_i(r->inode)), *b = ovl_upper(ovl_i(r->target));
	int err = tmpfs_layer_put(new_up, &r->new_name, a);

	if (err)
		return err;
	err = tmpfs_layer_put(old_up, &r->old_name, b);
	/* The undo replaces an entry that exists: it cannot fail. */
	if (err)
		(void)!tmpfs_layer_put(new_up, &r->new_name, b);
	return err;
}

/* What the new name showed before comes back: an upper entry, or what is below. */
static void restore_new_name(const struct rename_req *r, struct inode *before)
{
	struct inode *new_up = ovl_upper(ovl_i(r->new_dir));

	if (before)
		(void)!tmpfs_layer_put(new_up, &r->new_name, before);
	else
		tmpfs_layer_remove(new_up, &r->new_name);
}

static int move_name(const struct rename_req *r)
{
	struct inode *new_up = ovl_upper(ovl_i(r->new_dir));
	struct inode *before = tmpfs_layer_get(new_up, &r->new_name);
	int err;

	if (before)
		inode_get(before);
	err = tmpfs_layer_put(new_up, &r->new_name, ovl_upper(ovl_i(r->inode)));
	if (!err) {
		err = r->flags & RENAME_WHITEOUT
			      ? tmpfs_layer_put(ovl_upper(ovl_i(r->old_dir)), &r->old_name,
						ovl_sb(r->old_dir->sb)->whiteout)
			      : remove_name(r->old_dir, &r->old_name);
		if (err)
			restore_new_name(r, before);
	}
	if (before)
		inode_put(before);
	return err;
}

static void target_gone(struct inode *target)
{
	if (inode_is_dir(target)) {
		target->nlink = 0;
		ovl_unpin(ovl_i(target));
	} else {
		count_link(target, -1);
	}
}

static int ovl_rename(const struct rename_req *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	int err = 0;

	if (r->target && !exchange && inode_is_dir(r->target))
		err = ovl_check_empty(r->target);
	if (!err)
		err = ovl_copy_up(ovl_i(r->old_dir), U64_MAX);
	if (!err)
		err = ovl_copy_up(ovl_i(r->new_dir), U64_MAX);
	if (!err)
		err = ovl_copy_up(ovl_i(r->inode), U64_MAX);
	if (!err && exchange)
		err = ovl_copy_up(ovl_i(r->target), U64_MAX);
	if (!err)
		err = exchange ? exchange_names(r) : move_name(r);
	if (err)
		return err;
	r->inode->ctime = inode_now();
	ovl_upper(ovl_i(r->inode))->ctime = r->inode->ctime;
	if (!ovl_i(r->inode)->nr_lower)
		r->inode->nlink = ovl_upper(ovl_i(r->inode))->nlink;
	if (r->target && !exchange)
		target_gone(r->target);
	dir_changed(r->old_dir);
	dir_changed(r->new_dir);
	return 0;
}

const struct inode_ops ovl_dir_inode_ops = {
	.lookup = ovl_lookup,
	.create = ovl_create_name,
	.tmpfile = ovl_tmpfile,
	.link = ovl_link,
	.unlink = ovl_unlink,
	.rmdir = ovl_rmdir,
	.rename = ovl_rename,
	.getattr = ovl_getattr,
	.setattr = ovl_setattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
	.listxattr = ovl_listxattr,
	.set_acl = ovl_set_acl,
	.evict = ovl_evict,
};
