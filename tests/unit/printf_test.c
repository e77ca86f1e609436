// SPDX-License-Identifier: Apache-2.0
/* printf_test - lib/printf.c */
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"

#define EXPECT(text, ...)                                      \
	do {                                                   \
		char b_[128];                                  \
		int n_ = snprintf(b_, sizeof b_, __VA_ARGS__); \
		CHECK_STR(b_, text);                           \
		CHECK(n_ == (int)strlen(text));                \
	} while (0)

TEST(integers_in_every_base_and_size)
{
	EXPECT("0 -1 4294967295", "%d %d %u", 0, -1, -1);
	EXPECT("-2147483648", "%d", S32_MAX + 1u);
	EXPECT("-9223372036854775808", "%lld", (long long)(1ull << 63));
	EXPECT("18446744073709551615", "%llu", ~0ull);
	EXPECT("ff FF 377", "%x %X %o", 255, 255, 255);
	EXPECT("0xff 0XFF 0377 0", "%#x %#X %#o %#x", 255, 255, 255, 0);
	EXPECT("-1 255 -1 65535", "%hhd %hhu %hd %hu", (s8)0xff, (u8)0x1ff, (s16)0xffff,
	       (u16)0x1ffff);
	EXPECT("123456789012 7", "%lu %zu", 123456789012ul, (size_t)7);
}

TEST(width_precision_and_flags)
{
	EXPECT("[   42]", "[%5d]", 42);
	EXPECT("[42   ]", "[%-5d]", 42);
	EXPECT("[00042]", "[%05d]", 42);
	EXPECT("[-0042]", "[%05d]", -42);
	EXPECT("[  042]", "[%5.3d]", 42);
	EXPECT("[+42][ 42]", "[%+d][% d]", 42, 42);
	EXPECT("[0x002a]", "[%#06x]", 42);
	EXPECT("[]", "[%.0d]", 0);
	EXPECT("[   42]", "[%*d]", 5, 42);
	EXPECT("[42   ]", "[%*d]", -5, 42);
	EXPECT("[007]", "[%.*d]", 3, 7);
}

TEST(strings_characters_and_pointers)
{
	EXPECT("[abc][  abc][abc  ]", "[%s][%5s][%-5s]", "abc", "abc", "abc");
	EXPECT("[ab]", "[%.2s]", "abc");
	EXPECT("[x][  x]", "[%c][%3c]", 'x', 'x');
	EXPECT("0x1234 100%", "%p 100%%", (void *)0x1234);
}

TEST(precision_does_not_read_past_an_unterminated_string)
{
	char raw[3] = { 'a', 'b', 'c' };

	EXPECT("abc", "%.3s", raw);
}

TEST(output_is_cut_terminated_and_counted)
{
	char b[5];

	CHECK(snprintf(b, sizeof b, "%s", "123456789") == 9);
	CHECK_STR(b, "1234");
	CHECK(snprintf(b, 1, "%d", 77) == 2);
	CHECK_STR(b, "");
	CHECK(snprintf(NULL, 0, "%d", 777) == 3);
}
