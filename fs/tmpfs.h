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
