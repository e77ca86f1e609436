// SPDX-License-Identifier: Apache-2.0
/* timerfd_test - fs/timerfd.c with a clock that the test moves */
#include "fs/timerfd.h"
#include "guestkernel/kapi/errno.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define T0 (1000 * NSEC_PER_SEC)

static struct file *make(s32 clock)
{
	struct file *f;

	host_clock_fix(T0);
	CHECK(timerfd_create_file(clock, TFD_NONBLOCK, &f) == 0);
	return f;
}

static void set(struct file *f, u32 flags, u64 value_ns, u64 interval_ns)
{
	struct itimerspec its = { ns_to_timespec(interval_ns), ns_to_timespec(value_ns) };

	CHECK(timerfd_set(f, flags, &its, NULL) == 0);
}

static s64 ticks(struct file *f)
{
	u64 v = 0;
	s64 n = host_read(f, &v, sizeof v);

	return n == sizeof v ? (s64)v : n;
}

TEST(a_one_shot_timer_expires_once)
{
	struct file *f = make(CLOCK_MONOTONIC);
	struct itimerspec its;

	set(f, 0, 500, 0);
	CHECK(host_timers_run(T0 + 499) == 0 && ticks(f) == -EAGAIN);
	CHECK(timerfd_get(f, &its) == 0 && its.it_value.tv_nsec == 1);
	CHECK(host_timers_run(T0 + 500) == 1);
	CHECK(file_poll(f, NULL) & EPOLLIN);
	CHECK(ticks(f) == 1 && ticks(f) == -EAGAIN);
	CHECK(timerfd_get(f, &its) == 0 && !its.it_value.tv_nsec && !its.it_value.tv_sec);
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_periodic_timer_counts_what_was_missed)
{
	struct file *f = make(CLOCK_MONOTONIC);

	set(f, 0, 100, 50);
	host_timers_run(T0 + 100);
	CHECK(ticks(f) == 1);
	host_timers_run(T0 + 300);
	CHECK(ticks(f) == 4);
	host_timers_run(T0 + 349);
	CHECK(ticks(f) == -EAGAIN);
	host_timers_run(T0 + 350);
	CHECK(ticks(f) == 1);
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(absolute_times_in_the_past_expire_at_once)
{
	struct file *f = make(CLOCK_MONOTONIC);

	set(f, TFD_TIMER_ABSTIME, T0 - 1, 0);
	host_timers_run(T0);
	CHECK(ticks(f) == 1);
	file_put(f);
}

TEST(setting_zero_disarms)
{
	struct file *f = make(CLOCK_MONOTONIC);

	set(f, 0, 100, 100);
	set(f, 0, 0, 0);
	host_timers_run(T0 + 1000);
	CHECK(ticks(f) == -EAGAIN);
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(moving_the_wall_clock_cancels_who_asked_for_it)
{
	struct file *f = make(CLOCK_REALTIME);

	set(f, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, clock_realtime_ns() + NSEC_PER_SEC, 0);
	timerfd_clock_was_set();
	CHECK(file_poll(f, NULL) & EPOLLIN);
	CHECK(ticks(f) == -ECANCELED);
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(invalid_times_are_refused)
{
	struct file *f = make(CLOCK_MONOTONIC);
	struct itimerspec its = {
		{0,  0	       },
		  { 0, 1000000000}
	};

	CHECK(timerfd_set(f, 0, &its, NULL) == -EINVAL);
	its.it_value = (struct timespec){ -1, 0 };
	CHECK(timerfd_set(f, 0, &its, NULL) == -EINVAL);
	file_put(f);
}
