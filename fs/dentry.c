// SPDX-License-Identifier: Apache-2.0
/*
 * dentry - the name cache: hash, tree links, life of dentries
 *
 * Role      See dentry.h. namei.c is the main user.
 * Rules     The hash has a fixed number of buckets; the number of hashed dentries is limited in proportion to
 *           memory, the oldest unused ones go first, with a second chance for used ones.
 * Locking   dcache_lock. Nothing is freed and no inode is put while it is held: the shrinker moves its
 *           victims to a private list first.
 * Missing   per-bucket locks
 * See       tests/unit/vfs_test.c
 */
#include "fs/dentry.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define DCACHE_BUCKETS	 16384u
#define DCACHE_MIN	 1024u
#define DCACHE_MAX	 65536u
#define DCACHE_PER_FRAME 12u /* frames of memory per cached name */

struct spinlock dcache_lock = SPINLOCK_INIT(RANK_DCACHE);
u64 dcache_move_seq;
static struct dentry *dcache[DCACHE_BUCKETS];
static struct list dcache_lru = LIST_INIT(dcache_lru);
static u32 dcache_nr;	   /* [dcache_lock] hashed dentries */
static u32 dcache_limit;   /* [I] after the first use */
static u32 dcache_trigger; /* [dcache_lock] shrink when there are more */

static struct dentry **dcache_bucket(const struct dentry *parent, u32 hash)
{
	u64 x = ((u64)parent >> 4) * 0x9e3779b97f4a7c15ull + hash;

	return &dcache[(x ^ x >> 32) & (DCACHE_BUCKETS - 1)];
}

static int dentry_alloc(const char *s, u32 len, u32 hash, struct dentry **out)
{
	struct dentry *d = knew(struct dentry);
	char *name;

	if (!d)
		return -ENOMEM;
	name = d->inline_name;
	if (len >= DENTRY_INLINE_NAME) {
		name = kmalloc(len + 1);
		if (!name) {
			kfree(d);
			return -ENOMEM;
		}
	}
	memcpy(name, s, len);
	name[len] = 0;
	refs_init(&d->refs, 1);
	d->hash = hash;
	d->name_len = len;
	d->name = name;
	list_init(&d->child_link);
	list_init(&d->children);
	list_init(&d->lru);
	*out = d;
	return 0;
}

int dentry_create_root(struct inode *inode, const char *name, struct super *sb, struct dentry **out)
{
	struct dentry *d;
	int err = dentry_alloc(name, (u32)strlen(name), 0, &d);

	if (err)
		return err;
	d->flags = DENTRY_ROOT;
	d->parent = d;
	d->inode = inode;
	d->sb = sb;
	*out = d;
	return 0;
}

int dentry_create(struct dentry *parent, const struct name *n, struct inode *inode,
		  struct dentry **out)
{
	struct dentry *d;
	int err = dentry_alloc(n->s, n->len, n->hash, &d);

	if (err)
		return err;
	d->parent = dentry_get(parent);
	d->inode = inode;
	d->sb = parent->sb;
	spin_lock(&dcache_lock);
	list_add(&parent->children, &d->child_link);
	spin_unlock(&dcache_lock);
	*out = d;
	return 0;
}

static void dentry_free(struct dentry *d)
{
	if (d->inode)
		inode_put(d->inode);
	if (d->name != d->inline_name)
		kfree((void *)(u64)d->name);
	kfree(d);
}

void dentry_put(struct dentry *d)
{
	struct dentry *parent;

	/* Freeing a dentry drops one reference of its parent: a loop, not recursion. */
	while (refs_put(&d->refs)) {
		spin_lock(&dcache_lock);
		parent = d->parent == d ? NULL : d->parent;
		list_del(&d->child_link);
		spin_unlock(&dcache_lock);
		dentry_free(d);
		if (!parent)
			return;
		d = parent;
	}
}

#define LOAD_EQUAL(type, a, b)                                 \
	({                                                     \
		type load_a_, load_b_;                         \
		__builtin_memcpy(&load_a_, a, sizeof load_a_); \
		__builtin_memcpy(&load_b_, b, sizeof load_b_); \
		load_a_ == load_b_;                            \
	})

/* Names are short: whole words, the last one overlapping, instead of a call and a loop over bytes. */
static inline bool name_equal(const char *a, const char *b, u32 len)
{
	u32 i = 0;

	if (len >= 8) {
		for (; i + 8 < len; i += 8)
			if (!LOAD_EQUAL(u64, a + i, b + i))
				return false;
		return LOAD_EQUAL(u64, a + len - 8, b + len - 8);
	}
	if (len >= 4)
		return LOAD_EQUAL(u32, a, b) && LOAD_EQUAL(u32, a + len - 4, b + len - 4);
	while (i < len && a[i] == b[i])
		i++;
	return i == len;
}

struct dentry *dentry_find_locked(struct dentry *parent, const struct name *n)
{
	struct dentry *d;

	for (d = *dcache_bucket(parent, n->hash); d; d = d->hash_next)
		if (d->hash == n->hash && d->parent == parent && d->name_len == n->len &&
		    likely(name_equal(d->name, n->s, n->len)))
			return d;
	return NULL;
}

static void dentry_hash_locked(struct dentry *d) REQUIRES(&dcache_lock)
{
	struct dentry **bucket = dcache_bucket(d->parent, d->hash);

	d->hash_next = *bucket;
	*bucket = d;
	d->flags |= DENTRY_HASHED;
	list_add_tail(&dcache_lru, &d->lru);
	dcache_nr++;
}

/* True when it was hashed: the caller owns the cache's reference now. */
static bool dentry_unhash_locked(struct dentry *d) REQUIRES(&dcache_lock)
{
	struct dentry **p;

	if (!(d->flags & DENTRY_HASHED))
		return false;
	for (p = dcache_bucket(d->parent, d->hash); *p != d; p = &(*p)->hash_next)
		BUG_ON(!*p);
	*p = d->hash_next;
	d->hash_next = NULL;
	d->flags &= ~(u32)DENTRY_HASHED;
	list_del(&d->lru);
	dcache_nr--;
	return true;
}

/* What is hashed below a name that no walk finds again is found by none either, and would only hold memory. */
static bool may_hash_locked(const struct dentry *d) REQUIRES(&dcache_lock)
{
	return d->parent->flags & (DENTRY_HASHED | DENTRY_ROOT);
}

static u32 dcache_limit_get(void)
{
	struct page_stats st;
	u64 n;

	if (likely(dcache_limit))
		return dcache_limit;
	page_stats(&st);
	n = st.total / DCACHE_PER_FRAME;
	dcache_limit = (u32)(n < DCACHE_MIN ? DCACHE_MIN : n > DCACHE_MAX ? DCACHE_MAX : n);
	return dcache_limit;
}

/* When most names are in use, shrinking finds little: the next attempt waits for more to come. */
static void dcache_make_room(void)
{
	u64 left = dcache_shrink(dcache_limit / 8 * 7);

	spin_lock(&dcache_lock);
	dcache_trigger = (u32)left + dcache_limit / 8;
	spin_unlock(&dcache_lock);
}

void dentry_publish(struct dentry **dp)
{
	struct dentry *d = *dp;
	struct name n = { d->name, d->name_len, d->hash };
	struct dentry *old;
	bool full;

	spin_lock(&dcache_lock);
	old = dentry_find_locked(d->parent, &n);
	if (old) {
		dentry_get(old);
	} else if (may_hash_locked(d)) {
		dentry_get(d);
		dentry_hash_locked(d);
	}
	full = dcache_nr > MAX(dcache_limit_get(), dcache_trigger);
	spin_unlock(&dcache_lock);
	if (old) {
		dentry_put(d);
		*dp = old;
	}
	if (unlikely(full))
		dcache_make_room();
}

void dentry_instantiate(struct dentry *d, struct inode *inode)
{
	spin_lock(&dcache_lock);
	BUG_ON(d->inode);
	WRITE_ONCE(d->inode, inode);
	if (!(d->flags & DENTRY_HASHED) && may_hash_locked(d) &&
	    !(d->parent->inode->flags & INODE_NO_DCACHE)) {
		dentry_get(d);
		dentry_hash_locked(d);
	}
	spin_unlock(&dcache_lock);
}

static void dentry_forget(struct dentry *d, u32 flags)
{
	bool was_hashed;

	spin_lock(&dcache_lock);
	d->flags |= flags;
	was_hashed = dentry_unhash_locked(d);
	spin_unlock(&dcache_lock);
	if (was_hashed)
		dentry_put(d);
}

void dentry_delete(struct dentry *d)
{
	if (d->inode && inode_is_dir(d->inode))
		dentry_prune_below(d);
	dentry_forget(d, DENTRY_DELETED);
}

void dentry_drop(struct dentry *d)
{
	dentry_forget(d, 0);
}

/* Moves a hashed, otherwise unused dentry to a list of victims. */
static bool dentry_evict_locked(struct dentry *d, struct list *victims) REQUIRES(&dcache_lock)
{
	if (refs_read(&d->refs) != 1 || !dentry_unhash_locked(d))
		return false;
	list_add_tail(victims, &d->lru);
	return true;
}

static void dentry_free_list(struct list *victims)
{
	struct dentry *d;

	while ((d = list_first(victims, struct dentry, lru))) {
		list_del(&d->lru);
		dentry_put(d);
	}
}

#define SHRINK_BATCH 128u

u64 dcache_shrink(u64 keep)
{
	struct list victims = LIST_INIT(victims);
	struct dentry *d;
	u32 seen = 0, total, nr;

	spin_lock(&dcache_lock);
	total = dcache_nr;
	spin_unlock(&dcache_lock);
	do {
		spin_lock(&dcache_lock);
		for (u32 i = 0; i < SHRINK_BATCH && dcache_nr > keep; i++, seen++) {
			d = list_first(&dcache_lru, struct dentry, lru);
			if (!d)
				break;
			if (!(d->flags & DENTRY_USED) && dentry_evict_locked(d, &victims))
				continue;
			d->flags &= ~(u32)DENTRY_USED;
			list_del(&d->lru);
			list_add_tail(&dcache_lru, &d->lru);
		}
		nr = dcache_nr;
		spin_unlock(&dcache_lock);
		dentry_free_list(&victims);
	} while (nr > keep && seen < 2 * total);
	return nr;
}

/* The next dentry in the tree below top, children first order; NULL at the end. */
static struct dentry *tree_next_locked(struct dentry *d, struct dentry *top) REQUIRES(&dcache_lock)
{
	if (!list_empty(&d->children))
		return list_entry(d->children.next, struct dentry, child_link);
	while (d != top) {
		if (d->child_link.next != &d->parent->children)
			return list_entry(d->child_link.next, struct dentry, child_link);
		d = d->parent;
	}
	return NULL;
}

void dentry_prune_below(struct dentry *top)
{
	struct list victims = LIST_INIT(victims);
	struct dentry *d;
	bool any;

	/* Each pass frees leaves; a freed leaf makes its parent one in the next pass. */
	do {
		any = false;
		spin_lock(&dcache_lock);
		for (d = tree_next_locked(top, top); d; d = tree_next_locked(d, top))
			any |= dentry_evict_locked(d, &victims);
		spin_unlock(&dcache_lock);
		dentry_free_list(&victims);
	} while (any);
}

static void dentry_swap_names(struct dentry *a, struct dentry *b)
{
	char tmp[DENTRY_INLINE_NAME];
	const char *an = a->name, *bn = b->name;
	bool a_inline = an == a->inline_name, b_inline = bn == b->inline_name;
	u32 len = a->name_len, hash = a->hash;

	memcpy(tmp, a->inline_name, sizeof tmp);
	memcpy(a->inline_name, b->inline_name, sizeof tmp);
	memcpy(b->inline_name, tmp, sizeof tmp);
	a->name = b_inline ? a->inline_name : bn;
	b->name = a_inline ? b->inline_name : an;
	a->name_len = b->name_len;
	a->hash = b->hash;
	b->name_len = len;
	b->hash = hash;
}

void dentry_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct dentry *parent;
	bool d_cached, t_cached, drop_target = false;

	spin_lock(&dcache_lock);
	d_cached = dentry_unhash_locked(d);
	t_cached = dentry_unhash_locked(target);
	list_del(&d->child_link);
	list_del(&target->child_link);
	dentry_swap_names(d, target);
	parent = d->parent;
	d->parent = target->parent;
	target->parent = parent;
	list_add(&d->parent->children, &d->child_link);
	list_add(&parent->children, &target->child_link);
	if (d_cached)
		dentry_hash_locked(d);
	/* A negative target is now the knowledge that the old name is free. */
	if (!exchange && target->inode)
		target->flags |= DENTRY_DELETED;
	if (t_cached && (exchange || !target->inode))
		dentry_hash_locked(target);
	else
		drop_target = t_cached;
	if (inode_is_dir(d->inode) || exchange)
		dcache_move_seq++;
	spin_unlock(&dcache_lock);
	if (drop_target)
		dentry_put(target);
}

bool dentry_is_below(struct dentry *d, struct dentry *ancestor)
{
	bool below;

	spin_lock(&dcache_lock);
	while (d != ancestor && d->parent != d)
		d = d->parent;
	below = d == ancestor;
	spin_unlock(&dcache_lock);
	return below;
}

struct dentry *dentry_parent(struct dentry *d)
{
	struct dentry *p;

	spin_lock(&dcache_lock);
	p = dentry_get(d->parent);
	spin_unlock(&dcache_lock);
	return p;
}

static bool may_cache(const struct inode *dir, const struct inode *inode)
{
	if (!inode)
		return !(dir->flags & (INODE_NO_DCACHE | INODE_NO_NEGATIVE | INODE_DEAD));
	return !(dir->flags & INODE_NO_DCACHE) || inode->flags & INODE_STAYS;
}

int dentry_lookup(struct dentry *dir, const struct name *n, struct dentry **out)
{
	struct inode *inode = NULL;
	struct dentry *d;
	bool stale = false;
	int err;

	spin_lock(&dcache_lock);
	d = dentry_find_locked(dir, n);
	if (d) {
		dentry_get(d);
		stale = d->inode && d->inode->ops->is_stale && d->inode->ops->is_stale(d->inode);
	}
	spin_unlock(&dcache_lock);
	if (d && !stale) {
		*out = d;
		return 0;
	}
	if (d) {
		dentry_drop(d);
		dentry_put(d);
	}
	if (!dir->inode->ops->lookup)
		return -ENOTDIR;
	if (n->len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	err = dir->inode->ops->lookup(dir->inode, n, &inode);
	if (err && err != -ENOENT)
		return err;
	err = dentry_create(dir, n, inode, &d);
	if (err) {
		if (inode)
			inode_put(inode);
		return err;
	}
	if (may_cache(dir->inode, inode))
		dentry_publish(&d);
	*out = d;
	return 0;
}
