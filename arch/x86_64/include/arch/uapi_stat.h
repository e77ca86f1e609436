// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_stat - Linux ABI values of x86_64 that other architectures have differently: struct stat
 *
 * Rules     Included only by guestkernel/uapi/stat.h.
 */
#pragma once

#include "guestkernel/uapi/types.h"

struct stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks;
	u64 st_atime;
	u64 st_atime_nsec;
	u64 st_mtime;
	u64 st_mtime_nsec;
	u64 st_ctime;
	u64 st_ctime_nsec;
	s64 unused[3];
};
