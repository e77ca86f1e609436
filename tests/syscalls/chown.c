/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chown.c - chown, fchown, lchown, fchownat
 *
 * See       chown(2)
 */
#include "tests/lib/t.h"

static void check_owner(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	MUST(lstat(path, &st));
	CHECK_EQ(st.st_uid, uid);
	CHECK_EQ(st.st_gid, gid);
}

static void all_versions_set_the_owner(void)
{
	int fd = t_temp_fd();

	MUST(chown("temp-file", 1, 2));
	check_owner("temp-file", 1, 2);
	MUST(fchown(fd, 3, -1));
	check_owner("temp-file", 3, 2);
	MUST(lchown("temp-file", -1, 4));
	check_owner("temp-file", 3, 4);
	MUST(fchownat(AT_FDCWD, "temp-file", 100000, 200000, 0));
	check_owner("temp-file", 100000, 200000);
	MUST(fchownat(fd, "", 7, 8, AT_EMPTY_PATH));
	check_owner("temp-file", 7, 8);
	MUST(syscall(SYS_chown, "temp-file", 9, 9));
	MUST(syscall(SYS_lchown, "temp-file", 9, 9));
}

static void links_are_followed_unless_told(void)
{
	t_write_file("f", "x");
	MUST(symlink("f", "l"));
	MUST(chown("l", 5, 5));
	check_owner("f", 5, 5);
	check_owner("l", 0, 0);
	MUST(lchown("l", 6, 6));
	check_owner("f", 5, 5);
	check_owner("l", 6, 6);
	MUST(fchownat(AT_FDCWD, "l", 7, 7, AT_SYMLINK_NOFOLLOW));
	check_owner("l", 7, 7);
}

static void set_id_bits_are_cleared(void)
{
	struct stat st;

	t_write_file("f", "x");
	MUST(chmod("f", 06755));
	MUST(chown("f", 1, 1));
	MUST(stat("f", &st));
	CHECK_EQ(st.st_mode & 07777, 0755);
}

static void users_may_only_give_to_their_groups(void)
{
	gid_t groups[1] = { 2000 };

	t_write_file("f", "x");
	MUST(chown("f", 1000, 1000));
	MUST(syscall(SYS_setgroups, 1, groups));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(chown("f", 0, -1), EPERM);
	CHECK_ERRNO(chown("f", -1, 3000), EPERM);
	MUST(chown("f", -1, 2000));
	MUST(chown("f", 1000, 1000));
}

static void errors(void)
{
	CHECK_ERRNO(chown("none", 0, 0), ENOENT);
	CHECK_ERRNO(fchown(-1, 0, 0), EBADF);
	CHECK_ERRNO(fchownat(AT_FDCWD, ".", 0, 0, 0x8000), EINVAL);
}

TEST_PROGRAM(chown, CASE(all_versions_set_the_owner), CASE(links_are_followed_unless_told),
	     CASE(set_id_bits_are_cleared), CASE(users_may_only_give_to_their_groups),
	     CASE(errors));
