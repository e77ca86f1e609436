// SPDX-License-Identifier: Apache-2.0
/*
 * erofs - container images, read in place
 *
 * Role      The image lies in a window of guest-physical memory that the monitor mapped read-only. Reads copy from
 *           it, mappings map its frames: no host call, no copy. Lower layer of the root.
 * Rules     The image is hostile: every offset goes through erofs_at(), every length is checked, nothing read
 *           from it is trusted twice. What is wrong gives -EUCLEAN. Numbers in memory are copies.
 *           Whole blocks are page aligned in the image and become pages by themselves; the tail of a file
 *           that is stored behind its inode is copied into a page when it is mapped.
 * Missing   compression, chunks, several devices, fragments, long xattr prefixes
 * See       erofs_disk.h; tests/unit/erofs_test.c, tests/fuzz/fuzz_erofs_guest.c
 */
#include "fs/erofs_impl.h"

#include "fs/filp.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/mount.h"

static const struct inode_ops erofs_inode_ops, erofs_dir_inode_ops;
static const struct file_ops erofs_file_ops;
static const struct pager_ops erofs_pager_ops;

const u8 *erofs_data(struct inode *inode, u64 pos, u64 *len)
{
	struct erofs_inode *ei = erofs_i(inode);
	u64 off;

	if (pos >= inode->size)
		return NULL;
	if (pos < ei->data_len) {
		off = ei->data_off + pos;
		*len = MIN(inode->size, ei->data_len) - pos;
	} else {
		off = ei->tail_off + (pos - ei->data_len);
		*len = inode->size - pos;
	}
	return erofs_at(erofs_sb(inode->sb), off, *len);
}

/* What both inode layouts say, in one shape. */
struct raw_inode {
	u16 format, xattr_icount;
	u32 mode, nlink, uid, gid, u, head;
	u64 size;
	struct timespec mtime;
};

static int raw_read(const struct erofs_super *es, u64 off, struct raw_inode *r)
{
	const struct erofs_inode_compact *c = erofs_at(es, off, sizeof *c);
	const struct erofs_inode_extended *x;

	if (!c)
		return -EUCLEAN;
	*r = (struct raw_inode){
		.format = c->format,
		.xattr_icount = c->xattr_icount,
		.mode = c->mode,
		.nlink = c->nlink,
		.uid = c->uid,
		.gid = c->gid,
		.u = c->u,
		.size = c->size,
		.mtime = es->build_time,
		.head = sizeof *c,
	};
	if (!(r->format & EROFS_FORMAT_EXTENDED))
		return 0;
	x = erofs_at(es, off, sizeof *x);
	if (!x)
		return -EUCLEAN;
	r->nlink = x->nlink;
	r->uid = x->uid;
	r->gid = x->gid;
	r->u = x->u;
	r->size = x->size;
	r->mtime = (struct timespec){ (s64)x->mtime, x->mtime_nsec % 1000000000u };
	r->head = sizeof *x;
	return 0;
}

/* Where the bytes of a file, directory or link are. off: of the inode. */
static int place_data(const struct erofs_super *es, u64 off, const struct raw_inode *r,
		      struct erofs_inode *ei)
{
	u32 layout = r->format >> 1 & 7;
	u64 tail = 0;

	if (r->xattr_icount) {
		ei->xattr_off = off + r->head;
		ei->xattr_len = 12 + (r->xattr_icount - 1u) * 4;
		ei->vfs.flags |= INODE_HAS_CAPS; /* or others: who writes looks */
		if (!erofs_at(es, ei->xattr_off, ei->xattr_len))
			return -EUCLEAN;
	}
	if (!S_ISREG(r->mode) && !S_ISDIR(r->mode) && !S_ISLNK(r->mode))
		return 0;
	if (r->format >> 4 || (layout != EROFS_LAYOUT_PLAIN && layout != EROFS_LAYOUT_INLINE))
		return -EOPNOTSUPP;
	if (r->size > es->w.len)
		return -EUCLEAN;
	ei->data_off = (u64)r->u << EROFS_BLOCK_BITS;
	ei->data_len = r->size;
	if (layout == EROFS_LAYOUT_INLINE) {
		tail = r->size & (EROFS_BLOCK_SIZE - 1);
		ei->data_len = r->size - tail;
		ei->tail_off = off + r->head + ei->xattr_len;
	}
	if (ei->data_len && !erofs_at(es, ei->data_off, ei->data_len))
		return -EUCLEAN;
	if (tail && !erofs_at(es, ei->tail_off, tail))
		return -EUCLEAN;
	return 0;
}

static int read_link(struct inode *inode)
{
	u64 len = 0;
	const u8 *p = erofs_data(inode, 0, &len);
	char *text;

	/* Links are stored in one piece. */
	if (!p || len != inode->size || len >= PATH_MAX || memchr(p, 0, len))
		return -EUCLEAN;
	text = kmalloc(len + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, p, len);
	text[len] = 0;
	inode->link = text;
	return 0;
}

static bool mode_is_valid(u32 mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int fill_inode(struct super *sb, u64 nid, struct erofs_inode *ei)
{
	struct erofs_super *es = erofs_sb(sb);
	u64 off = es->meta_off + (nid << EROFS_SLOT_BITS);
	struct inode *inode = &ei->vfs;
	struct raw_inode r;
	int err;

	if (nid >> 56)
		return -EUCLEAN;
	err = raw_read(es, off, &r);
	if (!err && !mode_is_valid(r.mode))
		err = -EUCLEAN;
	if (!err)
		err = place_data(es, off, &r, ei);
	if (err)
		return err;
	inode_init(inode, sb, nid, r.mode,
		   S_ISDIR(r.mode) ? &erofs_dir_inode_ops : &erofs_inode_ops);
	inode->nlink = r.nlink;
	inode->uid = r.uid;
	inode->gid = r.gid;
	inode->size = r.size;
	inode->atime = r.mtime;
	inode->mtime = r.mtime;
	inode->ctime = r.mtime;
	inode->btime = r.mtime;
	if (S_ISREG(r.mode)) {
		inode->fops = &erofs_file_ops;
		inode->pages.pager.ops = &erofs_pager_ops;
	} else if (S_ISDIR(r.mode)) {
		inode->fops = &default_dir_fops;
	} else if (S_ISLNK(r.mode)) {
		return read_link(inode);
	} else {
		inode->rdev = r.u;
		inode->size = 0;
	}
	return 0;
}

int erofs_iget(struct super *sb, u64 nid, struct inode **out)
{
	struct inode *inode = inode_hash_find(sb, nid), *old;
	struct erofs_inode *ei;
	int err;

	if (inode) {
		*out = inode;
		return 0;
	}
	ei = knew(struct erofs_inode);
	if (!ei)
		return -ENOMEM;
	err = fill_inode(sb, nid, ei);
	if (err) {
		kfree(ei);
		return err;
	}
	old = inode_hash_insert(&ei->vfs);
	if (old)
		inode_put(&ei->vfs);
	*out = old ? old : &ei->vfs;
	return 0;
}

static void erofs_evict(struct inode *inode)
{
	kfree((void *)(u64)inode->link);
	kfree(erofs_i(inode));
}

static int erofs_getattr(struct inode *inode, struct kstat *st)
{
	inode_fill_stat(inode, st);
	st->blocks = (inode->size + 511) >> 9;
	st->has_btime = false;
	return 0;
}

/* The tail, for a page of the page cache. */
static int erofs_readpage(struct inode *inode, u64 pgoff, struct page *pg)
{
	u8 *to = page_kaddr(pg);
	u64 len = 0;
	const u8 *p = erofs_data(inode, pgoff << PAGE_SHIFT, &len);

	if (!p)
		return -EIO;
	len = MIN(len, PAGE_SIZE);
	memcpy(to, p, len);
	memset(to + len, 0, PAGE_SIZE - len);
	return 0;
}

/* Open files. */

static s64 erofs_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct inode *inode = f->priv;
	s64 done = 0, n;
	const u8 *p;
	u64 len;

	if (*pos < 0)
		return -EINVAL;
	while (iov_left(dst) && (u64)*pos < inode->size) {
		p = erofs_data(inode, (u64)*pos, &len);
		if (!p)
			return done ? done : -EIO;
		len = MIN(len, iov_left(dst));
		n = iov_put_some(dst, p, len);
		if (n < 0)
			return done ? done : n;
		done += n;
		*pos += n;
		if ((u64)n < len)
			break;
	}
	return done;
}

static int erofs_mmap(struct file *f, struct mmap_req *req)
{
	struct inode *inode = f->priv;

	inode_get(inode);
	req->pager = &inode->pages.pager;
	return 0;
}

static s64 erofs_lseek(struct file *f, s64 off, s32 whence)
{
	return default_lseek(f, off, whence, ((struct inode *)f->priv)->size);
}

static int erofs_fsync(struct file *f, bool data_only)
{
	return 0;
}

/* Mapping: frames of the window. */

static struct inode *pager_inode(struct pager *p)
{
	return container_of(p, struct inode, pages.pager);
}

/* True when page pgoff of the file is a page of the image. */
static bool window_frame(struct inode *inode, u64 pgoff, struct pager_page *out)
{
	struct erofs_inode *ei = erofs_i(inode);
	struct erofs_super *es = erofs_sb(inode->sb);
	u64 off = ei->data_off + (pgoff << PAGE_SHIFT);

	if (!es->w.gpa || pgoff << PAGE_SHIFT >= ei->data_len || !erofs_at(es, off, PAGE_SIZE))
		return false;
	out->page = NULL;
	out->pa = PADDR(es->w.gpa + off);
	return true;
}

static int erofs_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	struct inode *inode = pager_inode(p);

	if (window_frame(inode, pgoff, out))
		return 0;
	return pagecache_pager_ops.get_page(p, pgoff, for_write, out);
}

/* Data lies in one piece: if the last page is in the window, so are those before it. */
static u32 erofs_get_window(struct pager *p, u64 pgoff, u32 max, paddr_t *first)
{
	struct inode *inode = pager_inode(p);
	u64 pages = (erofs_i(inode)->data_len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct pager_page last;
	u32 n = pgoff < pages ? (u32)MIN((u64)max, pages - pgoff) : 0;

	for (; n; n--) {
		if (window_frame(inode, pgoff + n - 1, &last)) {
			*first = PADDR(last.pa.pa - ((u64)(n - 1) << PAGE_SHIFT));
			return n;
		}
	}
	return 0;
}

static bool erofs_is_resident(struct pager *p, u64 pgoff)
{
	return true;
}

static void erofs_pager_get(struct pager *p)
{
	inode_get(pager_inode(p));
}

static void erofs_pager_put(struct pager *p)
{
	inode_put(pager_inode(p));
}

static void erofs_describe(struct pager *p, struct pager_desc *out)
{
	pagecache_pager_ops.describe(p, out);
}

/* Super block. */

static int erofs_statfs(struct super *sb, struct statfs *st)
{
	struct erofs_super *es = erofs_sb(sb);

	st->f_blocks = es->blocks;
	st->f_files = es->inos;
	return 0;
}

static int erofs_remount(struct super *sb, u32 *flags, const char *data)
{
	return *flags & MS_RDONLY ? 0 : -EROFS;
}

static void erofs_umount(struct super *sb)
{
	kfree(sb->priv);
}

static const struct inode_ops erofs_dir_inode_ops = {
	.lookup = erofs_lookup,
	.iterate = erofs_iterate,
	.getattr = erofs_getattr,
	.getxattr = erofs_getxattr,
	.listxattr = erofs_listxattr,
	.evict = erofs_evict,
};

static const struct inode_ops erofs_inode_ops = {
	.getattr = erofs_getattr,
	.getxattr = erofs_getxattr,
	.listxattr = erofs_listxattr,
	.readpage = erofs_readpage,
	.evict = erofs_evict,
};

static const struct file_ops erofs_file_ops = {
	.read = erofs_read,
	.mmap = erofs_mmap,
	.lseek = erofs_lseek,
	.fsync = erofs_fsync,
	.can_splice_from = true,
};

static const struct pager_ops erofs_pager_ops = {
	.get_page = erofs_get_page,
	.get_window = erofs_get_window,
	.is_resident = erofs_is_resident,
	.get = erofs_pager_get,
	.put = erofs_pager_put,
	.describe = erofs_describe,
};

static const struct super_ops erofs_super_ops = {
	.statfs = erofs_statfs,
	.remount = erofs_remount,
	.umount = erofs_umount,
};

static int read_super(struct erofs_super *es, u64 *root_nid)
{
	const struct erofs_super_disk *d = erofs_at(es, EROFS_SUPER_OFFSET, sizeof *d);

	if (!d || d->magic != EROFS_SUPER_MAGIC_V1)
		return -EINVAL;
	if (d->blkszbits != EROFS_BLOCK_BITS || d->feature_incompat || d->extra_devices ||
	    d->dirblkbits)
		return -EOPNOTSUPP;
	es->meta_off = (u64)d->meta_blkaddr << EROFS_BLOCK_BITS;
	es->xattr_off = (u64)d->xattr_blkaddr << EROFS_BLOCK_BITS;
	es->build_time = (struct timespec){ (s64)d->build_time, d->build_time_nsec % 1000000000u };
	es->inos = d->inos;
	es->blocks = d->blocks;
	*root_nid = d->root_nid;
	return 0;
}

int erofs_create_layer(const struct erofs_window *w, struct super **out)
{
	struct erofs_super *es;
	struct super *sb;
	u64 root_nid;
	int err;

	if (!IS_ALIGNED((u64)w->base, PAGE_SIZE) || !IS_ALIGNED(w->gpa, PAGE_SIZE))
		return -EINVAL;
	es = knew(struct erofs_super);
	if (!es)
		return -ENOMEM;
	es->w = *w;
	err = read_super(es, &root_nid);
	if (!err)
		err = super_create(&erofs_fs_type, &erofs_super_ops, EROFS_SUPER_MAGIC_V1, &sb);
	if (err) {
		kfree(es);
		return err;
	}
	sb->priv = es;
	sb->flags = MS_RDONLY;
	err = erofs_iget(sb, root_nid, &sb->root);
	if (!err && !inode_is_dir(sb->root))
		err = -EUCLEAN;
	if (err) {
		super_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static int erofs_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	return a->kdata ? erofs_create_layer(a->kdata, out) : -ENOTBLK;
}

const struct fs_type erofs_fs_type = {
	.name = "erofs",
	.mount = erofs_mount,
};
