// SPDX-License-Identifier: Apache-2.0
/* xarray_model - random operations against a plain array of (index, entry) slots, with failing memory */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/xarray.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define SLOTS 256

/* Slot i stands for index position(i); ascending in i. */
static void *model[SLOTS];
static u64 model_count;

static u64 position(u64 i)
{
	if (i < 128)
		return i;
	if (i < 192)
		return (i - 128) * 61 + 4000;
	return (i - 192) << 54;
}

static void *make_entry(u64 *seed)
{
	return (void *)(uintptr_t)((test_rand(seed) & 0xffffff0) + 16);
}

static void check_find(const struct xarray *xa, u64 slot)
{
	u64 i = position(slot);
	void *p = xa_find(xa, &i);

	while (slot < SLOTS && !model[slot])
		slot++;
	CHECK(p == (slot < SLOTS ? model[slot] : NULL));
	if (p)
		CHECK(i == position(slot));
}

static void check_alloc(struct xarray *xa, u64 slot, void *e)
{
	u64 want = slot, got;
	int ret;

	while (want < 128 && model[want])
		want++;
	ret = xa_alloc(xa, slot, 127, e, &got);
	if (want == 128) {
		CHECK(ret == -ENOSPC);
	} else if (ret) {
		CHECK(ret == -ENOMEM && fail_happened());
	} else {
		CHECK(got == want);
		model[want] = e;
		model_count++;
	}
}

static void random_step(struct xarray *xa, u64 *seed)
{
	u64 slot = test_rand(seed) % SLOTS, index = position(slot);
	void *e = make_entry(seed), *old;
	int ret;

	if (slot == 192)
		return; /* the same index as slot 0 */
	fail_at(test_rand(seed) % 8 == 0 ? 1 + test_rand(seed) % 4 : 0);
	switch (test_rand(seed) % 5) {
	case 0:
	case 1:
		ret = xa_store(xa, index, e, &old);
		if (ret) {
			CHECK(ret == -ENOMEM && fail_happened());
			break;
		}
		CHECK(old == model[slot]);
		model_count += !model[slot];
		model[slot] = e;
		break;
	case 2:
	case 3:
		CHECK(xa_erase(xa, index) == model[slot]);
		model_count -= !!model[slot];
		model[slot] = NULL;
		break;
	default:
		check_alloc(xa, slot % 128, e);
	}
	fail_at(0);
}

TEST(xarray_behaves_like_a_plain_array)
{
	struct xarray xa = XARRAY_INIT;
	u64 seed = test_seed();

	for (u32 step = 0; step < 200000; step++) {
		u64 slot;

		random_step(&xa, &seed);
		slot = test_rand(&seed) % 192;
		CHECK(xa_load(&xa, position(slot)) == model[slot]);
		check_find(&xa, slot);
		CHECK(xa.count == model_count);
		/* Now and then empty it, so that growing from nothing is tried often. */
		for (u32 i = 0; step % 1000 == 999 && i < SLOTS; i++) {
			if (i == 192)
				continue;
			CHECK(xa_erase(&xa, position(i)) == model[i]);
			model_count -= !!model[i];
			model[i] = NULL;
		}
		if (model_count == 0)
			CHECK(host_blocks_in_use() == 0);
	}
	xa_fini(&xa);
	CHECK(host_blocks_in_use() == 0);
}
