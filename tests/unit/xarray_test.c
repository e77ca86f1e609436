// SPDX-License-Identifier: Apache-2.0
/* xarray_test - lib/xarray.c; the long random test is model/xarray_model.c */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/xarray.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static const u64 edges[] = { 0,		 1,	      63,
			     64,	 4095,	      4096,
			     1ull << 30, 1ull << 59,  (1ull << 60) - 1,
			     1ull << 60, U64_MAX - 1, U64_MAX };

static void *entry(u64 i)
{
	return (void *)(uintptr_t)(i * 16 + 8);
}

TEST(edge_indexes_are_stored_found_and_erased)
{
	struct xarray xa = XARRAY_INIT;
	void *old, *p;
	u64 i, n = 0;

	for (u32 k = 0; k < ARRAY_SIZE(edges); k++) {
		CHECK(xa_store(&xa, edges[k], entry(k), &old) == 0 && !old);
		CHECK(xa.count == k + 1);
	}
	for (u32 k = 0; k < ARRAY_SIZE(edges); k++)
		CHECK(xa_load(&xa, edges[k]) == entry(k));
	CHECK(!xa_load(&xa, 2) && !xa_load(&xa, U64_MAX - 2));
	for (i = 0, p = xa_find(&xa, &i); p; p = xa_find(&xa, &i)) {
		CHECK(i == edges[n] && p == entry(n));
		n++;
		if (i++ == U64_MAX)
			break;
	}
	CHECK(n == ARRAY_SIZE(edges));
	for (u32 k = 0; k < ARRAY_SIZE(edges); k++) {
		CHECK(xa_erase(&xa, edges[k]) == entry(k));
		CHECK(!xa_erase(&xa, edges[k]));
	}
	CHECK(xa.count == 0 && xa.root == NULL);
	CHECK(host_blocks_in_use() == 0);
}

TEST(store_replaces_and_null_erases)
{
	struct xarray xa = XARRAY_INIT;
	void *old;

	CHECK(xa_store(&xa, 70, entry(1), NULL) == 0);
	CHECK(xa_store(&xa, 70, entry(2), &old) == 0 && old == entry(1));
	CHECK(xa.count == 1);
	CHECK(xa_store(&xa, 70, NULL, &old) == 0 && old == entry(2));
	CHECK(xa.count == 0 && host_blocks_in_use() == 0);
}

TEST(the_tree_shrinks_when_large_indexes_go)
{
	struct xarray xa = XARRAY_INIT;

	CHECK(xa_store(&xa, 3, entry(1), NULL) == 0);
	CHECK(xa_store(&xa, 1ull << 40, entry(2), NULL) == 0);
	CHECK(xa_erase(&xa, 1ull << 40) == entry(2));
	CHECK(xa.levels == 1 && host_blocks_in_use() == 1);
	CHECK(xa_load(&xa, 3) == entry(1));
	xa_fini(&xa);
	CHECK(host_blocks_in_use() == 0);
}

TEST(alloc_gives_the_lowest_free_index)
{
	struct xarray xa = XARRAY_INIT;
	u64 i;

	for (u64 k = 0; k < 300; k++)
		CHECK(xa_alloc(&xa, 0, 299, entry(k), &i) == 0 && i == k);
	CHECK(xa_alloc(&xa, 0, 299, entry(1), &i) == -ENOSPC);
	CHECK(xa_erase(&xa, 64) && xa_erase(&xa, 130));
	CHECK(xa_alloc(&xa, 65, 299, entry(1), &i) == 0 && i == 130);
	CHECK(xa_alloc(&xa, 65, 299, entry(1), &i) == -ENOSPC);
	CHECK(xa_alloc(&xa, 0, 299, entry(1), &i) == 0 && i == 64);
	CHECK(xa_alloc(&xa, 100000, U64_MAX, entry(1), &i) == 0 && i == 100000);
	CHECK(xa_alloc(&xa, U64_MAX, U64_MAX, entry(1), &i) == 0 && i == U64_MAX);
	CHECK(xa_alloc(&xa, U64_MAX, U64_MAX, entry(1), &i) == -ENOSPC);
	xa_fini(&xa);
}

TEST(a_failed_store_leaves_the_array_as_it_was)
{
	static const u64 index[] = { 5, 64, 1ull << 50, 7 };

	FAIL_LOOP(n)
	{
		struct xarray xa = XARRAY_INIT;
		u64 stored = 0;
		int ret;

		for (u32 k = 0; k < ARRAY_SIZE(index); k++) {
			u64 before = host_blocks_in_use();

			ret = xa_store(&xa, index[k], entry(k), NULL);
			CHECK(ret == 0 || ret == -ENOMEM);
			CHECK(xa_load(&xa, index[k]) == (ret ? NULL : entry(k)));
			if (ret)
				CHECK(host_blocks_in_use() == before);
			else
				stored++;
			CHECK(xa.count == stored);
		}
		CHECK(stored == ARRAY_SIZE(index) - fail_happened());
		xa_fini(&xa);
		CHECK(host_blocks_in_use() == 0);
		if (!fail_happened())
			break;
	}
	fail_at(0);
}
