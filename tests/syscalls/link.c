/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - link, linkat, symlink, symlinkat, readlink, readlinkat
 *
 * See       link(2), symlink(2), readlink(2), path_resolution(7)
 */
#include "tests/lib/t.h"

static void hard_links_are_one_file(void)
{
	struct stat a, b;

	t_write_file("a", "x");
	MUST(link("a", "b"));
	MUST(stat("a", &a));
	MUST(stat("b", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_nlink, 2);
	MUST(unlink("a"));
	MUST(stat("b", &b));
	CHECK_EQ(b.st_nlink, 1);
}

static void link_errors(void)
{
	t_write_file("a", "x");
	t_write_file("b", "x");
	MUST(mkdir("d", 0755));
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("none", "c"), ENOENT);
	CHECK_ERRNO(link("d", "e"), EPERM);
	CHECK_ERRNO(link("a", "none/c"), ENOENT);
	CHECK_ERRNO(linkat(AT_FDCWD, "a", AT_FDCWD, "c", 0x8000), EINVAL);
}

static void link_of_a_link(void)
{
	struct stat st;

	t_write_file("f", "x");
	MUST(symlink("f", "l"));
	MUST(linkat(AT_FDCWD, "l", AT_FDCWD, "l2", 0));
	MUST(lstat("l2", &st));
	CHECK(S_ISLNK(st.st_mode));
	MUST(linkat(AT_FDCWD, "l", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW));
	MUST(lstat("f2", &st));
	CHECK(S_ISREG(st.st_mode));
}

static void unnamed_file_gets_a_name_by_descriptor(void)
{
	char path[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	struct stat st;

	if (fd < 0 && errno == EOPNOTSUPP)
		SKIP("no O_TMPFILE on this file system");
	MUST(fd);
	CHECK_EQ(write(fd, "hi", 2), 2);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	MUST(stat("named", &st));
	CHECK_EQ(st.st_size, 2);
	CHECK_EQ(st.st_nlink, 1);
}

static void symlink_text_is_kept_as_given(void)
{
	char buf[64];

	MUST(symlink("some/./where//else", "l"));
	CHECK_EQ(readlink("l", buf, sizeof(buf)), 18);
	CHECK(!memcmp(buf, "some/./where//else", 18));
	CHECK_EQ(readlink("l", buf, 4), 4);
	CHECK_ERRNO(symlink("x", "l"), EEXIST);
	CHECK_ERRNO(symlink("", "m"), ENOENT);
}

static void readlink_errors(void)
{
	char buf[8];

	t_write_file("f", "x");
	CHECK_ERRNO(readlink("f", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(readlink("none", buf, sizeof(buf)), ENOENT);
	CHECK_ERRNO(readlink("", buf, sizeof(buf)), ENOENT);
	CHECK_ERRNO(readlinkat(MUST(open("f", O_PATH)), "", buf, sizeof(buf)), ENOENT);
	MUST(symlink("x", "l"));
	CHECK_ERRNO(syscall(SYS_readlink, "l", buf, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_readlink, "l", t_bad_ptr(), 8), EFAULT);
}

static void the_at_versions(void)
{
	char buf[8];
	int dir;

	MUST(mkdir("d", 0755));
	dir = MUST(open("d", O_RDONLY));
	MUST(symlinkat("target", dir, "l"));
	CHECK_EQ(readlinkat(dir, "l", buf, sizeof(buf)), 6);
	CHECK_EQ(syscall(SYS_readlink, "d/l", buf, 8), 6);
	MUST(syscall(SYS_symlink, "t", "m"));
	MUST(syscall(SYS_link, "m", "n"));
}

static void loops_are_eloop(void)
{
	MUST(symlink("b", "a"));
	MUST(symlink("a", "b"));
	CHECK_ERRNO(open("a", O_RDONLY), ELOOP);
	MUST(symlink("self/x", "self"));
	CHECK_ERRNO(open("self/y", O_RDONLY), ELOOP);
}

static void forty_links_are_the_limit(void)
{
	char from[16], to[16];

	t_write_file("l0", "x");
	for (int i = 1; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "l%d", i);
		MUST(symlink(to, from));
	}
	MUST(open("l40", O_RDONLY));
	CHECK_ERRNO(open("l41", O_RDONLY), ELOOP);
}

static void links_resolve_from_where_they_stand(void)
{
	char buf[8];

	MUST(mkdir("d", 0755));
	MUST(mkdir("d/e", 0755));
	t_write_file("d/f", "right");
	t_write_file("f", "wrong!!");
	MUST(symlink("../f", "d/e/l"));
	CHECK_EQ(t_read_file("d/e/l", buf, sizeof(buf)), 5);
	MUST(symlink("e/../f", "d/m"));
	CHECK_EQ(t_read_file("d/m", buf, sizeof(buf)), 5);
	MUST(symlink("/", "root"));
	MUST(access("root/proc/..", F_OK));
}

static void trailing_slash_follows_the_last_link(void)
{
	struct stat st;

	MUST(mkdir("d", 0755));
	MUST(symlink("d", "l"));
	MUST(lstat("l/", &st));
	CHECK(S_ISDIR(st.st_mode));
	MUST(lstat("l", &st));
	CHECK(S_ISLNK(st.st_mode));
}

static void deep_paths_work(void)
{
	char path[1100] = ".";

	for (int i = 0; i < 100; i++) {
		strcat(path, "/directory");
		MUST(mkdir(path, 0755));
	}
	MUST(chdir(path));
	CHECK(getcwd(path, 50) == NULL && errno == ERANGE);
	MUST(access("../../../../..", F_OK));
}

TEST_PROGRAM(link, CASE(hard_links_are_one_file), CASE(link_errors), CASE(link_of_a_link),
	     CASE(unnamed_file_gets_a_name_by_descriptor), CASE(symlink_text_is_kept_as_given),
	     CASE(readlink_errors), CASE(the_at_versions), CASE(loops_are_eloop),
	     CASE(forty_links_are_the_limit), CASE(links_resolve_from_where_they_stand),
	     CASE(trailing_slash_follows_the_last_link), CASE(deep_paths_work));
