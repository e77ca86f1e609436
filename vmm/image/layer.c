// SPDX-License-Identifier: Apache-2.0
/*
 * layer - applies one tar stream to the image tree
 *
 * Role      see layer.h
 * Rules     an entry is checked before it touches the tree; the stream's own error (a truncated
 *           file, the size limit) wins over libarchive's words for it
 */
#include "vmm/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WHITEOUT	".wh."
#define WHITEOUT_META	".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

static la_ssize_t tar_read(struct archive *a, void *ctx, const void **buf)
{
	struct blob_stream *s = ctx;
	size_t len;

	if (blob_stream_read(s, buf, &len, &s->err) < 0) {
		archive_set_error(a, s->err.code, "%s", s->err.msg);
		return -1;
	}
	return len;
}

static int tar_error(const struct layer_job *job, struct archive *a, struct err *err)
{
	const char *text = archive_error_string(a);

	if (job->stream->err.code)
		return err_set(err, job->stream->err.code, "%s", job->stream->err.msg);
	return err_set(err, EINVAL, "not a valid tar archive, or damaged or truncated (%s)",
		       text ? text : "unknown reason");
}

/* Parent directory of path into dir, its last component into *name; path is cleaned. */
static void split(char *path, const char **dir, const char **name)
{
	char *slash = strrchr(path, '/');

	*dir = "";
	*name = path;
	if (slash) {
		*slash = '\0';
		*dir = path;
		*name = slash + 1;
	}
}

/* Bookkeeping of AUFS, as old image builders left it in archives. */
static bool is_meta(const char *clean)
{
	const char *at = strstr(clean, WHITEOUT_META);

	while (at && at != clean && at[-1] != '/')
		at = strstr(at + 1, WHITEOUT_META);
	return at != NULL;
}

/* True when the entry was a whiteout or other bookkeeping and is done with. */
static int apply_whiteout(const struct layer_job *job, const char *path, bool *is_done,
			  struct err *err)
{
	char clean[TREE_PATH_MAX], hidden[TREE_PATH_MAX + 1];
	const char *dir, *name;

	*is_done = false;
	if (!job->is_layered || tree_path_clean(path, clean) < 0)
		return 0;
	if (is_meta(clean) && !strstr(clean, WHITEOUT_OPAQUE)) {
		*is_done = true;
		return 0;
	}
	split(clean, &dir, &name);
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	*is_done = true;
	if (strcmp(name, WHITEOUT_OPAQUE) == 0)
		return tree_whiteout(job->tree, dir, true, err);
	name += strlen(WHITEOUT);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, EINVAL, "whiteout '%.200s' names nothing", path);
	snprintf(hidden, sizeof(hidden), "%s/%s", dir, name);
	return tree_whiteout(job->tree, hidden, false, err);
}

static int attr_xattrs(struct archive_entry *entry, struct tree_inode *attr, struct err *err)
{
	const char *name;
	const void *value;
	size_t len;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (!name || (!value && len))
			continue;
		int r = tree_xattr_add(attr, name, value, len, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int attr_type(struct archive_entry *entry, struct tree_inode *attr, struct err *err)
{
	unsigned int type = archive_entry_filetype(entry);
	const char *target;

	attr->mode = type | (archive_entry_perm(entry) & 07777);
	switch (type) {
	case AE_IFREG:
		if (archive_entry_size(entry) < 0)
			return err_set(err, EINVAL, "its size is negative");
		attr->size = archive_entry_size(entry);
		return 0;
	case AE_IFLNK:
		target = archive_entry_symlink(entry);
		if (!target || !*target || strlen(target) >= TREE_PATH_MAX)
			return err_set(err, EINVAL,
				       "the target of the symbolic link is empty or too long");
		attr->target = strdup(target);
		attr->size = strlen(target);
		return attr->target ? 0 : err_set(err, ENOMEM, "not enough memory");
	case AE_IFCHR:
	case AE_IFBLK:
		attr->rdev = archive_entry_rdev(entry);
		return 0;
	case AE_IFDIR:
	case AE_IFIFO:
	case AE_IFSOCK:
		return 0;
	}
	return err_set(err, EINVAL, "its file type is unknown");
}

static int attr_fill(struct archive_entry *entry, struct tree_inode *attr, struct err *err)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	int r = attr_type(entry, attr, err);

	if (r < 0)
		return r;
	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(err, EINVAL, "its owner %lld:%lld is out of range", (long long)uid,
			       (long long)gid);
	attr->uid = uid;
	attr->gid = gid;
	attr->mtime = archive_entry_mtime(entry);
	attr->mtime_nsec = archive_entry_mtime_nsec(entry);
	if (attr->mtime_nsec >= 1000000000u)
		attr->mtime_nsec = 0;
	return attr_xattrs(entry, attr, err);
}

static int copy_data(const struct layer_job *job, struct archive *a, const struct tree_inode *inode,
		     struct err *err)
{
	const void *buf;
	la_int64_t off;
	size_t len;
	int r;

	while ((r = archive_read_data_block(a, &buf, &len, &off)) == ARCHIVE_OK) {
		int w = off < 0 ? err_set(err, EINVAL, "its sparse map is damaged")
				: erofs_writer_data(job->writer, inode, off, buf, len, err);

		if (w < 0)
			return w;
	}
	return r == ARCHIVE_EOF ? 0 : tar_error(job, a, err);
}

static int charge(const struct layer_job *job, uint64_t size, struct err *err)
{
	if (size > job->max_bytes || *job->used_bytes > job->max_bytes - size)
		return err_set(
			err, EFBIG,
			"the image expands to more than %llu MiB, the limit for one image (--image-limit)",
			(unsigned long long)(job->max_bytes >> 20));
	*job->used_bytes += size;
	return 0;
}

static int apply_file(const struct layer_job *job, struct archive *a, struct archive_entry *entry,
		      const char *path, struct err *err)
{
	struct tree_inode attr = { 0 };
	struct tree_inode *inode = NULL;
	int r = attr_fill(entry, &attr, err);

	if (r == 0 && S_ISREG(attr.mode))
		r = charge(job, attr.size, err);
	if (r < 0) {
		err_add(err, "'%.200s'", path);
	} else {
		if (S_ISREG(attr.mode))
			erofs_writer_reserve(job->writer, &attr);
		r = tree_put(job->tree, path, &attr, &inode, err);
	}
	free(attr.target);
	tree_xattr_free(attr.xattrs);
	if (r == 0 && S_ISREG(inode->mode) && inode->size) {
		r = copy_data(job, a, inode, err);
		if (r < 0)
			err_add(err, "'%.200s'", path);
	}
	return r;
}

static int apply_entry(const struct layer_job *job, struct archive *a, struct archive_entry *entry,
		       struct err *err)
{
	const char *path = archive_entry_pathname(entry);
	const char *link = archive_entry_hardlink(entry);
	bool is_done;
	int r;

	if (!path)
		return err_set(err, EINVAL, "an entry of the archive has no name");
	if (++*job->used_entries > job->max_entries)
		return err_set(err, E2BIG,
			       "the image has more than %llu files, the limit for one image",
			       (unsigned long long)job->max_entries);
	r = apply_whiteout(job, path, &is_done, err);
	if (r < 0 || is_done)
		return r;
	if (link)
		return tree_link(job->tree, path, link, err);
	return apply_file(job, a, entry, path, err);
}

bool layer_warning_is_about_letters(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text && strstr(text, "can't be converted from") != NULL;
}

/* libarchive goes on after header records it cannot read, without what they said: a name cut short, an owner lost. */
static int header_refused(struct archive *a, struct archive_entry *entry, struct err *err)
{
	const char *path = archive_entry_pathname(entry), *text = archive_error_string(a);

	return err_set(err, EINVAL, "'%.200s': its header is damaged (%s)", path ? path : "?",
		       text ? text : "unknown reason");
}

int layer_apply(const struct layer_job *job, struct err *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int r, ret = 0;

	if (!a)
		return err_set(err, ENOMEM, "not enough memory to read the archive");
	archive_read_support_format_tar(a);
	archive_read_support_format_empty(a);
	archive_read_set_format_option(a, "tar", "hdrcharset", "BINARY");
	tree_begin_layer(job->tree);
	r = archive_read_open(a, job->stream, NULL, tar_read, NULL);
	while (r == ARCHIVE_OK && ret == 0) {
		r = archive_read_next_header(a, &entry);
		if (r == ARCHIVE_WARN && layer_warning_is_about_letters(a))
			r = ARCHIVE_OK;
		if (r == ARCHIVE_WARN)
			ret = header_refused(a, entry, err);
		if (r == ARCHIVE_OK)
			ret = apply_entry(job, a, entry, err);
	}
	if (ret == 0 && r != ARCHIVE_EOF)
		ret = tar_error(job, a, err);
	archive_read_free(a);
	return ret;
}
