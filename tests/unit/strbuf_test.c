// SPDX-License-Identifier: Apache-2.0
/* strbuf_test - lib/strbuf.c */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

TEST(appends_grow_and_keep_a_nul_behind)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (u32 i = 0; i < 1000; i++) {
		strbuf_printf(&sb, "%03u", i);
		strbuf_addc(&sb, ',');
		CHECK(sb.len == (i + 1) * 4 && sb.data[sb.len] == '\0');
	}
	CHECK(!sb.failed);
	CHECK(memcmp(sb.data, "000,001,", 8) == 0);
	CHECK_STR(sb.data + 3992, "998,999,");
	strbuf_fini(&sb);
	CHECK(host_blocks_in_use() == 0);
}

TEST(text_of_every_length_around_the_first_capacity_fits)
{
	for (size_t n = 250; n < 262; n++) {
		struct strbuf sb;

		strbuf_init(&sb);
		strbuf_printf(&sb, "%*s", (int)n, "x");
		strbuf_printf(&sb, "%s", "yz");
		CHECK(sb.len == n + 2 && !sb.failed);
		CHECK_STR(sb.data + n - 1, "xyz");
		strbuf_fini(&sb);
	}
}

TEST(a_failed_allocation_sticks_and_leaks_nothing)
{
	FAIL_LOOP(n)
	{
		struct strbuf sb;

		strbuf_init(&sb);
		for (u32 i = 0; i < 300; i++)
			strbuf_printf(&sb, "%d ", i);
		CHECK(sb.failed == fail_happened());
		strbuf_add(&sb, "tail", 4);
		CHECK(sb.failed == fail_happened());
		strbuf_fini(&sb);
		CHECK(host_blocks_in_use() == 0);
		if (!fail_happened())
			break;
	}
	fail_at(0);
}

TEST(size_is_limited)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (u32 i = 0; i < 100 && !sb.failed; i++)
		strbuf_printf(&sb, "%100000s", "");
	CHECK(sb.failed && sb.cap <= KMALLOC_MAX);
	strbuf_fini(&sb);
}
