// SPDX-License-Identifier: Apache-2.0
/*
 * harness_criterion - runs the tests of harness.h under Criterion
 *
 * Rules     One Criterion parameter is one test, by index, so each has its own process. $TEST_ONLY runs the
 *           tests whose name contains it.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/harness.h"

static struct unit_test *tests;
static const char *running = "?";

void unit_register(struct unit_test *t)
{
	t->next = tests;
	tests = t;
}

void unit_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s: CHECK(%s) failed; rerun with TEST_ONLY=%s\n", file, line,
		running, expr, running);
	cr_assert_fail("%s: CHECK(%s)", running, expr);
	abort();
}

u64 test_seed(void)
{
	const char *s = getenv("TEST_SEED");
	u64 seed = s ? strtoull(s, NULL, 0) : (u64)time(NULL) * 1000003u;

	fprintf(stderr, "%s: TEST_SEED=%llu\n", running, (unsigned long long)seed);
	return seed;
}

static bool is_wanted(const struct unit_test *t)
{
	const char *only = getenv("TEST_ONLY");

	return !only || strstr(t->name, only);
}

static int count_tests(void)
{
	int n = 0;

	for (struct unit_test *t = tests; t; t = t->next)
		n += is_wanted(t);
	return n;
}

static void free_params(struct criterion_test_params *p)
{
	cr_free(p->params);
}

ParameterizedTestParameters(kernel, unit)
{
	int n = count_tests();
	int *index = cr_malloc((size_t)(n ? n : 1) * sizeof *index);

	for (int i = 0; i < n; i++)
		index[i] = i;
	return cr_make_param_array(int, index, (size_t)n, free_params);
}

ParameterizedTest(int *index, kernel, unit)
{
	struct unit_test *t = tests;
	int skip = *index;

	while (t && (!is_wanted(t) || skip-- > 0))
		t = t->next;
	cr_assert(t);
	running = t->name;
	t->fn();
	cr_assert(true);
}
