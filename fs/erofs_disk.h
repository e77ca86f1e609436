// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_disk - on-disk structures of EROFS as Linux defines them
 *
 * Rules     Little-endian. Only uncompressed images with 4 KiB blocks are read.
 * See       Linux Documentation/filesystems/erofs.rst
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define EROFS_SUPER_OFFSET    1024u
#define EROFS_BLOCK_BITS      12u
#define EROFS_BLOCK_SIZE      4096u
#define EROFS_SLOT_BITS	      5u
#define EROFS_FORMAT_EXTENDED 1u
#define EROFS_LAYOUT_PLAIN    0u
#define EROFS_LAYOUT_INLINE   2u

struct erofs_super_disk {
	u32 magic;
	u32 checksum;
	u32 feature_compat;
	u8 blkszbits;
	u8 sb_extslots;
	u16 root_nid;
	u64 inos;
	u64 build_time;
	u32 build_time_nsec;
	u32 blocks;
	u32 meta_blkaddr;
	u32 xattr_blkaddr;
	u8 uuid[16];
	u8 volume_name[16];
	u32 feature_incompat;
	u16 compr_algs;
	u16 extra_devices;
	u16 devt_slotoff;
	u8 dirblkbits;
	u8 xattr_prefix_count;
	u32 xattr_prefix_start;
	u64 packed_nid;
	u8 reserved[24];
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_super_disk) != 128);

struct erofs_inode_compact {
	u16 format;
	u16 xattr_icount;
	u16 mode;
	u16 nlink;
	u32 size;
	u32 reserved;
	u32 u; /* first block, or device number */
	u32 ino;
	u16 uid;
	u16 gid;
	u32 reserved2;
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_inode_compact) != 32);

struct erofs_inode_extended {
	u16 format;
	u16 xattr_icount;
	u16 mode;
	u16 reserved;
	u64 size;
	u32 u;
	u32 ino;
	u32 uid;
	u32 gid;
	u64 mtime;
	u32 mtime_nsec;
	u32 nlink;
	u8 reserved2[16];
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_inode_extended) != 64);

struct erofs_dirent {
	u64 nid;
	u16 nameoff;
	u8 file_type;
	u8 reserved;
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_dirent) != 12);

/* Of the inode: a header, then shared_count ids, then entries; icount counts 4-byte units after the first. */
struct erofs_xattr_header {
	u32 name_filter;
	u8 shared_count;
	u8 reserved[7];
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_xattr_header) != 12);

struct erofs_xattr_entry {
	u8 name_len;
	u8 name_index;
	u16 value_size;
} packed_struct;
BUILD_BUG_ON(sizeof(struct erofs_xattr_entry) != 4);
