// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_impl - what erofs.c (inodes, data), erofs_dir.c and erofs_xattr.c share
 */
#pragma once

#include "fs/erofs.h"
#include "fs/erofs_disk.h"

struct erofs_super {
	struct erofs_window w;
	u64 meta_off, xattr_off; /* bytes */
	struct timespec build_time;
	u64 inos, blocks;
};

struct erofs_inode {
	struct inode vfs;
	u64 data_off;  /* of block-stored data in the image */
	u64 data_len;  /* bytes of it: whole size, or without the tail */
	u64 tail_off;  /* of the rest, behind the inode; 0: none */
	u64 xattr_off; /* of the xattr header; 0: none */
	u32 xattr_len;
};

static inline struct erofs_inode *erofs_i(struct inode *inode)
{
	return container_of(inode, struct erofs_inode, vfs);
}

static inline struct erofs_super *erofs_sb(struct super *sb)
{
	return sb->priv;
}

/* The only door to the image: n bytes at off, or NULL when they are not all inside. */
static inline const void *erofs_at(const struct erofs_super *es, u64 off, u64 n)
{
	return off <= es->w.len && n <= es->w.len - off ? es->w.base + off : NULL;
}

/* The contiguous bytes of a file at pos; *len of them (at least 1). NULL: outside the file or the image. */
const u8 *erofs_data(struct inode *inode, u64 pos, u64 *len);
/* The inode with this number, from the cache or the image. */
int must_check erofs_iget(struct super *sb, u64 nid, struct inode **out);

int erofs_lookup(struct inode *dir, const struct name *n, struct inode **out);
int erofs_iterate(struct inode *dir, struct dir_ctx *ctx);
s64 erofs_getxattr(struct inode *inode, const char *name, void *value, size_t size);
s64 erofs_listxattr(struct inode *inode, char *list, size_t size);
