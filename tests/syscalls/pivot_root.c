/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pivot_root.c - pivot_root: the root of a mount name space changes
 *
 * See       pivot_root(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>

static long pivot_root(const char *new_root, const char *put_old)
{
	return syscall(SYS_pivot_root, new_root, put_old);
}

static void needs_the_capability(void)
{
	MUST(mkdir("new", 0755));
	t_become_user(1000);
	CHECK_ERRNO(pivot_root("new", "new"), EPERM);
}

static void paths_are_resolved_first(void)
{
	t_need_cap(CAP_SYS_ADMIN);
	MUST(mkdir("new", 0755));
	t_write_file("file", "");
	CHECK_ERRNO(pivot_root("missing", "new"), ENOENT);
	CHECK_ERRNO(pivot_root("new", "missing"), ENOENT);
	CHECK_ERRNO(pivot_root("file", "new"), ENOTDIR);
	CHECK_ERRNO(pivot_root("new", "file"), ENOTDIR);
	CHECK_ERRNO(pivot_root(t_bad_ptr(), "new"), EFAULT);
	CHECK_ERRNO(pivot_root("new", t_bad_ptr()), EFAULT);
}

static void the_root_itself_cannot_be_the_new_root(void)
{
	t_need_cap(CAP_SYS_ADMIN);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount name space of its own");
	CHECK_ERRNO(pivot_root("/", "/"), EBUSY);
}

static void a_mount_becomes_the_root(void)
{
	struct stat st;

	t_need_cap(CAP_SYS_ADMIN);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount name space of its own");
	MUST(mkdir("new", 0755));
	MUST(mount("none", "new", "tmpfs", 0, NULL));
	MUST(mkdir("new/old", 0755));
	t_write_file("new/mark", "x");
	if (pivot_root("new", "new/old"))
		SKIP("the root is not a mount that can be left");
	MUST(stat("/mark", &st));
	MUST(stat("/old", &st));
	MUST(chdir("/"));
	MUST(umount2("/old", MNT_DETACH));
	CHECK_EQ(rmdir("/old"), 0);
}

TEST_PROGRAM(pivot_root, CASE(needs_the_capability), CASE(paths_are_resolved_first),
	     CASE(the_root_itself_cannot_be_the_new_root), CASE(a_mount_becomes_the_root));
