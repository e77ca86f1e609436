// SPDX-License-Identifier: Apache-2.0
/*
 * tmpfs - the file system in memory: mount type, and direct creation for overlayfs and memfd
 */
#pragma once

#include "fs/inode.h"

extern const struct fs_type tmpfs_fs_type;

/* An instance that no mount shows: the upper layer of overlayfs, the home of memfd. percent: of memory. */
int must_check tmpfs_create_layer(u32 percent, u32 root_mode, struct super **out);
/* A regular file without a name, nlink 0 (memfd, shared memory). */
int must_check tmpfs_create_unnamed(struct super *sb, u32 mode, struct inode **out);

/* For overlayfs, which keeps its changes in tmpfs directories and files without a tree. The caller serialises
 * use of dir. Link counts follow the entries. */
int must_check tmpfs_layer_new(struct super *sb, const struct new_inode *ni, struct inode **out);
/* Borrowed, or NULL. */
struct inode *tmpfs_layer_get(struct inode *dir, const struct name *n);
/* Adds or replaces; takes a reference of its own. Replacing cannot fail. */
int must_check tmpfs_layer_put(struct inode *dir, const struct name *n, struct inode *inode);
void tmpfs_layer_remove(struct inode *dir, const struct name *n);
