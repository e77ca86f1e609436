// SPDX-License-Identifier: Apache-2.0
/*
 * xarray - sparse array of pointers, a radix tree of 64-slot nodes
 *
 * Rules     levels is the height: an index fits when index < 64^levels. A node knows which slots are
 *           present and which subtrees are full, so that the next entry and the lowest free index are
 *           found without looking at every slot. No node but the root of an array being changed is
 *           empty, and the root is never higher than its greatest index needs.
 * See       kapi/xarray.h, tests/unit/xarray_test.c, tests/model/xarray_model.c
 */
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"

#define XA_BITS	      6
#define XA_MAX_LEVELS 11 /* 66 bits */

struct xa_node {
	u64 present; /* slots that are not NULL */
	u64 full;    /* slots whose subtree has no free index; for a leaf the same as present */
	void *slots[1 << XA_BITS];
};

static u32 slot_of(u64 index, u32 level)
{
	return (u32)(index >> (level * XA_BITS)) & 63;
}

static bool covers(u32 levels, u64 index)
{
	return levels == XA_MAX_LEVELS || index >> (levels * XA_BITS) == 0;
}

/* index with slot j at level and zeros below. */
static u64 index_at(u64 index, u32 level, u32 j)
{
	u32 shift = level * XA_BITS;
	u64 keep = shift + XA_BITS >= 64 ? 0 : ~0ull << (shift + XA_BITS);

	return (index & keep) | (u64)j << shift;
}

void xa_init(struct xarray *xa)
{
	*xa = (struct xarray)XARRAY_INIT;
}

static void free_tree(struct xa_node *n, u32 level)
{
	for (u64 left = level ? n->present : 0; left; left &= left - 1)
		free_tree(n->slots[__builtin_ctzll(left)], level - 1);
	kfree(n);
}

void xa_fini(struct xarray *xa)
{
	if (xa->root)
		free_tree(xa->root, xa->levels - 1);
	xa_init(xa);
}

void *xa_load(const struct xarray *xa, u64 index)
{
	void *p = xa->root;

	if (!covers(xa->levels, index))
		return NULL;
	for (u32 level = xa->levels; level-- > 0 && p;)
		p = ((struct xa_node *)p)->slots[slot_of(index, level)];
	return p;
}

static void shrink_root(struct xarray *xa)
{
	struct xa_node *n;

	while (xa->root) {
		n = xa->root;
		if (n->present == 0) {
			xa->root = NULL;
			xa->levels = 0;
		} else if (xa->levels > 1 && n->present == 1) {
			xa->root = n->slots[0];
			xa->levels--;
		} else {
			return;
		}
		kfree(n);
	}
}

/* Makes the tree high enough for index. */
static int grow_root(struct xarray *xa, u64 index)
{
	struct xa_node *n;

	while (!xa->root || !covers(xa->levels, index)) {
		n = knew(struct xa_node);
		if (!n)
			return -ENOMEM;
		if (xa->root) {
			n->slots[0] = xa->root;
			n->present = 1;
			n->full = xa->root->full == ~0ull;
		}
		xa->root = n;
		xa->levels++;
		/* An empty tree gets its height at once. */
		while (!n->present && !covers(xa->levels, index))
			xa->levels++;
	}
	return 0;
}

/* Removes empty nodes from level upwards; path[] holds the nodes on the way to index. */
static void prune(struct xarray *xa, struct xa_node **path, u32 level, u64 index)
{
	for (; level + 1 < xa->levels && !path[level]->present; level++) {
		u32 i = slot_of(index, level + 1);

		kfree(path[level]);
		path[level + 1]->slots[i] = NULL;
		path[level + 1]->present &= ~(1ull << i);
	}
	shrink_root(xa);
}

/* Walks to the leaf of index; create makes missing nodes. Fills path[0 .. levels - 1]. */
static int walk(struct xarray *xa, u64 index, bool create, struct xa_node **path)
{
	struct xa_node *n = xa->root, *child;

	for (u32 level = xa->levels - 1;; level--) {
		u32 i = slot_of(index, level);

		path[level] = n;
		if (level == 0)
			return 0;
		child = n->slots[i];
		if (!child && !create)
			return -ENOENT;
		if (!child) {
			child = knew(struct xa_node);
			if (!child) {
				prune(xa, path, level, index);
				return -ENOMEM;
			}
			n->slots[i] = child;
			n->present |= 1ull << i;
		}
		n = child;
	}
}

int xa_store(struct xarray *xa, u64 index, void *entry, void **old)
{
	struct xa_node *path[XA_MAX_LEVELS];
	u32 i = slot_of(index, 0);
	void *prev;
	int ret;

	if (!entry) {
		prev = xa_erase(xa, index);
		goto out;
	}
	ret = grow_root(xa, index);
	if (ret) {
		shrink_root(xa);
		return ret;
	}
	ret = walk(xa, index, true, path);
	if (ret)
		return ret;
	prev = path[0]->slots[i];
	path[0]->slots[i] = entry;
	path[0]->present |= 1ull << i;
	path[0]->full |= 1ull << i;
	xa->count += !prev;
	for (u32 level = 1; level < xa->levels && path[level - 1]->full == ~0ull; level++)
		path[level]->full |= 1ull << slot_of(index, level);
out:
	if (old)
		*old = prev;
	return 0;
}

void *xa_erase(struct xarray *xa, u64 index)
{
	struct xa_node *path[XA_MAX_LEVELS];
	u32 i = slot_of(index, 0);
	void *prev;

	if (!xa->root || !covers(xa->levels, index) || walk(xa, index, false, path))
		return NULL;
	prev = path[0]->slots[i];
	if (!prev)
		return NULL;
	path[0]->slots[i] = NULL;
	path[0]->present &= ~(1ull << i);
	for (u32 level = 0; level < xa->levels; level++)
		path[level]->full &= ~(1ull << slot_of(index, level));
	xa->count--;
	prune(xa, path, 0, index);
	return prev;
}

static void *find_below(const struct xa_node *n, u32 level, u64 *index)
{
	u32 start = slot_of(*index, level);
	void *p;

	for (u64 left = n->present & (~0ull << start); left; left &= left - 1) {
		u32 j = (u32)__builtin_ctzll(left);

		if (j != start || level == 0)
			*index = index_at(*index, level, j);
		p = n->slots[j];
		if (level > 0)
			p = find_below(p, level - 1, index);
		if (p)
			return p;
	}
	return NULL;
}

void *xa_find(const struct xarray *xa, u64 *index)
{
	u64 i = *index;
	void *p;

	if (!xa->root || !covers(xa->levels, i))
		return NULL;
	p = find_below(xa->root, xa->levels - 1, &i);
	if (p)
		*index = i;
	return p;
}

/* The lowest free index >= *index below n; false when there is none. */
static bool find_free(const struct xa_node *n, u32 level, u64 *index)
{
	u32 start = slot_of(*index, level);
	u64 usable = level == XA_MAX_LEVELS - 1 ? 0xffff : ~0ull;

	for (u64 left = ~n->full & usable & (~0ull << start); left; left &= left - 1) {
		u32 j = (u32)__builtin_ctzll(left);

		if (j != start || level == 0)
			*index = index_at(*index, level, j);
		if (level == 0 || !n->slots[j] || find_free(n->slots[j], level - 1, index))
			return true;
	}
	return false;
}

int xa_alloc(struct xarray *xa, u64 min, u64 max, void *entry, u64 *index)
{
	u64 i = min;
	int ret;

	if (xa->root && covers(xa->levels, i) && !find_free(xa->root, xa->levels - 1, &i)) {
		if (xa->levels == XA_MAX_LEVELS)
			return -ENOSPC;
		i = 1ull << (xa->levels * XA_BITS);
	}
	if (i > max)
		return -ENOSPC;
	ret = xa_store(xa, i, entry, NULL);
	if (!ret)
		*index = i;
	return ret;
}
