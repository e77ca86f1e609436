// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs_impl - what the overlayfs files share
 *
 * Role      overlayfs.c: super block, inodes, attributes, open; overlayfs_dir.c: names; overlayfs_readdir.c:
 *           merged directories; overlayfs_copy.c: copy-up. The theory is in overlayfs.c.
 */
#pragma once

#include "fs/overlayfs.h"
#include "guestkernel/kapi/xarray.h"

struct ovl_super {
	struct super *lower[OVL_LOWERS_MAX];
	u32 nr_lower;
	struct super *upper;
	struct inode *whiteout; /* every whiteout entry is a link to this one */
	struct waitq copy_wq;	/* sleepers on ovl_inode.is_copying */
	struct spinlock lock;	/* RANK_OBJECT */
	struct xarray copied;	/* [lock] upper inode number -> ovl_inode with a lower origin */
	struct list pinned;	/* [lock] ovl_inodes that must not be forgotten */
};

/*
 * INVARIANTS
 * - upper or lower[0] is there, always; ovl_real() is one of them. upper goes from NULL to its object once (publish()),
 *   complete, and stays until the inode is freed: who has read it needs no lock and no reference of his own.
 * - is_copying has one owner, from copy_begin() to copy_end(); he alone may publish. Copies of different objects do not
 *   wait for each other. A copy that fails or is killed leaves nothing: its upper object had no name yet.
 * - An inode whose only trace is its upper object (copied, or new and named) is pinned: pin_link holds a reference, until
 *   its last name goes or the overlay does.
 * - os->copied leads from an upper inode's number to the inode with lower parts that it belongs to, while both live.
 */
struct ovl_inode {
	struct inode vfs;
	struct inode *upper;   /* set once, atomically; referenced. NULL: not changed */
	struct list pin_link;  /* [ovl_super.lock] */
	bool is_copying;       /* [ovl_super.lock] */
	u32 nr_lower;	       /* [I] */
	struct inode *lower[]; /* [I] referenced; directories may have several, topmost first */
};

static inline struct ovl_inode *ovl_i(struct inode *inode)
{
	return container_of(inode, struct ovl_inode, vfs);
}

static inline struct ovl_super *ovl_sb(struct super *sb)
{
	return sb->priv;
}

static inline struct inode *ovl_upper(struct ovl_inode *oi)
{
	return load_acquire(&oi->upper);
}

/* The inode whose data and attributes are true now. */
static inline struct inode *ovl_real(struct ovl_inode *oi)
{
	struct inode *u = ovl_upper(oi);

	return u ? u : oi->lower[0];
}

static inline bool ovl_is_whiteout(const struct inode *inode)
{
	return S_ISCHR(inode->mode) && inode->rdev == 0;
}

/* Inode numbers: lower ones as they are in the first layer; the others move out of their way. */
u64 ovl_lower_ino(const struct ovl_super *os, const struct super *layer, u64 ino);
u64 ovl_upper_ino(struct ovl_super *os, const struct inode *upper);
/* The overlay inode of an upper object, or of lower ones (nr references are consumed, also on failure). */
int must_check ovl_get_by_upper(struct super *sb, struct inode *upper, struct inode **out);
int must_check ovl_get_by_lower(struct super *sb, struct inode *const *lower, u32 nr,
				struct inode **out);
/* Keeps the inode in memory (its changes are nowhere else) until ovl_unpin() or unmount. */
void ovl_pin(struct ovl_inode *oi);
void ovl_unpin(struct ovl_inode *oi);
/* Takes mode, owner, times and size over from the real inode. */
void ovl_sync_attr(struct ovl_inode *oi);

/* Makes the upper object. size_limit: copy at most that much data (truncation follows). May take long: lets others run,
 * and ends with -EINTR when the task is killed. */
int must_check ovl_copy_up(struct ovl_inode *oi, u64 size_limit);

/* The topmost visible lower object called n below dir (and, for directories, those it merges with), with
 * references. *nr 0: none. */
int must_check ovl_lookup_lower(struct inode *dir, const struct name *n,
				struct inode *found[OVL_LOWERS_MAX], u32 *nr);
/* 0, -ENOTEMPTY. dir locked. */
int must_check ovl_check_empty(struct inode *dir);

extern const struct inode_ops ovl_dir_inode_ops;
extern const struct file_ops ovl_dir_fops;
int ovl_getattr(struct inode *inode, struct kstat *st);
int ovl_setattr(struct inode *inode, const struct attr *a);
s64 ovl_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, u32 flags);
s64 ovl_listxattr(struct inode *inode, char *list, size_t size);
int ovl_set_acl(struct inode *inode, enum acl_kind kind, struct acl *a);
void ovl_evict(struct inode *inode);
