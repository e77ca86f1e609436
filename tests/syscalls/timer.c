/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.c - timer_create and family, getitimer, setitimer, alarm
 *
 * See       timer_create(2), setitimer(2)
 */
#include "tests/lib/t.h"

#include <sys/time.h>

static volatile int count;
static siginfo_t seen;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	count++;
}

static void catch (int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	MUST(sigaction(sig, &sa, NULL));
}

/* Waits until the handler has run n times, without losing a wakeup. */
static void wait_for(int sig, int n)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	while (count < n)
		sigsuspend(&old);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void posix_timer_signals_with_its_value(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = 42 };
	struct itimerspec it = {
		{0,  0       },
		  { 0, 10000000}
	};
	long long start = t_now_ms();
	timer_t timer;

	catch (SIGUSR1);
	MUST(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	MUST(timer_settime(timer, 0, &it, NULL));
	wait_for(SIGUSR1, 1);
	CHECK(t_now_ms() - start >= 9);
	CHECK_EQ(seen.si_code, SI_TIMER);
	CHECK_EQ(seen.si_value.sival_int, 42);
	MUST(timer_gettime(timer, &it));
	CHECK(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0);
	MUST(timer_delete(timer));
	CHECK_ERRNO(timer_delete(timer), EINVAL);
}

static void periodic_timers_repeat_and_count_overruns(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec it = {
		{0,  5000000},
		{ 0, 5000000}
	};
	timer_t timer;

	catch (SIGUSR1);
	MUST(timer_create(CLOCK_REALTIME, &ev, &timer));
	MUST(timer_settime(timer, 0, &it, NULL));
	wait_for(SIGUSR1, 3);
	CHECK(timer_getoverrun(timer) >= 0);
	MUST(timer_gettime(timer, &it));
	CHECK_EQ(it.it_interval.tv_nsec, 5000000);
}

static void a_disarmed_timer_returns_what_was_left(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	struct itimerspec it = { { 3, 0 }, { 1000, 0 } }, zero = { 0 }, old;
	timer_t timer;

	MUST(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	MUST(timer_settime(timer, 0, &it, NULL));
	MUST(timer_settime(timer, 0, &zero, &old));
	CHECK_EQ(old.it_interval.tv_sec, 3);
	CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
}

static void timer_to_one_thread(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec it = {
		{0,  0      },
		  { 0, 1000000}
	};
	timer_t timer;

	ev._sigev_un._tid = gettid();
	catch (SIGUSR1);
	MUST(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	MUST(timer_settime(timer, TIMER_ABSTIME, &it, NULL));
	wait_for(SIGUSR1, 1);
}

static void timer_errors(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99 };
	struct itimerspec bad = {
		{0,  0	       },
		  { 0, 1000000000}
	};
	timer_t timer;

	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &ev, &timer), EINVAL);
	CHECK_ERRNO(timer_create(99, NULL, &timer), EINVAL);
	MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	CHECK_ERRNO(timer_settime(timer, 0, &bad, NULL), EINVAL);
	CHECK_ERRNO(timer_gettime((timer_t)12345l, &bad), EINVAL);
	CHECK_ERRNO(timer_getoverrun((timer_t)12345l), EINVAL);
}

static void alarm_signals_once(void)
{
	catch (SIGALRM);
	CHECK_EQ(alarm(1000), 0);
	CHECK(alarm(1) >= 990);
	wait_for(SIGALRM, 1);
	CHECK_EQ(alarm(0), 0);
}

static void real_interval_timer_repeats(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } }, old;

	catch (SIGALRM);
	MUST(setitimer(ITIMER_REAL, &it, NULL));
	wait_for(SIGALRM, 3);
	MUST(getitimer(ITIMER_REAL, &old));
	CHECK_EQ(old.it_interval.tv_usec, 5000);
	memset(&it, 0, sizeof(it));
	MUST(setitimer(ITIMER_REAL, &it, &old));
	CHECK_EQ(old.it_interval.tv_usec, 5000);
	MUST(getitimer(ITIMER_REAL, &old));
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
}

static void cpu_interval_timers_count_work(void)
{
	struct itimerval it = {
		{0,  0    },
		  { 0, 10000}
	};
	volatile unsigned long work = 0;

	catch (SIGVTALRM);
	MUST(setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (count < 1)
		work++;
	catch (SIGPROF);
	MUST(setitimer(ITIMER_PROF, &it, NULL));
	while (count < 2)
		work++;
}

static void itimer_errors(void)
{
	struct itimerval it = {
		{0,  0      },
		  { 0, 1000000}
	};

	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, &it, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, 9, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_getitimer, 9, &it), EINVAL);
	CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_REAL, t_bad_ptr()), EFAULT);
}

TEST_PROGRAM(timer, CASE(posix_timer_signals_with_its_value),
	     CASE(periodic_timers_repeat_and_count_overruns),
	     CASE(a_disarmed_timer_returns_what_was_left), CASE(timer_to_one_thread),
	     CASE(timer_errors), CASE(alarm_signals_once), CASE(real_interval_timer_repeats),
	     CASE(cpu_interval_timers_count_work), CASE(itimer_errors));
