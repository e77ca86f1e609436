/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - access, faccessat, faccessat2
 *
 * See       access(2)
 */
#include "tests/lib/t.h"

static void root_may_all_but_execute_plain_files(void)
{
	t_write_file("f", "x");
	MUST(chmod("f", 0));
	MUST(access("f", F_OK));
	MUST(access("f", R_OK | W_OK));
	CHECK_ERRNO(access("f", X_OK), EACCES);
	MUST(chmod("f", 0001));
	MUST(access("f", X_OK));
	MUST(access(".", X_OK));
}

static void real_ids_count(void)
{
	t_write_file("f", "x");
	MUST(chmod("f", 0600));
	MUST(setresuid(1000, 0, 0));
	CHECK_ERRNO(access("f", R_OK), EACCES);
	MUST(open("f", O_RDONLY));
	MUST(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
}

static void users_are_checked(void)
{
	t_write_file("f", "x");
	MUST(chmod("f", 0604));
	t_become_user(1000);
	MUST(access("f", R_OK));
	CHECK_ERRNO(access("f", W_OK), EACCES);
	CHECK_ERRNO(access("f", X_OK), EACCES);
}

static void links_and_descriptors(void)
{
	int fd = t_temp_fd();

	MUST(symlink("none", "l"));
	CHECK_ERRNO(access("l", F_OK), ENOENT);
	MUST(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	MUST(syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
	MUST(syscall(SYS_faccessat, AT_FDCWD, ".", R_OK));
	MUST(syscall(SYS_access, ".", R_OK));
}

static void errors(void)
{
	CHECK_ERRNO(access("none", F_OK), ENOENT);
	CHECK_ERRNO(access(".", 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, ".", R_OK, 0x8000), EINVAL);
	CHECK_ERRNO(access(t_bad_ptr(), F_OK), EFAULT);
}

TEST_PROGRAM(access, CASE(root_may_all_but_execute_plain_files), CASE(real_ids_count),
	     CASE(users_are_checked), CASE(links_and_descriptors), CASE(errors));
