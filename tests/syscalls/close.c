/* SPDX-License-Identifier: Apache-2.0 */
/*
 * close.c - close(2) and close_range(2)
 *
 * See       close(2), close_range(2)
 */
#include "tests/lib/t.h"

#include <linux/close_range.h>

static void closed_descriptor_is_gone(void)
{
	int fd = t_temp_fd();

	MUST(close(fd));
	CHECK_ERRNO(close(fd), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
}

static void closing_the_last_writer_ends_the_reader(void)
{
	int fds[2], copy;
	char byte;

	MUST(pipe(fds));
	copy = MUST(dup(fds[1]));
	MUST(close(fds[1]));
	MUST(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
	MUST(close(copy));
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void unlinked_file_lives_until_close(void)
{
	int fd = t_temp_fd();
	struct stat st;

	MUST(unlink("temp-file"));
	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 1);
}

static void close_range_closes_a_span(void)
{
	MUST(dup2(1, 50));
	MUST(dup2(1, 51));
	MUST(dup2(1, 60));
	MUST(syscall(SYS_close_range, 50, 55, 0));
	CHECK_ERRNO(fcntl(50, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(51, F_GETFD), EBADF);
	MUST(fcntl(60, F_GETFD));
	MUST(syscall(SYS_close_range, 50, ~0u, 0));
	CHECK_ERRNO(fcntl(60, F_GETFD), EBADF);
}

static void close_range_can_only_mark_close_on_exec(void)
{
	MUST(dup2(1, 50));
	MUST(syscall(SYS_close_range, 50, 50, CLOSE_RANGE_CLOEXEC));
	CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
}

static void close_range_rejects_nonsense(void)
{
	CHECK_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 6, 0x100), EINVAL);
}

TEST_PROGRAM(close, CASE(closed_descriptor_is_gone), CASE(closing_the_last_writer_ends_the_reader),
	     CASE(unlinked_file_lives_until_close), CASE(close_range_closes_a_span),
	     CASE(close_range_can_only_mark_close_on_exec), CASE(close_range_rejects_nonsense));
