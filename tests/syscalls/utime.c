/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utime.c - utime, utimes, futimesat, utimensat
 *
 * See       utime(2), utimensat(2)
 */
#include "tests/lib/t.h"

#include <sys/time.h>
#include <utime.h>

static void check_times(const char *path, long atime, long mtime)
{
	struct stat st;

	MUST(stat(path, &st));
	CHECK_EQ(st.st_atim.tv_sec, atime);
	CHECK_EQ(st.st_mtim.tv_sec, mtime);
}

static void all_versions_set_both_times(void)
{
	struct utimbuf ub = { 1000, 2000 };
	struct timeval tv[2] = {
		{3000,	500000},
		  { 4000, 1	    }
	};
	struct timespec ts[2] = {
		{5000,	123456789},
		     { 6000, 1	       }
	};
	struct stat st;

	t_write_file("f", "x");
	MUST(utime("f", &ub));
	check_times("f", 1000, 2000);
	MUST(utimes("f", tv));
	check_times("f", 3000, 4000);
	MUST(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_nsec, 500000000);
	tv[0].tv_sec = 3001;
	MUST(futimesat(AT_FDCWD, "f", tv));
	check_times("f", 3001, 4000);
	MUST(utimensat(AT_FDCWD, "f", ts, 0));
	MUST(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_nsec, 123456789);
	CHECK_EQ(st.st_mtim.tv_sec, 6000);
}

static void omit_and_now(void)
{
	struct timespec old[2] = {
		{10,  0},
		   { 20, 0}
	};
	struct timespec part[2] = {
		{0,  UTIME_OMIT},
		   { 0, UTIME_NOW }
	};
	struct stat st;
	int fd = t_temp_fd();

	MUST(futimens(fd, old));
	MUST(futimens(fd, part));
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_atim.tv_sec, 10);
	CHECK(st.st_mtim.tv_sec > 1000000000);
	MUST(futimens(fd, old));
	MUST(futimens(fd, NULL));
	MUST(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec > 1000000000);
}

static void links_themselves(void)
{
	struct timespec ts[2] = {
		{7,  0},
		  { 8, 0}
	};
	struct stat st;

	MUST(symlink("none", "l"));
	MUST(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW));
	MUST(lstat("l", &st));
	CHECK_EQ(st.st_mtim.tv_sec, 8);
}

static void who_may(void)
{
	struct timespec ts[2] = {
		{7,  0},
		  { 8, 0}
	};

	t_write_file("readable", "x");
	t_write_file("writable", "x");
	MUST(chmod("writable", 0666));
	t_become_user(1000);
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", ts, 0), EPERM);
	MUST(utimensat(AT_FDCWD, "writable", NULL, 0));
	CHECK_ERRNO(utimensat(AT_FDCWD, "writable", ts, 0), EPERM);
}

static void errors(void)
{
	struct timespec bad[2] = {
		{7,  1000000000},
		   { 8, 0	  }
	};

	CHECK_ERRNO(utimensat(AT_FDCWD, ".", bad, 0), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	CHECK_ERRNO(utimensat(AT_FDCWD, ".", NULL, 0x8000), EINVAL);
	CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, ".", t_bad_ptr(), 0), EFAULT);
}

TEST_PROGRAM(utime, CASE(all_versions_set_both_times), CASE(omit_and_now), CASE(links_themselves),
	     CASE(who_may), CASE(errors));
