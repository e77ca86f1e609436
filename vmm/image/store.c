// SPDX-License-Identifier: Apache-2.0
/*
 * store - the files of an image archive, by name
 *
 * Role      see store.h
 * Rules     a tar without manifest.json and index.json is a root file system; its own entries are
 *           then of no interest here
 */
#include "vmm/image/store.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vmm/image/layer.h"
#include "vmm/image/tree.h"

#define ENTRIES_MAX (1u << 20) /* of an archive of blobs */
#define LINKS_MAX   8
#define TAR_BUF	    (64u * 1024)

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct store_entry *)a)->name, ((const struct store_entry *)b)->name);
}

static const struct store_entry *entry_find(const struct store *s, const char *name)
{
	struct store_entry key = { .name = (char *)name };

	if (!s->nr_entries)
		return NULL;
	return bsearch(&key, s->entries, s->nr_entries, sizeof(key), entry_compare);
}

static void entries_clear(struct store *s)
{
	for (size_t i = 0; i < s->nr_entries; i++) {
		free(s->entries[i].name);
		free(s->entries[i].link);
	}
	free(s->entries);
	s->entries = NULL;
	s->nr_entries = s->max_entries = 0;
}

static int entry_add(struct store *s, const struct store_entry *e, struct err *err)
{
	if (s->nr_entries == s->max_entries) {
		size_t max = s->max_entries ? s->max_entries * 2 : 64;
		void *p = reallocarray(s->entries, max, sizeof(*e));

		if (!p)
			return err_set(err, ENOMEM, "not enough memory to list the archive");
		s->entries = p;
		s->max_entries = max;
	}
	s->entries[s->nr_entries++] = *e;
	return 0;
}

/* Client callbacks of libarchive: an uncompressed tar, seekable. */
struct tar_source {
	int fd;
	uint64_t pos;
	uint64_t len;
	uint8_t buf[TAR_BUF];
};

static la_ssize_t source_read(struct archive *a, void *ctx, const void **buf)
{
	struct tar_source *t = ctx;
	ssize_t n = pread(t->fd, t->buf, sizeof(t->buf), t->pos);

	if (n < 0)
		archive_set_error(a, errno, "%s", strerror(errno));
	else
		t->pos += n;
	*buf = t->buf;
	return n;
}

static la_int64_t source_skip(struct archive *a, void *ctx, la_int64_t want)
{
	struct tar_source *t = ctx;

	(void)a;
	if (want < 0 || (uint64_t)want > t->len - t->pos)
		return 0; /* let the read run into the end */
	t->pos += want;
	return want;
}

/* Where the link of an entry points, as a cleaned archive name. */
static int link_name(const char *name, struct archive_entry *e, char out[TREE_PATH_MAX])
{
	const char *hard = archive_entry_hardlink(e);
	const char *soft = archive_entry_symlink(e);
	const char *slash = strrchr(name, '/');
	CLEANUP_FREE char *joined = NULL;

	if (hard)
		return tree_path_clean(hard, out);
	if (soft[0] == '/' || !slash)
		return tree_path_clean(soft, out);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - name), name, soft) < 0) {
		joined = NULL;
		return -1;
	}
	return tree_path_clean(joined, out);
}

static int index_entry(struct store *s, struct archive *a, struct archive_entry *ae,
		       struct err *err)
{
	char name[TREE_PATH_MAX], link[TREE_PATH_MAX];
	struct store_entry e = { 0 };
	bool is_link = archive_entry_hardlink(ae) || archive_entry_symlink(ae);
	const char *path = archive_entry_pathname(ae);

	if (!path || tree_path_clean(path, name) < 0)
		return 0;
	if (!is_link && archive_entry_filetype(ae) != AE_IFREG)
		return 0;
	if (is_link && link_name(name, ae, link) < 0)
		return 0;
	if (!is_link && archive_entry_sparse_count(ae) > 0)
		return 0;
	e.off = archive_filter_bytes(a, 0);
	e.len = is_link ? 0 : archive_entry_size(ae);
	e.name = strdup(name);
	e.link = is_link ? strdup(link) : NULL;
	if (!e.name || (is_link && !e.link) || entry_add(s, &e, err) < 0) {
		free(e.name);
		free(e.link);
		return err_set(err, ENOMEM, "not enough memory to list the archive");
	}
	return 0;
}

/*
 * List the archive. A root file system may have any number of entries, so past ENTRIES_MAX the
 * rest is looked at for the two marker names no more.
 */
static int index_tar(struct store *s, struct err *err)
{
	CLEANUP_FREE struct tar_source *src = calloc(1, sizeof(*src));
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int r, ret = 0;

	if (!src || !a) {
		if (a)
			archive_read_free(a);
		return err_set(err, ENOMEM, "not enough memory to read the archive");
	}
	src->fd = s->tar_fd;
	src->len = s->tar_len;
	archive_read_support_format_tar(a);
	archive_read_set_format_option(a, "tar", "hdrcharset", "BINARY");
	archive_read_set_read_callback(a, source_read);
	archive_read_set_skip_callback(a, source_skip);
	archive_read_set_callback_data(a, src);
	r = archive_read_open1(a);
	while (r == ARCHIVE_OK && ret == 0 && s->nr_entries < ENTRIES_MAX) {
		r = archive_read_next_header(a, &e);
		if (r == ARCHIVE_WARN && layer_warning_is_about_letters(a))
			r = ARCHIVE_OK;
		if (r == ARCHIVE_WARN) /* it goes on without a part of the header: see layer.c */
			ret = err_set(err, EINVAL, "an entry's header is damaged (%s)",
				      archive_error_string(a) ? archive_error_string(a)
							      : "unknown reason");
		if (r == ARCHIVE_OK)
			ret = index_entry(s, a, e, err);
	}
	if (ret == 0 && r != ARCHIVE_EOF && r != ARCHIVE_OK)
		ret = err_set(err, EINVAL,
			      "not a tar archive (docker save, OCI layout or root file system), or "
			      "damaged or truncated (%s)",
			      archive_error_string(a) ? archive_error_string(a) : "unknown");
	archive_read_free(a);
	return ret;
}

/* Later entries of the same name win, as when unpacking. */
static void entries_sort(struct store *s)
{
	size_t out = 0;

	if (!s->nr_entries)
		return;
	qsort(s->entries, s->nr_entries, sizeof(*s->entries), entry_compare);
	for (size_t i = 0; i < s->nr_entries; i++) {
		struct store_entry *e = &s->entries[i];
		struct store_entry *last = out ? &s->entries[out - 1] : NULL;

		if (!last || strcmp(last->name, e->name) != 0) {
			s->entries[out++] = *e;
			continue;
		}
		struct store_entry *loser = last->off > e->off ? e : last;

		free(loser->name);
		free(loser->link);
		if (loser == last)
			*last = *e;
	}
	s->nr_entries = out;
}

static int inflate_tar(struct store *s, const struct blob *whole, const struct store_options *opts,
		       struct err *err)
{
	struct blob_stream in;
	const void *buf;
	size_t len;
	int r;

	s->tar_fd = blob_temp_file(opts->tmp_dir, err);
	if (s->tar_fd < 0)
		return s->tar_fd;
	r = blob_stream_open(&in, whole, opts->limit, opts->progress, err);
	if (r < 0)
		return r;
	while ((r = blob_stream_read(&in, &buf, &len, err)) == 0 && len) {
		for (size_t done = 0; done < len;) {
			ssize_t n = write(s->tar_fd, (const char *)buf + done, len - done);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0) {
				r = err_set_errno(err, errno,
						  "unpacking the archive into %s (free some space, "
						  "or set XDG_CACHE_HOME elsewhere)",
						  opts->tmp_dir);
				break;
			}
			done += n;
		}
		if (r < 0)
			break;
	}
	s->tar_len = in.out_bytes;
	blob_stream_close(&in);
	opts->limit->used_bytes = 0;
	return r;
}

static int open_tar(struct store *s, uint64_t size, const struct store_options *opts,
		    struct err *err)
{
	struct blob whole = { .fd = s->fd, .len = size };
	int r;

	s->tar_fd = s->fd;
	s->tar_len = size;
	if (blob_probe(&whole) != BLOB_PLAIN) {
		r = inflate_tar(s, &whole, opts, err);
		if (r < 0)
			return r;
	}
	r = index_tar(s, err);
	if (r < 0)
		return r;
	entries_sort(s);
	s->kind = STORE_TAR;
	if (!store_has(s, "manifest.json") &&
	    !(store_has(s, "index.json") && store_has(s, "oci-layout"))) {
		s->kind = STORE_ROOTFS;
		entries_clear(s);
	}
	return 0;
}

int store_open(int fd, const struct store_options *opts, struct store *out, struct err *err)
{
	struct store s = { .fd = fd, .tar_fd = -1 };
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return err_set_errno(err, errno, "cannot examine it");
	if (S_ISDIR(st.st_mode)) {
		s.kind = STORE_DIR;
		if (!store_has(&s, "index.json"))
			r = err_set(
				err, EINVAL,
				"this directory is not an OCI layout, it has no index.json; name a "
				"tar archive or a layout directory");
	} else if (!S_ISREG(st.st_mode)) {
		r = err_set(err, EINVAL, "neither a regular file nor a directory");
	} else if (st.st_size == 0) {
		r = err_set(err, EINVAL, "the file is empty");
	} else {
		r = open_tar(&s, st.st_size, opts, err);
	}
	if (r < 0) {
		entries_clear(&s);
		if (s.tar_fd >= 0 && s.tar_fd != fd)
			close(s.tar_fd);
		return r;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	entries_clear(s);
	if (s->tar_fd >= 0 && s->tar_fd != s->fd)
		close(s->tar_fd);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->tar_fd = -1;
}

static int open_beneath(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
}

bool store_has(const struct store *s, const char *name)
{
	if (s->kind != STORE_DIR)
		return entry_find(s, name) != NULL;
	CLEANUP_FD int fd = open_beneath(s->fd, name);
	return fd >= 0;
}

static int dir_blob(const struct store *s, const char *name, struct blob *out, struct err *err)
{
	CLEANUP_FD int fd = open_beneath(s->fd, name);
	struct stat st;

	if (fd < 0)
		return err_set_errno(err, errno, "%.200s in the image", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%.200s in the image is not a regular file", name);
	*out = (struct blob){ .fd = take_fd(&fd), .len = st.st_size };
	return 0;
}

int store_blob(const struct store *s, const char *name, struct blob *out, struct err *err)
{
	char clean[TREE_PATH_MAX];
	const struct store_entry *e = NULL;

	if (s->kind == STORE_DIR)
		return dir_blob(s, name, out, err);
	if (tree_path_clean(name, clean) == 0)
		e = entry_find(s, clean);
	for (int i = 0; e && e->link; i++)
		e = i < LINKS_MAX ? entry_find(s, e->link) : NULL;
	if (!e)
		return err_set(err, ENOENT, "%.200s is missing in the image", name);
	if (e->off > s->tar_len || e->len > s->tar_len - e->off)
		return err_set(err, EIO, "%.200s: the image file is truncated", name);
	*out = (struct blob){ .fd = s->tar_fd, .off = e->off, .len = e->len };
	return 0;
}

void store_blob_close(const struct store *s, struct blob *blob)
{
	if (s->kind == STORE_DIR && blob->fd >= 0)
		close(blob->fd);
	blob->fd = -1;
}

int store_load(const struct store *s, const char *name, size_t max, char **out, size_t *len,
	       struct err *err)
{
	struct blob blob;
	int r = store_blob(s, name, &blob, err);

	if (r < 0)
		return r;
	*len = blob.len;
	r = blob_load(&blob, max, out, err);
	store_blob_close(s, &blob);
	return r < 0 ? err_add(err, "%.200s", name) : 0;
}
