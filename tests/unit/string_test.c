// SPDX-License-Identifier: Apache-2.0
/* string_test - lib/string.c, lib/mem.c */
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"

#define SPAN 80

static void fill(u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (u8)(i * 7 + 1);
}

TEST(memcpy_copies_every_length_at_every_alignment_and_nothing_else)
{
	u8 src[SPAN + 16], dst[SPAN + 32];

	fill(src, sizeof src);
	for (size_t n = 0; n <= SPAN; n++)
		for (size_t off = 0; off < 9; off++) {
			memset(dst, 0xee, sizeof dst);
			CHECK(memcpy(dst + off, src + 3, n) == dst + off);
			for (size_t i = 0; i < sizeof dst; i++)
				CHECK(dst[i] ==
				      (i >= off && i < off + n ? src[3 + i - off] : 0xee));
		}
}

TEST(memmove_handles_every_overlap)
{
	u8 want[SPAN * 2], buf[SPAN * 2];

	for (size_t n = 0; n <= 50; n++)
		for (size_t from = 0; from < 40; from++)
			for (size_t to = 0; to < 40; to += 3) {
				u8 copy[SPAN];

				fill(buf, sizeof buf);
				fill(want, sizeof want);
				for (size_t i = 0; i < n; i++)
					copy[i] = want[from + i];
				for (size_t i = 0; i < n; i++)
					want[to + i] = copy[i];
				CHECK(memmove(buf + to, buf + from, n) == buf + to);
				CHECK(memcmp(buf, want, sizeof buf) == 0);
			}
}

TEST(memset_fills_exactly)
{
	u8 buf[SPAN + 16];

	for (size_t n = 0; n <= SPAN; n++) {
		for (size_t i = 0; i < sizeof buf; i++)
			buf[i] = 0x11;
		CHECK(memset(buf + 5, 0x1f7, n) == buf + 5);
		for (size_t i = 0; i < sizeof buf; i++)
			CHECK(buf[i] == (i >= 5 && i < 5 + n ? 0xf7 : 0x11));
	}
}

TEST(memcmp_orders_by_the_first_different_byte)
{
	u8 a[40], b[40];

	for (size_t i = 0; i < sizeof a; i++) {
		fill(a, sizeof a);
		fill(b, sizeof b);
		CHECK(memcmp(a, b, sizeof a) == 0);
		b[i] ^= 0x80;
		CHECK((memcmp(a, b, sizeof a) < 0) == (a[i] < b[i]));
		CHECK((memcmp(b, a, sizeof a) < 0) == (b[i] < a[i]));
		CHECK(memcmp(a, b, i) == 0);
	}
}

TEST(comparison_treats_characters_as_unsigned)
{
	CHECK(strcmp("\xff", "a") > 0);
	CHECK(strncmp("a\xff", "aa", 2) > 0);
	CHECK(strncmp("abc", "abd", 2) == 0);
	CHECK(strncmp("ab", "abc", 3) < 0);
	CHECK(strncmp("ab", "ab", 99) == 0);
	CHECK(strcmp("", "") == 0);
}

TEST(searches_find_ends_and_nothing)
{
	const char *s = "a/b/c";

	CHECK(strchr(s, '/') == s + 1);
	CHECK(strrchr(s, '/') == s + 3);
	CHECK(strchr(s, 0) == s + 5);
	CHECK(strrchr(s, 0) == s + 5);
	CHECK(strchr(s, 'x') == NULL && strrchr(s, 'x') == NULL);
	CHECK(memchr(s, 'c', 5) == s + 4);
	CHECK(memchr(s, 'c', 4) == NULL);
	CHECK(strlen("") == 0 && strlen(s) == 5);
	CHECK(strnlen(s, 3) == 3 && strnlen(s, 9) == 5);
}

TEST(strlcpy_terminates_and_reports_the_whole_length)
{
	char b[4] = "zzz";

	CHECK(strlcpy(b, "abcdef", sizeof b) == 6);
	CHECK(strcmp(b, "abc") == 0);
	CHECK(strlcpy(b, "x", sizeof b) == 1);
	CHECK(strcmp(b, "x") == 0);
	CHECK(strlcpy(b, "yy", 0) == 2);
	CHECK(strcmp(b, "x") == 0);
}

TEST(parse_u64_accepts_whole_numbers_only)
{
	u64 v;

	CHECK(parse_u64("0", 0, &v) && v == 0);
	CHECK(parse_u64("18446744073709551615", 10, &v) && v == U64_MAX);
	CHECK(parse_u64("0xffffffffffffffff", 0, &v) && v == U64_MAX);
	CHECK(parse_u64("0x1F", 16, &v) && v == 31);
	CHECK(parse_u64("1f", 16, &v) && v == 31);
	CHECK(parse_u64("0755", 0, &v) && v == 0755);
	CHECK(parse_u64("644", 8, &v) && v == 0644);
	CHECK(!parse_u64("18446744073709551616", 10, &v));
	CHECK(!parse_u64("0x10000000000000000", 0, &v));
	CHECK(!parse_u64("", 10, &v) && !parse_u64("0x", 0, &v));
	CHECK(!parse_u64("12 ", 10, &v) && !parse_u64("-1", 10, &v) && !parse_u64("08", 0, &v));
}

TEST(hash_bytes_depends_on_every_byte_length_and_seed)
{
	u8 a[40];

	fill(a, sizeof a);
	for (size_t n = 1; n <= sizeof a; n++)
		for (size_t i = 0; i < n; i++) {
			u64 h = hash_bytes(a, n, 1);

			CHECK(h != hash_bytes(a, n - 1, 1));
			CHECK(h != hash_bytes(a, n, 2));
			a[i] ^= 1;
			CHECK(h != hash_bytes(a, n, 1));
			a[i] ^= 1;
			CHECK(h == hash_bytes(a, n, 1));
		}
}
