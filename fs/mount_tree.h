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
/* Hangs m on at; the tree takes over the caller's reference on m. */
void mount_attach(struct mount_ns *ns, struct mount *m, const struct path *at);
struct dentry *mount_detach(struct mount *m);
/* Counts the change and wakes pollers. */
void mount_changed(struct mount_ns *ns);
/* Makes a super block of the type and mounts it; takes ns->lock itself. */
int must_check mount_new(const char *fs_name, const struct mount_args *a, const struct path *at);
