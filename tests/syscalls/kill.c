/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill.c - kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_open, pidfd_send_signal, pidfd_getfd
 *
 * See       kill(2), pidfd_open(2)
 */
#include "tests/lib/t.h"

#include <poll.h>

static siginfo_t seen;
static volatile int count;

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

static pid_t sleeping_child(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void kill_self_is_delivered_at_once(void)
{
	catch (SIGUSR1);
	MUST(kill(getpid(), SIGUSR1));
	CHECK_EQ(count, 1);
	CHECK_EQ(seen.si_code, SI_USER);
	CHECK_EQ(seen.si_pid, getpid());
	CHECK_EQ(seen.si_uid, 0);
}

static void signal_zero_only_asks(void)
{
	pid_t pid = sleeping_child();

	MUST(kill(pid, 0));
	MUST(kill(pid, SIGKILL));
	t_wait_signal(pid, SIGKILL);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
}

static void groups_are_reached(void)
{
	pid_t a = sleeping_child();
	pid_t b = sleeping_child();

	setpgid(a, a);
	setpgid(b, a);
	MUST(kill(-a, SIGTERM));
	t_wait_signal(a, SIGTERM);
	t_wait_signal(b, SIGTERM);
	CHECK_ERRNO(kill(-a, SIGTERM), ESRCH);
}

static void own_group_by_zero(void)
{
	pid_t pid;

	catch (SIGUSR1);
	pid = sleeping_child();
	signal(SIGTERM, SIG_IGN);
	MUST(kill(0, SIGTERM));
	t_wait_signal(pid, SIGTERM);
}

static void thread_directed_signals(void)
{
	catch (SIGUSR1);
	MUST(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
	CHECK_EQ(count, 1);
	CHECK_EQ(seen.si_code, SI_TKILL);
	MUST(syscall(SYS_tkill, gettid(), SIGUSR1));
	CHECK_EQ(count, 2);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, getppid(), gettid(), SIGUSR1), ESRCH);
}

static void queued_values_arrive(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	catch (SIGUSR1);
	MUST(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 1234 }));
	CHECK_EQ(seen.si_code, SI_QUEUE);
	CHECK_EQ(seen.si_value.sival_int, 1234);
	CHECK_EQ(seen.si_pid, getpid());
	info.si_value.sival_int = 77;
	MUST(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info));
	CHECK_EQ(seen.si_value.sival_int, 77);
	MUST(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	CHECK_EQ(count, 3);
	info.si_code = SI_USER;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info), EPERM);
}

static void users_may_signal_their_own_only(void)
{
	pid_t roots = sleeping_child();
	pid_t pid = t_fork();

	if (pid == 0) {
		pid_t mine;

		t_become_user(1000);
		CHECK_ERRNO(kill(roots, SIGTERM), EPERM);
		CHECK_ERRNO(kill(roots, 0), EPERM);
		mine = sleeping_child();
		MUST(kill(mine, SIGTERM));
		t_wait_signal(mine, SIGTERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(kill(roots, SIGKILL));
}

static void errors(void)
{
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(0x3fffffff, SIGTERM), ESRCH);
}

static void pidfds_signal_poll_and_wait(void)
{
	pid_t pid = sleeping_child();
	int fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	struct pollfd p = { fd, POLLIN, 0 };

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(poll(&p, 1, 0), 0);
	MUST(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	{
		siginfo_t si = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

		CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &si, 0), EINVAL);
	}
	MUST(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	CHECK_EQ(poll(&p, 1, -1), 1);
	t_wait_signal(pid, SIGTERM);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
}

static void a_proc_directory_names_a_process(void)
{
	pid_t pid = sleeping_child();
	char name[48];
	int fd, tasks;

	snprintf(name, sizeof name, "/proc/%d", (int)pid);
	fd = MUST(open(name, O_RDONLY | O_DIRECTORY));
	snprintf(name, sizeof name, "/proc/%d/task", (int)pid);
	tasks = MUST(open(name, O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, tasks, 0, NULL, 0), EBADF);
	MUST(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	MUST(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	t_wait_signal(pid, SIGTERM);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
}

static void pidfd_errors(void)
{
	CHECK_ERRNO(syscall(SYS_pidfd_open, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_open, 0x3fffffff, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_pidfd_open, getpid(), 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, t_temp_fd(), 0, NULL, 0), EBADF);
}

static void pidfd_getfd_takes_a_descriptor(void)
{
	struct t_gate gate, stop;
	char buf[4] = "";
	int fds[2], fd, copy;
	pid_t pid;

	t_gate_init(&gate);
	t_gate_init(&stop);
	pid = t_fork();
	if (pid == 0) {
		MUST(pipe(fds));
		MUST(dup2(fds[0], 100));
		CHECK_EQ(write(fds[1], "got", 3), 3);
		t_gate_open(&gate);
		t_gate_wait(&stop);
		_exit(0);
	}
	t_gate_wait(&gate);
	fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0));
	copy = (int)MUST(syscall(SYS_pidfd_getfd, fd, 100, 0));
	CHECK_EQ(read(copy, buf, 3), 3);
	CHECK(!strcmp(buf, "got"));
	CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 999, 0), EBADF);
	t_gate_open(&stop);
	t_wait_exit(pid, 0);
}

TEST_PROGRAM(kill, CASE(kill_self_is_delivered_at_once), CASE(signal_zero_only_asks),
	     CASE(groups_are_reached), CASE(own_group_by_zero), CASE(thread_directed_signals),
	     CASE(queued_values_arrive), CASE(users_may_signal_their_own_only), CASE(errors),
	     CASE(pidfds_signal_poll_and_wait), CASE(a_proc_directory_names_a_process),
	     CASE(pidfd_errors), CASE(pidfd_getfd_takes_a_descriptor));
