// SPDX-License-Identifier: Apache-2.0
/*
 * blob - a byte range of a file, and a stream that decompresses and digests it
 *
 * Role      see blob.h
 * Rules     the raw digest covers exactly the bytes the decompressor was given, so what is verified
 *           is what was used, also when the file changes underneath
 */
#include "vmm/image/blob.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "vmm/image/progress.h"

#define STREAM_BUF  (256u * 1024)
#define RATIO_START (1ull << 30)
#define RATIO_MAX   2000

static void digest_hex(struct sha256_ctx *ctx, char hex[DIGEST_HEX])
{
	uint8_t sum[SHA256_DIGEST_SIZE];

	sha256_digest(ctx, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

void digest_bytes(const void *buf, size_t len, char hex[DIGEST_HEX])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, buf);
	digest_hex(&ctx, hex);
}

bool digest_is_valid(const char *hex)
{
	return strspn(hex, "0123456789abcdef") == DIGEST_HEX - 1 && !hex[DIGEST_HEX - 1];
}

int digest_parse(const char *text, char hex[DIGEST_HEX], struct err *err)
{
	if (strncmp(text, "sha256:", 7) != 0)
		return err_set(err, EOPNOTSUPP, "digest '%.80s' is not a sha256 one", text);
	if (!digest_is_valid(text + 7))
		return err_set(err, EINVAL, "digest '%.80s' is malformed", text);
	memcpy(hex, text + 7, DIGEST_HEX);
	return 0;
}

enum blob_format blob_probe(const struct blob *blob)
{
	static const struct {
		uint8_t magic[6];
		uint8_t len;
		enum blob_format format;
	} known[] = {
		{{ 0x1f, 0x8b },			  2, BLOB_GZIP       },
		{ { 0x28, 0xb5, 0x2f, 0xfd },      4, BLOB_ZSTD	   },
		{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, BLOB_UNSUPPORTED},
		{ { 'B', 'Z', 'h' },		     3, BLOB_UNSUPPORTED},
		{ { 'P', 'K', 3, 4 },	      4, BLOB_UNSUPPORTED},
	};
	uint8_t head[6] = { 0 };
	size_t len = blob->len < sizeof(head) ? blob->len : sizeof(head);
	ssize_t n = pread(blob->fd, head, len, blob->off);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (n >= known[i].len && memcmp(head, known[i].magic, known[i].len) == 0)
			return known[i].format;
	}
	return BLOB_PLAIN;
}

int blob_temp_file(const char *dir, struct err *err)
{
	CLEANUP_FREE char *name = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* not every file system has unnamed files */
	if (asprintf(&name, "%s/unnamed-XXXXXX", dir) < 0) {
		name = NULL;
		return err_set(err, ENOMEM, "not enough memory");
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, errno, "creating a temporary file in %s", dir);
	unlink(name);
	return fd;
}

/* Up to len raw bytes at *pos of the blob; 0 at its end. */
static ssize_t blob_read(const struct blob *blob, uint64_t pos, void *buf, size_t len,
			 struct err *err)
{
	ssize_t n;

	if (len > blob->len - pos)
		len = blob->len - pos;
	if (!len)
		return 0;
	do {
		n = pread(blob->fd, buf, len, blob->off + pos);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, errno, "reading the image");
	if (n == 0)
		return err_set(err, EIO, "the image file is truncated");
	return n;
}

int blob_load(const struct blob *blob, size_t max, char **out, struct err *err)
{
	uint64_t pos = 0;

	if (blob->len > max)
		return err_set(err, EFBIG, "larger than %zu bytes", max);
	CLEANUP_FREE char *buf = malloc(blob->len + 1);
	if (!buf)
		return err_set(err, ENOMEM, "not enough memory");
	while (pos < blob->len) {
		ssize_t n = blob_read(blob, pos, buf + pos, blob->len - pos, err);

		if (n < 0)
			return n;
		pos += n;
	}
	buf[pos] = '\0';
	*out = take_ptr(buf);
	return 0;
}

int blob_digest(const struct blob *blob, struct progress *progress, char hex[DIGEST_HEX],
		struct err *err)
{
	CLEANUP_FREE uint8_t *buf = malloc(STREAM_BUF);
	struct sha256_ctx ctx;
	uint64_t pos = 0;

	if (!buf)
		return err_set(err, ENOMEM, "not enough memory");
	sha256_init(&ctx);
	while (pos < blob->len) {
		ssize_t n = blob_read(blob, pos, buf, STREAM_BUF, err);

		if (n < 0)
			return n;
		sha256_update(&ctx, n, buf);
		pos += n;
		progress_add(progress, n);
	}
	digest_hex(&ctx, hex);
	return 0;
}

static ssize_t stream_raw(struct blob_stream *s, struct err *err)
{
	ssize_t n = blob_read(&s->blob, s->pos, s->buf, STREAM_BUF, err);

	if (n <= 0)
		return n;
	s->pos += n;
	if (s->inflater)
		sha256_update(&s->raw_sum, n, s->buf);
	progress_add(s->progress, n);
	return n;
}

static la_ssize_t inflater_read(struct archive *a, void *ctx, const void **buf)
{
	struct blob_stream *s = ctx;
	ssize_t n = stream_raw(s, &s->err);

	if (n < 0)
		archive_set_error(a, -n, "%s", s->err.msg);
	*buf = s->buf;
	return n < 0 ? -1 : n;
}

static int inflater_error(struct blob_stream *s, struct err *err)
{
	const char *text = archive_error_string(s->inflater);

	if (s->err.code)
		return err_set(err, s->err.code, "%s", s->err.msg);
	return err_set(err, EINVAL, "the compressed data is damaged or truncated (%s)",
		       text ? text : "unknown reason");
}

static int inflater_open(struct blob_stream *s, enum blob_format format, struct err *err)
{
	struct archive_entry *entry;
	int r;

	s->inflater = archive_read_new();
	if (!s->inflater)
		return err_set(err, ENOMEM, "not enough memory to decompress");
	archive_read_support_format_raw(s->inflater);
	archive_read_support_format_empty(s->inflater);
	/* not archive_read_append_filter(), which would link every decompressor there is */
	if (format == BLOB_GZIP)
		archive_read_support_filter_gzip(s->inflater);
	else
		archive_read_support_filter_zstd(s->inflater);
	r = archive_read_open(s->inflater, s, NULL, inflater_read, NULL);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(s->inflater, &entry);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return inflater_error(s, err);
	return 0;
}

int blob_stream_open(struct blob_stream *s, const struct blob *blob, struct blob_limit *limit,
		     struct progress *progress, struct err *err)
{
	enum blob_format format = blob_probe(blob);
	int r = 0;

	memset(s, 0, sizeof(*s));
	s->blob = *blob;
	s->limit = limit;
	s->progress = progress;
	sha256_init(&s->raw_sum);
	sha256_init(&s->out_sum);
	if (format == BLOB_UNSUPPORTED)
		return err_set(err, EOPNOTSUPP,
			       "the compression is not supported, only gzip and zstd are");
	s->buf = malloc(STREAM_BUF);
	if (!s->buf)
		return err_set(err, ENOMEM, "not enough memory");
	if (format != BLOB_PLAIN)
		r = inflater_open(s, format, err);
	if (r < 0)
		blob_stream_close(s);
	return r;
}

static int stream_count(struct blob_stream *s, size_t len, struct err *err)
{
	struct blob_limit *l = s->limit;

	s->out_bytes += len;
	l->used_bytes += len;
	if (l->used_bytes > l->max_bytes)
		return err_set(
			err, EFBIG,
			"it expands to more than %llu MiB, the limit for one image (--image-limit)",
			(unsigned long long)(l->max_bytes >> 20));
	if (l->has_ratio && s->out_bytes > RATIO_START && s->out_bytes / RATIO_MAX > s->pos)
		return err_set(
			err, EFBIG,
			"it expands to more than %d times its size, which looks like an attack",
			RATIO_MAX);
	return 0;
}

int blob_stream_read(struct blob_stream *s, const void **buf, size_t *len, struct err *err)
{
	ssize_t n;

	if (s->inflater) {
		la_int64_t off;
		int r;

		do {
			r = archive_read_data_block(s->inflater, buf, len, &off);
		} while (r == ARCHIVE_OK && !*len);
		if (r == ARCHIVE_EOF)
			*len = 0;
		else if (r != ARCHIVE_OK)
			return inflater_error(s, err);
	} else {
		n = stream_raw(s, err);
		if (n < 0)
			return n;
		*buf = s->buf;
		*len = n;
	}
	if (!*len)
		return 0;
	sha256_update(&s->out_sum, *len, *buf);
	return stream_count(s, *len, err);
}

int blob_stream_finish(struct blob_stream *s, char raw[DIGEST_HEX], char out[DIGEST_HEX],
		       struct err *err)
{
	const void *buf;
	size_t len;
	ssize_t n;
	int r;

	do {
		r = blob_stream_read(s, &buf, &len, err);
		if (r < 0)
			return r;
	} while (len);
	/* Bytes behind the compressed data count for the digest too. */
	while ((n = stream_raw(s, err)) > 0)
		;
	if (n < 0)
		return n;
	digest_hex(&s->out_sum, out);
	if (s->inflater)
		digest_hex(&s->raw_sum, raw);
	else
		memcpy(raw, out, DIGEST_HEX);
	return 0;
}

void blob_stream_close(struct blob_stream *s)
{
	if (s->inflater)
		archive_read_free(s->inflater);
	free(s->buf);
	s->inflater = NULL;
	s->buf = NULL;
}
