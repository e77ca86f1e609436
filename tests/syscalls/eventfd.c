/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventfd.c - eventfd, eventfd2
 *
 * See       eventfd(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/eventfd.h>

static void the_counter_adds_up_and_resets(void)
{
	uint64_t v = 3;
	int fd = MUST(eventfd(4, EFD_NONBLOCK));

	CHECK_EQ(write(fd, &v, 8), 8);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 7);
	CHECK_ERRNO(read(fd, &v, 8), EAGAIN);
}

static void semaphore_mode_reads_one_at_a_time(void)
{
	uint64_t v;
	int fd = MUST(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));

	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_ERRNO(read(fd, &v, 8), EAGAIN);
}

static void a_full_counter_blocks_writers(void)
{
	uint64_t v = UINT64_MAX - 1;
	struct pollfd p;
	int fd = MUST(eventfd(0, EFD_NONBLOCK));

	p = (struct pollfd){ fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_EQ(write(fd, &v, 8), 8);
	v = 1;
	CHECK_ERRNO(write(fd, &v, 8), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	v = UINT64_MAX;
	CHECK_ERRNO(write(fd, &v, 8), EINVAL);
}

static void a_blocked_reader_is_woken(void)
{
	uint64_t v = 5;
	int fd = MUST(eventfd(0, 0));
	pid_t pid = t_fork();

	if (pid == 0) {
		CHECK_EQ(read(fd, &v, 8), 8);
		_exit((int)v);
	}
	CHECK_EQ(write(fd, &v, 8), 8);
	t_wait_exit(pid, 5);
}

static void errors_and_flags(void)
{
	uint64_t v;
	int fd = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(read(fd, &v, 4), EINVAL);
	CHECK_ERRNO(write(fd, &v, 4), EINVAL);
	CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
	MUST(syscall(SYS_eventfd, 1));
}

TEST_PROGRAM(eventfd, CASE(the_counter_adds_up_and_resets),
	     CASE(semaphore_mode_reads_one_at_a_time), CASE(a_full_counter_blocks_writers),
	     CASE(a_blocked_reader_is_woken), CASE(errors_and_flags));
