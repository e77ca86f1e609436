// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_write - writes the merged tree of an image as one read-only EROFS file
 *
 * Role      see erofs_write.h
 * Rules     finish runs in passes over one list of inodes, breadth first with sorted directories:
 *           order (sort, number), layout (sizes and places of inodes and directory blocks), write
 *           (directory blocks, then inodes); after layout every inode number is known
 *           an inode never crosses a block; with contents or a tail inside, neither does that
 *           directory entries are sorted bytewise over the whole directory, "." and ".." included
 *           compact inodes are used when owner, link count and size fit and the mtime is the most
 *           common one, which the super block holds
 * See       erofs_write.h
 */
#include "vmm/image/erofs_write.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "vmm/image/erofs_format.h"

#define BLOCK	EROFS_BLOCK_SIZE
#define OUT_BUF (64u * BLOCK)

/* Inode numbers count from meta_blkaddr; leave a gap so that 0 is never one. */
#define META_START 64

/* Sequential output. */
struct out {
	int fd;
	uint64_t off; /* file offset of buf[0] */
	size_t len;
	uint8_t *buf;
};

struct build {
	struct erofs_writer *w;
	struct tree *t;
	struct tree_inode *first;
	struct tree_inode *last;
	uint32_t nr_inodes;
	int64_t common_mtime;
	uint32_t common_nsec;
	uint64_t meta_end; /* relative to meta_off */
	uint64_t meta_off; /* in the file */
	struct out out;
};

/* Where a walk over the entries of one directory stands, "." and ".." merged in. */
struct dir_cursor {
	const struct tree_inode *dir;
	const struct tree_node *child;
	uint8_t dots; /* how many of "." and ".." are done */
};

struct dir_item {
	const struct tree_inode *inode;
	const char *name;
	size_t len;
};

uint32_t erofs_crc32c(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static int write_error(struct err *err, int code)
{
	if (code == ENOSPC || code == EDQUOT)
		return err_set(
			err, code,
			"the image cache has no space left on its device: free some space, run "
			"'monitor image prune', or set XDG_CACHE_HOME to a larger one");
	return err_set_errno(err, code, "writing the image's file system into the cache");
}

static int write_all(int fd, const void *buf, size_t len, uint64_t off, struct err *err)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return write_error(err, errno);
		buf = (const char *)buf + n;
		len -= n;
		off += n;
	}
	return 0;
}

static int out_flush(struct out *o, struct err *err)
{
	int r = write_all(o->fd, o->buf, o->len, o->off, err);

	o->off += o->len;
	o->len = 0;
	return r;
}

/* data NULL writes zeros. */
static int out_put(struct out *o, const void *data, size_t len, struct err *err)
{
	while (len) {
		size_t n = OUT_BUF - o->len < len ? OUT_BUF - o->len : len;

		if (data) {
			memcpy(o->buf + o->len, data, n);
			data = (const char *)data + n;
		} else {
			memset(o->buf + o->len, 0, n);
		}
		o->len += n;
		len -= n;
		if (o->len == OUT_BUF) {
			int r = out_flush(o, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int out_pad_to(struct out *o, uint64_t off, struct err *err)
{
	return out_put(o, NULL, off - (o->off + o->len), err);
}

/* Continue at a later offset; what lies between is left as it is. */
static int out_seek(struct out *o, uint64_t off, struct err *err)
{
	int r = 0;

	if (o->off + o->len == off)
		return 0;
	if (o->len)
		r = out_flush(o, err);
	o->off = off;
	return r;
}

void erofs_writer_init(struct erofs_writer *w, int fd, int spool_fd)
{
	w->fd = fd;
	w->spool_fd = spool_fd;
	w->data_end = BLOCK;
	w->spool_end = 0;
}

void erofs_writer_reserve(struct erofs_writer *w, struct tree_inode *inode)
{
	if (!inode->size) {
		inode->data = TREE_DATA_NONE;
	} else if (inode->size <= EROFS_INLINE_MAX && !(inode->mode & 0111)) {
		inode->data = TREE_DATA_SPOOL;
		inode->data_off = w->spool_end;
		w->spool_end += inode->size;
	} else {
		inode->data = TREE_DATA_BLOCKS;
		inode->data_off = w->data_end;
		w->data_end += round_up_u64(inode->size, BLOCK);
	}
}

int erofs_writer_data(struct erofs_writer *w, const struct tree_inode *inode, uint64_t off,
		      const void *buf, size_t len, struct err *err)
{
	if (off > inode->size || len > inode->size - off)
		return err_set(err, EINVAL, "an archive entry has more data than it declares");
	if (!len)
		return 0;
	return write_all(inode->data == TREE_DATA_SPOOL ? w->spool_fd : w->fd, buf, len,
			 inode->data_off + off, err);
}

void erofs_writer_drop(void *ctx, struct tree_inode *inode)
{
	static const uint8_t zeros[BLOCK];
	struct erofs_writer *w = ctx;
	uint64_t len = round_up_u64(inode->size, BLOCK);

	if (inode->data != TREE_DATA_BLOCKS)
		return;
	if (fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, inode->data_off, len) == 0)
		return;
	/* No holes on this file system. A failure leaves unreachable bytes, nothing worse. */
	for (uint64_t at = 0; at < len; at += BLOCK) {
		if (pwrite(w->fd, zeros, BLOCK, inode->data_off + at) != BLOCK)
			return;
	}
}

/* Order: sort directories, chain all inodes breadth first. */

static int name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c ? c : (a_len > b_len) - (a_len < b_len);
}

static int node_compare(const void *a, const void *b)
{
	const struct tree_node *x = *(const struct tree_node *const *)a;
	const struct tree_node *y = *(const struct tree_node *const *)b;

	return name_compare(x->name, x->name_len, y->name, y->name_len);
}

static int dir_sort(struct tree_inode *dir, struct err *err)
{
	size_t nr = 0, i = 0;
	struct tree_node *n;

	for (n = dir->children; n; n = n->next)
		nr++;
	if (nr < 2)
		return 0;
	CLEANUP_FREE struct tree_node **v = calloc(nr, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "not enough memory to sort a directory");
	for (n = dir->children; n; n = n->next)
		v[i++] = n;
	qsort(v, nr, sizeof(*v), node_compare);
	for (i = 0; i < nr; i++) {
		v[i]->prev = i ? v[i - 1] : NULL;
		v[i]->next = i + 1 < nr ? v[i + 1] : NULL;
	}
	dir->children = v[0];
	return 0;
}

static void order_append(struct build *b, struct tree_inode *inode)
{
	if (inode->is_ordered)
		return;
	inode->is_ordered = true;
	inode->ino = ++b->nr_inodes;
	inode->order_next = NULL;
	if (b->last)
		b->last->order_next = inode;
	else
		b->first = inode;
	b->last = inode;
}

static int order_inodes(struct build *b, struct err *err)
{
	order_append(b, b->t->root->inode);
	for (struct tree_inode *i = b->first; i; i = i->order_next) {
		if (!S_ISDIR(i->mode))
			continue;
		int r = dir_sort(i, err);
		if (r < 0)
			return r;
		for (struct tree_node *n = i->children; n; n = n->next)
			order_append(b, n->inode);
	}
	return 0;
}

/* Majority vote: exact when one mtime has more than half of all inodes, harmless otherwise. */
static void find_common_mtime(struct build *b)
{
	uint64_t votes = 0;

	for (struct tree_inode *i = b->first; i; i = i->order_next) {
		bool is_same = i->mtime == b->common_mtime && i->mtime_nsec == b->common_nsec;

		if (!votes) {
			b->common_mtime = i->mtime;
			b->common_nsec = i->mtime_nsec;
			votes = 1;
		} else if (is_same) {
			votes++;
		} else {
			votes--;
		}
	}
}

/* Directories. */

static bool cursor_next(struct dir_cursor *c, struct dir_item *item)
{
	static const char dots[] = "..";
	size_t dots_len = c->dots + 1;
	bool want_dots = c->dots < 2;

	if (want_dots && c->child)
		want_dots = name_compare(dots, dots_len, c->child->name, c->child->name_len) < 0;
	if (want_dots) {
		item->inode = c->dots ? c->dir->name->parent->inode : c->dir;
		item->name = dots;
		item->len = dots_len;
		c->dots++;
		return true;
	}
	if (!c->child)
		return false;
	item->inode = c->child->inode;
	item->name = c->child->name;
	item->len = c->child->name_len;
	c->child = c->child->next;
	return true;
}

static uint8_t file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_FT_REG;
	case S_IFDIR:
		return EROFS_FT_DIR;
	case S_IFCHR:
		return EROFS_FT_CHR;
	case S_IFBLK:
		return EROFS_FT_BLK;
	case S_IFIFO:
		return EROFS_FT_FIFO;
	case S_IFSOCK:
		return EROFS_FT_SOCK;
	case S_IFLNK:
		return EROFS_FT_SYMLINK;
	}
	return EROFS_FT_UNKNOWN;
}

static uint64_t inode_nid(const struct tree_inode *inode)
{
	return inode->meta_off >> EROFS_SLOT_BITS;
}

/*
 * Advance the cursor over the entries that fit into one block; returns the bytes used, 0 at the
 * end of the directory. With block given, fill it.
 */
static size_t dir_block(struct dir_cursor *c, uint8_t *block)
{
	struct dir_cursor start = *c, probe = *c;
	size_t used = 0, nr = 0;
	struct dir_item item;

	while (cursor_next(&probe, &item)) {
		if (used + sizeof(struct erofs_dirent) + item.len > BLOCK)
			break;
		used += sizeof(struct erofs_dirent) + item.len;
		nr++;
		*c = probe;
	}
	if (!block)
		return used;
	size_t name_off = nr * sizeof(struct erofs_dirent);

	for (size_t i = 0; i < nr; i++) {
		struct erofs_dirent de = { 0 };

		cursor_next(&start, &item);
		de.nid = htole64(inode_nid(item.inode));
		de.nameoff = htole16(name_off);
		de.file_type = file_type(item.inode->mode);
		memcpy(block + i * sizeof(de), &de, sizeof(de));
		memcpy(block + name_off, item.name, item.len);
		name_off += item.len;
	}
	memset(block + used, 0, BLOCK - used);
	return used;
}

static struct dir_cursor cursor_start(const struct tree_inode *dir)
{
	return (struct dir_cursor){ .dir = dir, .child = dir->children };
}

/* Size of the directory; remembers where its last block begins. */
static void dir_measure(struct tree_inode *dir)
{
	struct dir_cursor c = cursor_start(dir);
	uint64_t blocks = 0;
	size_t used, last = 0;

	for (;;) {
		struct dir_cursor before = c;

		used = dir_block(&c, NULL);
		if (!used)
			break;
		dir->tail_child = (struct tree_node *)before.child;
		dir->tail_dots = before.dots;
		last = used;
		blocks++;
	}
	dir->size = (blocks - 1) * BLOCK + last;
}

/* Layout. */

static uint32_t xattr_bytes(const struct tree_inode *inode)
{
	uint32_t len = sizeof(struct erofs_xattr_header);

	if (!inode->xattrs)
		return 0;
	for (const struct tree_xattr *x = inode->xattrs; x; x = x->next)
		len += round_up_u64(sizeof(struct erofs_xattr_entry) + x->name_len + x->value_len,
				    4);
	return len;
}

static uint32_t inode_nlink(const struct tree_inode *inode)
{
	return S_ISDIR(inode->mode) ? inode->nr_subdirs + 2 : inode->nr_names;
}

static bool needs_extended(const struct build *b, const struct tree_inode *i)
{
	return i->uid > UINT16_MAX || i->gid > UINT16_MAX || inode_nlink(i) > UINT16_MAX ||
	       i->size > UINT32_MAX || i->mtime != b->common_mtime ||
	       i->mtime_nsec != b->common_nsec;
}

static uint32_t inode_core_bytes(const struct tree_inode *i)
{
	return (i->is_extended ? sizeof(struct erofs_inode_extended)
			       : sizeof(struct erofs_inode_compact)) +
	       i->xattr_len;
}

/* Bytes of contents that lie behind the inode. */
static uint32_t inline_bytes(const struct tree_inode *i)
{
	return i->layout == EROFS_LAYOUT_INLINE ? i->size % BLOCK : 0;
}

static void choose_layout(struct build *b, struct tree_inode *i)
{
	bool may_inline = S_ISDIR(i->mode) || S_ISLNK(i->mode) || i->data == TREE_DATA_SPOOL;

	i->layout = EROFS_LAYOUT_PLAIN;
	if (may_inline && i->size % BLOCK && inode_core_bytes(i) + i->size % BLOCK <= BLOCK)
		i->layout = EROFS_LAYOUT_INLINE;
	if (S_ISREG(i->mode))
		return;
	if (S_ISDIR(i->mode) || S_ISLNK(i->mode)) {
		i->data_off = b->w->data_end;
		b->w->data_end += round_up_u64(i->size - inline_bytes(i), BLOCK);
	}
}

/* A small file whose attributes leave no room beside the inode moves into blocks of its own. */
static int unspool(struct erofs_writer *w, struct tree_inode *i, struct err *err)
{
	uint8_t buf[EROFS_INLINE_MAX];

	if (pread(w->spool_fd, buf, i->size, i->data_off) != (ssize_t)i->size)
		return err_set(err, EIO, "the image cache lost data while unpacking");
	i->data = TREE_DATA_BLOCKS;
	i->data_off = w->data_end;
	w->data_end += BLOCK;
	return write_all(w->fd, buf, i->size, i->data_off, err);
}

static void place_inode(struct build *b, struct tree_inode *i)
{
	uint64_t at = round_up_u64(b->meta_end, EROFS_SLOT_SIZE);
	uint32_t all = inode_core_bytes(i) + inline_bytes(i);
	uint32_t whole = all <= BLOCK ? all : sizeof(struct erofs_inode_extended);

	if (at % BLOCK + whole > BLOCK)
		at = round_up_u64(at, BLOCK);
	i->meta_off = at;
	b->meta_end = at + all;
}

static int layout_inodes(struct build *b, struct err *err)
{
	b->meta_end = META_START;
	for (struct tree_inode *i = b->first; i; i = i->order_next) {
		if (S_ISDIR(i->mode))
			dir_measure(i);
		i->is_extended = needs_extended(b, i);
		i->xattr_len = xattr_bytes(i);
		choose_layout(b, i);
		if (i->data == TREE_DATA_SPOOL && i->layout == EROFS_LAYOUT_PLAIN) {
			int r = unspool(b->w, i, err);

			if (r < 0)
				return r;
		}
		place_inode(b, i);
	}
	b->meta_off = b->w->data_end;
	if ((b->meta_off + b->meta_end) >> EROFS_BLOCK_BITS >= UINT32_MAX)
		return err_set(err, EFBIG, "the image is larger than EROFS can hold");
	return 0;
}

/* Write. */

/* The blocks of directories and long links, in the order layout_inodes() reserved them. */
static int write_blocks(struct build *b, struct tree_inode *i, struct err *err)
{
	uint64_t nr = round_up_u64(i->size - inline_bytes(i), BLOCK) / BLOCK;
	struct dir_cursor c = cursor_start(i);
	uint8_t block[BLOCK];
	int r = 0;

	if (!nr)
		return 0;
	r = out_seek(&b->out, i->data_off, err);
	if (S_ISLNK(i->mode) && r == 0)
		return out_put(&b->out, i->target, i->size, err);
	for (uint64_t n = 0; n < nr && r == 0; n++) {
		dir_block(&c, block);
		r = out_put(&b->out, block, BLOCK, err);
	}
	return r;
}

static int write_xattrs(struct build *b, const struct tree_inode *i, struct err *err)
{
	static const uint8_t pad[4];
	struct erofs_xattr_header head = { 0 };
	int r;

	if (!i->xattrs)
		return 0;
	r = out_put(&b->out, &head, sizeof(head), err);
	for (const struct tree_xattr *x = i->xattrs; x && r == 0; x = x->next) {
		struct erofs_xattr_entry e = {
			.name_len = x->name_len,
			.name_index = x->index,
			.value_size = htole16(x->value_len),
		};
		size_t len = x->name_len + x->value_len;

		r = out_put(&b->out, &e, sizeof(e), err);
		if (r == 0)
			r = out_put(&b->out, x->bytes, len, err);
		if (r == 0)
			r = out_put(&b->out, pad, round_up_u64(len, 4) - len, err);
	}
	return r;
}

static int write_inline(struct build *b, const struct tree_inode *i, struct err *err)
{
	uint8_t block[BLOCK];
	uint32_t len = inline_bytes(i);

	if (!len)
		return 0;
	if (S_ISLNK(i->mode))
		return out_put(&b->out, i->target, len, err);
	if (S_ISDIR(i->mode)) {
		struct dir_cursor c = { .dir = i, .child = i->tail_child, .dots = i->tail_dots };

		dir_block(&c, block);
	} else if (pread(b->w->spool_fd, block, len, i->data_off) != (ssize_t)len) {
		return err_set(err, EIO, "the image cache lost data while unpacking");
	}
	return out_put(&b->out, block, len, err);
}

/* Linux's packing of a device number into 32 bits. */
static uint32_t encode_dev(dev_t dev)
{
	uint32_t ma = major(dev), mi = minor(dev);

	return (mi & 0xff) | ma << 8 | (mi & ~0xffu) << 12;
}

static uint32_t inode_union(const struct tree_inode *i)
{
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		return encode_dev(i->rdev);
	if (S_ISFIFO(i->mode) || S_ISSOCK(i->mode))
		return 0;
	if (i->size - inline_bytes(i) == 0)
		return EROFS_NULL_ADDR;
	return i->data_off >> EROFS_BLOCK_BITS;
}

static int write_inode(struct build *b, const struct tree_inode *i, struct err *err)
{
	uint16_t icount = i->xattr_len ? (i->xattr_len - 12) / 4 + 1 : 0;
	uint16_t format = i->layout << EROFS_LAYOUT_SHIFT;
	int r;

	r = out_pad_to(&b->out, b->meta_off + i->meta_off, err);
	if (r < 0)
		return r;
	if (i->is_extended) {
		struct erofs_inode_extended d = {
			.i_format = htole16(format | EROFS_INODE_EXTENDED),
			.i_xattr_icount = htole16(icount),
			.i_mode = htole16(i->mode),
			.i_size = htole64(i->size),
			.i_u = htole32(inode_union(i)),
			.i_ino = htole32(i->ino),
			.i_uid = htole32(i->uid),
			.i_gid = htole32(i->gid),
			.i_mtime = htole64(i->mtime),
			.i_mtime_nsec = htole32(i->mtime_nsec),
			.i_nlink = htole32(inode_nlink(i)),
		};

		r = out_put(&b->out, &d, sizeof(d), err);
	} else {
		struct erofs_inode_compact d = {
			.i_format = htole16(format),
			.i_xattr_icount = htole16(icount),
			.i_mode = htole16(i->mode),
			.i_nlink = htole16(inode_nlink(i)),
			.i_size = htole32(i->size),
			.i_u = htole32(inode_union(i)),
			.i_ino = htole32(i->ino),
			.i_uid = htole16(i->uid),
			.i_gid = htole16(i->gid),
		};

		r = out_put(&b->out, &d, sizeof(d), err);
	}
	if (r == 0)
		r = write_xattrs(b, i, err);
	return r < 0 ? r : write_inline(b, i, err);
}

static int write_super(struct build *b, uint64_t size, const uint8_t uuid[16], struct err *err)
{
	uint8_t block[BLOCK] = { 0 };
	struct erofs_super sb = {
		.magic = htole32(EROFS_MAGIC),
		.feature_compat = htole32(EROFS_COMPAT_SB_CHKSUM | EROFS_COMPAT_MTIME),
		.blkszbits = EROFS_BLOCK_BITS,
		.root_nid = htole16(inode_nid(b->first)),
		.inos = htole64(b->nr_inodes),
		.build_time = htole64(b->common_mtime),
		.build_time_nsec = htole32(b->common_nsec),
		.blocks = htole32(size >> EROFS_BLOCK_BITS),
		.meta_blkaddr = htole32(b->meta_off >> EROFS_BLOCK_BITS),
	};

	memcpy(sb.uuid, uuid, sizeof(sb.uuid));
	memcpy(block + EROFS_SUPER_OFFSET, &sb, sizeof(sb));
	sb.checksum =
		htole32(erofs_crc32c(~0u, block + EROFS_SUPER_OFFSET, BLOCK - EROFS_SUPER_OFFSET));
	memcpy(block + EROFS_SUPER_OFFSET, &sb, sizeof(sb));
	return write_all(b->w->fd, block, BLOCK, 0, err);
}

int erofs_writer_finish(struct erofs_writer *w, struct tree *t, const uint8_t uuid[16],
			uint64_t *size, struct err *err)
{
	struct build b = { .w = w, .t = t, .out.fd = w->fd };
	int r = order_inodes(&b, err);

	if (r < 0)
		return r;
	find_common_mtime(&b);
	r = layout_inodes(&b, err);
	if (r < 0)
		return r;
	CLEANUP_FREE uint8_t *buf = malloc(OUT_BUF);
	if (!buf)
		return err_set(err, ENOMEM, "not enough memory to write the image");
	b.out.buf = buf;
	for (struct tree_inode *i = b.first; i && r == 0; i = i->order_next) {
		if (S_ISDIR(i->mode) || S_ISLNK(i->mode))
			r = write_blocks(&b, i, err);
	}
	if (r == 0)
		r = out_seek(&b.out, b.meta_off, err);
	for (struct tree_inode *i = b.first; i && r == 0; i = i->order_next)
		r = write_inode(&b, i, err);
	*size = round_up_u64(b.meta_off + b.meta_end, BLOCK);
	if (r == 0)
		r = out_pad_to(&b.out, *size, err);
	if (r == 0)
		r = out_flush(&b.out, err);
	return r < 0 ? r : write_super(&b, *size, uuid, err);
}
