/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pread64.c - pread64, pwrite64: position given, offset untouched
 *
 * See       pread(2)
 */
#include "tests/lib/t.h"

static void offset_stays(void)
{
	char buf[4] = "";
	int fd = t_temp_fd();

	CHECK_EQ(pwrite(fd, "abcdef", 6, 2), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(pread(fd, buf, 3, 4), 3);
	CHECK(!strcmp(buf, "cde"));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
}

static void past_the_end_is_zero(void)
{
	char byte;
	int fd = t_temp_fd();

	CHECK_EQ(pread(fd, &byte, 1, 100), 0);
}

static void errors(void)
{
	char byte = 0;
	int fds[2];
	int fd = t_temp_fd();

	CHECK_ERRNO(pread(fd, &byte, 1, -1), EINVAL);
	CHECK_ERRNO(pwrite(fd, &byte, 1, -1), EINVAL);
	CHECK_ERRNO(pread(-1, &byte, 1, 0), EBADF);
	MUST(pipe(fds));
	CHECK_ERRNO(pread(fds[0], &byte, 1, 0), ESPIPE);
	CHECK_ERRNO(pwrite(fds[1], &byte, 1, 0), ESPIPE);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_ERRNO(pread(fd, t_bad_ptr(), 1, 0), EFAULT);
}

TEST_PROGRAM(pread64, CASE(offset_stays), CASE(past_the_end_is_zero), CASE(errors));
