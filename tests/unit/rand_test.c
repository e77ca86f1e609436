// SPDX-License-Identifier: Apache-2.0
/* rand_test - lib/rand.c, lib/chacha.c */
#include "guestkernel/kapi/string.h"
#include "guestkernel/lib/chacha.h"
#include "guestkernel/lib/rand.c" /* its state is set back */
#include "tests/lib/harness.h"

TEST(chacha20_block_matches_the_rfc_8439_vector)
{
	static const u8 want[] = { 0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
				   0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4 };
	u32 nonce[3] = { 0x09000000, 0x4a000000, 0 };
	u8 key[32], out[64];

	for (u32 i = 0; i < 32; i++)
		key[i] = (u8)i;
	chacha20_block((const u32 *)key, 1, nonce, out);
	CHECK(memcmp(out, want, sizeof want) == 0);
	CHECK(out[63] == 0x4e);
}

TEST(output_never_repeats_and_seeds_matter)
{
	u64 a, b;

	rand_init("seed", 4);
	a = rand_u64();
	b = rand_u64();
	CHECK(a != b && a && b);
	rand_reseed("more", 4);
	CHECK(rand_u64() != a);
}

/* Two copies begin alike: one state of the generator gives both. */
static void draw_after_clone(const void *fresh, size_t n, int want, u64 out[8])
{
	memset(rand_key, 0, sizeof rand_key);
	rand_init("one seed for both of the copies..", 33);
	rand_u64(); /* something stays in the pool */
	CHECK(rand_reseed_after_clone(fresh, n) == want);
	for (int i = 0; i < 8; i++)
		out[i] = rand_u64();
}

TEST(copies_of_a_kernel_part_when_they_are_reseeded)
{
	static const char a[] = "thirty-two bytes of fresh host a",
			  b[] = "thirty-two bytes of fresh host b";
	u8 zero[64] = { 0 };
	u64 x[8], y[8], same[8];

	draw_after_clone(zero, 64, -22, same); /* nothing told them apart: as before */
	draw_after_clone(a, 16, -22, x);
	CHECK(memcmp(x, same, sizeof x) == 0);
	draw_after_clone(a, 32, 0, x);
	draw_after_clone(b, 32, 0, y);
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 8; k++)
			CHECK(x[i] != y[k] && x[i] != same[k] && y[i] != same[k]);
	draw_after_clone(a, 32, 0, y);
	CHECK(memcmp(x, y, sizeof x) == 0);
}

TEST(every_length_is_filled_and_bounded)
{
	u8 buf[3000], zero[64] = { 0 };

	rand_init("seed", 4);
	for (size_t n = 0; n < 1500; n += n < 300 ? 1 : 97) {
		memset(buf, 0xee, sizeof buf);
		rand_bytes(buf, n);
		CHECK(buf[n] == 0xee && buf[n + 1] == 0xee);
		if (n >= 64)
			CHECK(memcmp(buf, zero, 64) && memcmp(buf + n - 64, zero, 64));
	}
}

TEST(rand_below_covers_the_range_evenly)
{
	u32 count[7] = { 0 };

	rand_init("seed", 4);
	for (u32 i = 0; i < 70000; i++) {
		u64 v = rand_below(7);

		CHECK(v < 7);
		count[v]++;
	}
	for (u32 i = 0; i < 7; i++)
		CHECK(count[i] > 9500 && count[i] < 10500);
	CHECK(rand_below(1) == 0 && rand_below(0) == 0);
}

TEST(bits_are_balanced)
{
	u32 ones = 0;

	rand_init("seed", 4);
	for (u32 i = 0; i < 10000; i++)
		ones += (u32)__builtin_popcountll(rand_u64());
	CHECK(ones > 318000 && ones < 322000);
}
