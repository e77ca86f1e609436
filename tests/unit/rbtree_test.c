// SPDX-License-Identifier: Apache-2.0
/* rbtree_test - lib/rbtree.c; the long random test is model/rbtree_model.c */
#include "guestkernel/kapi/rbtree.h"
#include "tests/lib/harness.h"

struct item {
	struct rb_node node;
	u32 key;
};

static void insert(struct rb_root *root, struct item *it)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = it->key < rb_entry(parent, struct item, node)->key ? &parent->left
									  : &parent->right;
	}
	rb_link(&it->node, parent, link);
	rb_insert_fixup(root, &it->node);
}

static u32 key(struct rb_node *n)
{
	return rb_entry(n, struct item, node)->key;
}

TEST(an_empty_tree_has_no_ends)
{
	struct rb_root root = RB_ROOT_INIT;

	CHECK(!rb_first(&root) && !rb_last(&root));
}

TEST(iteration_is_in_order_both_ways)
{
	struct rb_root root = RB_ROOT_INIT;
	struct item it[100];
	struct rb_node *n;
	u32 want;

	for (u32 i = 0; i < 100; i++) {
		it[i].key = i * 37 % 100;
		insert(&root, &it[i]);
	}
	for (n = rb_first(&root), want = 0; n; n = rb_next(n))
		CHECK(key(n) == want++);
	CHECK(want == 100);
	for (n = rb_last(&root); n; n = rb_prev(n))
		CHECK(key(n) == --want);
	CHECK(want == 0);
}

TEST(erasing_while_iterating_empties_the_tree)
{
	struct rb_root root = RB_ROOT_INIT;
	struct item it[64];

	for (u32 i = 0; i < 64; i++) {
		it[i].key = i;
		insert(&root, &it[i]);
	}
	for (u32 want = 0; root.node; want++) {
		struct rb_node *n = rb_first(&root);

		CHECK(key(n) == want);
		rb_erase(&root, n);
	}
}

TEST(replace_takes_the_same_place)
{
	struct rb_root root = RB_ROOT_INIT;
	struct item it[7], other = { .key = 3 };
	u32 want = 0;

	for (u32 i = 0; i < 7; i++) {
		it[i].key = i;
		insert(&root, &it[i]);
	}
	rb_replace(&root, &it[3].node, &other.node);
	for (struct rb_node *n = rb_first(&root); n; n = rb_next(n)) {
		CHECK(n != &it[3].node);
		CHECK(key(n) == want++);
	}
	CHECK(want == 7);
}
