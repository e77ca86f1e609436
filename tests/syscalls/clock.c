/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - clock_gettime, clock_getres, clock_settime, clock_nanosleep, nanosleep, gettimeofday, time, times
 *
 * See       clock_gettime(2)
 */
#include "tests/lib/t.h"

#include <sys/utsname.h>
#include <sys/timerfd.h>
#include <linux/capability.h>
#include <sys/time.h>
#include <sys/times.h>

static long long ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void clocks_move_forward(void)
{
	static const int clocks[] = { CLOCK_REALTIME,		CLOCK_MONOTONIC,
				      CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
				      CLOCK_MONOTONIC_RAW,	CLOCK_REALTIME_COARSE,
				      CLOCK_MONOTONIC_COARSE,	CLOCK_BOOTTIME };
	struct timespec a, b, res;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		MUST(syscall(SYS_clock_gettime, clocks[i], &a));
		MUST(syscall(SYS_clock_gettime, clocks[i], &b));
		CHECK(ns(b) >= ns(a));
		CHECK(a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
		MUST(clock_getres(clocks[i], &res));
		CHECK(ns(res) > 0 && ns(res) <= 10000000);
	}
}

static void vdso_and_system_call_agree(void)
{
	struct timespec a, b, c;
	struct timeval tv;
	long long t;

	MUST(syscall(SYS_clock_gettime, CLOCK_REALTIME, &a));
	MUST(clock_gettime(CLOCK_REALTIME, &b));
	MUST(syscall(SYS_clock_gettime, CLOCK_REALTIME, &c));
	CHECK(ns(a) <= ns(b) && ns(b) <= ns(c));
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &a));
	MUST(clock_gettime(CLOCK_MONOTONIC, &b));
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &c));
	CHECK(ns(a) <= ns(b) && ns(b) <= ns(c));
	MUST(syscall(SYS_gettimeofday, &tv, NULL));
#ifdef SYS_time
	t = MUST(syscall(SYS_time, NULL));
#else
	t = tv.tv_sec;
#endif
	CHECK(t >= tv.tv_sec - 1 && tv.tv_sec > 1600000000);
	MUST(gettimeofday(&tv, NULL));
	CHECK(tv.tv_sec >= t);
}

static void time_of_day_is_plausible(void)
{
	CHECK(time(NULL) > 1700000000);
}

static void sleeping_takes_at_least_the_time(void)
{
	struct timespec ts = { 0, 20000000 }, until;
	long long start = t_now_ms();

	MUST(syscall(SYS_nanosleep, &ts, NULL));
	CHECK(t_now_ms() - start >= 19);
	MUST(clock_gettime(CLOCK_MONOTONIC, &until));
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
	MUST(clock_gettime(CLOCK_MONOTONIC, &ts));
	CHECK(ns(ts) >= ns(until));
	ts = (struct timespec){ 0, 1000 };
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &ts, NULL), 0);
}

static void nothing(int sig)
{
}

static void interrupted_sleep_tells_the_rest(void)
{
	struct timespec ts = { 1000, 0 }, rest = { 0, 0 };

	t_start_ticks(nothing, 0);
	CHECK_ERRNO(nanosleep(&ts, &rest), EINTR);
	CHECK(rest.tv_sec >= 900 && rest.tv_sec < 1000);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rest), EINTR);
}

static void cpu_time_grows_with_work_not_with_sleep(void)
{
	struct timespec a, b, nap = { 0, 20000000 };
	volatile long work = 0;

	MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a));
	do {
		for (int i = 0; i < 100000; i++)
			work = work + i;
		MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b));
	} while (ns(b) - ns(a) < 5000000);
	MUST(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a));
	MUST(nanosleep(&nap, NULL));
	MUST(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b));
	CHECK(ns(b) >= ns(a));
}

static void times_counts_ticks(void)
{
	struct tms tms;

	CHECK(times(&tms) != -1);
	CHECK(tms.tms_utime >= 0 && tms.tms_cutime == 0);
	CHECK_ERRNO(syscall(SYS_times, t_bad_ptr()), EFAULT);
}

static void errors(void)
{
	struct timespec ts = { 0, 1000000000 };

	CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
	ts = (struct timespec){ -1, 0 };
	CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_nanosleep, t_bad_ptr(), NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_clock_gettime, 99, &ts), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_getres, 99, &ts), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, t_bad_ptr()), EFAULT);
	CHECK_EQ(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
}

static void setting_the_clock_needs_privilege(void)
{
	struct timespec ts;
	struct timeval tv;

	MUST(clock_gettime(CLOCK_REALTIME, &ts));
	MUST(gettimeofday(&tv, NULL));
	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &ts), EINVAL);
	t_become_user(1000);
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &ts), EPERM);
	CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EPERM);
}

/* Sets the clock: not for machines that others use. */
static void timers_follow_when_the_clock_is_set(void)
{
	struct itimerspec its = { .it_value.tv_sec = 0 };
	struct timespec now, then, limit = { 5, 0 };
	struct utsname uts;
	uint64_t ticks;
	sigset_t set;
	siginfo_t si;
	timer_t timer;
	pid_t pid;
	int fd;

	MUST(uname(&uts));
	if (!strstr(uts.release, "-monitor"))
		SKIP("would set this machine's clock");
	t_need_cap(CAP_SYS_TIME);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(clock_gettime(CLOCK_REALTIME, &now));
	then = now;
	then.tv_sec += 3600;
	its.it_value = then;
	fd = MUST(timerfd_create(CLOCK_REALTIME, 0));
	MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	MUST(timer_create(CLOCK_REALTIME, NULL, &timer));
	MUST(timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	pid = t_fork();
	if (pid == 0)
		_exit(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &then, NULL) ? 1 : 7);
	now.tv_sec += 3601;
	MUST(clock_settime(CLOCK_REALTIME, &now));
	CHECK_EQ(read(fd, &ticks, sizeof(ticks)), sizeof(ticks));
	CHECK_EQ(sigtimedwait(&set, &si, &limit), SIGALRM);
	t_wait_exit(pid, 7);
	/* one that wants to know is told */
	its.it_value.tv_sec += 7200;
	MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	now.tv_sec -= 3600;
	MUST(clock_settime(CLOCK_REALTIME, &now));
	CHECK_ERRNO(read(fd, &ticks, sizeof(ticks)), ECANCELED);
}

TEST_PROGRAM(clock, CASE(clocks_move_forward), CASE(vdso_and_system_call_agree),
	     CASE(time_of_day_is_plausible), CASE(sleeping_takes_at_least_the_time),
	     CASE(interrupted_sleep_tells_the_rest), CASE(cpu_time_grows_with_work_not_with_sleep),
	     CASE(times_counts_ticks), CASE(errors), CASE(setting_the_clock_needs_privilege),
	     CASE(timers_follow_when_the_clock_is_set));
