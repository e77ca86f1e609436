// SPDX-License-Identifier: Apache-2.0
/*
 * harness - unit tests of guest kernel code on the host
 *
 * Role      Test files include this and kernel headers, no libc header: Linux names in uapi/ would clash.
 *           harness_criterion.c runs each TEST in a process of its own.
 * Rules     TEST(name_as_a_sentence) { ... CHECK(expr); } A failed CHECK ends the test.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct unit_test {
	const char *name;
	void (*fn)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *t);
noreturn_fn void unit_fail(const char *expr, const char *file, int line);

#define TEST(id)                                                       \
	static void id(void);                                          \
	static struct unit_test unit_##id = { .name = #id, .fn = id }; \
	__attribute__((constructor)) static void unit_add_##id(void)   \
	{                                                              \
		unit_register(&unit_##id);                             \
	}                                                              \
	static void id(void)

#define CHECK(expr)                                           \
	do {                                                  \
		if (!(expr))                                  \
			unit_fail(#expr, __FILE__, __LINE__); \
	} while (0)
#define CHECK_STR(a, b) CHECK(strcmp(a, b) == 0)

/* Runs stmts with the n-th allocation failing, n = 1, 2, ... until none fails. */
#define FAIL_LOOP(n) for (u32 n = 1; fail_at(n), n < 10000; n++)

/* Seed of a random test: from $TEST_SEED or the clock; printed, so that a failure can be repeated. */
u64 test_seed(void);
/* splitmix64 */
static inline u64 test_rand(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Threads for tests of things that sleep. */
struct test_thread;
struct test_thread *test_thread_start(void (*fn)(void *arg), void *arg);
void test_thread_join(struct test_thread *t);
void test_sleep_ms(u32 ms);
