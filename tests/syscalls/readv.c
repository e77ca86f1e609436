/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readv.c - readv, writev, preadv, pwritev and their second versions
 *
 * See       readv(2)
 */
#include "tests/lib/t.h"

#include <limits.h>
#include <sys/uio.h>

static void pieces_are_gathered_and_scattered(void)
{
	char a[3], b[4];
	struct iovec out[3] = {
		{"ab",	2},
		     { NULL,    0},
		  { "cdefg", 5}
	};
	struct iovec in[2] = {
		{a,  3},
		  { b, 4}
	};
	int fd = t_temp_fd();

	CHECK_EQ(writev(fd, out, 3), 7);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(readv(fd, in, 2), 7);
	CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "defg", 4));
}

static void positioned_versions_keep_the_offset(void)
{
	char a[2], b[2];
	struct iovec out[2] = {
		{"wx",	2},
		     { "yz", 2}
	};
	struct iovec in[2] = {
		{a,  2},
		  { b, 2}
	};
	int fd = t_temp_fd();

	CHECK_EQ(pwritev(fd, out, 2, 10), 4);
	CHECK_EQ(preadv(fd, in, 2, 10), 4);
	CHECK(!memcmp(a, "wx", 2) && !memcmp(b, "yz", 2));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_ERRNO(preadv(fd, in, 2, -1), EINVAL);
}

static void version_two_takes_minus_one_as_the_offset(void)
{
	char a[4];
	struct iovec out = { "abcd", 4 }, in = { a, 4 };
	int fd = t_temp_fd();

	CHECK_EQ(pwritev2(fd, &out, 1, -1, 0), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(preadv2(fd, &in, 1, -1, 0), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_EQ(pwritev2(fd, &out, 1, 0, RWF_APPEND), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 8);
	CHECK_ERRNO(preadv2(fd, &in, 1, 0, 0x40000000), EOPNOTSUPP);
}

static void errors(void)
{
	char a[4];
	struct iovec in = { a, 4 };
	struct iovec huge[2] = {
		{a,  SSIZE_MAX},
		  { a, 1	 }
	};
	int fd = t_temp_fd();

	CHECK_ERRNO(readv(-1, &in, 1), EBADF);
	CHECK_ERRNO(readv(fd, &in, -1), EINVAL);
	CHECK_ERRNO(readv(fd, &in, 1025), EINVAL);
	CHECK_ERRNO(readv(fd, t_bad_ptr(), 1), EFAULT);
	CHECK_EQ(readv(fd, &in, 0), 0);
	huge[1].iov_len = (size_t)SSIZE_MAX + 1;
	CHECK_ERRNO(readv(fd, huge, 2), EINVAL);
}

static void bad_second_piece_stops_after_the_first(void)
{
	struct iovec out[2] = {
		{"ab",		2},
		     { t_bad_ptr(), 4}
	};
	int fds[2];
	ssize_t n;

	MUST(pipe(fds));
	n = writev(fds[1], out, 2);
	CHECK(n == 2 || (n == -1 && errno == EFAULT));
}

TEST_PROGRAM(readv, CASE(pieces_are_gathered_and_scattered),
	     CASE(positioned_versions_keep_the_offset),
	     CASE(version_two_takes_minus_one_as_the_offset), CASE(errors),
	     CASE(bad_second_piece_stops_after_the_first));
