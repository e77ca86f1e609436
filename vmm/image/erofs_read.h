// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_read - bounded reader for the EROFS files of the image cache
 *
 * Role      looks up /etc/passwd and /etc/group, and lets tests walk what erofs_write.c made
 * Rules     works on memory the caller has mapped; every offset is checked against its size, so a
 *           damaged file gives errors and never a wild read; symbolic links stay inside
 *           reads what erofs_write.c writes; anything else is refused
 * Missing   compression, chunks, other block sizes, shared attributes
 * See       erofs_format.h, tests/fuzz/fuzz_erofs_read.c
 */
#pragma once

#include "vmm/err.h"

struct erofs_image {
	const uint8_t *base;
	uint64_t size;
	uint64_t meta_off;
	uint64_t root_nid;
	int64_t build_time;
	uint32_t build_nsec;
};

struct erofs_node {
	uint64_t nid;
	uint64_t size;
	uint64_t blocks_off; /* full blocks */
	uint64_t inline_off; /* the rest, for the inline layout */
	uint64_t xattr_off;
	uint32_t xattr_len;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t rdev; /* Linux's 32-bit packing */
	int64_t mtime;
	uint32_t mtime_nsec;
	bool is_inline;
};

struct erofs_entry {
	uint64_t nid;
	const char *name; /* not NUL-terminated */
	size_t len;
	uint8_t type;
};

/* Called per directory entry; a value other than 0 ends the walk and is returned. */
typedef int erofs_entry_fn(void *ctx, const struct erofs_entry *entry);

/* The first block of a file of the given size: magic, checksum, features, length. */
MUST_CHECK int erofs_super_check(const uint8_t *block0, uint64_t size, struct err *err);
MUST_CHECK int erofs_image_init(struct erofs_image *img, const void *base, uint64_t size,
				struct err *err);
MUST_CHECK int erofs_node_read(const struct erofs_image *img, uint64_t nid, struct erofs_node *node,
			       struct err *err);

/* Borrowed contents from off to the end of that block at most; NULL when damaged or at the end. */
const uint8_t *erofs_node_span(const struct erofs_image *img, const struct erofs_node *node,
			       uint64_t off, size_t *len);

/* 0, what fn returned, or a negative error. */
int erofs_dir_walk(const struct erofs_image *img, const struct erofs_node *dir, erofs_entry_fn *fn,
		   void *ctx, struct err *err);

/* Look up an absolute path, following links inside the image. -ENOENT sets err too. */
MUST_CHECK int erofs_lookup(const struct erofs_image *img, const char *path, struct erofs_node *out,
			    struct err *err);

/* Read a whole regular file of at most max bytes; *buf is NUL-terminated and the caller's. */
MUST_CHECK int erofs_read_file(const struct erofs_image *img, const char *path, size_t max,
			       char **buf, size_t *len, struct err *err);
