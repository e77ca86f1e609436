// SPDX-License-Identifier: Apache-2.0
/*
 * erofs - the read-only image file system: mount type and the window it lives in
 */
#pragma once

#include "fs/inode.h"

/* The image, mapped read-only at a kernel address. kdata of the mount arguments. */
struct erofs_window {
	const u8 *base; /* page aligned */
	u64 len;
	u64 gpa; /* guest-physical address of base, page aligned; 0: pages cannot be mapped, copy them */
};

extern const struct fs_type erofs_fs_type;

/* A super block without a mount (layer of overlayfs). */
int must_check erofs_create_layer(const struct erofs_window *w, struct super **out);
