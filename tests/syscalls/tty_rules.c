/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tty_rules.c - terminals: what waits for whom, who gets one, how it ends
 *
 * See       termios(3), pty(7), ioctl_tty(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

#ifndef EXTPROC
#define EXTPROC 0200000
#endif

static int m, s;
static char name[64];

static void open_pair(void)
{
	m = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	MUST(grantpt(m));
	MUST(unlockpt(m));
	snprintf(name, sizeof(name), "%s", ptsname(m));
	s = MUST(open(name, O_RDWR | O_NOCTTY));
}

static void type(const char *text)
{
	CHECK_EQ(write(m, text, strlen(text)), (long)strlen(text));
	usleep(20000); /* Linux hands it on from a work queue */
}

static void nobody_waits_for_the_masters_reader(void)
{
	struct termios t;
	int n = -1;

	open_pair();
	alarm(5);
	CHECK_EQ(write(s, "output", 6), 6);
	MUST(tcdrain(s));
	MUST(tcgetattr(s, &t));
	MUST(tcsetattr(s, TCSADRAIN, &t));
	MUST(tcsetattr(s, TCSAFLUSH, &t));
	MUST(tcsendbreak(s, 0));
	MUST(ioctl(s, TIOCOUTQ, &n));
	CHECK_EQ(n, 0);
	type("typed\n");
	MUST(tcsetattr(s, TCSAFLUSH, &t));
	MUST(tcflow(s, TCOOFF));
	MUST(tcdrain(s));
}

static void a_flushing_change_drops_what_was_typed(void)
{
	struct termios t;
	int n = -1;

	open_pair();
	MUST(tcgetattr(s, &t));
	type("typed\n");
	MUST(tcsetattr(s, TCSADRAIN, &t));
	MUST(ioctl(s, FIONREAD, &n));
	CHECK_EQ(n, 6);
	MUST(tcsetattr(s, TCSAFLUSH, &t));
	MUST(ioctl(s, FIONREAD, &n));
	CHECK_EQ(n, 0);
}

/* In a session without terminal: does open(how) give it one? */
static void check_gets(int how, int peer, int expected)
{
	pid_t pid = t_fork();

	if (!pid) {
		MUST(setsid());
		open_pair();
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		if (peer)
			MUST(ioctl(m, TIOCGPTPEER, how));
		else
			MUST(open(name, how));
		if (expected)
			MUST(open("/dev/tty", O_RDWR));
		else
			CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void a_terminal_is_taken_only_by_who_wants_and_may_read_it(void)
{
	check_gets(O_RDWR | O_NOCTTY, 0, 0);
	check_gets(O_RDWR | O_NOCTTY, 1, 0);
	check_gets(O_WRONLY, 0, 0);
	check_gets(O_RDONLY, 0, 1);
	check_gets(O_RDWR, 0, 1);
	open_pair();
	CHECK_EQ(MUST(fcntl(s, F_GETFL)) & O_NOCTTY, 0);
}

static void the_minor_number_is_the_index(void)
{
	int fds[300], n;
	struct stat st;

	for (n = 0; n < 300; n++) {
		fds[n] = posix_openpt(O_RDWR | O_NOCTTY);
		if (fds[n] < 0)
			SKIP("too few terminals or descriptors");
	}
	open_pair();
	MUST(fstat(s, &st));
	CHECK_EQ(major(st.st_rdev), 136);
	CHECK_EQ(minor(st.st_rdev), atoi(name + 9));
	CHECK(minor(st.st_rdev) >= 300);
	CHECK_EQ(write(s, "x", 1), 1);
}

static void input_that_is_edited_elsewhere_comes_as_it_is(void)
{
	struct pollfd p;
	struct termios t;
	char buf[32];

	open_pair();
	MUST(tcgetattr(s, &t));
	t.c_lflag |= EXTPROC | ICANON | ECHO;
	MUST(tcsetattr(s, TCSANOW, &t));
	type("ab\003c");
	p = (struct pollfd){ s, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK_EQ(read(s, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "ab\003c", 4));
	/* An end of file only when it comes alone. */
	type("\004");
	CHECK_EQ(read(s, buf, sizeof(buf)), 0);
	type("x\004");
	CHECK_EQ(read(s, buf, sizeof(buf)), 2);
	/* Nothing is echoed. */
	MUST(fcntl(m, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(m, buf, sizeof(buf)), EAGAIN);
}

/* fd belongs to a terminal that was hung up. */
static void check_hung_up(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	struct termios t;
	pid_t pgrp = getpgrp();
	char c;

	CHECK_EQ(read(fd, &c, 1), 0);
	CHECK_ERRNO(write(fd, "x", 1), EIO);
	CHECK_ERRNO(tcgetattr(fd, &t), EIO);
	CHECK_ERRNO(ioctl(fd, TIOCSPGRP, &pgrp), ENOTTY);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLERR | POLLHUP);
}

static void what_was_not_read_when_the_master_closed_is_lost(void)
{
	open_pair();
	type("abc\n");
	MUST(close(m));
	check_hung_up(s);
}

static void the_end_of_the_session_leader_leaves_the_terminal_to_others(void)
{
	char buf[8];
	pid_t pid;

	open_pair();
	pid = t_fork();
	if (!pid) {
		MUST(setsid());
		MUST(ioctl(s, TIOCSCTTY, 0));
		signal(SIGHUP, SIG_IGN);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(write(s, "x", 1), 1);
	CHECK_EQ(read(m, buf, sizeof(buf)), 1);
	type("y\n");
	CHECK_EQ(read(s, buf, sizeof(buf)), 2);
}

static void a_blocked_reader_is_woken_by_a_hang_up(void)
{
	pid_t pid;
	char c;

	t_need_cap(21); /* CAP_SYS_ADMIN */
	open_pair();
	pid = t_fork();
	if (!pid) {
		CHECK_EQ(read(s, &c, 1), 0);
		_exit(0);
	}
	usleep(30000);
	MUST(ioctl(s, TIOCVHANGUP));
	t_wait_exit(pid, 0);
	check_hung_up(s);
	MUST(fcntl(m, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(m, &c, 1), EAGAIN); /* descriptors are still open */
	MUST(close(s));
	CHECK_ERRNO(read(m, &c, 1), EIO);
}

/* Readers, writers, hang-ups and new opens of one terminal at once. */
static void hang_ups_meet_readers_and_writers(void)
{
	pid_t pids[3];

	t_need_cap(21);
	open_pair();
	signal(SIGHUP, SIG_IGN);
	MUST(fcntl(m, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		pids[i] = t_fork();
		if (pids[i])
			continue;
		for (long long end = t_now_ms() + 400; t_now_ms() < end;) {
			int fd = MUST(open(name, O_RDWR | O_NOCTTY));
			char buf[64];

			for (int k = 0; k < 20; k++) {
				(void)!write(fd, "some text\n", 10);
				if (i == 0)
					(void)!read(fd, buf, sizeof(buf));
				if (i == 1 && k == 10)
					MUST(ioctl(fd, TIOCVHANGUP) < 0 && errno != EIO ? -1 : 0);
			}
			MUST(close(fd));
		}
		_exit(0);
	}
	for (long long end = t_now_ms() + 600; t_now_ms() < end;) {
		char buf[512];

		(void)!write(m, "line\n", 5);
		while (read(m, buf, sizeof(buf)) > 0)
			;
	}
	for (int i = 0; i < 3; i++) {
		/* The one that reads may wait for a line: end it. */
		(void)!write(m, "line\n\n\n\n", 8);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	CHECK(open(name, O_RDWR | O_NOCTTY) >= 0);
}

TEST_PROGRAM(tty_rules, CASE(nobody_waits_for_the_masters_reader),
	     CASE(a_flushing_change_drops_what_was_typed),
	     CASE(a_terminal_is_taken_only_by_who_wants_and_may_read_it),
	     CASE(the_minor_number_is_the_index),
	     CASE(input_that_is_edited_elsewhere_comes_as_it_is),
	     CASE(what_was_not_read_when_the_master_closed_is_lost),
	     CASE(the_end_of_the_session_leader_leaves_the_terminal_to_others),
	     CASE(a_blocked_reader_is_woken_by_a_hang_up), CASE(hang_ups_meet_readers_and_writers));
