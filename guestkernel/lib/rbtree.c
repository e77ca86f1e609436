// SPDX-License-Identifier: Apache-2.0
/*
 * rbtree - intrusive red-black tree
 *
 * Rules     The root is black, a red node has no red child, every path from a node down to a missing
 *           child passes the same number of black nodes. A missing child counts as black.
 * See       kapi/rbtree.h, tests/model/rbtree_model.c
 */
#include "guestkernel/kapi/rbtree.h"

/* Makes new take old's place below old's parent (or as the root). */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *new)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

static void rotate_left(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *up = n->right;

	n->right = up->left;
	if (up->left)
		up->left->parent = n;
	up->parent = n->parent;
	replace_child(root, n->parent, n, up);
	up->left = n;
	n->parent = up;
}

static void rotate_right(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *up = n->left;

	n->left = up->right;
	if (up->right)
		up->right->parent = n;
	up->parent = n->parent;
	replace_child(root, n->parent, n, up);
	up->right = n;
	n->parent = up;
}

static bool is_red(const struct rb_node *n)
{
	return n && n->is_red;
}

void rb_insert_fixup(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *parent, *grand, *uncle;
	bool left;

	while (is_red(n->parent)) {
		parent = n->parent;
		grand = parent->parent; /* exists: a red parent is not the root */
		left = parent == grand->left;
		uncle = left ? grand->right : grand->left;
		if (is_red(uncle)) {
			parent->is_red = false;
			uncle->is_red = false;
			grand->is_red = true;
			n = grand;
			continue;
		}
		/* An inner grandchild is first turned into an outer one. */
		if (n == (left ? parent->right : parent->left)) {
			if (left)
				rotate_left(root, parent);
			else
				rotate_right(root, parent);
			parent = n;
		}
		parent->is_red = false;
		grand->is_red = true;
		if (left)
			rotate_right(root, grand);
		else
			rotate_left(root, grand);
		break;
	}
	root->node->is_red = false;
}

/* The paths through n (below parent, may be NULL) lack one black node. */
static void erase_fixup(struct rb_root *root, struct rb_node *parent, struct rb_node *n)
{
	while (n != root->node && !is_red(n)) {
		bool left = n == parent->left;
		struct rb_node *sib = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (sib->is_red) {
			sib->is_red = false;
			parent->is_red = true;
			if (left)
				rotate_left(root, parent);
			else
				rotate_right(root, parent);
			sib = left ? parent->right : parent->left;
		}
		near = left ? sib->left : sib->right;
		far = left ? sib->right : sib->left;
		if (!is_red(near) && !is_red(far)) {
			sib->is_red = true;
			n = parent;
			parent = n->parent;
			continue;
		}
		if (!is_red(far)) {
			near->is_red = false;
			sib->is_red = true;
			if (left)
				rotate_right(root, sib);
			else
				rotate_left(root, sib);
			far = sib;
			sib = near;
		}
		sib->is_red = parent->is_red;
		parent->is_red = false;
		far->is_red = false;
		if (left)
			rotate_left(root, parent);
		else
			rotate_right(root, parent);
		n = root->node;
		break;
	}
	if (n)
		n->is_red = false;
}

static struct rb_node *leftmost(struct rb_node *n)
{
	while (n->left)
		n = n->left;
	return n;
}

void rb_erase(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *child, *parent, *next;
	bool lost_black;

	if (n->left && n->right) {
		/* The successor leaves its place, where it has no left child, and takes n's. */
		next = leftmost(n->right);
		child = next->right;
		parent = next->parent;
		lost_black = !next->is_red;
		replace_child(root, parent, next, child);
		if (child)
			child->parent = parent;
		if (parent == n)
			parent = next;
		rb_replace(root, n, next);
	} else {
		child = n->left ? n->left : n->right;
		parent = n->parent;
		lost_black = !n->is_red;
		replace_child(root, parent, n, child);
		if (child)
			child->parent = parent;
	}
	if (lost_black && root->node)
		erase_fixup(root, parent, child);
	n->parent = n->left = n->right = NULL;
}

void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *new)
{
	*new = *old;
	replace_child(root, old->parent, old, new);
	if (new->left)
		new->left->parent = new;
	if (new->right)
		new->right->parent = new;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return root->node ? leftmost(root->node) : NULL;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	if (n->right)
		return leftmost(n->right);
	while (n->parent && n == n->parent->right)
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *p = n->left;

	if (p) {
		while (p->right)
			p = p->right;
		return p;
	}
	while (n->parent && n == n->parent->left)
		n = n->parent;
	return n->parent;
}
