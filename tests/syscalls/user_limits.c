/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_limits.c - what one user can have at most, and that others do not count: signals, timers, processes
 *
 * See       getrlimit(2), tests/syscalls/exhaust.c
 */
#include "tests/lib/t.h"

#include <sys/resource.h>
#include <time.h>

static void limit(int which, rlim_t n)
{
	struct rlimit lim = { n, n };

	MUST(setrlimit(which, &lim));
}

static int make_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	int id;

	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) ? -1 : id;
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void queued_signals_count_for_all_processes_of_a_user(void)
{
	union sigval v = { 0 };
	pid_t kid;

	block(SIGRTMIN);
	kid = t_fork();
	if (kid == 0) {
		t_become_user(54331);
		pause();
		_exit(0);
	}
	t_become_user(54331);
	limit(RLIMIT_SIGPENDING, 5);
	usleep(100000);
	for (int i = 0; i < 3; i++)
		MUST(sigqueue(getpid(), SIGRTMIN, v));
	for (int i = 0; i < 2; i++)
		MUST(sigqueue(getpid(), SIGRTMIN, v));
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
	MUST(kill(getpid(), SIGRTMIN)); /* without its record */
	MUST(kill(kid, SIGKILL));
	t_wait_signal(kid, SIGKILL);
}

static void taken_signals_make_room(void)
{
	struct timespec now = { 0 };
	union sigval v = { 0 };
	sigset_t set;

	block(SIGRTMIN);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	t_become_user(54332);
	limit(RLIMIT_SIGPENDING, 2);
	for (int i = 0; i < 100; i++) {
		MUST(sigqueue(getpid(), SIGRTMIN, v));
		MUST(sigqueue(getpid(), SIGRTMIN, v));
		CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
		CHECK_EQ(sigtimedwait(&set, NULL, &now), SIGRTMIN);
		CHECK_EQ(sigtimedwait(&set, NULL, &now), SIGRTMIN);
	}
}

static void signals_of_a_dead_process_are_given_back(void)
{
	union sigval v = { 0 };
	pid_t pid;

	t_become_user(54333);
	limit(RLIMIT_SIGPENDING, 4);
	for (int i = 0; i < 20; i++) {
		pid = t_fork();
		if (pid == 0) {
			block(SIGRTMIN);
			for (int k = 0; k < 4; k++)
				MUST(sigqueue(getpid(), SIGRTMIN, v));
			CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
			_exit(0);
		}
		t_wait_exit(pid, 0);
	}
}

static void timers_count_as_queued_signals(void)
{
	int id = 0;

	t_become_user(54334);
	limit(RLIMIT_SIGPENDING, 3);
	for (int round = 0; round < 10; round++) {
		int first = MUST(make_timer());

		MUST(make_timer());
		id = MUST(make_timer());
		CHECK_ERRNO(make_timer(), EAGAIN);
		for (int i = first; i <= id; i++)
			MUST(syscall(SYS_timer_delete, i));
	}
}

static void who_changes_his_user_goes_on_paying_for_what_he_made(void)
{
	union sigval v = { 0 };
	pid_t pid = t_fork();

	if (pid == 0) {
		block(SIGRTMIN);
		limit(RLIMIT_SIGPENDING, 3);
		MUST(setresuid(54335, 0, 0));
		MUST(make_timer());
		MUST(sigqueue(getpid(), SIGRTMIN, v));
		MUST(sigqueue(getpid(), SIGRTMIN, v));
		CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
		MUST(setresuid(54336, 0, 0));
		MUST(make_timer());
		MUST(make_timer());
		MUST(make_timer());
		CHECK_ERRNO(make_timer(), EAGAIN);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	pid = t_fork();
	if (pid == 0) { /* nothing of it is left */
		t_become_user(54335);
		limit(RLIMIT_SIGPENDING, 3);
		MUST(make_timer());
		MUST(make_timer());
		MUST(make_timer());
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

TEST_PROGRAM(user_limits, CASE(queued_signals_count_for_all_processes_of_a_user),
	     CASE(taken_signals_make_room), CASE(signals_of_a_dead_process_are_given_back),
	     CASE(timers_count_as_queued_signals),
	     CASE(who_changes_his_user_goes_on_paying_for_what_he_made));
