// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_stat - Linux ABI values of aarch64 that other architectures have differently: struct stat
 *
 * Rules     Included only by guestkernel/uapi/stat.h.
 */
#pragma once

#include "guestkernel/uapi/types.h"

struct stat {
	u64 st_dev;
	u64 st_ino;
	u32 st_mode;
	u32 st_nlink;
	u32 st_uid;
	u32 st_gid;
	u64 st_rdev;
	u64 pad1;
	s64 st_size;
	s32 st_blksize;
	s32 pad2;
	s64 st_blocks;
	u64 st_atime;
	u64 st_atime_nsec;
	u64 st_mtime;
	u64 st_mtime_nsec;
	u64 st_ctime;
	u64 st_ctime_nsec;
	u32 unused[2];
};
