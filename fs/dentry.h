// SPDX-License-Identifier: Apache-2.0
/*
 * dentry - the name cache
 *
 * Role      A dentry joins a name in a directory with an inode, or with the knowledge that there is none
 *           (negative). namei.c walks them; mount.c hangs mounts on them; open files keep them.
 * Rules     A hashed dentry is held by one reference of the cache. A dentry holds a reference on its
 *           parent and its inode. Only unhashed dentries reach 0 references. An unlinked name is unhashed and
 *           marked DENTRY_DELETED; the dentry keeps its inode for open files. Names are hashed below roots and
 *           hashed directories only: a mount on any other name is not found by the next walk.
 * Locking   dcache_lock (RANK_DCACHE), one for all: hash, parent, name, children, inode and the mount
 *           hash. A path walk over cached names runs entirely under it, without touching references.
 */
#pragma once

#include "fs/inode.h"

enum dentry_flags {
	DENTRY_HASHED = 1u << 0,
	DENTRY_DELETED = 1u << 1,
	DENTRY_MOUNTED = 1u << 2, /* something is mounted here in some namespace */
	DENTRY_USED = 1u << 3,	  /* second chance for the shrinker */
	DENTRY_ROOT = 1u << 4,	  /* root of a super block, or of an anonymous object */
};

#define DENTRY_INLINE_NAME 40

struct dentry {
	struct refs refs;
	u32 flags;		  /* [dcache_lock] */
	struct dentry *parent;	  /* [dcache_lock] itself for a root */
	struct inode *inode;	  /* [dcache_lock] NULL: negative; set once */
	struct dentry *hash_next; /* [dcache_lock] */
	u32 hash;		  /* [dcache_lock] of the name */
	u32 name_len;		  /* [dcache_lock] */
	const char *name;	  /* [dcache_lock] terminated; inline_name or kmalloc */
	struct super *sb;	  /* [I] NULL for anonymous objects */
	struct list child_link;	  /* [dcache_lock] in parent->children */
	struct list children;	  /* [dcache_lock] */
	struct list lru;	  /* [dcache_lock] all hashed dentries, in order of creation */
	char inline_name[DENTRY_INLINE_NAME];
};

extern struct spinlock dcache_lock;

/* A root (no parent, never hashed). Takes over the reference on inode. */
int must_check dentry_create_root(struct inode *inode, const char *name, struct super *sb,
				  struct dentry **out);
/* Unhashed child; takes a reference on parent, takes over the one on inode (NULL: negative). */
int must_check dentry_create(struct dentry *parent, const struct name *n, struct inode *inode,
			     struct dentry **out);
static inline struct dentry *dentry_get(struct dentry *d)
{
	refs_get(&d->refs);
	return d;
}
void dentry_put(struct dentry *d);

/* Borrowed under dcache_lock; NULL when not cached. */
struct dentry *dentry_find_locked(struct dentry *parent, const struct name *n)
	REQUIRES(&dcache_lock);
/* Makes the name known. If another thread was faster its dentry wins: *d is replaced (references moved). */
void dentry_publish(struct dentry **d);
/* A negative dentry gets an inode (create); takes over the reference. The directory is locked. */
void dentry_instantiate(struct dentry *d, struct inode *inode);
/* The name was removed. The directory is locked exclusively. */
void dentry_delete(struct dentry *d);
/* Forget a name that went stale without being removed (driver-made directories). */
void dentry_drop(struct dentry *d);
/* Forget every cached unused name below d (umount, removal). */
void dentry_prune_below(struct dentry *d);
/* After a rename: d takes the place (parent, name) of target, which is deleted; exchange: they swap.
 * Both directories are locked. */
void dentry_move(struct dentry *d, struct dentry *target, bool exchange);
/* Changes with every rename of a directory and every change of the mount tree. */
extern u64 dcache_move_seq;
/* The child n of dir with a reference, from the cache or from the driver; may be negative. The directory's
 * inode is locked (shared suffices). */
int must_check dentry_lookup(struct dentry *dir, const struct name *n, struct dentry **out);
/* True when d is below (or is) ancestor. */
bool dentry_is_below(struct dentry *d, struct dentry *ancestor);
struct dentry *dentry_parent(struct dentry *d); /* with a reference */
/* Drops unused names until at most keep are left; returns how many remain. */
u64 dcache_shrink(u64 keep);
