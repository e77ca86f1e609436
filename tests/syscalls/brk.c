/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brk.c - brk(2)
 *
 * See       brk(2)
 */
#include "tests/lib/t.h"

static uintptr_t brk_to(uintptr_t to)
{
	return (uintptr_t)syscall(SYS_brk, to);
}

static void grows_with_zeros_and_shrinks(void)
{
	uintptr_t base = brk_to(0);
	char *p = (char *)base;

	CHECK_EQ(brk_to(base + 20000), base + 20000);
	for (int i = 0; i < 20000; i += 100)
		CHECK(p[i] == 0);
	memset(p, 'x', 20000);
	CHECK_EQ(brk_to(base), base);
	CHECK_EQ(brk_to(base + 20000), base + 20000);
	CHECK(p[12000] == 0);
}

static void failure_returns_the_present_break(void)
{
	uintptr_t base = brk_to(0);

	CHECK_EQ(brk_to(1), base);
	CHECK_EQ(brk_to((uintptr_t)1 << 62), base);
	CHECK_EQ(brk_to(0), base);
}

static void data_limit_holds(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 1 << 20, 1 << 20 };
	uintptr_t base = brk_to(0);

	MUST(syscall(SYS_setrlimit, 2 /* RLIMIT_DATA */, &lim));
	CHECK_EQ(brk_to(base + (64 << 20)), base);
}

TEST_PROGRAM(brk, CASE(grows_with_zeros_and_shrinks), CASE(failure_returns_the_present_break),
	     CASE(data_limit_holds));
