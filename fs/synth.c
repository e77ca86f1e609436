// SPDX-License-Identifier: Apache-2.0
/*
 * synth - trees of generated files: nodes, their inodes, text files
 *
 * Role      See synth.h.
 * Rules     A node is a static entry; its inode is made on lookup and lives while used (node->ino keeps the
 *           number). Text is generated into the open file when it is read at offset 0 and served from there.
 *           Writes reach store() one system call at a time, at most a page.
 *           A tree with a build function stays empty until somebody looks into it.
 * Locking   super's tree lock (RANK_MUTEX_LEAF) covers children lists and reference counts of nodes; build_lock is
 *           outside it.
 * Missing   changes of mode and owner are lost when the inode leaves memory
 * See       tests/unit/synth_test.c
 */
#include "fs/synth.h"

#include "fs/dentry.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"

struct synth_node {
	struct refs refs;
	struct list children; /* [tree lock] */
	struct list link;     /* [tree lock] in parent's children */
	struct super *sb;
	u32 mode, gid, rdev;
	u64 ino;
	u64 pos;      /* directory position, grows */
	u64 next_pos; /* of children */
	const struct proc_row *row;
	const struct inode_ops *iops;
	const struct file_ops *fops;
	const struct synth_dir_ops *dir_ops;
	void *ctx;
	char *target; /* symbolic link */
	u32 len;      /* of the name */
	char name[];
};

struct synth_super {
	struct mutex lock; /* RANK_MUTEX_LEAF */
	struct synth_node *root;
	struct mutex build_lock;	       /* RANK_PAGER: one builder, the others wait for it */
	int (*build)(struct synth_node *root); /* [build_lock] NULL once the tree is complete */
};

static const struct inode_ops synth_dir_inode_ops, synth_file_inode_ops, synth_link_inode_ops;
static const struct file_ops synth_text_fops;

static struct mutex *tree_lock(const struct super *sb)
{
	return &((struct synth_super *)sb->priv)->lock;
}

static void node_put(struct synth_node *n)
{
	if (!refs_put(&n->refs))
		return;
	kfree(n->target);
	kfree(n);
}

static int node_create(struct super *sb, const char *name, size_t len, u32 mode,
		       struct synth_node **out)
{
	struct synth_node *n = kzalloc(sizeof *n + len + 1);

	if (!n)
		return -ENOMEM;
	refs_init(&n->refs, 1);
	list_init(&n->children);
	list_init(&n->link);
	n->sb = sb;
	n->mode = mode;
	n->ino = inode_next_ino();
	n->next_pos = 2;
	n->len = (u32)len;
	memcpy(n->name, name, len);
	*out = n;
	return 0;
}

static struct synth_node *child_find(const struct synth_node *dir, const char *s, size_t len)
{
	struct synth_node *n;

	list_for_each_entry (n, &dir->children, link)
		if (n->len == len && n->name[0] == s[0] && !memcmp(n->name, s, len))
			return n;
	return NULL;
}

static void child_add(struct synth_node *dir, struct synth_node *n)
{
	n->pos = dir->next_pos++;
	list_add_tail(&dir->children, &n->link);
}

/* Walks to the directory of the last component, making directories. Tree lock held. */
static int node_parent(struct synth_node *dir, const char *path, struct synth_node **out,
		       const char **last)
{
	const char *slash;
	struct synth_node *n;
	int err;

	while ((slash = strchr(path, '/'))) {
		n = child_find(dir, path, (size_t)(slash - path));
		if (!n) {
			err = node_create(dir->sb, path, (size_t)(slash - path), S_IFDIR | 0555,
					  &n);
			if (err)
				return err;
			child_add(dir, n);
		}
		if (!S_ISDIR(n->mode))
			return -ENOTDIR;
		dir = n;
		path = slash + 1;
	}
	*out = dir;
	*last = path;
	return *path ? 0 : -EINVAL;
}

/* Adds a node; existing directories are returned instead. *n has not been shown to anybody yet when fill runs. */
static int node_add(struct synth_node *parent, const char *path, const struct synth_node *model,
		    struct synth_node **out)
{
	struct mutex *lock = tree_lock(parent->sb);
	struct synth_node *dir, *n;
	const char *last;
	size_t len;
	int err;

	mutex_lock(lock);
	err = node_parent(parent, path, &dir, &last);
	if (err)
		goto unlock;
	len = strlen(last);
	n = child_find(dir, last, len);
	if (n) {
		err = S_ISDIR(n->mode) && S_ISDIR(model->mode) ? 0 : -EEXIST;
		goto found;
	}
	err = node_create(parent->sb, last, len, model->mode, &n);
	if (err)
		goto unlock;
	n->gid = model->gid;
	n->rdev = model->rdev;
	n->row = model->row;
	n->iops = model->iops;
	n->fops = model->fops;
	n->ctx = model->ctx;
	if (model->target) {
		n->target = kstrdup(model->target);
		if (!n->target) {
			node_put(n);
			err = -ENOMEM;
			goto unlock;
		}
	}
	child_add(dir, n);
found:
	if (!err && out)
		*out = n;
unlock:
	mutex_unlock(lock);
	return err;
}

int synth_mkdir(struct synth_node *parent, const char *path, u32 mode, struct synth_node **out)
{
	struct synth_node model = { .mode = S_IFDIR | (mode & S_IALLUGO) };

	return node_add(parent, path, &model, out);
}

int synth_add_row(struct synth_node *parent, const struct proc_row *row, void *ctx)
{
	struct synth_node model = { .mode = row->mode,
				    .row = row,
				    .ctx = row->data ? row->data : ctx };

	if (!(model.mode & S_IFMT))
		model.mode |= S_IFREG;
	return node_add(parent, row->name, &model, NULL);
}

int synth_add_table(struct synth_node *parent, const struct proc_table *table)
{
	int err = 0;

	for (size_t i = 0; i < table->nr && !err; i++)
		err = synth_add_row(parent, &table->rows[i], table->ctx);
	return err;
}

int synth_add_link(struct synth_node *parent, const char *path, const char *target)
{
	struct synth_node model = { .mode = S_IFLNK | 0777, .target = (char *)(u64)target };

	return node_add(parent, path, &model, NULL);
}

int synth_add_dev(struct synth_node *parent, const char *path, u32 mode, u32 gid, u32 rdev)
{
	struct synth_node model = { .mode = mode, .gid = gid, .rdev = rdev };

	return node_add(parent, path, &model, NULL);
}

int synth_add_special(struct synth_node *parent, const char *path, u32 mode,
		      const struct inode_ops *iops, const struct file_ops *fops, void *ctx)
{
	struct synth_node model = { .mode = mode, .iops = iops, .fops = fops, .ctx = ctx };

	return node_add(parent, path, &model, NULL);
}

void synth_set_dir_ops(struct synth_node *dir, const struct synth_dir_ops *ops, void *ctx)
{
	struct inode *root = dir->sb->root;

	dir->dir_ops = ops;
	dir->ctx = ctx;
	/* The root's inode is there before the root gets operations. */
	if (root && synth_inode(root)->node == dir) {
		synth_inode(root)->dir_ops = ops;
		synth_inode(root)->ctx = ctx;
		root->flags |= ops->inode_flags;
	}
}

/* Inodes. */

static int synth_new(struct super *sb, u64 ino, u32 mode, const struct inode_ops *iops, void *ctx,
		     const struct synth_ctx_ops *co, struct synth_inode **out)
{
	struct synth_inode *si = knew(struct synth_inode);

	if (!si)
		return -ENOMEM;
	inode_init(&si->vfs, sb, ino ? ino : inode_next_ino(), mode, iops);
	if (S_ISDIR(mode))
		si->vfs.nlink = 2;
	si->ctx = ctx;
	si->ctx_ops = co;
	if (co && co->get)
		co->get(ctx);
	if (co && co->owner)
		co->owner(ctx, &si->vfs.uid, &si->vfs.gid);
	*out = si;
	return 0;
}

void synth_evict(struct inode *inode)
{
	struct synth_inode *si = synth_inode(inode);

	if (si->ctx_ops && si->ctx_ops->put)
		si->ctx_ops->put(si->ctx);
	if (si->node)
		node_put(si->node);
	kfree(si);
}

int synth_setattr(struct inode *inode, const struct attr *a)
{
	/* O_TRUNC on a control file is not an error and changes nothing. */
	inode_apply_attr(inode, a);
	return 0;
}

bool synth_is_stale(struct inode *inode)
{
	struct synth_inode *si = synth_inode(inode);

	return si->ctx_ops && si->ctx_ops->is_stale && si->ctx_ops->is_stale(si->ctx);
}

int synth_file_inode(struct super *sb, const struct proc_row *row, void *ctx,
		     const struct synth_ctx_ops *co, u64 ino, struct inode **out)
{
	u32 mode = row->mode & S_IFMT ? row->mode : row->mode | S_IFREG;
	struct synth_inode *si;
	int err = synth_new(sb, ino, mode,
			    S_ISLNK(mode) ? &synth_link_inode_ops : &synth_file_inode_ops, ctx, co,
			    &si);

	if (err)
		return err;
	si->row = row;
	si->vfs.fops = &synth_text_fops;
	*out = &si->vfs;
	return 0;
}

int synth_dir_inode(struct super *sb, u32 mode, const struct synth_dir_ops *ops, void *ctx,
		    const struct synth_ctx_ops *co, u64 ino, struct inode **out)
{
	struct synth_inode *si;
	int err = synth_new(sb, ino, S_IFDIR | (mode & S_IALLUGO), &synth_dir_inode_ops, ctx, co,
			    &si);

	if (err)
		return err;
	si->dir_ops = ops;
	si->vfs.flags = ops->inode_flags;
	si->vfs.fops = &default_dir_fops;
	*out = &si->vfs;
	return 0;
}

int synth_special_inode(struct super *sb, u32 mode, const struct inode_ops *iops, void *ctx,
			const struct synth_ctx_ops *co, u64 ino, struct inode **out)
{
	struct synth_inode *si;
	int err = synth_new(sb, ino, mode, iops, ctx, co, &si);

	if (err)
		return err;
	*out = &si->vfs;
	return 0;
}

static const struct inode_ops *node_inode_ops(const struct synth_node *n)
{
	if (n->iops)
		return n->iops;
	if (S_ISDIR(n->mode))
		return &synth_dir_inode_ops;
	return S_ISLNK(n->mode) ? &synth_link_inode_ops : &synth_file_inode_ops;
}

/* Tree lock held, so that the node stays. */
static int node_inode(struct synth_node *n, struct inode **out)
{
	struct synth_inode *si;
	int err = synth_new(n->sb, n->ino, n->mode, node_inode_ops(n), n->ctx, NULL, &si);

	if (err)
		return err;
	refs_get(&n->refs);
	si->node = n;
	si->row = n->row;
	si->dir_ops = n->dir_ops;
	si->vfs.gid = n->gid;
	si->vfs.rdev = n->rdev;
	si->vfs.link = n->target;
	si->vfs.fops = n->fops;
	si->vfs.flags = INODE_STAYS;
	if (S_ISDIR(n->mode)) {
		si->vfs.fops = &default_dir_fops;
		si->vfs.flags |= INODE_NO_NEGATIVE | (n->dir_ops ? n->dir_ops->inode_flags : 0);
	} else if (n->row) {
		si->vfs.fops = &synth_text_fops;
	}
	*out = &si->vfs;
	return 0;
}

static void synth_free_tree(struct synth_node *n);

/* What a failed build added goes again, so that the next visitor starts afresh. */
static void forget_children(struct super *sb, struct synth_node *dir, u64 pos)
{
	struct synth_node *n, *next;

	mutex_lock(tree_lock(sb));
	list_for_each_entry_safe (n, next, &dir->children, link) {
		if (n->pos < pos)
			continue;
		list_del(&n->link);
		list_init(&n->link);
		synth_free_tree(n);
	}
	mutex_unlock(tree_lock(sb));
}

static int build_now(struct super *sb)
{
	struct synth_super *ss = sb->priv;
	int err = 0;
	u64 pos;

	mutex_lock(&ss->build_lock);
	pos = ss->root->next_pos;
	if (ss->build)
		err = ss->build(ss->root);
	if (err)
		forget_children(sb, ss->root, pos);
	else
		store_release(&ss->build, NULL);
	mutex_unlock(&ss->build_lock);
	return err;
}

static bool is_built(const struct super *sb)
{
	return !load_acquire(&((struct synth_super *)sb->priv)->build);
}

static int static_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct synth_inode *si = synth_inode(dir);
	struct synth_node *child;
	int err = -ENOENT;

	if (!si->node)
		return err;
	mutex_lock(tree_lock(dir->sb));
	child = child_find(si->node, n->s, n->len);
	if (child)
		err = node_inode(child, out);
	mutex_unlock(tree_lock(dir->sb));
	return err;
}

/* A name that is there without building does not build. */
static int synth_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct synth_inode *si = synth_inode(dir);
	int err = static_lookup(dir, n, out);

	if (err == -ENOENT && si->dir_ops && si->dir_ops->lookup)
		err = si->dir_ops->lookup(dir, n, out);
	if (err != -ENOENT || !si->node || is_built(dir->sb))
		return err;
	err = build_now(dir->sb);
	return err ? err : static_lookup(dir, n, out);
}

/* The first child at or after pos, with a reference. */
static struct synth_node *child_at(struct synth_node *dir, u64 pos)
{
	struct synth_node *n, *found = NULL;

	mutex_lock(tree_lock(dir->sb));
	list_for_each_entry (n, &dir->children, link) {
		if (n->pos >= pos) {
			refs_get(&n->refs);
			found = n;
			break;
		}
	}
	mutex_unlock(tree_lock(dir->sb));
	return found;
}

/* Computed entries follow the static ones, far above their positions. */
#define SYNTH_DYNAMIC_BASE (1ll << 40)

struct shifted {
	struct dir_ctx ctx;
	struct dir_ctx *to;
};

static bool shift_emit(struct dir_ctx *ctx, const char *name, u32 len, u64 ino, u8 type, s64 next)
{
	struct shifted *s = container_of(ctx, struct shifted, ctx);

	return s->to->emit(s->to, name, len, ino, type, next + SYNTH_DYNAMIC_BASE);
}

static int iterate_dynamic(struct inode *dir, struct dir_ctx *ctx)
{
	struct synth_inode *si = synth_inode(dir);
	struct shifted s = { .ctx.emit = shift_emit, .to = ctx };
	int err;

	if (!si->dir_ops || !si->dir_ops->iterate)
		return 0;
	s.ctx.pos = ctx->pos < SYNTH_DYNAMIC_BASE ? 2 : ctx->pos - SYNTH_DYNAMIC_BASE;
	err = si->dir_ops->iterate(dir, &s.ctx);
	ctx->pos = s.ctx.pos + SYNTH_DYNAMIC_BASE;
	return err;
}

static int synth_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	struct synth_inode *si = synth_inode(dir);
	struct synth_node *n;
	bool ok = true;
	int err = si->node && !is_built(dir->sb) ? build_now(dir->sb) : 0;

	if (err)
		return err;
	while (si->node && ctx->pos < SYNTH_DYNAMIC_BASE &&
	       (n = child_at(si->node, (u64)ctx->pos))) {
		ok = ctx->emit(ctx, n->name, n->len, n->ino, (u8)mode_to_dtype(n->mode),
			       (s64)n->pos + 1);
		if (ok)
			ctx->pos = (s64)n->pos + 1;
		node_put(n);
		if (!ok)
			return 0;
	}
	return iterate_dynamic(dir, ctx);
}

/* A link whose text a row shows. */
static s64 synth_readlink(struct inode *inode, char *buf, u32 size)
{
	struct synth_inode *si = synth_inode(inode);
	struct strbuf sb;
	s64 ret;

	strbuf_init(&sb);
	ret = si->row->show(&sb, si->ctx);
	if (!ret && sb.failed)
		ret = -ENOMEM;
	if (!ret) {
		ret = (s64)MIN(sb.len, (size_t)size);
		memcpy(buf, sb.data, (size_t)ret);
	}
	strbuf_fini(&sb);
	return ret;
}

/* Text files. f->priv: struct text_file, made by the first read. */

struct text_file {
	struct mutex lock; /* RANK_PAGER: covers sb; readers may use pread */
	struct strbuf sb;
	void *ctx; /* [I] the inode's, or what the row's open made of it */
};

static struct synth_inode *file_si(const struct file *f)
{
	return synth_inode(f->inode);
}

static int text_open(struct inode *inode, struct file *f)
{
	struct synth_inode *si = synth_inode(inode);
	struct text_file *t;

	if (!si->row)
		return default_open(inode, f);
	if ((f->flags & O_ACCMODE) != O_RDONLY && !si->row->store &&
	    !strncmp(si->row->name, "sys/", 4))
		return -EACCES;
	t = knew(struct text_file);
	if (!t)
		return -ENOMEM;
	mutex_init(&t->lock, RANK_PAGER);
	strbuf_init(&t->sb);
	t->ctx = si->ctx;
	if (si->row->open) {
		int err = si->row->open(si->ctx, &t->ctx);

		if (err) {
			kfree(t);
			return err;
		}
	}
	f->priv = t;
	f->ops = inode->fops;
	return 0;
}

static int text_fill(struct file *f, struct text_file *t)
{
	struct synth_inode *si = file_si(f);
	struct strbuf fresh;
	int err;

	strbuf_init(&fresh);
	err = si->row->show(&fresh, t->ctx);
	if (!err && fresh.failed)
		err = -ENOMEM;
	if (err) {
		strbuf_fini(&fresh);
		return err;
	}
	mutex_lock(&t->lock);
	strbuf_fini(&t->sb);
	t->sb = fresh;
	mutex_unlock(&t->lock);
	return 0;
}

static s64 text_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct text_file *t = f->priv;
	char chunk[256];
	s64 done = 0, n;
	size_t len;
	int err;

	if (*pos < 0 || !file_si(f)->row->show)
		return -EINVAL;
	if (*pos == 0 || !t->sb.data) {
		err = text_fill(f, t);
		if (err)
			return err;
	}
	while (iov_left(dst)) {
		/* Through a small buffer: user memory is not touched under the lock. */
		mutex_lock(&t->lock);
		len = (u64)*pos < t->sb.len ? MIN(t->sb.len - (size_t)*pos, sizeof chunk) : 0;
		memcpy(chunk, t->sb.data ? t->sb.data + *pos : chunk, len);
		mutex_unlock(&t->lock);
		len = MIN(len, (size_t)iov_left(dst));
		if (!len)
			break;
		n = iov_put_some(dst, chunk, len);
		if (n < 0)
			return done ? done : n;
		done += n;
		*pos += n;
		if ((size_t)n < len)
			break;
	}
	return done;
}

static s64 text_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct synth_inode *si = file_si(f);
	size_t n = (size_t)MIN(iov_left(src), (u64)PAGE_SIZE - 1);
	char *buf;
	int err;

	if (!si->row->store)
		return -EINVAL;
	buf = kmalloc(n + 1);
	if (!buf)
		return -ENOMEM;
	err = iov_get(src, buf, n);
	if (!err) {
		buf[n] = 0;
		err = si->row->store(buf, n, si->ctx);
	}
	kfree(buf);
	if (err < 0)
		return err;
	*pos += (s64)n;
	return (s64)n;
}

static s64 text_lseek(struct file *f, s64 off, s32 whence)
{
	struct text_file *t = f->priv;

	return default_lseek(f, off, whence, t->sb.len);
}

static u32 text_poll(struct file *f, struct poll_table *pt)
{
	struct text_file *t = f->priv;
	const struct proc_row *row = file_si(f)->row;

	return row->poll ? row->poll(t->ctx, pt) : EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
}

static void text_release(struct file *f)
{
	struct text_file *t = f->priv;

	if (!t)
		return;
	if (file_si(f)->row->close)
		file_si(f)->row->close(t->ctx);
	strbuf_fini(&t->sb);
	kfree(t);
}

static const struct file_ops synth_text_fops = {
	.read = text_read,
	.write = text_write,
	.lseek = text_lseek,
	.poll = text_poll,
	.release = text_release,
	.can_splice_from = true,
	.can_splice_to = true,
};

/* Nothing can be made here. /proc has no negative names: there the name is what is missing. */
static int synth_create(struct inode *dir, const struct name *n, const struct new_inode *ni,
			struct inode **out)
{
	return dir->sb->magic == SYNTH_PROC_MAGIC ? -ENOENT : S_ISREG(ni->mode) ? -EACCES : -EPERM;
}

static int dir_getattr(struct inode *inode, struct kstat *st)
{
	const struct synth_dir_ops *ops = synth_inode(inode)->dir_ops;

	inode_fill_stat(inode, st);
	if (ops && ops->size)
		st->size = ops->size(inode);
	return 0;
}

static int dir_open(struct inode *inode, struct file *f)
{
	const struct synth_dir_ops *ops = synth_inode(inode)->dir_ops;
	int err = ops && ops->may_list ? ops->may_list(inode) : 0;

	return err ? err : default_open(inode, f);
}

static const struct inode_ops synth_dir_inode_ops = {
	.open = dir_open,
	.getattr = dir_getattr,
	.lookup = synth_lookup,
	.create = synth_create,
	.iterate = synth_iterate,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

static const struct inode_ops synth_file_inode_ops = {
	.open = text_open,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

static const struct inode_ops synth_link_inode_ops = {
	.readlink = synth_readlink,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

const struct proc_row *synth_row_find(const struct proc_row *rows, size_t nr, const struct name *n)
{
	for (size_t i = 0; i < nr; i++)
		if (strlen(rows[i].name) == n->len && !memcmp(rows[i].name, n->s, n->len))
			return &rows[i];
	return NULL;
}

/* Super block. */

static void synth_free_tree(struct synth_node *n)
{
	struct synth_node *c, *up;

	/* Depth first without recursion: link.prev is unused once a node is off its list. */
	while (n) {
		c = list_first(&n->children, struct synth_node, link);
		if (c) {
			list_del(&c->link);
			c->link.prev = (struct list *)(void *)n;
			n = c;
			continue;
		}
		up = n->link.prev == &n->link ? NULL : (struct synth_node *)(void *)n->link.prev;
		list_init(&n->link);
		node_put(n);
		n = up;
	}
}

static void synth_umount(struct super *sb)
{
	struct synth_super *ss = sb->priv;

	if (!ss)
		return;
	synth_free_tree(ss->root);
	kfree(ss);
}

static const struct super_ops synth_super_ops = {
	.umount = synth_umount,
};

struct synth_node *synth_root(struct super *sb)
{
	return ((struct synth_super *)sb->priv)->root;
}

void synth_set_build(struct super *sb, int (*build)(struct synth_node *root))
{
	((struct synth_super *)sb->priv)->build = build;
}

int synth_super_create(const struct fs_type *t, u64 magic, u32 root_mode, struct super **out)
{
	struct synth_super *ss = knew(struct synth_super);
	struct super *sb;
	int err;

	if (!ss)
		return -ENOMEM;
	mutex_init(&ss->lock, RANK_MUTEX_LEAF);
	mutex_init(&ss->build_lock, RANK_PAGER);
	err = super_create(t, &synth_super_ops, magic, &sb);
	if (err) {
		kfree(ss);
		return err;
	}
	err = node_create(sb, "", 0, S_IFDIR | (root_mode & S_IALLUGO), &ss->root);
	if (err) {
		kfree(ss);
		super_put(sb);
		return err;
	}
	sb->priv = ss;
	err = node_inode(ss->root, &sb->root);
	if (err) {
		super_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static struct spinlock singles_lock = SPINLOCK_INIT(RANK_OBJECT_INNER);
static struct synth_single *singles; /* [singles_lock] */

void synth_drop_singles(void)
{
	struct synth_single *s;

	while ((s = singles) != NULL) {
		singles = s->next;
		super_put(s->sb);
		s->sb = NULL;
	}
}

int synth_mount_single(struct synth_single *s, const struct fs_type *t, struct super **out)
{
	struct super *sb, *fresh = NULL;
	int ret;

	spin_lock(&s->lock);
	sb = s->sb;
	spin_unlock(&s->lock);
	if (!sb) {
		ret = s->make(t, &fresh);
		if (ret)
			return ret;
		spin_lock(&s->lock);
		if (!s->sb) {
			s->sb = fresh;
			fresh = NULL;
			spin_lock(&singles_lock);
			s->next = singles;
			singles = s;
			spin_unlock(&singles_lock);
		}
		sb = s->sb;
		spin_unlock(&s->lock);
		if (fresh)
			super_put(fresh);
	}
	*out = super_get(sb);
	return 0;
}
