/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_control.c - controlling terminals, foreground groups and the signals they bring
 *
 * See       tty_ioctl(4), credentials(7)
 */
#include "tests/lib/t.h"

#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static struct t_gate ready;
static volatile int got;

static void on_signal(int sig)
{
	got = sig;
}

/* Forks a session leader whose controlling terminal is a fresh pair. */
static pid_t session_child(void)
{
	char path[32];
	int number = -1, unlock = 0;
	pid_t pid;

	t_gate_init(&ready);
	master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	MUST(ioctl(master, TIOCSPTLCK, &unlock));
	MUST(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = MUST(open(path, O_RDWR | O_NOCTTY));
	pid = t_fork();
	if (pid == 0) {
		close(master);
		MUST(setsid());
		MUST(ioctl(slave, TIOCSCTTY, 0));
	}
	return pid;
}

static void wait_until(int sig)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	t_gate_open(&ready);
	while (got != sig)
		sigsuspend(&old);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void dev_tty_is_the_controlling_terminal(void)
{
	pid_t pid = session_child();
	struct stat a, b;
	char byte;

	if (pid == 0) {
		int fd = MUST(open("/dev/tty", O_RDWR));

		CHECK_EQ(write(fd, "t", 1), 1);
		CHECK_EQ(tcgetpgrp(fd), getpgrp());
		CHECK_EQ(tcgetsid(fd), getpid());
		MUST(fstat(slave, &a));
		MUST(fstat(fd, &b));
		CHECK(S_ISCHR(b.st_mode));
		signal(SIGHUP, SIG_IGN);
		MUST(ioctl(fd, TIOCNOTTY));
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		_exit(0);
	}
	CHECK_EQ(read(master, &byte, 1), 1);
	t_wait_exit(pid, 0);
}

static void opening_a_terminal_makes_it_controlling(void)
{
	char path[32];
	int number;
	pid_t pid;

	master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_EQ(unlockpt(master), 0);
	MUST(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	pid = t_fork();
	if (pid == 0) {
		MUST(setsid());
		MUST(open(path, O_RDWR));
		MUST(open("/dev/tty", O_RDWR));
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void interrupt_and_quit_characters_signal(void)
{
	pid_t pid = session_child();

	if (pid == 0) {
		t_handle(SIGINT, on_signal, 0);
		t_handle(SIGQUIT, on_signal, 0);
		wait_until(SIGINT);
		wait_until(SIGQUIT);
		_exit(0);
	}
	t_gate_wait(&ready);
	CHECK_EQ(write(master, "\x03", 1), 1);
	t_gate_wait(&ready);
	CHECK_EQ(write(master, "\x1c", 1), 1);
	t_wait_exit(pid, 0);
}

static void suspend_stops_the_foreground_group(void)
{
	pid_t pid = session_child();
	int status;

	if (pid == 0) {
		pid_t job = t_fork();

		if (job == 0) {
			t_gate_wait(&ready);
			pause();
			_exit(0);
		}
		MUST(setpgid(job, job));
		MUST(tcsetpgrp(slave, job));
		t_gate_open(&ready);
		CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
		MUST(kill(job, SIGKILL));
		t_wait_signal(job, SIGKILL);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		/* The group is in the foreground at some time: ask again until it was. */
		CHECK_EQ(write(master, "\x1a", 1), 1);
		usleep(2000);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void background_readers_are_stopped(void)
{
	pid_t pid = session_child();
	char byte;
	int status;

	if (pid == 0) {
		pid_t job = t_fork();

		if (job == 0) {
			MUST(setpgid(0, 0));
			CHECK_EQ(read(slave, &byte, 1), 1);
			_exit(byte);
		}
		CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
		MUST(tcsetpgrp(slave, job));
		MUST(kill(job, SIGCONT));
		t_gate_open(&ready);
		t_wait_exit(job, 'i');
		_exit(0);
	}
	t_gate_wait(&ready);
	CHECK_EQ(write(master, "i\n", 2), 2);
	t_wait_exit(pid, 0);
}

static void background_writers_stop_with_tostop(void)
{
	pid_t pid = session_child();
	struct termios tio;
	int status;

	if (pid == 0) {
		pid_t job;

		MUST(tcgetattr(slave, &tio));
		tio.c_lflag |= TOSTOP;
		MUST(tcsetattr(slave, TCSANOW, &tio));
		job = t_fork();
		if (job == 0) {
			MUST(setpgid(0, 0));
			CHECK_EQ(write(slave, "x", 1), 1);
			_exit(0);
		}
		CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
		MUST(kill(job, SIGKILL));
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void background_tcsetpgrp_is_stopped_or_ignored(void)
{
	pid_t pid = session_child();
	int status;

	if (pid == 0) {
		pid_t job = t_fork();

		if (job == 0) {
			MUST(setpgid(0, 0));
			tcsetpgrp(slave, getpgrp());
			_exit(0);
		}
		CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
		MUST(kill(job, SIGKILL));
		t_wait_signal(job, SIGKILL);
		job = t_fork();
		if (job == 0) {
			MUST(setpgid(0, 0));
			signal(SIGTTOU, SIG_IGN);
			MUST(tcsetpgrp(slave, getpgrp()));
			_exit(tcgetpgrp(slave) != getpgrp());
		}
		t_wait_exit(job, 0);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void an_orphaned_background_reader_gets_eio(void)
{
	pid_t pid = session_child();
	char byte;
	int fds[2];

	if (pid == 0) {
		pid_t job;

		MUST(pipe(fds));
		job = t_fork();
		if (job == 0) {
			if (t_fork() == 0) {
				/* Its parent is gone: nobody could continue it. */
				close(fds[1]);
				MUST(setpgid(0, 0));
				CHECK_EQ(read(fds[0], &byte, 1), 0);
				CHECK_ERRNO(read(slave, &byte, 1), EIO);
				t_gate_open(&ready);
				_exit(0);
			}
			_exit(0);
		}
		t_wait_exit(job, 0);
		close(fds[1]);
		pause();
	}
	t_gate_wait(&ready);
	MUST(kill(pid, SIGKILL));
}

static void a_resize_signals_the_foreground(void)
{
	struct winsize ws = { 10, 20, 0, 0 };
	pid_t pid = session_child();

	if (pid == 0) {
		t_handle(SIGWINCH, on_signal, 0);
		wait_until(SIGWINCH);
		MUST(ioctl(slave, TIOCGWINSZ, &ws));
		_exit(ws.ws_row);
	}
	t_gate_wait(&ready);
	MUST(ioctl(master, TIOCSWINSZ, &ws));
	t_wait_exit(pid, 10);
}

static void hanging_up_signals_the_session_leader(void)
{
	pid_t pid = session_child();

	if (pid == 0) {
		t_gate_open(&ready);
		for (;;)
			pause();
	}
	MUST(close(slave));
	t_gate_wait(&ready);
	MUST(close(master));
	t_wait_signal(pid, SIGHUP);
}

static void the_leaders_exit_hangs_up_the_foreground(void)
{
	pid_t pid = session_child();
	char byte;
	int fds[2];

	MUST(pipe(fds));
	if (pid == 0)
		_exit(0);
	t_wait_exit(pid, 0);
	/* A second time with a member left in the foreground. */
	pid = session_child();
	if (pid == 0) {
		if (t_fork() == 0) {
			t_gate_open(&ready);
			for (;;)
				pause();
		}
		t_gate_wait(&ready);
		_exit(0);
	}
	MUST(close(fds[1]));
	t_wait_exit(pid, 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void foreign_groups_are_refused(void)
{
	pid_t outside = getpgrp();
	pid_t pid = session_child();

	if (pid == 0) {
		CHECK_ERRNO(tcsetpgrp(slave, 0x3fffffff), ESRCH);
		CHECK_ERRNO(tcsetpgrp(slave, outside), EPERM);
		CHECK_ERRNO(ioctl(slave, TIOCSPGRP, t_bad_ptr()), EFAULT);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_ERRNO(tcsetpgrp(slave, getpgrp()), ENOTTY);
}

TEST_PROGRAM(job_control, CASE(dev_tty_is_the_controlling_terminal),
	     CASE(opening_a_terminal_makes_it_controlling),
	     CASE(interrupt_and_quit_characters_signal), CASE(suspend_stops_the_foreground_group),
	     CASE(background_readers_are_stopped), CASE(background_writers_stop_with_tostop),
	     CASE(background_tcsetpgrp_is_stopped_or_ignored),
	     CASE(an_orphaned_background_reader_gets_eio), CASE(a_resize_signals_the_foreground),
	     CASE(hanging_up_signals_the_session_leader),
	     CASE(the_leaders_exit_hangs_up_the_foreground), CASE(foreign_groups_are_refused));
