// SPDX-License-Identifier: Apache-2.0
/*
 * walk - from components to dentries: links, "..", mounts, chroot, RESOLVE_*
 *
 * Role      See walk.h. A walk over cached names costs no reference counting: it runs under dcache_lock from
 *           the first component to the last, with the start pinned by the task's fs_ctx lock.
 * Rules     Theory. The place reached is (mount, dentry). For each component: the directory must be
 *           searchable; the child comes from the cache, or, when it is not there, from the driver: then the
 *           walk pins its place, drops the locks, asks dentry_lookup() and locks again. A child that is a
 *           mount point is replaced by the root of the topmost mount on it. A child that is a symbolic link
 *           does not move the place: its text is put in front of the rest of the path, which is why the text
 *           lives in a buffer of the walk's own from the first link on. ".." stops at the root (of the task, or of the
 *           call with RESOLVE_IN_ROOT and RESOLVE_BENEATH) and leaves a mount through its mount point.
 *           A rename or a mount during a scoped walk could let ".." escape: such walks return -EAGAIN when the
 *           tree moved since they started.
 * Locking   fs->lock, then dcache_lock. Neither is held when a driver is called, except the operations
 *           permission and is_stale.
 * Missing   access times of symbolic links
 * See       path_resolution(7), openat2(2); tests/unit/namei_test.c
 */
#include "fs/walk.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define LOOKUP_SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)

static void walk_unlock(struct walk *w) NO_LOCK_ANALYSIS
{
	spin_unlock(&dcache_lock);
	if (w->fs_locked)
		spin_unlock(&w->fs->lock);
	w->fs_locked = false;
	w->locked = false;
}

static void walk_drop_held(struct walk *w)
{
	if (w->held_child)
		dentry_put(w->held_child);
	w->held_child = NULL;
	if (w->held.mnt)
		path_put(&w->held);
	w->held.mnt = NULL;
}

/* Locked to pinned. child may be NULL; it is pinned as well and becomes held_child. */
static void walk_pin(struct walk *w, struct dentry *child) NO_LOCK_ANALYSIS
{
	struct path old = w->held;
	struct dentry *old_child = w->held_child;

	path_get(&w->path);
	if (child)
		dentry_get(child);
	if (!w->root_held) {
		path_get(&w->root);
		w->root_held = true;
	}
	walk_unlock(w);
	w->held = w->path;
	w->held_child = child;
	if (old_child)
		dentry_put(old_child);
	if (old.mnt)
		path_put(&old);
}

static void walk_relock(struct walk *w) NO_LOCK_ANALYSIS
{
	spin_lock(&dcache_lock);
	w->locked = true;
}

int walk_init(struct walk *w, s32 dirfd, const struct path *base, const char *path,
	      u32 flags) NO_LOCK_ANALYSIS
{
	struct file *f = NULL;
	bool absolute = *path == '/';

	if (!*path && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (absolute && flags & LOOKUP_BENEATH)
		return -EXDEV;
	if (!base && dirfd != AT_FDCWD && (!absolute || flags & LOOKUP_IN_ROOT)) {
		int err = fd_lookup_path(dirfd, &f);

		if (err)
			return err;
		if (*path && !inode_is_dir(f->inode)) {
			file_put(f);
			return -ENOTDIR;
		}
	}
	w->held.mnt = NULL;
	w->held_child = NULL;
	w->root_held = false;
	w->trailing = false;
	w->jumped = absolute;
	w->depth = 0;
	w->flags = flags;
	w->last_type = WALK_LAST_NONE;
	w->rest = path;
	w->heap = NULL;
	w->cred = current_cred();
	w->fs = current_fs();
	spin_lock(&w->fs->lock);
	spin_lock(&dcache_lock);
	w->fs_locked = true;
	w->locked = true;
	w->move_seq = dcache_move_seq;
	w->root = w->fs->root;
	if (base)
		w->path = *base;
	else if (f)
		w->path = f->path;
	else
		w->path = w->fs->cwd;
	if (flags & LOOKUP_SCOPED)
		w->root = w->path;
	else if (absolute)
		w->path = w->root;
	if (f) {
		/* Another thread may close the descriptor: keep the place ourselves. */
		path_get(&f->path);
		w->held = f->path;
		walk_unlock(w);
		file_put(f);
		spin_lock(&w->fs->lock);
		walk_relock(w);
		w->fs_locked = true;
		if (!(flags & LOOKUP_SCOPED))
			w->root = w->fs->root;
	}
	return 0;
}

void walk_fini(struct walk *w)
{
	if (w->locked)
		walk_unlock(w);
	walk_drop_held(w);
	if (w->root_held)
		path_put(&w->root);
	kfree(w->heap);
}

void walk_take(struct walk *w, struct path *out)
{
	if (w->locked)
		walk_pin(w, NULL);
	*out = w->held;
	w->held.mnt = NULL;
}

static void walk_climb_mounts(struct walk *w, struct path *p) NO_LOCK_ANALYSIS
{
	struct mount *m;

	while (unlikely(p->dentry->flags & DENTRY_MOUNTED)) {
		m = mount_find_locked(p->mnt, p->dentry);
		if (!m)
			return;
		p->mnt = m;
		p->dentry = m->root;
	}
}

static int walk_dotdot(struct walk *w)
{
	struct path *p = &w->path;
	struct mount *old = p->mnt;

	for (;;) {
		if (path_equal(p, &w->root)) {
			if (w->flags & LOOKUP_BENEATH)
				return -EXDEV;
			break;
		}
		if (p->dentry != p->mnt->root) {
			p->dentry = p->dentry->parent;
			break;
		}
		if (!p->mnt->parent)
			break;
		p->dentry = p->mnt->mountpoint;
		p->mnt = p->mnt->parent;
	}
	walk_climb_mounts(w, p);
	if (w->flags & LOOKUP_NO_XDEV && p->mnt != old)
		return -EXDEV;
	if (w->flags & LOOKUP_SCOPED && w->move_seq != dcache_move_seq)
		return -EAGAIN;
	return 0;
}

/* Puts text in front of the rest of the path. */
static int walk_push_text(struct walk *w, const char *text, size_t len)
{
	size_t rest_len = strlen(w->rest);
	size_t need = len + 1 + rest_len + 1;
	char *buf = w->buf, *old = NULL;

	if (!len)
		return -ENOENT;
	if (need > WALK_BUF || w->heap) {
		buf = kmalloc(need);
		if (!buf)
			return -ENOMEM;
		old = w->heap;
		w->heap = buf;
	}
	/* The rest may lie in buf already; moving it first keeps it intact. */
	memmove(buf + len + 1, w->rest, rest_len + 1);
	memcpy(buf, text, len);
	/* "link/" asks for a directory even when nothing follows. */
	buf[len] = w->trailing ? '/' : 0;
	if (!w->trailing)
		buf[len + 1] = 0;
	w->rest = buf;
	kfree(old);
	return 0;
}

/* Absolute link text, or a magic link's target: where the walk goes on. */
static int walk_jump_root(struct walk *w)
{
	if (w->flags & LOOKUP_BENEATH)
		return -EXDEV;
	if (w->flags & LOOKUP_NO_XDEV && w->path.mnt != w->root.mnt)
		return -EXDEV;
	w->path = w->root;
	w->jumped = true;
	return 0;
}

static int walk_follow_magic(struct walk *w, struct inode *inode)
{
	struct path p, old = w->held;
	int err;

	if (w->flags & LOOKUP_NO_MAGICLINKS)
		return -ELOOP;
	if (w->flags & LOOKUP_SCOPED)
		return -EXDEV;
	err = inode->ops->get_link_path(inode, &p);
	if (err)
		return err;
	if (w->flags & LOOKUP_NO_XDEV && p.mnt != old.mnt) {
		path_put(&p);
		return -EXDEV;
	}
	w->held = p;
	w->path = p;
	w->jumped = true;
	path_put(&old);
	return 0;
}

/* Pinned; the link is pinned as held_child. */
static int walk_follow_slow(struct walk *w, struct inode *inode)
{
	char *text;
	s64 len;
	int err;

	if (w->flags & LOOKUP_CACHED)
		return -EAGAIN;
	if (inode->ops->get_link_path)
		return walk_follow_magic(w, inode);
	if (!inode->ops->readlink)
		return -EINVAL;
	text = kmalloc(PATH_MAX);
	if (!text)
		return -ENOMEM;
	len = inode->ops->readlink(inode, text, PATH_MAX - 1);
	err = len < 0 ? (int)len : walk_push_text(w, text, (size_t)len);
	kfree(text);
	return err;
}

/* d is a symbolic link in w->path; last: nothing follows. Locked on entry and exit, on failure too; what was pinned
 * meanwhile stays with the walk until walk_fini(). */
static int walk_link(struct walk *w, struct dentry *d, bool last)
{
	struct inode *inode = d->inode;
	const char *text = READ_ONCE(inode->link);
	int err = last ? protect_follow(w->cred, w->path.dentry->inode, inode) : 0;

	if (err)
		return err;
	if (w->depth++ >= WALK_MAX_LINKS || w->flags & LOOKUP_NO_SYMLINKS ||
	    w->path.mnt->flags & MNT_NOSYMFOLLOW)
		return -ELOOP;
	if (likely(text)) {
		err = walk_push_text(w, text, strlen(text));
	} else {
		walk_pin(w, d);
		err = walk_follow_slow(w, inode);
		walk_relock(w);
	}
	if (!err && w->jumped && !text && inode->ops->get_link_path)
		return 0;
	if (!err && *w->rest == '/')
		err = walk_jump_root(w);
	return err;
}

int walk_follow(struct walk *w, struct dentry *d)
{
	walk_relock(w);
	w->trailing = false;
	return walk_link(w, d, true);
}

/* The child is not in the cache. Locked on entry and exit; *out is pinned as held_child. */
static int walk_miss(struct walk *w, const struct name *n, struct dentry **out)
{
	struct inode *dir;
	int err;

	if (w->flags & LOOKUP_CACHED)
		return -EAGAIN;
	walk_pin(w, NULL);
	dir = w->path.dentry->inode;
	inode_lock_shared(dir);
	err = dentry_lookup(w->path.dentry, n, &w->held_child);
	inode_unlock_shared(dir);
	*out = w->held_child;
	walk_relock(w);
	return err;
}

static int walk_child(struct walk *w, const struct name *n, struct dentry **out) NO_LOCK_ANALYSIS
{
	struct dentry *d = dentry_find_locked(w->path.dentry, n);

	if (unlikely(!d) ||
	    unlikely(d->inode && d->inode->ops->is_stale && d->inode->ops->is_stale(d->inode)))
		return walk_miss(w, n, out);
	d->flags |= DENTRY_USED;
	*out = d;
	return 0;
}

/* One ordinary component; last: nothing follows. */
static int walk_step(struct walk *w, const struct name *n, bool last)
{
	struct dentry *d;
	struct path next;
	int err = walk_child(w, n, &d);

	if (err)
		return err;
	if (!d->inode)
		return -ENOENT;
	if (unlikely(S_ISLNK(d->inode->mode)) && (!last || w->trailing || w->flags & LOOKUP_FOLLOW))
		return walk_link(w, d, last);
	next = (struct path){ w->path.mnt, d };
	walk_climb_mounts(w, &next);
	if (w->flags & LOOKUP_NO_XDEV && next.mnt != w->path.mnt)
		return -EXDEV;
	w->path = next;
	if ((!last || w->trailing) && !inode_is_dir(next.dentry->inode))
		return -ENOTDIR;
	return 0;
}

static int walk_may_search(struct walk *w)
{
	struct inode *dir = w->path.dentry->inode;

	if (likely((dir->mode & (S_IFMT | S_IXUGO)) == (S_IFDIR | S_IXUGO) &&
		   !dir->ops->permission && !dir->acl))
		return 0;
	if (!inode_is_dir(dir))
		return -ENOTDIR;
	return inode_permission_as(w->cred, dir, MAY_EXEC);
}

#define BYTES(b) (0x0101010101010101ull * (b))

/* The lowest set bit is bit 7 of the lowest byte of x that is 0. */
static inline u64 zero_bytes(u64 x)
{
	return (x - BYTES(1)) & ~x & BYTES(0x80);
}

/* A component and its hash, eight bytes at a time. Reads up to seven bytes behind the text's end, but
 * never from another page. Little-endian, as all our machines. */
__attribute__((no_sanitize("address"))) static const char *scan_words(const char *s, struct name *n)
{
	u64 h = hash_seed, word, stop;
	u32 k;

	n->s = s;
	for (;; s += 8) {
		if (unlikely(((u64)s & (PAGE_SIZE - 1)) > PAGE_SIZE - 8))
			break;
		__builtin_memcpy(&word, s, sizeof word);
		stop = zero_bytes(word) | zero_bytes(word ^ BYTES('/'));
		if (!stop) {
			h = name_hash_step(h, word);
			continue;
		}
		k = (u32)__builtin_ctzll(stop) & ~7u;
		if (k)
			h = name_hash_step(h, word & ((1ull << k) - 1));
		s += k / 8;
		n->len = (u32)(s - n->s);
		n->hash = name_hash_end(h);
		return s;
	}
	while (*s && *s != '/')
		s++;
	n->len = (u32)(s - n->s);
	n->hash = name_hash(n->s, n->len);
	return s;
}

/* Cuts the next component off w->rest. */
static inline void walk_scan(struct walk *w, struct name *n)
{
	const char *s = scan_words(w->rest, n);

	w->trailing = *s == '/';
	while (*s == '/')
		s++;
	w->rest = s;
}

static enum walk_last name_type(const struct name *n)
{
	if (n->s[0] != '.')
		return WALK_LAST_NORMAL;
	if (n->len == 1)
		return WALK_LAST_DOT;
	return n->len == 2 && n->s[1] == '.' ? WALK_LAST_DOTDOT : WALK_LAST_NORMAL;
}

static int walk_components(struct walk *w)
{
	enum walk_last type;
	struct name n;
	int err;

	for (;;) {
		while (*w->rest == '/')
			w->rest++;
		if (!*w->rest)
			return w->trailing && !inode_is_dir(w->path.dentry->inode) ? -ENOTDIR : 0;
		err = walk_may_search(w);
		if (err)
			return err;
		walk_scan(w, &n);
		type = name_type(&n);
		w->last_type = type;
		if (!*w->rest && w->flags & LOOKUP_PARENT) {
			w->last = n;
			return 0;
		}
		if (likely(type == WALK_LAST_NORMAL))
			err = walk_step(w, &n, !*w->rest);
		else if (type == WALK_LAST_DOTDOT)
			err = walk_dotdot(w);
		if (err)
			return err;
	}
}

int walk_run(struct walk *w)
{
	int err;

	if (!w->locked)
		walk_relock(w);
	w->last_type = WALK_LAST_NONE;
	err = walk_components(w);
	if (!err && w->flags & LOOKUP_DIRECTORY && !(w->flags & LOOKUP_PARENT) &&
	    !inode_is_dir(w->path.dentry->inode))
		err = -ENOTDIR;
	if (w->locked) {
		if (err)
			walk_unlock(w);
		else
			walk_pin(w, NULL);
	}
	return err;
}

int walk_lookup_last(struct walk *w, struct dentry **out)
{
	return dentry_lookup(w->path.dentry, &w->last, out);
}
