/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statfs.c - statfs, fstatfs
 *
 * See       statfs(2)
 */
#include "tests/lib/t.h"

#include <sys/statfs.h>

static void figures_are_sane(void)
{
	struct statfs a, b;

	MUST(statfs(".", &a));
	MUST(fstatfs(t_temp_fd(), &b));
	CHECK(a.f_bsize > 0);
	CHECK(a.f_bfree <= a.f_blocks);
	CHECK(a.f_namelen >= 255);
	CHECK_EQ(a.f_type, b.f_type);
}

static void proc_has_its_magic_number(void)
{
	struct statfs a;

	MUST(statfs("/proc", &a));
	CHECK_EQ(a.f_type, 0x9fa0);
}

static void errors(void)
{
	struct statfs a;

	CHECK_ERRNO(statfs("none", &a), ENOENT);
	CHECK_ERRNO(fstatfs(-1, &a), EBADF);
	CHECK_ERRNO(statfs(".", t_bad_ptr()), EFAULT);
}

TEST_PROGRAM(statfs, CASE(figures_are_sane), CASE(proc_has_its_magic_number), CASE(errors));
