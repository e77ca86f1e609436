/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2.c - openat2(2): RESOLVE flags and strict arguments
 *
 * See       openat2(2)
 */
#include "tests/lib/t.h"

#include <linux/openat2.h>

static long open_how(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int tree(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/sub", 0755));
	t_write_file("d/f", "x");
	t_write_file("outside", "x");
	MUST(symlink("../outside", "d/out"));
	MUST(symlink("f", "d/in"));
	MUST(symlink("/f", "d/abs"));
	return MUST(open("d", O_RDONLY | O_DIRECTORY));
}

static void plain_use(void)
{
	int dir = tree();

	MUST(open_how(dir, "f", O_RDONLY, 0));
	MUST(open_how(dir, "out", O_RDONLY, 0));
}

static void beneath_stays_below(void)
{
	int dir = tree();

	MUST(open_how(dir, "f", O_RDONLY, RESOLVE_BENEATH));
	MUST(open_how(dir, "in", O_RDONLY, RESOLVE_BENEATH));
	MUST(open_how(dir, "sub/../f", O_RDONLY, RESOLVE_BENEATH));
	CHECK_ERRNO(open_how(dir, "../outside", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open_how(dir, "out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open_how(dir, "/", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open_how(dir, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
}

static void in_root_treats_the_directory_as_root(void)
{
	int dir = tree();

	MUST(open_how(dir, "/f", O_RDONLY, RESOLVE_IN_ROOT));
	MUST(open_how(dir, "../../f", O_RDONLY, RESOLVE_IN_ROOT));
	MUST(open_how(dir, "abs", O_RDONLY, RESOLVE_IN_ROOT));
	CHECK_ERRNO(open_how(dir, "out", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
}

static void links_can_be_forbidden(void)
{
	int dir = tree();

	CHECK_ERRNO(open_how(dir, "in", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	MUST(open_how(dir, "f", O_RDONLY, RESOLVE_NO_SYMLINKS));
	CHECK_ERRNO(open_how(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	MUST(open_how(dir, "in", O_RDONLY, RESOLVE_NO_MAGICLINKS));
}

static void mounts_can_be_forbidden(void)
{
	CHECK_ERRNO(open_how(AT_FDCWD, "/proc/self/stat", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
}

static void arguments_are_strict(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct {
		struct open_how how;
		uint64_t more;
	} bigger = { .more = 0 };

	CHECK_ERRNO(open_how(AT_FDCWD, ".", 1ull << 40, 0), EINVAL);
	CHECK_ERRNO(open_how(AT_FDCWD, ".", O_RDONLY, 0x1000), EINVAL);
	how.mode = 0600;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how)), EINVAL);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &how, 8), EINVAL);
	MUST(syscall(SYS_openat2, AT_FDCWD, ".", &bigger, sizeof(bigger)));
	bigger.more = 1;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &bigger, sizeof(bigger)), E2BIG);
}

TEST_PROGRAM(openat2, CASE(plain_use), CASE(beneath_stays_below),
	     CASE(in_root_treats_the_directory_as_root), CASE(links_can_be_forbidden),
	     CASE(mounts_can_be_forbidden), CASE(arguments_are_strict));
