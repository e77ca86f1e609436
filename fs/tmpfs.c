// SPDX-License-Identifier: Apache-2.0
/*
 * tmpfs - files in memory: the reference driver
 *
 * Role      /tmp, /dev/shm, the writable layer of the root, memfd. Read this one first to see what a driver
 *           does; file data is entirely the page cache's business.
 * Rules     A directory keeps its entries twice: in a tree by (hash, name) to find them, in an array by
 *           ever-growing cookie, which is the reading position, so that a reader never sees an entry twice nor
 *           misses one that stayed. An entry holds one reference on its inode. nlink counts entries, plus for
 *           directories "." and the ".." of subdirectories.
 * Locking   The VFS's inode locks cover entries and attributes. Counters of the super block are atomic.
 * Missing   huge=, mpol=, quotas; inode numbers are never reused
 * See       tmpfs(5); tests/unit/tmpfs_test.c
 */
#include "fs/tmpfs.h"

#include "fs/acl.h"
#include "fs/dentry.h"
#include "fs/tmpfs_opts.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/rbtree.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/xattr.h"

#define DIRENT_BYTES 20 /* what st_size of a directory counts per entry, as Linux */

#define LINK_SHORT 128 /* bytes of a symbolic link that are not counted */

struct tmpfs_super {
	struct tmpfs_opts opts;
	atomic64_t used_pages, used_inodes;
	atomic64_t next_ino;
};

struct tmpfs_entry {
	struct rb_node node;
	u64 cookie;
	struct inode *inode;
	u32 hash;
	u32 len;
	char name[];
};

struct tmpfs_inode {
	struct inode vfs;
	struct xattr_store xattrs;
	/* Directories. */
	struct rb_root entries;
	struct xarray by_cookie;
	u64 next_cookie;
};

static struct tmpfs_inode *tmpfs_i(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, vfs);
}

static struct tmpfs_super *tmpfs_sb(struct super *sb)
{
	return sb->priv;
}

static const struct inode_ops tmpfs_dir_ops, tmpfs_file_ops, tmpfs_special_ops;

static int super_charge(struct tmpfs_super *ts, s64 npages)
{
	u64 used;

	if (npages < 0) {
		atomic64_sub(&ts->used_pages, (u64)-npages);
		return 0;
	}
	used = atomic64_add(&ts->used_pages, (u64)npages);
	if (ts->opts.max_pages && used > ts->opts.max_pages) {
		atomic64_sub(&ts->used_pages, (u64)npages);
		return -ENOSPC;
	}
	return 0;
}

static int tmpfs_charge(struct inode *inode, s64 npages)
{
	return super_charge(tmpfs_sb(inode->sb), npages);
}

/* What an inode takes of size= beside its data: a long symbolic link, as on Linux, and its attributes. */
static s64 link_pages(const struct inode *inode)
{
	return inode->link && inode->size >= LINK_SHORT;
}

static s64 xattr_pages(u64 bytes)
{
	return (s64)((bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

static int tmpfs_new_inode(struct super *sb, const struct new_inode *ni, struct inode **out)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);
	struct tmpfs_inode *ti;
	const struct inode_ops *ops = &tmpfs_special_ops;

	if (atomic64_add(&ts->used_inodes, 1) > ts->opts.max_inodes && ts->opts.max_inodes) {
		atomic64_sub(&ts->used_inodes, 1);
		return -ENOSPC;
	}
	ti = knew(struct tmpfs_inode);
	if (!ti)
		goto uncount;
	if (S_ISLNK(ni->mode)) {
		ti->vfs.size = strlen(ni->link);
		ti->vfs.link = kstrdup(ni->link);
		if (!ti->vfs.link || super_charge(ts, link_pages(&ti->vfs))) {
			kfree((void *)(u64)ti->vfs.link);
			kfree(ti);
			goto uncount;
		}
	}
	if (S_ISDIR(ni->mode))
		ops = &tmpfs_dir_ops;
	else if (S_ISREG(ni->mode))
		ops = &tmpfs_file_ops;
	inode_init(&ti->vfs, sb, atomic64_add(&ts->next_ino, 1), ni->mode, ops);
	ti->vfs.uid = ni->uid;
	ti->vfs.gid = ni->gid;
	ti->vfs.rdev = ni->rdev;
	ti->vfs.nlink = 0;
	if (S_ISDIR(ni->mode)) {
		ti->vfs.fops = &default_dir_fops;
		ti->vfs.nlink = 1;
		ti->next_cookie = 2;
	} else if (S_ISREG(ni->mode)) {
		ti->vfs.fops = &pagecache_file_ops;
	}
	xattr_store_init(&ti->xattrs);
	*out = &ti->vfs;
	return 0;
uncount:
	atomic64_sub(&ts->used_inodes, 1);
	return -ENOMEM;
}

/* Directory entries. */

static s32 entry_compare(const struct tmpfs_entry *e, const struct name *n)
{
	if (e->hash != n->hash)
		return e->hash < n->hash ? -1 : 1;
	if (e->len != n->len)
		return e->len < n->len ? -1 : 1;
	return memcmp(e->name, n->s, n->len);
}

static struct tmpfs_entry *entry_find(struct inode *dir, const struct name *n)
{
	struct rb_node *node = tmpfs_i(dir)->entries.node;
	struct tmpfs_entry *e;
	s32 c;

	while (node) {
		e = rb_entry(node, struct tmpfs_entry, node);
		c = entry_compare(e, n);
		if (!c)
			return e;
		node = c < 0 ? node->right : node->left;
	}
	return NULL;
}

/* Takes over the caller's reference on inode. */
static int entry_add(struct inode *dir, const struct name *n, struct inode *inode)
{
	struct tmpfs_inode *td = tmpfs_i(dir);
	struct rb_node **link = &td->entries.node, *parent = NULL;
	struct tmpfs_entry *e;
	void *old;
	int err;

	if (n->len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	e = kmalloc(sizeof *e + n->len + 1);
	if (!e)
		return -ENOMEM;
	e->cookie = td->next_cookie;
	e->inode = inode;
	e->hash = n->hash;
	e->len = n->len;
	memcpy(e->name, n->s, n->len);
	e->name[n->len] = 0;
	err = xa_store(&td->by_cookie, e->cookie, e, &old);
	if (err) {
		kfree(e);
		return err;
	}
	td->next_cookie++;
	while (*link) {
		parent = *link;
		link = entry_compare(rb_entry(parent, struct tmpfs_entry, node), n) < 0
			       ? &parent->right
			       : &parent->left;
	}
	rb_link(&e->node, parent, link);
	rb_insert_fixup(&td->entries, &e->node);
	dir->size += DIRENT_BYTES;
	inode_touch(dir);
	return 0;
}

/* The reference on the inode becomes the caller's. */
static void entry_remove(struct inode *dir, struct tmpfs_entry *e)
{
	struct tmpfs_inode *td = tmpfs_i(dir);

	rb_erase(&td->entries, &e->node);
	(void)xa_erase(&td->by_cookie, e->cookie);
	dir->size -= DIRENT_BYTES;
	inode_touch(dir);
	kfree(e);
}

static int tmpfs_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct tmpfs_entry *e = entry_find(dir, n);

	if (!e)
		return -ENOENT;
	*out = inode_get(e->inode);
	return 0;
}

static int tmpfs_create(struct inode *dir, const struct name *n, const struct new_inode *ni,
			struct inode **out)
{
	struct inode *inode;
	int err = tmpfs_new_inode(dir->sb, ni, &inode);

	if (err)
		return err;
	err = entry_add(dir, n, inode_get(inode));
	if (err) {
		inode_put(inode);
		inode_put(inode);
		return err;
	}
	inode->nlink++;
	if (S_ISDIR(ni->mode))
		dir->nlink++;
	*out = inode;
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, const struct new_inode *ni, struct inode **out)
{
	return tmpfs_new_inode(dir->sb, ni, out);
}

static int tmpfs_link(struct inode *dir, const struct name *n, struct inode *target)
{
	int err = entry_add(dir, n, inode_get(target));

	if (err) {
		inode_put(target);
		return err;
	}
	target->nlink++;
	target->ctime = inode_now();
	return 0;
}

static int tmpfs_unlink(struct inode *dir, const struct name *n, struct inode *victim)
{
	struct tmpfs_entry *e = entry_find(dir, n);

	if (!e || e->inode != victim)
		return -ENOENT;
	entry_remove(dir, e);
	victim->nlink--;
	victim->ctime = dir->ctime;
	inode_put(victim);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, const struct name *n, struct inode *victim)
{
	int err;

	if (tmpfs_i(victim)->entries.node)
		return -ENOTEMPTY;
	err = tmpfs_unlink(dir, n, victim);
	if (err)
		return err;
	victim->nlink--; /* "." */
	dir->nlink--;	 /* its ".." */
	return 0;
}

static void tmpfs_exchange(const struct rename_req *r, struct tmpfs_entry *from,
			   struct tmpfs_entry *to)
{
	bool from_dir = inode_is_dir(from->inode), to_dir = inode_is_dir(to->inode);

	from->inode = r->target;
	to->inode = r->inode;
	if (from_dir != to_dir) {
		(from_dir ? r->old_dir : r->new_dir)->nlink--;
		(from_dir ? r->new_dir : r->old_dir)->nlink++;
	}
	inode_touch(r->old_dir);
	inode_touch(r->new_dir);
	r->target->ctime = r->old_dir->ctime;
}

static int tmpfs_replace(const struct rename_req *r, struct tmpfs_entry *to)
{
	bool is_dir = inode_is_dir(r->inode);

	if (is_dir && tmpfs_i(r->target)->entries.node)
		return -ENOTEMPTY;
	to->inode = inode_get(r->inode);
	r->target->nlink -= is_dir ? 2 : 1;
	r->target->ctime = inode_now();
	if (is_dir)
		r->new_dir->nlink--;
	inode_touch(r->new_dir);
	inode_put(r->target);
	return 0;
}

/* The new name leads to the object; nothing was changed when it fails. */
static int tmpfs_rename_to(const struct rename_req *r, struct tmpfs_entry *to)
{
	int err;

	if (to)
		return tmpfs_replace(r, to);
	err = entry_add(r->new_dir, &r->new_name, inode_get(r->inode));
	if (err)
		inode_put(r->inode);
	return err;
}

/* The old name goes, or leads to the whiteout: nothing that could fail. */
static void tmpfs_rename_from(const struct rename_req *r, struct tmpfs_entry *from,
			      struct inode *whiteout)
{
	if (whiteout) {
		from->inode = whiteout;
		whiteout->nlink = 1;
		inode_touch(r->old_dir);
	} else {
		entry_remove(r->old_dir, from);
	}
	inode_put(r->inode);
	if (inode_is_dir(r->inode)) {
		r->old_dir->nlink--;
		r->new_dir->nlink++;
	}
	r->inode->ctime = r->new_dir->ctime;
}

static int tmpfs_rename(const struct rename_req *r)
{
	struct tmpfs_entry *from = entry_find(r->old_dir, &r->old_name);
	struct tmpfs_entry *to = entry_find(r->new_dir, &r->new_name);
	struct inode *whiteout = NULL;
	struct new_inode ni = { 0 };
	int err = 0;

	if (!from || from->inode != r->inode || (to ? to->inode : NULL) != r->target)
		return -ENOENT;
	if (r->flags & RENAME_EXCHANGE) {
		tmpfs_exchange(r, from, to);
		r->inode->ctime = r->old_dir->ctime;
		return 0;
	}
	if (r->flags & RENAME_WHITEOUT) {
		err = inode_new_owner(r->old_dir, S_IFCHR, 0, &ni);
		if (!err)
			err = tmpfs_new_inode(r->old_dir->sb, &ni, &whiteout);
		inode_made(whiteout, &ni);
	}
	if (!err)
		err = tmpfs_rename_to(r, to);
	if (!err)
		tmpfs_rename_from(r, from, whiteout);
	else if (whiteout)
		inode_put(whiteout);
	return err;
}

int tmpfs_layer_new(struct super *sb, const struct new_inode *ni, struct inode **out)
{
	return tmpfs_new_inode(sb, ni, out);
}

struct inode *tmpfs_layer_get(struct inode *dir, const struct name *n)
{
	struct tmpfs_entry *e = entry_find(dir, n);

	return e ? e->inode : NULL;
}

/* A name of inode in dir appeared (1) or went (-1): links, "." and "..". */
static void layer_count(struct inode *dir, struct inode *inode, s32 by)
{
	inode->nlink += (u32)by;
	if (inode_is_dir(inode))
		dir->nlink += (u32)by;
}

int tmpfs_layer_put(struct inode *dir, const struct name *n, struct inode *inode)
{
	struct tmpfs_entry *e = entry_find(dir, n);
	struct inode *old;
	int err;

	inode_get(inode);
	if (!e) {
		err = entry_add(dir, n, inode);
		if (err) {
			inode_put(inode);
			return err;
		}
		layer_count(dir, inode, 1);
		return 0;
	}
	old = e->inode;
	e->inode = inode;
	layer_count(dir, old, -1);
	layer_count(dir, inode, 1);
	inode_touch(dir);
	inode_put(old);
	return 0;
}

void tmpfs_layer_remove(struct inode *dir, const struct name *n)
{
	struct tmpfs_entry *e = entry_find(dir, n);
	struct inode *old;

	if (!e)
		return;
	old = e->inode;
	entry_remove(dir, e);
	layer_count(dir, old, -1);
	inode_put(old);
}

/* Attributes. */

static int tmpfs_setattr(struct inode *inode, const struct attr *a)
{
	int err;

	if (a->valid & ATTR_SIZE) {
		if ((a->size < inode->size && inode->seals & F_SEAL_SHRINK) ||
		    (a->size > inode->size && inode->seals & F_SEAL_GROW))
			return -EPERM;
		err = pagecache_truncate(inode, a->size);
		if (err)
			return err;
	}
	inode_apply_attr(inode, a);
	return 0;
}

static s64 tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	return xattr_store_get(&tmpfs_i(inode)->xattrs, name, value, size);
}

/* Attributes count against size= by the page. */
static int set_counted(struct inode *inode, const char *name, const void *value, size_t size,
		       u32 flags)
{
	struct xattr_store *x = &tmpfs_i(inode)->xattrs;
	s64 before = xattr_pages(x->bytes), grown;
	int ret;

	grown = xattr_pages(x->bytes + (u64)xattr_store_growth(x, name, value, size)) - before;
	if (grown > 0) {
		ret = tmpfs_charge(inode, grown);
		if (ret)
			return ret;
	}
	ret = xattr_store_set(x, name, value, size, flags);
	if (ret && grown > 0)
		return tmpfs_charge(inode, -grown) ?: ret;
	return !ret && grown < 0 ? tmpfs_charge(inode, grown) : ret;
}

static int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
			  u32 flags)
{
	int err = set_counted(inode, name, value, size, flags);

	if (!err && value && !strcmp(name, XATTR_NAME_CAPS))
		fetch_or(&inode->flags, INODE_HAS_CAPS);
	return err;
}

static s64 tmpfs_listxattr(struct inode *inode, char *list, size_t size)
{
	s64 acls = acl_list(inode, list, size), n;

	if (acls < 0)
		return acls;
	n = xattr_store_list(&tmpfs_i(inode)->xattrs, list ? list + acls : NULL,
			     size - (size_t)acls);
	return n < 0 ? n : n + acls;
}

static int tmpfs_set_acl(struct inode *inode, enum acl_kind kind, struct acl *a)
{
	acl_attach(inode, kind, a);
	return 0;
}

static void tmpfs_free(struct tmpfs_inode *ti)
{
	s64 pages = link_pages(&ti->vfs) + xattr_pages(ti->xattrs.bytes);

	atomic64_sub(&tmpfs_sb(ti->vfs.sb)->used_inodes, 1);
	atomic64_sub(&tmpfs_sb(ti->vfs.sb)->used_pages, (u64)pages);
	xa_fini(&ti->by_cookie);
	xattr_store_fini(&ti->xattrs);
	acl_put(ti->vfs.acl);
	acl_put(ti->vfs.default_acl);
	kfree((void *)(u64)ti->vfs.link);
	kfree(ti);
}

/* Subdirectories nobody else uses are chained (tmpfs inodes are in no hash) instead of put, so that a deep tree
 * does not recurse. */
static void tmpfs_evict(struct inode *inode)
{
	struct inode *stack = inode, *child;
	struct tmpfs_inode *ti;
	struct rb_node *node;

	inode->hash_next = NULL;
	while (stack) {
		ti = tmpfs_i(stack);
		stack = stack->hash_next;
		while ((node = ti->entries.node)) {
			struct tmpfs_entry *e = rb_entry(node, struct tmpfs_entry, node);

			child = e->inode;
			entry_remove(&ti->vfs, e);
			if (inode_is_dir(child) && refs_read(&child->refs) == 1 && !child->marks &&
			    !child->locks) {
				child->hash_next = stack;
				stack = child;
			} else {
				inode_put(child);
			}
		}
		tmpfs_free(ti);
	}
}

static int tmpfs_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	struct tmpfs_inode *td = tmpfs_i(dir);
	struct tmpfs_entry *e;
	u64 cookie;

	for (cookie = (u64)ctx->pos; (e = xa_find(&td->by_cookie, &cookie)); cookie++) {
		if (!ctx->emit(ctx, e->name, e->len, e->inode->ino,
			       (u8)mode_to_dtype(e->inode->mode), (s64)cookie + 1))
			break;
		ctx->pos = (s64)cookie + 1;
	}
	return 0;
}

/* Super block. */

static int tmpfs_statfs(struct super *sb, struct statfs *st)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);
	u64 used = atomic64_read(&ts->used_pages), inodes = atomic64_read(&ts->used_inodes);

	if (ts->opts.max_pages) {
		st->f_blocks = ts->opts.max_pages;
		st->f_bfree = ts->opts.max_pages - MIN(used, ts->opts.max_pages);
		st->f_bavail = st->f_bfree;
	}
	if (ts->opts.max_inodes) {
		st->f_files = ts->opts.max_inodes;
		st->f_ffree = ts->opts.max_inodes - MIN(inodes, ts->opts.max_inodes);
	}
	return 0;
}

static void tmpfs_show_options(struct super *sb, struct strbuf *out)
{
	tmpfs_opts_show(&tmpfs_sb(sb)->opts, sb->root, out);
}

static int tmpfs_remount(struct super *sb, u32 *flags, const char *data)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);
	struct tmpfs_opts o = ts->opts;
	int err = tmpfs_opts_parse(data, &o);

	if (err)
		return err;
	if ((o.max_pages && o.max_pages < atomic64_read(&ts->used_pages)) ||
	    (o.max_inodes && o.max_inodes < atomic64_read(&ts->used_inodes)))
		return -EINVAL;
	ts->opts = o;
	return 0;
}

static void tmpfs_umount(struct super *sb)
{
	kfree(sb->priv);
}

static const struct inode_ops tmpfs_dir_ops = {
	.lookup = tmpfs_lookup,
	.iterate = tmpfs_iterate,
	.create = tmpfs_create,
	.tmpfile = tmpfs_tmpfile,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.set_acl = tmpfs_set_acl,
	.evict = tmpfs_evict,
};

static const struct inode_ops tmpfs_file_ops = {
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.set_acl = tmpfs_set_acl,
	.charge = tmpfs_charge,
	.evict = tmpfs_evict,
};

static const struct inode_ops tmpfs_special_ops = {
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.set_acl = tmpfs_set_acl,
	.evict = tmpfs_evict,
};

static const struct super_ops tmpfs_super_ops = {
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
	.umount = tmpfs_umount,
};

static int tmpfs_fill(const struct fs_type *t, const struct tmpfs_opts *o, struct super **out)
{
	struct tmpfs_super *ts = knew(struct tmpfs_super);
	struct new_inode ni = { .mode = S_IFDIR | o->mode, .uid = o->uid, .gid = o->gid };
	struct super *sb;
	int err;

	if (!ts)
		return -ENOMEM;
	ts->opts = *o;
	err = super_create(t, &tmpfs_super_ops, TMPFS_MAGIC, &sb);
	if (err) {
		kfree(ts);
		return err;
	}
	sb->priv = ts;
	err = tmpfs_new_inode(sb, &ni, &sb->root);
	if (err) {
		super_put(sb);
		return err;
	}
	sb->root->nlink = 2;
	*out = sb;
	return 0;
}

static int tmpfs_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	struct tmpfs_opts o;
	int err;

	tmpfs_opts_default(&o, 50);
	err = tmpfs_opts_parse(a->data, &o);
	if (err)
		return err;
	err = tmpfs_fill(t, &o, out);
	if (!err)
		(*out)->flags = a->flags & MS_RDONLY;
	return err;
}

const struct fs_type tmpfs_fs_type = {
	.name = "tmpfs",
	.no_dev = true,
	.user_mountable = true,
	.mount = tmpfs_mount,
};

int tmpfs_create_layer(u32 percent, u32 root_mode, struct super **out)
{
	struct tmpfs_opts o;

	tmpfs_opts_default(&o, percent);
	o.mode = root_mode;
	return tmpfs_fill(&tmpfs_fs_type, &o, out);
}

int tmpfs_create_unnamed(struct super *sb, u32 mode, struct inode **out)
{
	struct new_inode ni = { .mode = S_IFREG | mode };

	return tmpfs_new_inode(sb, &ni, out);
}
