/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename.c - rename, renameat, renameat2
 *
 * See       rename(2)
 */
#include "tests/lib/t.h"

static void a_file_moves_and_replaces(void)
{
	struct stat a, b;
	char buf[8];

	t_write_file("a", "aaa");
	t_write_file("b", "b");
	MUST(stat("a", &a));
	MUST(rename("a", "b"));
	MUST(stat("b", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_ERRNO(access("a", F_OK), ENOENT);
	CHECK_EQ(t_read_file("b", buf, sizeof(buf)), 3);
}

static void hard_links_to_one_file_stay_both(void)
{
	t_write_file("a", "x");
	MUST(link("a", "b"));
	MUST(rename("a", "b"));
	MUST(access("a", F_OK));
	MUST(access("b", F_OK));
}

static void directories_move_with_their_content(void)
{
	struct stat st, up;

	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	MUST(mkdir("a/sub", 0755));
	t_write_file("a/sub/f", "x");
	MUST(rename("a/sub", "b/moved"));
	MUST(access("b/moved/f", F_OK));
	MUST(stat("b", &st));
	MUST(stat("b/moved/..", &up));
	CHECK_EQ(st.st_ino, up.st_ino);
}

static void kinds_must_match(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("full", 0755));
	t_write_file("full/f", "x");
	t_write_file("f", "x");
	CHECK_ERRNO(rename("f", "d"), EISDIR);
	CHECK_ERRNO(rename("d", "f"), ENOTDIR);
	CHECK_ERRNO(rename("d", "full"), ENOTEMPTY);
	CHECK_ERRNO(rename("none", "x"), ENOENT);
	CHECK_ERRNO(rename("f", "none/x"), ENOENT);
	CHECK_ERRNO(rename("d/.", "x"), EBUSY);
	MUST(rename("full", "d"));
	MUST(access("d/f", F_OK));
}

static void a_directory_cannot_go_into_itself(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/e", 0755));
	CHECK_ERRNO(rename("d", "d/e/x"), EINVAL);
	CHECK_ERRNO(rename("d", "d/x"), EINVAL);
	CHECK_ERRNO(rename("d/e", "d"), ENOTEMPTY);
}

static void links_are_renamed_themselves(void)
{
	struct stat st;

	MUST(symlink("nowhere", "l"));
	MUST(rename("l", "m"));
	MUST(lstat("m", &st));
	CHECK(S_ISLNK(st.st_mode));
}

static void noreplace_and_exchange(void)
{
	char buf[8];

	t_write_file("a", "aa");
	t_write_file("b", "bbb");
	CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
	MUST(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
	CHECK_EQ(t_read_file("a", buf, sizeof(buf)), 3);
	CHECK_EQ(t_read_file("b", buf, sizeof(buf)), 2);
	MUST(mkdir("d", 0755));
	MUST(renameat2(AT_FDCWD, "a", AT_FDCWD, "d", RENAME_EXCHANGE));
	CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
	CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 0x100), EINVAL);
	CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE | RENAME_EXCHANGE),
		    EINVAL);
	MUST(renameat2(AT_FDCWD, "b", AT_FDCWD, "new", RENAME_NOREPLACE));
}

static void renameat_takes_directories(void)
{
	int a, b;

	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	t_write_file("a/f", "x");
	a = MUST(open("a", O_RDONLY));
	b = MUST(open("b", O_RDONLY));
	MUST(syscall(SYS_renameat, a, "f", b, "g"));
	MUST(access("b/g", F_OK));
	MUST(syscall(SYS_rename, "b/g", "h"));
}

static void an_open_replaced_file_lives_on(void)
{
	char byte;
	int fd;

	t_write_file("a", "a");
	t_write_file("b", "b");
	fd = MUST(open("b", O_RDONLY));
	MUST(rename("a", "b"));
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(byte == 'b');
}

TEST_PROGRAM(rename, CASE(a_file_moves_and_replaces), CASE(hard_links_to_one_file_stay_both),
	     CASE(directories_move_with_their_content), CASE(kinds_must_match),
	     CASE(a_directory_cannot_go_into_itself), CASE(links_are_renamed_themselves),
	     CASE(noreplace_and_exchange), CASE(renameat_takes_directories),
	     CASE(an_open_replaced_file_lives_on));
