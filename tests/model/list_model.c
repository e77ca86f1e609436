// SPDX-License-Identifier: Apache-2.0
/* list_model - random list operations against an array of positions */
#include "guestkernel/kapi/list.h"
#include "tests/lib/harness.h"

#define NODES 40

struct item {
	struct list link;
	u32 id;
};

static struct item items[NODES];
static u32 order[2][NODES], length[2]; /* ids in each list */

static void model_remove(u32 id)
{
	for (u32 l = 0; l < 2; l++)
		for (u32 i = 0; i < length[l]; i++) {
			if (order[l][i] != id)
				continue;
			for (length[l]--; i < length[l]; i++)
				order[l][i] = order[l][i + 1];
			return;
		}
}

static void check_list(struct list *head, u32 l)
{
	struct item *it, *tmp;
	u32 i = 0;

	list_for_each_entry (it, head, link) {
		CHECK(i < length[l] && it->id == order[l][i]);
		CHECK(it->link.next->prev == &it->link && it->link.prev->next == &it->link);
		i++;
	}
	CHECK(i == length[l] && list_empty(head) == (i == 0));
	list_for_each_entry_safe (it, tmp, head, link)
		CHECK(it->id == order[l][length[l] - i--]);
	it = list_first(head, struct item, link);
	CHECK(length[l] ? it->id == order[l][0] : !it);
}

TEST(lists_behave_like_arrays)
{
	struct list head[2] = { LIST_INIT(head[0]), LIST_INIT(head[1]) };
	u64 seed = test_seed();

	for (u32 i = 0; i < NODES; i++) {
		list_init(&items[i].link);
		items[i].id = i;
	}
	for (u32 step = 0; step < 20000; step++) {
		u32 id = (u32)(test_rand(&seed) % NODES), l = (u32)test_rand(&seed) & 1;

		if (test_rand(&seed) % 50 == 0) {
			list_splice_tail(&head[l], &head[!l]);
			for (u32 i = 0; i < length[!l]; i++)
				order[l][length[l]++] = order[!l][i];
			length[!l] = 0;
		} else if (!list_empty(&items[id].link)) {
			list_del(&items[id].link);
			list_del(&items[id].link); /* twice is harmless */
			model_remove(id);
		} else if (test_rand(&seed) & 1) {
			list_add_tail(&head[l], &items[id].link);
			order[l][length[l]++] = id;
		} else {
			list_add(&head[l], &items[id].link);
			for (u32 i = length[l]++; i > 0; i--)
				order[l][i] = order[l][i - 1];
			order[l][0] = id;
		}
		check_list(&head[0], 0);
		check_list(&head[1], 1);
	}
}
