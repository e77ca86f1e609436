// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_read - bounded reader for the EROFS files of the image cache
 *
 * Role      see erofs_read.h
 * Rules     structures are copied out of the mapping once, then checked, then used
 */
#include "vmm/image/erofs_read.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/image/erofs_format.h"
#include "vmm/image/erofs_write.h"

#define LINKS_MAX 40
#define PATH_LEN  4096

static int damaged(struct err *err, const char *what)
{
	return err_set(err, EUCLEAN,
		       "the cached image is damaged (%s): remove it with 'monitor image rm'", what);
}

static const uint8_t *span_at(const struct erofs_image *img, uint64_t off, uint64_t len)
{
	if (off > img->size || len > img->size - off)
		return NULL;
	return img->base + off;
}

int erofs_super_check(const uint8_t *block0, uint64_t size, struct err *err)
{
	uint8_t block[EROFS_BLOCK_SIZE];
	struct erofs_super sb;
	uint32_t sum;

	memcpy(block, block0, sizeof(block));
	memcpy(&sb, block + EROFS_SUPER_OFFSET, sizeof(sb));
	if (le32toh(sb.magic) != EROFS_MAGIC)
		return damaged(err, "no super block");
	if (sb.blkszbits != EROFS_BLOCK_BITS || sb.feature_incompat || sb.dirblkbits)
		return damaged(err, "unknown features");
	sum = le32toh(sb.checksum);
	memset(block + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), 0, 4);
	if (sum !=
	    erofs_crc32c(~0u, block + EROFS_SUPER_OFFSET, EROFS_BLOCK_SIZE - EROFS_SUPER_OFFSET))
		return damaged(err, "super block checksum");
	if ((uint64_t)le32toh(sb.blocks) << EROFS_BLOCK_BITS != size)
		return damaged(err, "wrong length");
	return 0;
}

int erofs_image_init(struct erofs_image *img, const void *base, uint64_t size, struct err *err)
{
	struct erofs_super sb;
	int r;

	if (size < EROFS_BLOCK_SIZE)
		return damaged(err, "too short");
	r = erofs_super_check(base, size, err);
	if (r < 0)
		return r;
	memcpy(&sb, (const uint8_t *)base + EROFS_SUPER_OFFSET, sizeof(sb));
	img->base = base;
	img->size = size;
	img->meta_off = (uint64_t)le32toh(sb.meta_blkaddr) << EROFS_BLOCK_BITS;
	img->root_nid = le16toh(sb.root_nid);
	img->build_time = le64toh(sb.build_time);
	img->build_nsec = le32toh(sb.build_time_nsec);
	return 0;
}

static void node_from_compact(const struct erofs_image *img, struct erofs_node *n,
			      const struct erofs_inode_compact *d)
{
	n->mode = le16toh(d->i_mode);
	n->nlink = le16toh(d->i_nlink);
	n->size = le32toh(d->i_size);
	n->rdev = le32toh(d->i_u);
	n->uid = le16toh(d->i_uid);
	n->gid = le16toh(d->i_gid);
	n->mtime = img->build_time;
	n->mtime_nsec = img->build_nsec;
}

static void node_from_extended(struct erofs_node *n, const struct erofs_inode_extended *d)
{
	n->mode = le16toh(d->i_mode);
	n->nlink = le32toh(d->i_nlink);
	n->size = le64toh(d->i_size);
	n->rdev = le32toh(d->i_u);
	n->uid = le32toh(d->i_uid);
	n->gid = le32toh(d->i_gid);
	n->mtime = le64toh(d->i_mtime);
	n->mtime_nsec = le32toh(d->i_mtime_nsec);
}

static int node_place(const struct erofs_image *img, struct erofs_node *n, uint64_t body,
		      uint16_t icount, struct err *err)
{
	uint64_t tail = n->size % EROFS_BLOCK_SIZE;

	n->xattr_off = body;
	n->xattr_len = icount ? sizeof(struct erofs_xattr_header) + 4u * (icount - 1) : 0;
	if (!span_at(img, body, n->xattr_len))
		return damaged(err, "attributes outside the file");
	n->inline_off = body + n->xattr_len;
	n->blocks_off = (uint64_t)n->rdev << EROFS_BLOCK_BITS;
	if (!S_ISREG(n->mode) && !S_ISDIR(n->mode) && !S_ISLNK(n->mode)) {
		n->size = 0;
		return 0;
	}
	if (n->is_inline && !span_at(img, n->inline_off, tail))
		return damaged(err, "contents outside the file");
	uint64_t full = n->is_inline ? n->size - tail : n->size;

	if (full && !span_at(img, n->blocks_off, full))
		return damaged(err, "contents outside the file");
	return 0;
}

int erofs_node_read(const struct erofs_image *img, uint64_t nid, struct erofs_node *n,
		    struct err *err)
{
	struct erofs_inode_extended ext;
	struct erofs_inode_compact com;
	uint64_t off, len = sizeof(com);
	const uint8_t *p;
	uint16_t format;

	if (nid > img->size >> EROFS_SLOT_BITS)
		return damaged(err, "inode outside the file");
	off = img->meta_off + (nid << EROFS_SLOT_BITS);
	p = span_at(img, off, sizeof(com));
	if (!p)
		return damaged(err, "inode outside the file");
	memset(n, 0, sizeof(*n));
	memcpy(&com, p, sizeof(com));
	format = le16toh(com.i_format);
	if (format & EROFS_INODE_EXTENDED) {
		len = sizeof(ext);
		if (!span_at(img, off, len))
			return damaged(err, "inode outside the file");
		memcpy(&ext, p, sizeof(ext));
		node_from_extended(n, &ext);
	} else {
		node_from_compact(img, n, &com);
	}
	format &= ~EROFS_INODE_EXTENDED;
	if (format != EROFS_LAYOUT_PLAIN << EROFS_LAYOUT_SHIFT &&
	    format != EROFS_LAYOUT_INLINE << EROFS_LAYOUT_SHIFT)
		return damaged(err, "unknown inode format");
	n->is_inline = format != 0;
	n->nid = nid;
	return node_place(img, n, off + len, le16toh(com.i_xattr_icount), err);
}

const uint8_t *erofs_node_span(const struct erofs_image *img, const struct erofs_node *n,
			       uint64_t off, size_t *len)
{
	uint64_t in_block = off % EROFS_BLOCK_SIZE;
	uint64_t start = off - in_block;

	if (off >= n->size)
		return NULL;
	*len = EROFS_BLOCK_SIZE - in_block;
	if (*len > n->size - off)
		*len = n->size - off;
	if (n->is_inline && n->size - start < EROFS_BLOCK_SIZE)
		return span_at(img, n->inline_off + in_block, *len);
	return span_at(img, n->blocks_off + off, *len);
}

static int dir_walk_block(const uint8_t *block, size_t size, erofs_entry_fn *fn, void *ctx,
			  struct err *err)
{
	struct erofs_dirent de;
	size_t nr, end;

	if (size < sizeof(de))
		return damaged(err, "short directory");
	memcpy(&de, block, sizeof(de));
	nr = le16toh(de.nameoff) / sizeof(de);
	if (!nr || le16toh(de.nameoff) % sizeof(de) || nr * sizeof(de) > size)
		return damaged(err, "directory header");
	for (size_t i = 0; i < nr; i++) {
		struct erofs_entry e;
		size_t start;
		int r;

		memcpy(&de, block + i * sizeof(de), sizeof(de));
		e.nid = le64toh(de.nid);
		e.type = de.file_type;
		start = le16toh(de.nameoff);
		end = size;
		if (i + 1 < nr) {
			memcpy(&de, block + (i + 1) * sizeof(de), sizeof(de));
			end = le16toh(de.nameoff);
		}
		if (start >= end || end > size)
			return damaged(err, "directory entry");
		e.name = (const char *)block + start;
		e.len = strnlen(e.name, end - start);
		if (!e.len || e.len > EROFS_NAME_MAX || memchr(e.name, '/', e.len))
			return damaged(err, "directory entry name");
		r = fn(ctx, &e);
		if (r)
			return r;
	}
	return 0;
}

int erofs_dir_walk(const struct erofs_image *img, const struct erofs_node *dir, erofs_entry_fn *fn,
		   void *ctx, struct err *err)
{
	size_t len;

	if (!S_ISDIR(dir->mode))
		return err_set(err, ENOTDIR, "not a directory");
	for (uint64_t off = 0; off < dir->size; off += EROFS_BLOCK_SIZE) {
		const uint8_t *block = erofs_node_span(img, dir, off, &len);
		int r;

		if (!block)
			return damaged(err, "directory outside the file");
		r = dir_walk_block(block, len, fn, ctx, err);
		if (r)
			return r;
	}
	return 0;
}

struct find {
	const char *name;
	size_t len;
	uint64_t nid;
};

static int find_entry(void *ctx, const struct erofs_entry *e)
{
	struct find *f = ctx;

	if (e->len != f->len || memcmp(e->name, f->name, e->len) != 0)
		return 0;
	f->nid = e->nid;
	return 1;
}

/* Put a link's target in front of the rest of the path. */
static int push_link(const struct erofs_image *img, const struct erofs_node *link, const char *rest,
		     char path[2 * PATH_LEN], struct err *err)
{
	char tmp[2 * PATH_LEN];
	size_t rest_len = strlen(rest), len;
	const uint8_t *p;

	if (!link->size || link->size >= PATH_LEN || link->size + rest_len + 2 > sizeof(tmp))
		return err_set(err, ENAMETOOLONG, "a symbolic link is too long");
	p = erofs_node_span(img, link, 0, &len);
	if (!p || len != link->size)
		return damaged(err, "symbolic link");
	memcpy(tmp, p, len);
	tmp[len] = '/';
	memcpy(tmp + len + 1, rest, rest_len + 1);
	memcpy(path, tmp, len + rest_len + 2);
	return 0;
}

static int lookup_step(const struct erofs_image *img, const struct erofs_node *dir,
		       const char *name, size_t len, struct erofs_node *out, struct err *err)
{
	struct find f = { .name = name, .len = len };
	int r = erofs_dir_walk(img, dir, find_entry, &f, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ENOENT, "no such file");
	return erofs_node_read(img, f.nid, out, err);
}

int erofs_lookup(const struct erofs_image *img, const char *path, struct erofs_node *out,
		 struct err *err)
{
	char buf[2 * PATH_LEN];
	char *p = buf;
	struct erofs_node cur, next;
	int nr_links = 0;
	int r = erofs_node_read(img, img->root_nid, &cur, err);

	if (r < 0)
		return r;
	if (strlen(path) >= PATH_LEN)
		return err_set(err, ENAMETOOLONG, "the path is too long");
	strcpy(buf, path);
	for (;;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");

		if (!len)
			break;
		r = lookup_step(img, &cur, p, len, &next, err);
		if (r < 0)
			return r;
		p += len;
		if (!S_ISLNK(next.mode)) {
			cur = next;
			continue;
		}
		if (++nr_links > LINKS_MAX)
			return err_set(err, ELOOP, "too many levels of symbolic links");
		r = push_link(img, &next, p, buf, err);
		if (r < 0)
			return r;
		p = buf;
		if (*p == '/' && (r = erofs_node_read(img, img->root_nid, &cur, err)) < 0)
			return r;
	}
	*out = cur;
	return 0;
}

int erofs_read_file(const struct erofs_image *img, const char *path, size_t max, char **out,
		    size_t *len, struct err *err)
{
	struct erofs_node n;
	const uint8_t *p;
	size_t span;
	int r = erofs_lookup(img, path, &n, err);

	if (r < 0)
		return err_add(err, "%s", path);
	if (!S_ISREG(n.mode))
		return err_set(err, EINVAL, "%s: not a regular file", path);
	if (n.size > max)
		return err_set(err, EFBIG, "%s: larger than %zu bytes", path, max);
	CLEANUP_FREE char *buf = malloc(n.size + 1);
	if (!buf)
		return err_set(err, ENOMEM, "%s: not enough memory", path);
	for (uint64_t off = 0; off < n.size; off += span) {
		p = erofs_node_span(img, &n, off, &span);
		if (!p)
			return damaged(err, "file outside the file system");
		memcpy(buf + off, p, span);
	}
	buf[n.size] = '\0';
	*len = n.size;
	*out = take_ptr(buf);
	return 0;
}
