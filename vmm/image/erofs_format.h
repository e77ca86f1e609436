// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_format - the EROFS on-disk structures as far as the monitor writes and reads them
 *
 * Role      shared by erofs_write.c and erofs_read.c
 * Rules     all integers little-endian; convert with htole / letoh functions at the access
 *           one block size (4 KiB); no compression, no chunks, no shared xattrs, one device
 * Missing   everything the writer does not produce
 * See       Linux Documentation/filesystems/erofs.rst, mkfs.erofs(1)
 */
#pragma once

#include <stdint.h>

#define EROFS_MAGIC	       0xE0F5E1E2u
#define EROFS_SUPER_OFFSET     1024
#define EROFS_BLOCK_BITS       12
#define EROFS_BLOCK_SIZE       (1u << EROFS_BLOCK_BITS)
#define EROFS_SLOT_BITS	       5 /* inode numbers count 32-byte slots from meta_blkaddr */
#define EROFS_SLOT_SIZE	       (1u << EROFS_SLOT_BITS)
#define EROFS_COMPAT_SB_CHKSUM 0x1u
#define EROFS_COMPAT_MTIME     0x2u
#define EROFS_NULL_ADDR	       0xffffffffu
#define EROFS_NAME_MAX	       255

struct erofs_super {
	uint32_t magic;
	uint32_t checksum; /* crc32c of the block from the super block on, this field 0 */
	uint32_t feature_compat;
	uint8_t blkszbits;
	uint8_t sb_extslots;
	uint16_t root_nid;
	uint64_t inos;
	uint64_t build_time; /* mtime of all compact inodes */
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t meta_blkaddr;
	uint32_t xattr_blkaddr;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t available_compr_algs;
	uint16_t extra_devices;
	uint16_t devt_slotoff;
	uint8_t dirblkbits;
	uint8_t xattr_prefix_count;
	uint32_t xattr_prefix_start;
	uint64_t packed_nid;
	uint8_t reserved[24];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_super) == 128, "super block size");

/* i_format: bit 0 set for extended inodes, bits 1-3 data layout */
#define EROFS_INODE_EXTENDED	0x1u
#define EROFS_LAYOUT_SHIFT	1
#define EROFS_LAYOUT_MASK	0x7u
#define EROFS_LAYOUT_PLAIN	0u
#define EROFS_LAYOUT_INLINE	2u
#define EROFS_FORMAT_KNOWN_BITS 0xfu

struct erofs_inode_compact {
	uint16_t i_format;
	uint16_t i_xattr_icount;
	uint16_t i_mode;
	uint16_t i_nlink;
	uint32_t i_size;
	uint32_t i_reserved;
	uint32_t i_u; /* first data block, or device number */
	uint32_t i_ino;
	uint16_t i_uid;
	uint16_t i_gid;
	uint32_t i_reserved2;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_inode_compact) == 32, "compact inode size");

struct erofs_inode_extended {
	uint16_t i_format;
	uint16_t i_xattr_icount;
	uint16_t i_mode;
	uint16_t i_reserved;
	uint64_t i_size;
	uint32_t i_u;
	uint32_t i_ino;
	uint32_t i_uid;
	uint32_t i_gid;
	uint64_t i_mtime;
	uint32_t i_mtime_nsec;
	uint32_t i_nlink;
	uint8_t i_reserved2[16];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_inode_extended) == 64, "extended inode size");

struct erofs_dirent {
	uint64_t nid;
	uint16_t nameoff;
	uint8_t file_type;
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "directory entry size");

enum erofs_file_type {
	EROFS_FT_UNKNOWN,
	EROFS_FT_REG,
	EROFS_FT_DIR,
	EROFS_FT_CHR,
	EROFS_FT_BLK,
	EROFS_FT_FIFO,
	EROFS_FT_SOCK,
	EROFS_FT_SYMLINK,
};

/* i_xattr_icount n > 0 means a header of 12 bytes and (n - 1) * 4 bytes of entries */
struct erofs_xattr_header {
	uint32_t name_filter;
	uint8_t shared_count;
	uint8_t reserved[7];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "xattr header size");

struct erofs_xattr_entry {
	uint8_t name_len;
	uint8_t name_index;
	uint16_t value_size;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_xattr_entry) == 4, "xattr entry size");

#define EROFS_XATTR_USER	1
#define EROFS_XATTR_ACL_ACCESS	2
#define EROFS_XATTR_ACL_DEFAULT 3
#define EROFS_XATTR_TRUSTED	4
#define EROFS_XATTR_SECURITY	6
