/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - setpgid, getpgid, getpgrp, setsid, getsid, getppid and orphaned groups
 *
 * See       setpgid(2), setsid(2)
 */
#include "tests/lib/t.h"

static void ids_of_a_case_process(void)
{
	CHECK_EQ(getpgrp(), getpid());
	CHECK_EQ(getpgid(0), getpgrp());
	CHECK_EQ(getpgid(getpid()), getpgrp());
	CHECK_EQ(getsid(0), getsid(getppid()));
	CHECK_EQ(syscall(SYS_getpgrp), getpgrp());
	CHECK(getppid() >= 0);
}

static void children_inherit_and_may_move(void)
{
	struct t_gate gate;
	pid_t pid, group = getpgrp();

	t_gate_init(&gate);
	pid = t_fork();
	if (pid == 0) {
		t_gate_wait(&gate);
		CHECK_EQ(getpgrp(), getpid());
		MUST(setpgid(0, group));
		CHECK_EQ(getpgrp(), group);
		_exit(0);
	}
	MUST(setpgid(pid, 0));
	CHECK_EQ(getpgid(pid), pid);
	t_gate_open(&gate);
	t_wait_exit(pid, 0);
}

static void setpgid_errors(void)
{
	struct t_gate gate;
	pid_t pid;

	t_gate_init(&gate);
	CHECK_ERRNO(setpgid(0, -1), EINVAL);
	CHECK_ERRNO(setpgid(0x3fffffff, 0), ESRCH);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
	CHECK_ERRNO(setpgid(0, 0x3fffffff), EPERM);
	CHECK_ERRNO(getpgid(0x3fffffff), ESRCH);
	CHECK_ERRNO(getsid(0x3fffffff), ESRCH);
	pid = t_fork();
	if (pid == 0) {
		MUST(setsid());
		t_gate_open(&gate);
		pause();
	}
	t_gate_wait(&gate);
	CHECK_ERRNO(setpgid(pid, getpgrp()), EPERM);
	MUST(kill(pid, SIGKILL));
}

static void setsid_makes_a_session(void)
{
	pid_t pid;

	CHECK_ERRNO(setsid(), EPERM);
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(setsid(), EPERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static int answer_fds[2];

static void say_hup(int sig)
{
	CHECK_EQ(write(answer_fds[1], "h", 1), 1);
	_exit(0);
}

static void a_stopped_orphaned_group_gets_hup_and_cont(void)
{
	char byte;
	pid_t leader, grandchild;
	int status;

	MUST(pipe(answer_fds));
	leader = t_fork();
	if (leader == 0) {
		MUST(setsid());
		grandchild = t_fork();
		if (grandchild == 0) {
			t_handle(SIGHUP, say_hup, 0);
			MUST(setpgid(0, 0));
			raise(SIGSTOP);
			for (;;)
				pause();
		}
		CHECK_EQ(waitpid(grandchild, &status, WUNTRACED), grandchild);
		_exit(0); /* now nobody in the session outside the group is its parent */
	}
	MUST(close(answer_fds[1]));
	CHECK_EQ(waitpid(leader, &status, 0), leader);
	CHECK_EQ(read(answer_fds[0], &byte, 1), 1);
	CHECK(byte == 'h');
}

static void stop_signals_do_not_stop_orphaned_groups(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		MUST(setsid());
		raise(SIGTSTP);
		_exit(7);
	}
	t_wait_exit(pid, 7);
}

static void a_group_lives_as_long_as_a_member(void)
{
	struct t_gate gate;
	pid_t leader, other;

	t_gate_init(&gate);
	leader = t_fork();
	if (leader == 0) {
		t_gate_wait(&gate);
		_exit(0);
	}
	MUST(setpgid(leader, leader));
	other = t_fork();
	if (other == 0) {
		for (;;)
			pause();
	}
	MUST(setpgid(other, leader));
	t_gate_open(&gate);
	t_wait_exit(leader, 0);
	MUST(kill(-leader, SIGTERM));
	t_wait_signal(other, SIGTERM);
}

TEST_PROGRAM(session, CASE(ids_of_a_case_process), CASE(children_inherit_and_may_move),
	     CASE(setpgid_errors), CASE(setsid_makes_a_session),
	     CASE(a_stopped_orphaned_group_gets_hup_and_cont),
	     CASE(stop_signals_do_not_stop_orphaned_groups),
	     CASE(a_group_lives_as_long_as_a_member));
