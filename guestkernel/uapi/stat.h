// SPDX-License-Identifier: Apache-2.0
/*
 * stat - Linux ABI: file status
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       stat(2), statx(2), inode(7)
 */
#pragma once

#include "guestkernel/uapi/types.h"
#include "guestkernel/uapi/time.h"
#include "arch/uapi_stat.h"

#define S_IXOTH	 01
#define S_IWOTH	 02
#define S_IROTH	 04
#define S_IRWXO	 07
#define S_IXGRP	 010
#define S_IWGRP	 020
#define S_IRGRP	 040
#define S_IRWXG	 070
#define S_IXUSR	 0100
#define S_IWUSR	 0200
#define S_IRUSR	 0400
#define S_IRWXU	 0700
#define S_IFIFO	 010000
#define S_IFCHR	 020000
#define S_IFDIR	 040000
#define S_IFBLK	 060000
#define S_IFREG	 0100000
#define S_IFLNK	 0120000
#define S_IFSOCK 0140000
#define S_IFMT	 0170000
#define S_ISVTX	 01000
#define S_ISGID	 02000
#define S_ISUID	 04000

#define STATX_TYPE	      0x1
#define STATX_MODE	      0x2
#define STATX_ATTR_COMPRESSED 0x4
#define STATX_NLINK	      0x4
#define STATX_UID	      0x8
#define STATX_ATTR_IMMUTABLE  0x10
#define STATX_GID	      0x10
#define STATX_ATIME	      0x20
#define STATX_ATTR_APPEND     0x20
#define STATX_ATTR_NODUMP     0x40
#define STATX_MTIME	      0x40
#define STATX_CTIME	      0x80
#define STATX_INO	      0x100
#define STATX_SIZE	      0x200
#define STATX_BLOCKS	      0x400
#define STATX_BASIC_STATS     0x7ff
#define STATX_ATTR_ENCRYPTED  0x800
#define STATX_BTIME	      0x800
#define STATX_ALL	      0xfff
#define STATX_ATTR_AUTOMOUNT  0x1000
#define STATX_MNT_ID	      0x1000
#define STATX_ATTR_MOUNT_ROOT 0x2000
#define STATX_DIOALIGN	      0x2000
#define STATX_ATTR_VERITY     0x100000
#define STATX_ATTR_DAX	      0x200000
#define STATX__RESERVED	      0x80000000u

#define STATX_MNT_ID_UNIQUE	0x00004000u
#define STATX_SUBVOL		0x00008000u
#define STATX_WRITE_ATOMIC	0x00010000u
#define STATX_ATTR_WRITE_ATOMIC 0x00400000u

#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

#define S_IRWXUGO 0777
#define S_IALLUGO 07777
#define S_IXUGO	  0111

#define UTIME_NOW  0x3fffffffl
#define UTIME_OMIT 0x3ffffffel

struct utimbuf {
	s64 actime;
	s64 modtime;
};

struct statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec;
	s32 reserved;
};

struct statx {
	u32 stx_mask;
	u32 stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink;
	u32 stx_uid;
	u32 stx_gid;
	u16 stx_mode;
	u16 spare0;
	u64 stx_ino;
	u64 stx_size;
	u64 stx_blocks;
	u64 stx_attributes_mask;
	struct statx_timestamp stx_atime;
	struct statx_timestamp stx_btime;
	struct statx_timestamp stx_ctime;
	struct statx_timestamp stx_mtime;
	u32 stx_rdev_major;
	u32 stx_rdev_minor;
	u32 stx_dev_major;
	u32 stx_dev_minor;
	u64 stx_mnt_id;
	u32 stx_dio_mem_align;
	u32 stx_dio_offset_align;
	u64 stx_subvol;
	u32 stx_atomic_write_unit_min;
	u32 stx_atomic_write_unit_max;
	u32 stx_atomic_write_segments_max;
	u32 spare1;
	u64 spare3[9];
};
