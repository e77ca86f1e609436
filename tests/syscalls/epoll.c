/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll.c - epoll_create, epoll_create1, epoll_ctl, epoll_wait, epoll_pwait, epoll_pwait2
 *
 * See       epoll(7)
 */
#include "tests/lib/t.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static void add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
}

static void drain(int fd)
{
	char buf[64];

	CHECK(read(fd, buf, sizeof(buf)) > 0);
}

static void level_triggered_events_stay(void)
{
	struct epoll_event ev[4];
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(ep, fds[0], EPOLLIN);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
	CHECK_EQ(write(fds[1], "xy", 2), 2);
	CHECK_EQ(epoll_wait(ep, ev, 4, -1), 1);
	CHECK_EQ(ev[0].events, EPOLLIN);
	CHECK_EQ(ev[0].data.fd, fds[0]);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	drain(fds[0]);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
}

static void edge_triggered_events_come_once_per_write(void)
{
	struct epoll_event ev[4];
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(ep, fds[0], EPOLLIN | EPOLLET);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
}

static void reading_a_part_of_a_pipe_is_no_new_event(void)
{
	struct epoll_event ev[4];
	char byte;
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(ep, fds[0], EPOLLIN | EPOLLET);
	add(ep, fds[1], EPOLLOUT | EPOLLET);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(write(fds[1], "xyz", 3), 3);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
}

static void one_shot_is_disarmed_until_modified(void)
{
	struct epoll_event ev[4];
	struct epoll_event again;
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(ep, fds[0], EPOLLIN | EPOLLONESHOT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
	again = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 99 };
	MUST(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &again));
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	CHECK_EQ(ev[0].data.u64, 99);
}

static void added_when_ready_is_reported_at_once(void)
{
	struct epoll_event ev[4];
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	add(ep, fds[0], EPOLLIN | EPOLLET);
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
}

static void nested_sets_pass_readiness_on(void)
{
	struct epoll_event ev[4];
	int fds[2];
	int inner = MUST(epoll_create1(0));
	int outer = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(inner, fds[0], EPOLLIN);
	add(outer, inner, EPOLLIN);
	CHECK_EQ(epoll_wait(outer, ev, 4, 0), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(outer, ev, 4, -1), 1);
	CHECK_EQ(ev[0].data.fd, inner);
	drain(fds[0]);
	CHECK_EQ(epoll_wait(outer, ev, 4, 0), 0);
}

static void loops_are_refused(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int a = MUST(epoll_create1(0));
	int b = MUST(epoll_create1(0));

	add(a, b, EPOLLIN);
	CHECK_ERRNO(epoll_ctl(b, EPOLL_CTL_ADD, a, &ev), ELOOP);
	CHECK_ERRNO(epoll_ctl(a, EPOLL_CTL_ADD, a, &ev), EINVAL);
}

static void hang_up_is_reported_unasked(void)
{
	struct epoll_event ev[4];
	int fds[2];
	int ep = MUST(epoll_create1(0));

	MUST(pipe(fds));
	add(ep, fds[0], 0);
	MUST(close(fds[1]));
	CHECK_EQ(epoll_wait(ep, ev, 4, -1), 1);
	CHECK_EQ(ev[0].events, EPOLLHUP);
}

static void a_closed_file_leaves_the_set(void)
{
	struct epoll_event ev[4];
	int fd = MUST(eventfd(1, 0));
	int copy = MUST(dup(fd));
	int ep = MUST(epoll_create1(0));

	add(ep, fd, EPOLLIN);
	MUST(close(fd));
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 1);
	MUST(close(copy));
	CHECK_EQ(epoll_wait(ep, ev, 4, 0), 0);
}

static void ready_files_take_turns(void)
{
	struct epoll_event ev[1];
	int a = MUST(eventfd(1, 0));
	int b = MUST(eventfd(1, 0));
	int ep = MUST(epoll_create1(0));
	int first;

	add(ep, a, EPOLLIN);
	add(ep, b, EPOLLIN);
	CHECK_EQ(epoll_wait(ep, ev, 1, 0), 1);
	first = ev[0].data.fd;
	CHECK_EQ(epoll_wait(ep, ev, 1, 0), 1);
	CHECK(ev[0].data.fd != first);
}

static void a_blocked_waiter_is_woken(void)
{
	struct epoll_event ev[4];
	int fd = MUST(eventfd(0, 0));
	int ep = MUST(epoll_create1(0));
	uint64_t one = 1;
	pid_t pid;

	add(ep, fd, EPOLLIN);
	pid = t_fork();
	if (pid == 0)
		_exit(epoll_wait(ep, ev, 4, -1) != 1);
	CHECK_EQ(write(fd, &one, 8), 8);
	t_wait_exit(pid, 0);
}

static volatile int handled;

static void on_signal(int sig)
{
	handled++;
}

static void the_mask_holds_during_the_wait(void)
{
	struct timespec long_time = { 1000, 0 };
	struct epoll_event ev[4];
	sigset_t block, none;
	int ep = MUST(epoll_create1(0));

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &block, NULL));
	t_handle(SIGUSR1, on_signal, SA_RESTART);
	MUST(raise(SIGUSR1));
	CHECK_EQ(epoll_wait(ep, ev, 4, 1), 0);
	CHECK_EQ(handled, 0);
	CHECK_ERRNO(epoll_pwait(ep, ev, 4, -1, &none), EINTR);
	CHECK_EQ(handled, 1);
	MUST(raise(SIGUSR1));
	CHECK_ERRNO(syscall(SYS_epoll_pwait2, ep, ev, 4, &long_time, &none, 8), EINTR);
	CHECK_EQ(handled, 2);
}

static void the_time_limit_is_kept(void)
{
	struct timespec ts = { 0, 20000000 };
	struct epoll_event ev[4];
	int ep = MUST(epoll_create1(0));
	long long start = t_now_ms();

	CHECK_EQ(epoll_wait(ep, ev, 4, 30), 0);
	CHECK(t_now_ms() - start >= 29);
	start = t_now_ms();
	CHECK_EQ(syscall(SYS_epoll_pwait2, ep, ev, 4, &ts, NULL, 8), 0);
	CHECK(t_now_ms() - start >= 19);
}

static void errors(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = MUST(epoll_create1(EPOLL_CLOEXEC));
	int fd = MUST(eventfd(0, 0));

	CHECK_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(epoll_create(0), EINVAL);
	MUST(epoll_create(1));
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, t_temp_fd(), &ev), EPERM);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, 500, &ev), EBADF);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fd, &ev), ENOENT);
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), EEXIST);
	MUST(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	CHECK_ERRNO(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, 77, fd, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(epoll_wait(ep, &ev, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(fd, &ev, 1, 0), EINVAL);
}

TEST_PROGRAM(epoll, CASE(level_triggered_events_stay),
	     CASE(edge_triggered_events_come_once_per_write),
	     CASE(reading_a_part_of_a_pipe_is_no_new_event),
	     CASE(one_shot_is_disarmed_until_modified), CASE(added_when_ready_is_reported_at_once),
	     CASE(nested_sets_pass_readiness_on), CASE(loops_are_refused),
	     CASE(hang_up_is_reported_unasked), CASE(a_closed_file_leaves_the_set),
	     CASE(ready_files_take_turns), CASE(a_blocked_waiter_is_woken),
	     CASE(the_mask_holds_during_the_wait), CASE(the_time_limit_is_kept), CASE(errors));
