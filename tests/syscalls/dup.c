/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dup.c - dup, dup2, dup3
 *
 * See       dup(2)
 */
#include "tests/lib/t.h"

static void copy_shares_offset_and_flags(void)
{
	int fd = t_temp_fd();
	int copy = MUST(dup(fd));

	MUST(lseek(fd, 42, SEEK_SET));
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 42);
	MUST(fcntl(copy, F_SETFL, O_APPEND));
	CHECK(fcntl(fd, F_GETFL) & O_APPEND);
}

static void close_on_exec_is_not_copied(void)
{
	int fd = MUST(open(".", O_RDONLY | O_CLOEXEC));

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(dup(fd), F_GETFD), 0);
	CHECK_EQ(dup2(fd, 40), 40);
	CHECK_EQ(fcntl(40, F_GETFD), 0);
	CHECK_EQ(dup3(fd, 41, O_CLOEXEC), 41);
	CHECK_EQ(fcntl(41, F_GETFD), FD_CLOEXEC);
}

static void dup2_replaces_an_open_descriptor(void)
{
	int fds[2];
	int fd = t_temp_fd();
	char byte;

	MUST(pipe(fds));
	CHECK_EQ(dup2(fd, fds[1]), fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void dup2_onto_itself_does_nothing(void)
{
	int fd = MUST(open(".", O_RDONLY | O_CLOEXEC));

	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
}

static void errors(void)
{
	CHECK_ERRNO(dup(-1), EBADF);
	CHECK_ERRNO(dup2(-1, 5), EBADF);
	CHECK_ERRNO(dup2(999, 999), EBADF);
	CHECK_ERRNO(dup2(1, -1), EBADF);
	CHECK_ERRNO(dup2(1, 0x7fffffff), EBADF);
	CHECK_ERRNO(dup3(1, 5, 0x1), EINVAL);
}

TEST_PROGRAM(dup, CASE(copy_shares_offset_and_flags), CASE(close_on_exec_is_not_copied),
	     CASE(dup2_replaces_an_open_descriptor), CASE(dup2_onto_itself_does_nothing),
	     CASE(errors));
