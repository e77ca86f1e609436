// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs - a read-only image made writable: mount type for the root of a container
 */
#pragma once

#include "fs/erofs.h"

#define OVL_LOWERS_MAX 8

/* kdata of the mount arguments. */
struct ovl_layers {
	struct erofs_window lower[OVL_LOWERS_MAX]; /* topmost first */
	u32 nr_lower;
	u32 upper_percent; /* of memory, for changed and new files; 0: 75 */
};

extern const struct fs_type ovl_fs_type;
/* From super blocks already made (tests); takes over their references on success. */
int must_check ovl_create(struct super *const *lowers, u32 nr, struct super *upper,
			  struct super **out);
