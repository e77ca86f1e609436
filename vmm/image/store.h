// SPDX-License-Identifier: Apache-2.0
/*
 * store - the files of an image archive, by name
 *
 * Role      hides whether an image is a directory (OCI layout), a tar, or a compressed tar, which
 *           is unpacked into an unnamed file first
 * Rules     a tar is read once, headers only; contents are then byte ranges of the file
 *           inside a directory only plain files beneath it are opened (no links out of it)
 *           the store owns all file descriptors; blobs from a tar borrow, blobs from a directory
 *           are closed with store_blob_close()
 * Missing   sparse entries as blobs (no tool writes them)
 */
#pragma once

#include "vmm/image/blob.h"

enum store_kind {
	STORE_DIR,    /* a directory, OCI layout */
	STORE_TAR,    /* a tar with manifest.json or index.json */
	STORE_ROOTFS, /* a tar without them: the root file system itself */
};

struct store_entry {
	char *name; /* cleaned */
	char *link; /* target of a link inside the archive, or NULL */
	uint64_t off;
	uint64_t len;
};

struct store {
	enum store_kind kind;
	int fd;	    /* the file or directory as named by the user */
	int tar_fd; /* the uncompressed tar: fd itself or an unnamed file */
	uint64_t tar_len;
	struct store_entry *entries; /* sorted by name */
	size_t nr_entries;
	size_t max_entries;
};

struct store_options {
	const char *tmp_dir; /* where a compressed archive is unpacked */
	struct blob_limit *limit;
	struct progress *progress;
};

/* Takes over fd on success. */
MUST_CHECK int store_open(int fd, const struct store_options *opts, struct store *out,
			  struct err *err);
void store_close(struct store *s);

bool store_has(const struct store *s, const char *name);
MUST_CHECK int store_blob(const struct store *s, const char *name, struct blob *out,
			  struct err *err);
void store_blob_close(const struct store *s, struct blob *blob);
/* Load a small file whole, NUL-terminated. */
MUST_CHECK int store_load(const struct store *s, const char *name, size_t max, char **out,
			  size_t *len, struct err *err);
