// SPDX-License-Identifier: Apache-2.0
/*
 * blob - a byte range of a file, and a stream that decompresses and digests it
 *
 * Role      store.c hands out blobs; manifest.c loads small ones, layer.c streams large ones
 * Rules     compression is told by the first bytes, never by names or media types
 *           a stream counts what it expands to; a bomb ends with one error at the limit
 *           digests are SHA-256 (nettle: small, no start-up work, uses the CPU's SHA instructions)
 * Missing   xz and bzip2 (not allowed in OCI layers); sha512 digests
 */
#pragma once

#include <nettle/sha2.h>

#include "vmm/err.h"

#define DIGEST_HEX 65 /* lower-case hex of SHA-256 and NUL */

struct blob {
	int fd; /* borrowed or owned, see the function that filled it in */
	uint64_t off;
	uint64_t len;
};

enum blob_format { BLOB_PLAIN, BLOB_GZIP, BLOB_ZSTD, BLOB_UNSUPPORTED };

struct progress;
struct archive;

/* How far streams of one image may expand, all together. */
struct blob_limit {
	uint64_t max_bytes;
	uint64_t used_bytes;
	bool has_ratio; /* also stop at an absurd ratio */
};

struct blob_stream {
	struct blob blob;
	struct blob_limit *limit;
	struct progress *progress;
	struct archive *inflater; /* NULL: plain */
	uint64_t pos;		  /* raw bytes read */
	uint64_t out_bytes;
	struct sha256_ctx raw_sum;
	struct sha256_ctx out_sum;
	struct err err; /* what went wrong inside a read callback */
	uint8_t *buf;
};

enum blob_format blob_probe(const struct blob *blob);

/* Read a small blob whole; *out is NUL-terminated and the caller's. */
MUST_CHECK int blob_load(const struct blob *blob, size_t max, char **out, struct err *err);

/* An unnamed file in dir, read and write; its descriptor or a negative error. */
MUST_CHECK int blob_temp_file(const char *dir, struct err *err);

/* SHA-256 of the raw bytes, in hex. */
MUST_CHECK int blob_digest(const struct blob *blob, struct progress *progress, char hex[DIGEST_HEX],
			   struct err *err);
void digest_bytes(const void *buf, size_t len, char hex[DIGEST_HEX]);

/* True for exactly 64 lower-case hex digits. */
bool digest_is_valid(const char *hex);

/* "sha256:<hex>" to hex; other algorithms are refused. */
MUST_CHECK int digest_parse(const char *text, char hex[DIGEST_HEX], struct err *err);

MUST_CHECK int blob_stream_open(struct blob_stream *s, const struct blob *blob,
				struct blob_limit *limit, struct progress *progress,
				struct err *err);
/* Next piece of expanded bytes, borrowed until the next call; *len 0 at the end. */
MUST_CHECK int blob_stream_read(struct blob_stream *s, const void **buf, size_t *len,
				struct err *err);
/* Read to the end and give both digests. */
MUST_CHECK int blob_stream_finish(struct blob_stream *s, char raw[DIGEST_HEX], char out[DIGEST_HEX],
				  struct err *err);
void blob_stream_close(struct blob_stream *s);
