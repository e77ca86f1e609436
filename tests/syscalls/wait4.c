/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4.c - wait4, waitid: status, options, selection
 *
 * See       wait(2)
 */
#include "tests/lib/t.h"

#include <sys/resource.h>

static pid_t exiting_child(int code)
{
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(code);
	return pid;
}

static void status_words(void)
{
	int status;
	pid_t pid = exiting_child(200);

	CHECK_EQ(wait4(pid, &status, 0, NULL), pid);
	CHECK_EQ(status, 200 << 8);
	pid = t_fork();
	if (pid == 0) {
		raise(SIGTERM);
		_exit(0);
	}
	CHECK_EQ(wait4(pid, &status, 0, NULL), pid);
	CHECK_EQ(status, SIGTERM);
}

static void no_children_is_echild(void)
{
	int status;

	CHECK_ERRNO(wait4(-1, &status, 0, NULL), ECHILD);
	CHECK_ERRNO(wait4(getpid(), &status, 0, NULL), ECHILD);
	exiting_child(0);
	CHECK_ERRNO(wait4(1, &status, 0, NULL), ECHILD);
	MUST(wait(NULL));
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static void nohang_does_not_wait(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	MUST(kill(pid, SIGKILL));
	t_wait_signal(pid, SIGKILL);
}

static void stops_and_continues_are_reported_when_asked(void)
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(11);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	MUST(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	if (WIFCONTINUED(status))
		CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
}

static void process_groups_select(void)
{
	int status;
	struct t_gate gate;
	pid_t pid;

	t_gate_init(&gate);
	pid = t_fork();
	if (pid == 0) {
		setpgid(0, 0);
		t_gate_open(&gate);
		_exit(1);
	}
	t_gate_wait(&gate);
	CHECK_ERRNO(waitpid(0, &status, WNOHANG), ECHILD);
	CHECK_EQ(waitpid(-pid, &status, 0), pid);
}

static void waitid_fills_the_record(void)
{
	siginfo_t info;
	pid_t pid = exiting_child(77);

	memset(&info, 0, sizeof(info));
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_uid, 0);
	CHECK_EQ(info.si_status, 77);
	MUST(waitid(P_ALL, 0, &info, WEXITED));
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(99, 0, &info, WEXITED), EINVAL);
}

static void waitid_nohang_leaves_zero(void)
{
	siginfo_t info;
	pid_t pid = t_fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	memset(&info, 0xff, sizeof(info));
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
	CHECK_EQ(info.si_pid, 0);
	MUST(kill(pid, SIGKILL));
	MUST(waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED));
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGKILL);
}

static void ignoring_sigchld_leaves_no_zombies(void)
{
	signal(SIGCHLD, SIG_IGN);
	exiting_child(0);
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static void usage_is_returned(void)
{
	struct rusage ru;
	int status;
	pid_t pid = exiting_child(0);

	memset(&ru, 0xff, sizeof(ru));
	CHECK_EQ(wait4(pid, &status, 0, &ru), pid);
	CHECK(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 10);
	CHECK(ru.ru_utime.tv_usec < 1000000);
}

static void nothing(int sig)
{
}

static void waiting_is_interrupted(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	t_start_ticks(nothing, 0);
	CHECK_ERRNO(waitpid(pid, NULL, 0), EINTR);
	MUST(kill(pid, SIGKILL));
}

static void orphans_get_the_reaper_as_parent(void)
{
	struct t_gate ready, gone;
	pid_t middle, self;
	int fds[2];

	t_gate_init(&ready);
	t_gate_init(&gone);
	MUST(pipe(fds));
	middle = t_fork();
	if (middle == 0) {
		self = getpid();
		if (t_fork() == 0) {
			t_gate_wait(&gone);
			CHECK(getppid() != self);
			t_gate_open(&ready);
			_exit(0);
		}
		_exit(0);
	}
	t_wait_exit(middle, 0);
	t_gate_open(&gone);
	t_gate_wait(&ready);
}

static void a_zombie_is_not_waited_for_by_those_who_do_not_ask_for_ends(void)
{
	pid_t pid = exiting_child(3), other;
	siginfo_t info;

	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	CHECK_ERRNO(waitid(P_PID, (id_t)pid, &info, WSTOPPED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WCONTINUED | WNOHANG), ECHILD);
	other = t_fork();
	if (!other) {
		pause();
		_exit(0);
	}
	CHECK_EQ(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG), 0); /* a living one may still stop */
	kill(other, SIGKILL);
	t_wait_signal(other, SIGKILL);
	t_wait_exit(pid, 3);
}

static void bad_pointers_and_options(void)
{
	exiting_child(0);
	CHECK_ERRNO(wait4(-1, NULL, 0x100, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_wait4, -1, t_bad_ptr(), 0, NULL), EFAULT);
}

static void children_nobody_waits_for_are_not_in_the_usage(void)
{
	struct rusage ru;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			for (clock_t end = clock() + CLOCKS_PER_SEC / 20; clock() < end;)
				;
			_exit(0);
		}
		CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
	}
	MUST(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_utime.tv_sec == 0 && ru.ru_utime.tv_usec == 0 && ru.ru_minflt == 0);
	signal(SIGCHLD, SIG_DFL);
	pid = t_fork();
	if (pid == 0)
		_exit(0);
	t_wait_exit(pid, 0);
	MUST(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_minflt > 0);
}

static void a_zombie_has_one_thread(void)
{
	char path[64], text[4096], *line;
	siginfo_t info;
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(0);
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	t_read_file(path, text, sizeof text);
	line = strstr(text, "\nThreads:\t");
	CHECK(line && atoi(line + 10) == 1);
	t_wait_exit(pid, 0);
}

TEST_PROGRAM(wait4, CASE(status_words), CASE(no_children_is_echild), CASE(nohang_does_not_wait),
	     CASE(stops_and_continues_are_reported_when_asked), CASE(process_groups_select),
	     CASE(waitid_fills_the_record), CASE(waitid_nohang_leaves_zero),
	     CASE(ignoring_sigchld_leaves_no_zombies), CASE(usage_is_returned),
	     CASE(waiting_is_interrupted), CASE(orphans_get_the_reaper_as_parent),
	     CASE(a_zombie_is_not_waited_for_by_those_who_do_not_ask_for_ends),
	     CASE(bad_pointers_and_options), CASE(children_nobody_waits_for_are_not_in_the_usage),
	     CASE(a_zombie_has_one_thread));
