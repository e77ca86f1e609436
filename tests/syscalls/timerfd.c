/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd.c - timerfd_create, timerfd_settime, timerfd_gettime
 *
 * See       timerfd_create(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/timerfd.h>

static void one_shot_counts_one(void)
{
	struct itimerspec it = {
		{0,  0       },
		  { 0, 20000000}
	};
	long long start = t_now_ms();
	uint64_t n;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, 0));

	MUST(timerfd_settime(fd, 0, &it, NULL));
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
	CHECK(t_now_ms() - start >= 19);
	MUST(timerfd_gettime(fd, &it));
	CHECK_EQ(it.it_value.tv_sec, 0);
	CHECK_EQ(it.it_value.tv_nsec, 0);
}

static void intervals_add_up(void)
{
	struct itimerspec it = {
		{0,  5000000},
		{ 0, 5000000}
	};
	uint64_t n, total = 0;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, 0));

	MUST(timerfd_settime(fd, 0, &it, NULL));
	while (total < 5) {
		CHECK_EQ(read(fd, &n, 8), 8);
		CHECK(n >= 1);
		total += n;
	}
}

static void absolute_time_in_the_past_fires_at_once(void)
{
	struct itimerspec it = {
		{0,  0},
		  { 0, 1}
	};
	struct pollfd p;
	uint64_t n;
	int fd = MUST(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));

	MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	p = (struct pollfd){ fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
}

static void disarming_returns_the_old_value(void)
{
	struct itimerspec it = { { 7, 0 }, { 1000, 0 } }, zero = { 0 }, old;
	uint64_t n;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));

	MUST(timerfd_settime(fd, 0, &it, NULL));
	MUST(timerfd_settime(fd, 0, &zero, &old));
	CHECK_EQ(old.it_interval.tv_sec, 7);
	CHECK(old.it_value.tv_sec > 900 && old.it_value.tv_sec <= 1000);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
}

static void errors(void)
{
	struct itimerspec it = {
		{0,  0	       },
		  { 0, 1000000000}
	};
	uint64_t n;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(timerfd_create(77, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0x10), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0, &it, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(t_temp_fd(), 0, &it, NULL), EINVAL);
	CHECK_ERRNO(timerfd_gettime(-1, &it), EBADF);
	CHECK_ERRNO(read(fd, &n, 4), EINVAL);
	CHECK_ERRNO(write(fd, &n, 8), EINVAL);
}

TEST_PROGRAM(timerfd, CASE(one_shot_counts_one), CASE(intervals_add_up),
	     CASE(absolute_time_in_the_past_fires_at_once), CASE(disarming_returns_the_old_value),
	     CASE(errors));
