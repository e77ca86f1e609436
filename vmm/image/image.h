// SPDX-License-Identifier: Apache-2.0
/*
 * image - from an image archive on the host to one read-only EROFS file and its config
 *
 * Role      cmd_run opens an image; everything else in this folder serves this interface
 * Rules     formats: docker-archive (docker save), OCI layout in a tar or directory, root file
 *           system tar; each tar may be gzip or zstd compressed, and so may layers
 *           an image seen before costs a few file operations: no unpacking, no hashing
 *           all digests the formats give are verified while unpacking; what does not match never
 *           enters the cache
 *           reads of the file stay valid when the image is removed from the cache meanwhile
 * Missing   pulling from registries; writing images
 * See       cache.h, manifest.h, layer.h, erofs_write.h
 */
#pragma once

#include "vmm/image/cache.h"
#include "vmm/image/config.h"

#define IMAGE_MAX_BYTES (16ull << 30)
#define IMAGE_MAX_FILES (4ull << 20)
#define IMAGE_MAX_META	(2ull << 30)

struct image_opts {
	const char *tag;       /* which image of an archive with several; NULL: the only one */
	const char *arch;      /* as image configs name it; NULL: the host's */
	const char *cache_dir; /* NULL: the default place */
	uint64_t max_bytes;    /* expanded size; 0: IMAGE_MAX_BYTES and a check for absurd ratios */
	uint64_t max_files;    /* 0: IMAGE_MAX_FILES */
	bool is_quiet;	       /* no progress line */
};

struct image {
	char id[DIGEST_HEX];
	char path[PATH_MAX]; /* of the EROFS file */
	int fd;		     /* the same, open for reading */
	uint64_t size;	     /* of the EROFS file, a multiple of 4 KiB */
	struct image_config config;
	bool was_cached;
};

/* ref_path is ARCHIVE or ARCHIVE:TAG. opts may be NULL. The error is one complete sentence that names the archive. */
MUST_CHECK int image_open(const char *ref_path, const struct image_opts *opts, struct image **out,
			  struct err *err);
void image_close(struct image *img);

struct image_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t *groups; /* supplementary, owned */
	size_t nr_groups;
	char *name; /* owned; NULL when /etc/passwd does not know the uid */
	char *home; /* owned; "/" when unknown */
};

/*
 * Who "name[:group]" or "uid[:gid]" is, by the image's own /etc/passwd and /etc/group. NULL or ""
 * is root. Names that are not there are errors; numbers always work.
 */
MUST_CHECK int image_resolve_user(const struct image *img, const char *spec, struct image_user *out,
				  struct err *err);
void image_user_fini(struct image_user *u);
