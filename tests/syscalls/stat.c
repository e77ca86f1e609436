/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat.c - stat, fstat, lstat, newfstatat and statx
 *
 * See       stat(2), statx(2)
 */
#include "tests/lib/t.h"

#include <sys/sysmacros.h>

static void stat_describes_a_regular_file(void)
{
	struct stat st;

	t_write_file("f", "12345");
	MUST(chmod("f", 0604));
	MUST(chown("f", 12, 34));
	MUST(stat("f", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0604);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_uid, 12);
	CHECK_EQ(st.st_gid, 34);
	CHECK(st.st_blksize > 0);
	CHECK(st.st_ino != 0);
}

static void stat_follows_links_and_lstat_does_not(void)
{
	struct stat target, through, link;

	t_write_file("f", "x");
	MUST(symlink("f", "l"));
	MUST(stat("f", &target));
	MUST(stat("l", &through));
	MUST(lstat("l", &link));
	CHECK_EQ(target.st_ino, through.st_ino);
	CHECK(S_ISLNK(link.st_mode));
	CHECK_EQ(link.st_size, 1);
	CHECK_EQ(link.st_mode & 07777, 0777);
}

static void fstat_works_on_pipes_and_sockets(void)
{
	struct stat st;
	int fds[2];

	MUST(pipe(fds));
	MUST(fstat(fds[0], &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERRNO(fstat(-1, &st), EBADF);
}

static void legacy_calls_agree_with_newfstatat(void)
{
	struct stat a, b, c, d;
	int fd = t_temp_fd();

	MUST(syscall(SYS_stat, "temp-file", &a));
	MUST(syscall(SYS_lstat, "temp-file", &b));
	MUST(syscall(SYS_fstat, fd, &c));
	MUST(syscall(SYS_newfstatat, AT_FDCWD, "temp-file", &d, 0));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_ino, c.st_ino);
	CHECK_EQ(a.st_ino, d.st_ino);
	CHECK_EQ(a.st_dev, d.st_dev);
}

static void empty_path_means_the_descriptor(void)
{
	struct stat a, b;
	int fd = t_temp_fd();

	MUST(fstat(fd, &a));
	MUST(fstatat(fd, "", &b, AT_EMPTY_PATH));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_ERRNO(fstatat(fd, "", &b, 0), ENOENT);
	MUST(fstatat(AT_FDCWD, "", &b, AT_EMPTY_PATH));
	CHECK(S_ISDIR(b.st_mode));
}

static void directory_link_count_follows_subdirectories(void)
{
	struct stat st;

	MUST(mkdir("d", 0755));
	MUST(stat("d", &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK(st.st_nlink == 2 || st.st_nlink == 1);
}

static void device_numbers_are_reported(void)
{
	struct stat st;

	MUST(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(major(st.st_rdev), 1);
	CHECK_EQ(minor(st.st_rdev), 3);
}

static void errors(void)
{
	struct stat st;

	CHECK_ERRNO(stat("none", &st), ENOENT);
	CHECK_ERRNO(stat("/dev/null/x", &st), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_stat, ".", t_bad_ptr()), EFAULT);
	CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, t_bad_ptr(), &st, 0), EFAULT);
	CHECK_ERRNO(fstatat(AT_FDCWD, ".", &st, 0x10), EINVAL);
}

static void statx_fills_the_basic_fields(void)
{
	struct statx sx;
	struct stat st;

	t_write_file("f", "abc");
	MUST(stat("f", &st));
	memset(&sx, 0xff, sizeof(sx));
	MUST(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	CHECK_EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	CHECK_EQ(sx.stx_size, 3);
	CHECK_EQ(sx.stx_ino, st.st_ino);
	CHECK_EQ(sx.stx_mode, st.st_mode);
	CHECK_EQ(makedev(sx.stx_dev_major, sx.stx_dev_minor), st.st_dev);
	CHECK_EQ(sx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	CHECK_EQ(sx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
}

static void statx_by_descriptor_and_its_errors(void)
{
	struct statx sx;
	int fd = t_temp_fd();

	MUST(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
	CHECK_EQ(sx.stx_size, 0);
	CHECK_ERRNO(statx(fd, "", 0, STATX_SIZE, &sx), ENOENT);
	CHECK_ERRNO(statx(AT_FDCWD, "none", 0, STATX_SIZE, &sx), ENOENT);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, 0x80000000u, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_SIZE, t_bad_ptr()), EFAULT);
}

static void search_permission_is_needed_on_the_way(void)
{
	struct stat st;

	MUST(mkdir("d", 0700));
	t_write_file("d/f", "x");
	t_become_user(1000);
	CHECK_ERRNO(stat("d/f", &st), EACCES);
	MUST(stat("d", &st));
}

TEST_PROGRAM(stat, CASE(stat_describes_a_regular_file), CASE(stat_follows_links_and_lstat_does_not),
	     CASE(fstat_works_on_pipes_and_sockets), CASE(legacy_calls_agree_with_newfstatat),
	     CASE(empty_path_means_the_descriptor),
	     CASE(directory_link_count_follows_subdirectories), CASE(device_numbers_are_reported),
	     CASE(errors), CASE(statx_fills_the_basic_fields),
	     CASE(statx_by_descriptor_and_its_errors),
	     CASE(search_permission_is_needed_on_the_way));
