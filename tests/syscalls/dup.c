/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dup.c - dup, dup2, dup3
 *
 * See       dup(2)
 */
#include "tests/lib/t.h"

#include <sys/resource.h>

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

static void numbers_up_to_the_hard_limit_can_be_used(void)
{
	struct rlimit r;
	int high, fd = t_temp_fd();
	pid_t pid;

	MUST(getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = r.rlim_max < 1048576 ? r.rlim_max : 1048576;
	MUST(setrlimit(RLIMIT_NOFILE, &r));
	high = (int)r.rlim_cur - 1;
	CHECK_EQ(dup2(fd, high), high);
	CHECK_ERRNO(dup2(fd, high + 1), EBADF);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, high), EMFILE);
	CHECK_EQ(fcntl(fd, F_DUPFD, high / 2), high / 2);
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(write(high, "x", 1), 1);
		MUST(syscall(SYS_close_range, high / 2, ~0u, 0));
		CHECK_ERRNO(fcntl(high, F_GETFD), EBADF);
		CHECK_ERRNO(fcntl(high / 2, F_GETFD), EBADF);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(fcntl(high, F_GETFD), 0);
	MUST(close(high));
}

static void ranges_end_within_words_of_numbers(void)
{
	int fd = t_temp_fd();

	for (int i = 60; i < 200; i++)
		CHECK_EQ(dup2(fd, i), i);
	MUST(syscall(SYS_close_range, 63, 64, 0));
	MUST(syscall(SYS_close_range, 127, 192, 4)); /* CLOSE_RANGE_CLOEXEC */
	MUST(syscall(SYS_close_range, 195, 195, 0));
	for (int i = 60; i < 200; i++) {
		int open = i != 63 && i != 64 && i != 195;

		CHECK_EQ(fcntl(i, F_GETFD), !open ? -1 : i >= 127 && i <= 192);
	}
	CHECK_EQ(fcntl(fd, F_DUPFD, 61), 63);
	CHECK_EQ(fcntl(fd, F_DUPFD, 61), 64);
	CHECK_EQ(fcntl(fd, F_DUPFD, 61), 195);
}

TEST_PROGRAM(dup, CASE(copy_shares_offset_and_flags), CASE(close_on_exec_is_not_copied),
	     CASE(dup2_replaces_an_open_descriptor), CASE(dup2_onto_itself_does_nothing),
	     CASE(numbers_up_to_the_hard_limit_can_be_used),
	     CASE(ranges_end_within_words_of_numbers), CASE(errors));
