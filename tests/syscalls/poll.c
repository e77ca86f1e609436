/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll.c - poll, ppoll, select, pselect6
 *
 * See       poll(2), select(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/select.h>

static volatile int handled;

static void on_signal(int sig)
{
	handled++;
}

static void readiness_is_reported(void)
{
	struct pollfd p[3];
	int fds[2];

	MUST(pipe(fds));
	p[0] = (struct pollfd){ fds[0], POLLIN, 0 };
	p[1] = (struct pollfd){ fds[1], POLLOUT, 0 };
	p[2] = (struct pollfd){ -1, POLLIN, 77 };
	CHECK_EQ(poll(p, 3, 0), 1);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(p[2].revents, 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(poll(p, 1, -1), 1);
	CHECK_EQ(p[0].revents, POLLIN);
}

static void closed_descriptors_are_pollnval(void)
{
	struct pollfd p = { 500, POLLIN, 0 };

	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLNVAL);
}

static void regular_files_are_always_ready(void)
{
	struct pollfd p = { t_temp_fd(), POLLIN | POLLOUT, 0 };

	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
}

static void the_time_limit_is_kept(void)
{
	struct pollfd p;
	long long start = t_now_ms();
	int fds[2];

	MUST(pipe(fds));
	p = (struct pollfd){ fds[0], POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 30), 0);
	CHECK(t_now_ms() - start >= 29);
	CHECK_EQ(poll(NULL, 0, 1), 0);
}

static void a_writer_wakes_the_poller(void)
{
	struct pollfd p;
	int fds[2];
	pid_t pid;

	MUST(pipe(fds));
	p = (struct pollfd){ fds[0], POLLIN, 0 };
	pid = t_fork();
	if (pid == 0)
		_exit(write(fds[1], "x", 1) != 1);
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
	t_wait_exit(pid, 0);
}

static void signals_interrupt_even_with_sa_restart(void)
{
	struct timespec long_time = { 1000, 0 };

	t_start_ticks(on_signal, SA_RESTART);
	CHECK_ERRNO(poll(NULL, 0, -1), EINTR);
	CHECK_ERRNO(ppoll(NULL, 0, &long_time, NULL), EINTR);
	CHECK_ERRNO(select(0, NULL, NULL, NULL, NULL), EINTR);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &long_time, NULL), EINTR);
	CHECK(handled >= 4);
}

static void the_mask_holds_during_the_wait_only(void)
{
	struct timespec zero = { 0, 0 };
	sigset_t block, open_mask, now;

	sigemptyset(&open_mask);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &block, NULL));
	t_handle(SIGUSR1, on_signal, 0);
	MUST(raise(SIGUSR1));
	CHECK_EQ(ppoll(NULL, 0, &zero, NULL), 0);
	CHECK_EQ(handled, 0);
	CHECK_ERRNO(ppoll(NULL, 0, NULL, &open_mask), EINTR);
	CHECK_EQ(handled, 1);
	MUST(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1));
	MUST(raise(SIGUSR1));
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &open_mask), EINTR);
	CHECK_EQ(handled, 2);
}

static void select_sets_are_filtered(void)
{
	struct timeval zero = { 0, 0 };
	fd_set in, out;
	int fds[2];

	MUST(pipe(fds));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, &zero), 1);
	CHECK(!FD_ISSET(fds[0], &in));
	CHECK(FD_ISSET(fds[1], &out));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	FD_SET(fds[0], &in);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 2);
}

static void select_writes_the_rest_of_the_time(void)
{
	struct timeval tv = { 1000, 0 };
	fd_set out;
	int fds[2];

	MUST(pipe(fds));
	FD_ZERO(&out);
	FD_SET(fds[1], &out);
	CHECK_EQ(select(fds[1] + 1, NULL, &out, NULL, &tv), 1);
	CHECK(tv.tv_sec >= 900 && tv.tv_sec <= 1000);
}

static void errors(void)
{
	struct timeval bad = { -1, 0 };
	struct timespec bad_ts = { 0, 1000000000 };
	struct {
		unsigned long cur, max;
	} lim = { 16, 16 };
	struct pollfd p[32];
	fd_set in;

	FD_ZERO(&in);
	FD_SET(30, &in);
	CHECK_ERRNO(select(31, &in, NULL, NULL, NULL), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	CHECK_ERRNO(select(0, NULL, NULL, NULL, &bad), EINVAL);
	CHECK_ERRNO(ppoll(NULL, 0, &bad_ts, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_poll, t_bad_ptr(), 1, 0), EFAULT);
	MUST(syscall(SYS_setrlimit, 7 /* RLIMIT_NOFILE */, &lim));
	CHECK_ERRNO(poll(p, 32, 0), EINVAL);
}

TEST_PROGRAM(poll, CASE(readiness_is_reported), CASE(closed_descriptors_are_pollnval),
	     CASE(regular_files_are_always_ready), CASE(the_time_limit_is_kept),
	     CASE(a_writer_wakes_the_poller), CASE(signals_interrupt_even_with_sa_restart),
	     CASE(the_mask_holds_during_the_wait_only), CASE(select_sets_are_filtered),
	     CASE(select_writes_the_rest_of_the_time), CASE(errors));
