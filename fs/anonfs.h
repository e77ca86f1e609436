// SPDX-License-Identifier: Apache-2.0
/*
 * anonfs - open files that have no name in any directory: pipes, sockets, eventfd and friends
 *
 * Role      file_create_anon() (kapi/file.h) makes them. One internal mount, one inode per file.
 * Rules     The name shown in /proc/<pid>/fd: "anon_inode:[eventfd]" when the caller gives
 *           "anon_inode:[eventfd]" (text with a bracket is shown as it is), "pipe:[ino]" when it gives "pipe".
 */
#pragma once

#include "fs/mount.h"

int must_check anonfs_init(void);
/* Two files over one inode (pipe ends). On success both own priv once each (release is called for both). */
int must_check file_create_anon_pair(const char *name, u32 mode, const u32 flags[2],
				     const struct file_ops *const ops[2], void *priv,
				     struct file *out[2]);
/* The internal mount, borrowed (memfd). */
struct mount *anonfs_mount(void);
