// SPDX-License-Identifier: Apache-2.0
/*
 * mount_tree - what mount.c, mount_ops.c and mount_show.c share
 *
 * Locking   All functions are called with ns->lock held unless stated otherwise.
 */
#pragma once

#include "fs/mount.h"

/* Flags a bind mount takes over from its source. */
#define MNT_COPIED                                                                         \
	(MNT_RDONLY | MNT_NOSUID | MNT_NODEV | MNT_NOEXEC | MNT_NOATIME | MNT_NODIRATIME | \
	 MNT_RELATIME | MNT_NOSYMFOLLOW)

/* Per-mount flags out of MS_* (no lock needed). */
u32 mount_flags_from_ms(u32 ms);
/* A detached copy that shows root of src's super block. */
int must_check mount_clone(const struct mount *src, struct dentry *root, struct mount **out);
/* Hangs m on at; the tree takes over the caller's reference on m. ns NULL: at is in a tree that is being built. */
void mount_attach(struct mount_ns *ns, struct mount *m, const struct path *at);
struct dentry *mount_detach(struct mount *m);
/* Counts the change and wakes pollers. */
void mount_changed(struct mount_ns *ns);
/* Makes a super block of the type and mounts it; takes ns->lock itself. */
int must_check mount_new(const char *fs_name, const struct mount_args *a, const struct path *at);

#define MOUNTS_MAX 100000u /* per namespace, as Linux's fs.mount-max */

void mount_ns_setup(struct mount_ns *ns);
/* All mounts of the tree below m, itself included, become ns's. */
void mount_tree_join(struct mount_ns *ns, struct mount *m);
/* Takes m and everything below it out of its tree onto list dead (linked through ns_link). */
void mount_umount_tree(struct mount *m, struct list *dead);
/* No lock held: drops what mount_umount_tree() took out. */
void mount_put_dead(struct list *dead);
/* No lock held: nobody uses the namespace any more. */
void mount_ns_empty(struct mount_ns *ns);

struct copy_tree {
	struct mount *top;   /* its ns->lock held */
	struct dentry *root; /* in top: only what lies below it */
	bool recursive;
	bool whole_ns; /* unbindable mounts too, and propagation types stay */
};
/* A detached copy, in no namespace yet. */
int must_check mount_copy_tree(const struct copy_tree *c, struct mount **out);
