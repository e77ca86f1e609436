// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_write - writes the merged tree of an image as one read-only EROFS file
 *
 * Role      layer.c streams file contents in while it reads archives, image_build.c calls finish
 *           when the tree is complete
 * Rules     layout: super block, file data, directory blocks, inodes (with names, attributes and
 *           small contents inside); nothing is moved once written
 *           a regular file starts on a page and is followed by zeros up to the next one, so its
 *           pages can be mapped as they are; only files of at most EROFS_INLINE_MAX bytes without
 *           an execute bit lie inside their inode's block
 *           the same tree and contents give the same bytes
 *           contents of files that a later layer removes become holes of zeros
 * Missing   holes of sparse files are not recorded (they are sparse in the file, not in the
 *           format); equal files are not shared; no shared attributes
 * See       erofs_format.h, fsck.erofs(1), tests/image/
 */
#pragma once

#include "vmm/image/tree.h"

#define EROFS_INLINE_MAX 2048

struct erofs_writer {
	int fd;		   /* the output file, borrowed */
	int spool_fd;	   /* contents of small files until finish, borrowed */
	uint64_t data_end; /* next free block-aligned offset in the output */
	uint64_t spool_end;
};

/* Both files are empty and stay the caller's. */
void erofs_writer_init(struct erofs_writer *w, int fd, int spool_fd);

/* Reserve the place for inode->size bytes of contents. */
void erofs_writer_reserve(struct erofs_writer *w, struct tree_inode *inode);

/* Write a part of the contents inside the reserved size. */
MUST_CHECK int erofs_writer_data(struct erofs_writer *w, const struct tree_inode *inode,
				 uint64_t off, const void *buf, size_t len, struct err *err);

/* A tree_drop_fn: the contents are not needed any more. */
void erofs_writer_drop(void *ctx, struct tree_inode *inode);

/* Write everything but the contents. On success the file is complete and *size its length. */
MUST_CHECK int erofs_writer_finish(struct erofs_writer *w, struct tree *t, const uint8_t uuid[16],
				   uint64_t *size, struct err *err);

/* CRC-32C as EROFS uses it: no final inversion. */
uint32_t erofs_crc32c(uint32_t crc, const void *buf, size_t len);
