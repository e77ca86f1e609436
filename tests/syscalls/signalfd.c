/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signalfd.c - signalfd, signalfd4
 *
 * See       signalfd(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/signalfd.h>

static int blocked_fd(int sig, int flags)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	return MUST(signalfd(-1, &set, flags));
}

static void a_pending_signal_is_read(void)
{
	struct signalfd_siginfo info;
	int fd = blocked_fd(SIGUSR1, SFD_NONBLOCK);

	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	MUST(kill(getpid(), SIGUSR1));
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR1);
	CHECK_EQ(info.ssi_pid, getpid());
	CHECK_EQ(info.ssi_uid, 0);
	CHECK_EQ(info.ssi_code, SI_USER);
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
}

static void queued_values_arrive_in_order(void)
{
	struct signalfd_siginfo info[4];
	int fd = blocked_fd(SIGRTMIN, SFD_NONBLOCK);

	for (int i = 0; i < 3; i++)
		MUST(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i + 10 }));
	CHECK_EQ(read(fd, info, sizeof(info)), 3 * sizeof(info[0]));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(info[i].ssi_int, i + 10);
}

static void it_polls_and_wakes(void)
{
	struct pollfd p;
	int fd = blocked_fd(SIGCHLD, 0);
	struct signalfd_siginfo info;
	pid_t pid;

	p = (struct pollfd){ fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = t_fork();
	if (pid == 0)
		_exit(5);
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_pid, pid);
	CHECK_EQ(info.ssi_status, 5);
	CHECK_EQ(info.ssi_code, CLD_EXITED);
	t_wait_exit(pid, 5);
}

static void the_mask_can_be_changed(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd = blocked_fd(SIGUSR1, SFD_NONBLOCK);

	blocked_fd(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	MUST(raise(SIGUSR1));
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	MUST(raise(SIGUSR2));
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
}

static void errors(void)
{
	sigset_t set;
	char buf[8];

	sigemptyset(&set);
	CHECK_ERRNO(signalfd(-1, &set, 0x10), EINVAL);
	CHECK_ERRNO(signalfd(500, &set, 0), EBADF);
	CHECK_ERRNO(signalfd(t_temp_fd(), &set, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	CHECK_ERRNO(read(blocked_fd(SIGUSR1, 0), buf, 8), EINVAL);
	CHECK_EQ(fcntl(signalfd(-1, &set, SFD_CLOEXEC), F_GETFD), FD_CLOEXEC);
	MUST(syscall(SYS_signalfd, -1, &set, 8));
}

TEST_PROGRAM(signalfd, CASE(a_pending_signal_is_read), CASE(queued_values_arrive_in_order),
	     CASE(it_polls_and_wakes), CASE(the_mask_can_be_changed), CASE(errors));
