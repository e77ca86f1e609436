// SPDX-License-Identifier: Apache-2.0
/*
 * overlayfs_readdir - reading directories of the overlay
 *
 * Rules     A directory with one layer is read straight from it. A merged one is collected on the first read (and
 *           again after rewinding): upper names first, then lower ones not named before; whiteouts hide.
 *           Positions in a merged directory are indexes into that snapshot, plus 2.
 * Locking   The snapshot belongs to the open file and is covered by its pos_lock; layers are read under the
 *           overlay directory's lock, shared.
 */
#include "fs/overlayfs_impl.h"

#include "fs/dentry.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/rbtree.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/dirent.h"

struct merged_name {
	struct rb_node node;
	struct merged_name *next;
	u64 ino;
	u32 len;
	u8 type;
	bool hidden; /* whiteout: only there to hide lower names */
	char name[];
};

struct merged_dir {
	struct rb_root names;
	struct merged_name *first, **tail;
	/* Where the last read stopped, to go on without walking the list. */
	struct merged_name *at;
	u64 at_index;
};

/* Collecting: a dir_ctx that adds to the snapshot. */
struct collector {
	struct dir_ctx ctx;
	struct merged_dir *md;
	struct ovl_super *os;
	struct inode *layer;
	bool upper;
	int err;
};

static s32 merged_compare(const struct merged_name *m, const char *s, u32 len)
{
	if (m->len != len)
		return m->len < len ? -1 : 1;
	return memcmp(m->name, s, len);
}

/* Where the name is or would be linked; true: it is there. */
static bool merged_find(struct merged_dir *md, const char *s, u32 len, struct rb_node **parent,
			struct rb_node ***link)
{
	s32 c;

	*parent = NULL;
	*link = &md->names.node;
	while (**link) {
		*parent = **link;
		c = merged_compare(rb_entry(*parent, struct merged_name, node), s, len);
		if (!c)
			return true;
		*link = c < 0 ? &(*parent)->right : &(*parent)->left;
	}
	return false;
}

static bool collect(struct dir_ctx *ctx, const char *s, u32 len, u64 ino, u8 type, s64 next)
{
	struct collector *c = container_of(ctx, struct collector, ctx);
	struct rb_node *parent, **link;
	struct merged_name *m;
	struct name n;
	struct inode *u;

	if (merged_find(c->md, s, len, &parent, &link))
		return true;
	m = kzalloc(sizeof *m + len);
	if (!m) {
		c->err = -ENOMEM;
		return false;
	}
	memcpy(m->name, s, len);
	m->len = len;
	m->type = type;
	m->ino = c->upper ? ino : ovl_lower_ino(c->os, c->layer->sb, ino);
	n = name_make(s, len);
	if (c->upper) {
		u = tmpfs_layer_get(c->layer, &n);
		if (u) {
			m->hidden = ovl_is_whiteout(u);
			m->ino = ovl_upper_ino(c->os, u);
		}
	} else if (type == DT_CHR) {
		/* Only the inode says which device it is. */
		c->err = c->layer->ops->lookup(c->layer, &n, &u);
		if (c->err) {
			kfree(m);
			return false;
		}
		m->hidden = ovl_is_whiteout(u);
		inode_put(u);
	}
	rb_link(&m->node, parent, link);
	rb_insert_fixup(&c->md->names, &m->node);
	*c->md->tail = m;
	c->md->tail = &m->next;
	return true;
}

static int collect_layer(struct merged_dir *md, struct ovl_super *os, struct inode *layer,
			 bool upper)
{
	struct collector c = {
		.ctx = {.emit = collect, .pos = 2},
		.md = md,
		.os = os,
		.layer = layer,
		.upper = upper,
	};
	int err = layer->ops->iterate(layer, &c.ctx);

	return err ? err : c.err;
}

static void merged_free(struct merged_dir *md)
{
	struct merged_name *m, *next;

	for (m = md->first; m; m = next) {
		next = m->next;
		kfree(m);
	}
	kfree(md);
}

static int merged_build(struct inode *dir, struct merged_dir **out)
{
	struct ovl_inode *od = ovl_i(dir);
	struct ovl_super *os = ovl_sb(dir->sb);
	struct merged_dir *md = knew(struct merged_dir);
	int err = 0;

	if (!md)
		return -ENOMEM;
	md->tail = &md->first;
	inode_lock_shared(dir);
	if (ovl_upper(od))
		err = collect_layer(md, os, ovl_upper(od), true);
	for (u32 i = 0; i < od->nr_lower && !err; i++)
		err = collect_layer(md, os, od->lower[i], false);
	inode_unlock_shared(dir);
	if (err) {
		merged_free(md);
		return err;
	}
	*out = md;
	return 0;
}

static int merged_emit(struct merged_dir *md, struct dir_ctx *ctx)
{
	u64 index = (u64)ctx->pos - 2;

	if (!md->at || md->at_index > index) {
		md->at = md->first;
		md->at_index = 0;
	}
	for (; md->at && md->at_index < index; md->at_index++)
		md->at = md->at->next;
	while (md->at) {
		struct merged_name *m = md->at;

		if (!m->hidden &&
		    !ctx->emit(ctx, m->name, m->len, m->ino, m->type, (s64)md->at_index + 3))
			return 0;
		md->at = m->next;
		md->at_index++;
		ctx->pos = (s64)md->at_index + 2;
	}
	return 0;
}

/* One lower layer, nothing changed: emit with numbers as the overlay shows them. */
struct passing {
	struct dir_ctx ctx;
	struct dir_ctx *to;
	struct ovl_super *os;
	struct inode *layer;
};

static bool pass(struct dir_ctx *ctx, const char *s, u32 len, u64 ino, u8 type, s64 next)
{
	struct passing *p = container_of(ctx, struct passing, ctx);

	ino = ovl_lower_ino(p->os, p->layer->sb, ino);
	return p->to->emit(p->to, s, len, ino, type, next);
}

static int pass_through(struct inode *dir, struct dir_ctx *ctx)
{
	struct ovl_inode *od = ovl_i(dir);
	struct passing p = {
		.ctx = {.emit = pass, .pos = ctx->pos},
		.to = ctx,
		.os = ovl_sb(dir->sb),
		.layer = od->lower[0],
	};
	int err;

	inode_lock_shared(dir);
	err = p.layer->ops->iterate(p.layer, &p.ctx);
	inode_unlock_shared(dir);
	ctx->pos = p.ctx.pos;
	return err;
}

static int ovl_iterate(struct file *f, struct dir_ctx *ctx)
{
	struct ovl_inode *od = ovl_i(f->inode);
	struct merged_dir *md = f->priv;
	int err;

	if (ctx->pos <= 2 && md) {
		f->priv = NULL;
		merged_free(md);
		md = NULL;
	}
	if (!dir_emit_dots(f, ctx))
		return 0;
	/* Someone who started on the lone lower layer goes on there, even if the directory changes meanwhile. */
	if (!md && (ctx->pos > 2 || (!ovl_upper(od) && od->nr_lower == 1)) && od->nr_lower == 1)
		return pass_through(f->inode, ctx);
	if (!md) {
		err = merged_build(f->inode, &md);
		if (err)
			return err;
		f->priv = md;
	}
	return merged_emit(md, ctx);
}

static int ovl_dir_fsync(struct file *f, bool data_only)
{
	return 0;
}

static void ovl_dir_release(struct file *f)
{
	if (f->priv)
		merged_free(f->priv);
}

const struct file_ops ovl_dir_fops = {
	.iterate = ovl_iterate,
	.lseek = dir_lseek,
	.fsync = ovl_dir_fsync,
	.release = ovl_dir_release,
};

int ovl_check_empty(struct inode *dir)
{
	struct merged_dir *md = knew(struct merged_dir);
	struct ovl_inode *od = ovl_i(dir);
	struct ovl_super *os = ovl_sb(dir->sb);
	struct merged_name *m;
	int err = 0;

	if (!md)
		return -ENOMEM;
	md->tail = &md->first;
	if (ovl_upper(od))
		err = collect_layer(md, os, ovl_upper(od), true);
	for (u32 i = 0; i < od->nr_lower && !err; i++)
		err = collect_layer(md, os, od->lower[i], false);
	for (m = md->first; m && !err; m = m->next)
		if (!m->hidden)
			err = -ENOTEMPTY;
	merged_free(md);
	return err;
}
