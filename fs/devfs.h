// SPDX-License-Identifier: Apache-2.0
/*
 * devfs - character devices and the file system types that show them
 *
 * Role      chrdev_open() (declared in fs/inode.h) gives device nodes their operations, wherever they lie.
 */
#pragma once

#include "fs/inode.h"

/* "devtmpfs": a tmpfs that comes filled with the usual nodes, links and mount points of a container. */
extern const struct fs_type devfs_type;
/* "devpts": /dev/pts. */
extern const struct fs_type devpts_type;

/* /dev/null, zero, full, random, urandom: NULL for another minor of major 1. */
const struct file_ops *memdev_ops(u32 minor);
