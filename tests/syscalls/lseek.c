/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lseek.c - lseek(2) including holes and data
 *
 * See       lseek(2)
 */
#include "tests/lib/t.h"

static void the_three_bases(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(lseek(fd, 3, SEEK_CUR), 7);
	CHECK_EQ(lseek(fd, -2, SEEK_CUR), 5);
	CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
	CHECK_EQ(lseek(fd, 100, SEEK_END), 110);
}

static void errors(void)
{
	int fd = t_temp_fd();
	int fds[2];

	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_ERRNO(lseek(-1, 0, SEEK_SET), EBADF);
	MUST(pipe(fds));
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
}

static void failed_seek_keeps_the_offset(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
	CHECK_ERRNO(lseek(fd, -9, SEEK_CUR), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
}

static void hole_and_data(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 3);
	CHECK_ERRNO(lseek(fd, 3, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 4, SEEK_HOLE), ENXIO);
}

TEST_PROGRAM(lseek, CASE(the_three_bases), CASE(errors), CASE(failed_seek_keeps_the_offset),
	     CASE(hole_and_data));
