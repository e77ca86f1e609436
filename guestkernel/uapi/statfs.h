// SPDX-License-Identifier: Apache-2.0
/*
 * statfs - Linux ABI: file system statistics and magic numbers
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       statfs(2), fstatfs(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define DEVPTS_SUPER_MAGIC    0x1cd1
#define PROC_SUPER_MAGIC      0x9fa0
#define EXT2_SUPER_MAGIC      0xef53
#define EXT4_SUPER_MAGIC      0xef53
#define CGROUP_SUPER_MAGIC    0x27e0eb
#define TMPFS_MAGIC	      0x1021994
#define ANON_INODE_FS_MAGIC   0x9041934
#define PIPEFS_MAGIC	      0x50495045
#define SOCKFS_MAGIC	      0x534f434b
#define XFS_SUPER_MAGIC	      0x58465342
#define SYSFS_MAGIC	      0x62656572
#define CGROUP2_SUPER_MAGIC   0x63677270
#define DEBUGFS_MAGIC	      0x64626720
#define FUSE_SUPER_MAGIC      0x65735546
#define NSFS_MAGIC	      0x6e736673
#define SECURITYFS_MAGIC      0x73636673
#define TRACEFS_MAGIC	      0x74726163
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define RAMFS_MAGIC	      0x858458f6u
#define BTRFS_SUPER_MAGIC     0x9123683eu
#define HUGETLBFS_MAGIC	      0x958458f6u
#define BPF_FS_MAGIC	      0xcafe4a11u
#define EROFS_SUPER_MAGIC_V1  0xe0f5e1e2u

#define MQUEUE_MAGIC 0x19800202
#define PID_FS_MAGIC 0x50494446

#define ST_RDONLY      0x0001
#define ST_NOSUID      0x0002
#define ST_NODEV       0x0004
#define ST_NOEXEC      0x0008
#define ST_SYNCHRONOUS 0x0010
#define ST_VALID       0x0020
#define ST_MANDLOCK    0x0040
#define ST_NOATIME     0x0400
#define ST_NODIRATIME  0x0800
#define ST_RELATIME    0x1000
#define ST_NOSYMFOLLOW 0x2000

struct statfs {
	s64 f_type;
	s64 f_bsize;
	u64 f_blocks;
	u64 f_bfree;
	u64 f_bavail;
	u64 f_files;
	u64 f_ffree;
	struct {
		s32 val[2];
	} f_fsid;
	s64 f_namelen;
	s64 f_frsize;
	s64 f_flags;
	s64 f_spare[4];
};
