// SPDX-License-Identifier: Apache-2.0
/* rbtree_model - random inserts and erases against a presence array; balance checked after each */
#include "guestkernel/kapi/rbtree.h"
#include "tests/lib/harness.h"

#define KEYS 200

struct item {
	struct rb_node node;
	u32 key;
	bool present;
};

static struct item items[KEYS];
static struct rb_root root;

static void insert(struct item *it)
{
	struct rb_node **link = &root.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = it->key < rb_entry(parent, struct item, node)->key ? &parent->left
									  : &parent->right;
	}
	rb_link(&it->node, parent, link);
	rb_insert_fixup(&root, &it->node);
	it->present = true;
}

/* Black height; fails on a broken rule. */
static u32 check_below(const struct rb_node *n, const struct rb_node *parent)
{
	u32 l, r;

	if (!n)
		return 1;
	CHECK(n->parent == parent);
	CHECK(!n->is_red || !parent || !parent->is_red);
	CHECK(parent || !n->is_red);
	l = check_below(n->left, n);
	r = check_below(n->right, n);
	CHECK(l == r);
	return l + !n->is_red;
}

static void check_order(void)
{
	struct rb_node *n = rb_first(&root);

	for (u32 i = 0; i < KEYS; i++) {
		if (!items[i].present)
			continue;
		CHECK(n == &items[i].node);
		n = rb_next(n);
	}
	CHECK(!n);
	n = rb_last(&root);
	for (u32 i = KEYS; i-- > 0;) {
		if (!items[i].present)
			continue;
		CHECK(n == &items[i].node);
		n = rb_prev(n);
	}
	CHECK(!n);
}

TEST(rbtree_behaves_like_a_sorted_array)
{
	u64 seed = test_seed();

	for (u32 i = 0; i < KEYS; i++)
		items[i].key = i;
	for (u32 step = 0; step < 20000; step++) {
		struct item *it = &items[test_rand(&seed) % KEYS];

		if (it->present) {
			rb_erase(&root, &it->node);
			it->present = false;
		} else {
			insert(it);
		}
		check_below(root.node, NULL);
		if (step % 16 == 0)
			check_order();
	}
}
