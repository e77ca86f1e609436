// SPDX-License-Identifier: Apache-2.0
/*
 * rbtree - intrusive red-black tree
 *
 * Role      Ordered sets: regions of an address space, timers, epoll items. Implementation in lib/rbtree.c.
 * Rules     The caller walks down to the insertion point with its own comparison, links the node
 *           with rb_link() and calls rb_insert_fixup(). No allocation, no locking.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool is_red;
};

struct rb_root {
	struct rb_node *node;
};

#define RB_ROOT_INIT \
	{            \
		NULL \
	}

static inline void rb_link(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent = parent;
	n->left = NULL;
	n->right = NULL;
	n->is_red = true;
	*link = n;
}

void rb_insert_fixup(struct rb_root *root, struct rb_node *n);
void rb_erase(struct rb_root *root, struct rb_node *n);
void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *new);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

#define rb_entry(p, type, member) container_of(p, type, member)
#define rb_entry_or_null(p, type, member)                         \
	({                                                        \
		struct rb_node *rb_p_ = (p);                      \
		rb_p_ ? container_of(rb_p_, type, member) : NULL; \
	})
