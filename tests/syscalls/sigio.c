/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigio.c - O_ASYNC: who is told, by which signal, with which details
 *
 * Role      The case of fcntl.c shows a plain SIGIO; here are chosen signals, owners and kinds of files.
 * Rules     Signals are blocked and taken with sigtimedwait(), so that nothing depends on when they come.
 * See       fcntl(2): F_SETOWN_EX, F_SETSIG; ioctl(2) FIOASYNC
 */
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/lib/t.h"

#define SIG_A (SIGRTMIN + 3)
#define SIG_B (SIGRTMIN + 4)

static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

/* The next of these signals within so many milliseconds; 0: none came. */
static int take(int sig, int ms, siginfo_t *si)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, sig);
	got = sigtimedwait(&set, si, &t);
	if (got < 0)
		CHECK_EQ(errno, EAGAIN);
	return got < 0 ? 0 : got;
}

static void watch(int fd, int sig)
{
	MUST(fcntl(fd, F_SETOWN, getpid()));
	MUST(fcntl(fd, F_SETSIG, sig));
	MUST(fcntl(fd, F_SETFL, MUST(fcntl(fd, F_GETFL)) | O_ASYNC | O_NONBLOCK));
}

static void chosen_signal_names_descriptor_and_event(void)
{
	siginfo_t si;
	int fds[2];

	block_all();
	MUST(pipe(fds));
	watch(fds[0], SIG_A);
	CHECK_EQ(fcntl(fds[0], F_GETSIG), SIG_A);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	CHECK_EQ(si.si_code, POLL_IN);
	CHECK_EQ(si.si_fd, fds[0]);
	CHECK_EQ(si.si_band, POLLIN | POLLRDNORM);
	CHECK_EQ(take(SIGIO, 0, &si), 0);
	/* every write tells, also into a pipe that is not empty */
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	/* the other end's end is an event, too */
	MUST(close(fds[1]));
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	CHECK_EQ(si.si_fd, fds[0]);
}

static void plain_sigio_comes_from_the_kernel(void)
{
	siginfo_t si;
	int fds[2];

	block_all();
	MUST(pipe(fds));
	watch(fds[0], 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIGIO, 5000, &si), SIGIO);
	CHECK_EQ(si.si_code, SI_KERNEL);
	/* asked for by name, SIGIO too has details */
	MUST(fcntl(fds[0], F_SETSIG, SIGIO));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIGIO, 5000, &si), SIGIO);
	CHECK_EQ(si.si_code, POLL_IN);
	CHECK_EQ(si.si_fd, fds[0]);
	MUST(fcntl(fds[0], F_SETSIG, SIGCHLD));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIGCHLD, 5000, &si), SIGCHLD);
	CHECK_EQ(si.si_code, SI_SIGIO);
}

static void writers_hear_of_room(void)
{
	static char big[65536];
	siginfo_t si;
	int fds[2];

	block_all();
	MUST(pipe(fds));
	watch(fds[1], SIG_A);
	while (write(fds[1], big, sizeof big) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
	while (take(SIG_A, 0, &si))
		;
	CHECK_EQ(read(fds[0], big, sizeof big), sizeof big);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	CHECK_EQ(si.si_code, POLL_OUT);
	CHECK_EQ(si.si_band, POLLOUT | POLLWRNORM | POLLWRBAND);
	CHECK_EQ(si.si_fd, fds[1]);
}

static void switched_off_it_is_silent(void)
{
	int fds[2], one = 1, zero = 0;
	siginfo_t si;

	block_all();
	MUST(pipe(fds));
	watch(fds[0], SIG_A);
	CHECK(fcntl(fds[0], F_GETFL) & O_ASYNC);
	MUST(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	CHECK(!(fcntl(fds[0], F_GETFL) & O_ASYNC));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 20, &si), 0);
	MUST(ioctl(fds[0], FIOASYNC, &one));
	CHECK(fcntl(fds[0], F_GETFL) & O_ASYNC);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	MUST(ioctl(fds[0], FIOASYNC, &zero));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 20, &si), 0);
	/* nobody owns it: nobody is told */
	watch(fds[0], SIG_A);
	MUST(fcntl(fds[0], F_SETOWN, 0));
	CHECK_EQ(fcntl(fds[0], F_GETOWN), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 20, &si), 0);
}

static void a_group_is_told_as_a_whole(void)
{
	int fds[2], ready[2];
	siginfo_t si;
	char c;
	pid_t pid;

	block_all();
	MUST(pipe(fds));
	MUST(pipe(ready));
	MUST(setpgid(0, 0));
	MUST(fcntl(fds[0], F_SETOWN, -getpgrp()));
	CHECK_EQ(fcntl(fds[0], F_GETOWN), -getpgrp());
	MUST(fcntl(fds[0], F_SETSIG, SIG_A));
	MUST(fcntl(fds[0], F_SETFL, O_ASYNC));
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(write(ready[1], "r", 1), 1);
		_exit(take(SIG_A, 10000, &si) == SIG_A ? 7 : 1);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	t_wait_exit(pid, 7);
}

static int thread_fds[2];
static pid_t thread_tid;

static void *other_thread(void *go)
{
	siginfo_t si;

	__atomic_store_n(&thread_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n((int *)go, __ATOMIC_SEQ_CST))
		sched_yield();
	return (void *)(long)take(SIG_A, 5000, &si);
}

static void a_thread_is_told_alone(void)
{
	struct f_owner_ex o = { .type = F_OWNER_TID }, back;
	siginfo_t si;
	pthread_t th;
	void *got;
	int go = 0;

	block_all();
	MUST(pipe(thread_fds));
	CHECK_EQ(pthread_create(&th, NULL, other_thread, &go), 0);
	while (!__atomic_load_n(&thread_tid, __ATOMIC_SEQ_CST))
		sched_yield();
	o.pid = thread_tid;
	MUST(fcntl(thread_fds[0], F_SETOWN_EX, &o));
	MUST(fcntl(thread_fds[0], F_GETOWN_EX, &back));
	CHECK_EQ(back.type, F_OWNER_TID);
	CHECK_EQ(back.pid, thread_tid);
	MUST(fcntl(thread_fds[0], F_SETSIG, SIG_A));
	MUST(fcntl(thread_fds[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(thread_fds[1], "x", 1), 1);
	CHECK_EQ(take(SIG_A, 20, &si), 0);
	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(th, &got), 0);
	CHECK_EQ((long)got, SIG_A);
}

static void sockets_tell(void)
{
	siginfo_t si;
	int sv[2], owner = 0;

	block_all();
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	watch(sv[0], SIG_A);
	MUST(ioctl(sv[0], FIOGETOWN, &owner));
	CHECK_EQ(owner, getpid());
	CHECK_EQ(send(sv[1], "x", 1, 0), 1);
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	CHECK_EQ(si.si_code, POLL_IN);
	CHECK_EQ(si.si_fd, sv[0]);
	MUST(close(sv[1]));
	while (take(SIG_A, 5000, &si) && si.si_code != POLL_HUP)
		;
	CHECK_EQ(si.si_code, POLL_HUP);
}

static void terminals_tell(void)
{
	siginfo_t si;
	int m, s;
	char name[64];

	block_all();
	m = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(grantpt(m));
	MUST(unlockpt(m));
	CHECK_EQ(ptsname_r(m, name, sizeof name), 0);
	s = MUST(open(name, O_RDWR | O_NOCTTY));
	watch(s, SIG_A);
	watch(m, SIG_B);
	CHECK_EQ(write(m, "line\n", 5), 5);
	do
		CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	while (si.si_code != POLL_IN);
	CHECK_EQ(si.si_fd, s);
	CHECK_EQ(write(s, "answer\n", 7), 7);
	do
		CHECK_EQ(take(SIG_B, 5000, &si), SIG_B);
	while (si.si_code != POLL_IN);
	CHECK_EQ(si.si_fd, m);
}

static void inotify_tells(void)
{
	siginfo_t si;
	int fd = MUST(inotify_init1(IN_NONBLOCK));

	block_all();
	MUST(inotify_add_watch(fd, ".", IN_CREATE));
	watch(fd, SIG_A);
	MUST(mkdir("d", 0700));
	CHECK_EQ(take(SIG_A, 5000, &si), SIG_A);
	CHECK_EQ(si.si_code, POLL_IN);
	CHECK_EQ(si.si_fd, fd);
}

static void an_owner_of_another_user_is_not_told(void)
{
	int fds[2], ready[2];
	siginfo_t si;
	pid_t pid;
	char c;

	if (geteuid() != 0)
		SKIP("needs root");
	block_all();
	MUST(pipe(fds));
	MUST(pipe(ready));
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(read(ready[0], &c, 1), 1);
		_exit(take(SIG_A, 50, &si) ? 1 : 7);
	}
	t_become_user(1000);
	MUST(fcntl(fds[0], F_SETOWN, pid));
	MUST(fcntl(fds[0], F_SETSIG, SIG_A));
	MUST(fcntl(fds[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(write(ready[1], "r", 1), 1);
	t_wait_exit(pid, 7);
}

static void errors(void)
{
	struct f_owner_ex o = { .type = 9, .pid = getpid() };
	int fds[2], one = 1;

	MUST(pipe(fds));
	CHECK_ERRNO(fcntl(fds[0], F_SETSIG, 65), EINVAL);
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN_EX, &o), EINVAL);
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN, 0x3fffffff), ESRCH);
	/* a regular file is always ready and takes no notice */
	fds[0] = t_temp_fd();
	CHECK_ERRNO(ioctl(fds[0], FIOASYNC, &one), ENOTTY);
	MUST(fcntl(fds[0], F_SETFL, O_ASYNC));
	CHECK(!(fcntl(fds[0], F_GETFL) & O_ASYNC));
}

TEST_PROGRAM(sigio, CASE(chosen_signal_names_descriptor_and_event),
	     CASE(plain_sigio_comes_from_the_kernel), CASE(writers_hear_of_room),
	     CASE(switched_off_it_is_silent), CASE(a_group_is_told_as_a_whole),
	     CASE(a_thread_is_told_alone), CASE(sockets_tell), CASE(terminals_tell),
	     CASE(inotify_tells), CASE(an_owner_of_another_user_is_not_told), CASE(errors));
