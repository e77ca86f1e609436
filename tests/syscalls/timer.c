/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.c - timer_create and family, getitimer, setitimer, alarm
 *
 * See       timer_create(2), setitimer(2)
 */
#include "tests/lib/t.h"

#include <pthread.h>
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

static volatile int told[3];
static __thread int my_number;

static void note_thread(int sig)
{
	told[my_number]++;
	(void)sig;
}

static void *busy_thread(void *number)
{
	my_number = (int)(long)number;
	while (told[1] < 3 || told[2] < 3)
		;
	return NULL;
}

/* The first thread sleeps: what it is told, it did not do. (A signal that comes while the handler of the working thread
 * runs goes to another, on Linux too: the period is long beside a handler on an emulated machine.) */
static void cpu_interval_timers_tell_the_threads_that_work(void)
{
	static const int timers[][2] = {
		{ITIMER_PROF,     SIGPROF  },
		  { ITIMER_VIRTUAL, SIGVTALRM}
	};
	struct itimerval it = { { 0, 30000 }, { 0, 30000 } }, off = { { 0, 0 }, { 0, 0 } };
	pthread_t t[2];
	int i, sleeping;

	for (i = 0; i < 2; i++) {
		told[0] = told[1] = told[2] = 0;
		t_handle(timers[i][1], note_thread, SA_RESTART);
		pthread_create(&t[0], NULL, busy_thread, (void *)1l);
		pthread_create(&t[1], NULL, busy_thread, (void *)2l);
		MUST(setitimer(timers[i][0], &it, NULL));
		pthread_join(t[0], NULL);
		pthread_join(t[1], NULL);
		MUST(setitimer(timers[i][0], &off, NULL));
		sleeping = told[0];
		CHECK(sleeping <= 2 + (told[1] + told[2]) / 4);
	}
}

static void cpu_clocks_are_nobodys_to_set(void)
{
	struct timespec ts = { 1, 0 };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	static const int untimed[] = { CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
				       CLOCK_MONOTONIC_COARSE };
	timer_t id;
	size_t i;

	CHECK_ERRNO(syscall(SYS_clock_settime, -2, &ts), EPERM);
	CHECK_ERRNO(syscall(SYS_clock_settime, -6, &ts), EPERM);
	CHECK_ERRNO(syscall(SYS_clock_settime, -1, &ts), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL),
		    EOPNOTSUPP);
	for (i = 0; i < sizeof untimed / sizeof untimed[0]; i++)
		CHECK_ERRNO(syscall(SYS_timer_create, untimed[i], &none, &id), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_timer_create, 10, &none, &id), EINVAL);
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
	     CASE(cpu_interval_timers_count_work),
	     CASE(cpu_interval_timers_tell_the_threads_that_work),
	     CASE(cpu_clocks_are_nobodys_to_set), CASE(itimer_errors));
