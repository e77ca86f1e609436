/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork.c - fork, vfork, clone, clone3
 *
 * See       fork(2), clone(2)
 */
#include "tests/lib/t.h"

#include <linux/sched.h>
#include <sched.h>

static void ignore_signal(int sig)
{
}

static long raw_clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

static void the_child_is_a_copy(void)
{
	static volatile int value = 1;
	pid_t pid, parent = getpid();

	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(getppid(), parent);
		CHECK(getpid() != parent);
		CHECK_EQ(value, 1);
		value = 2;
		_exit(33);
	}
	t_wait_exit(pid, 33);
	CHECK_EQ(value, 1);
}

static void many_pages_are_copied_on_write(void)
{
	static volatile char data[64 * 4096];
	pid_t pid;

	for (int i = 0; i < 64; i++)
		data[i * 4096] = (char)i;
	pid = t_fork();
	if (pid == 0) {
		for (int i = 0; i < 64; i++) {
			CHECK(data[i * 4096] == (char)i);
			data[i * 4096] = 'c';
		}
		_exit(0);
	}
	for (int i = 0; i < 64; i += 2)
		data[i * 4096] = (char)(i + 1);
	t_wait_exit(pid, 0);
	for (int i = 0; i < 64; i++)
		CHECK(data[i * 4096] == (char)(i + !(i & 1)));
}

static void descriptors_are_copied(void)
{
	int fd = t_temp_fd();
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(close(fd));
	t_wait_exit(pid, 0);
	MUST(fcntl(fd, F_GETFD));
}

static void pending_signals_and_alarms_are_not_inherited(void)
{
	sigset_t set, pending;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGUSR1));
	alarm(1000);
	pid = t_fork();
	if (pid == 0) {
		MUST(sigpending(&pending));
		CHECK(!sigismember(&pending, SIGUSR1));
		CHECK_EQ(alarm(0), 0);
		MUST(sigprocmask(SIG_BLOCK, NULL, &set));
		CHECK(sigismember(&set, SIGUSR1));
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void vfork_shares_memory_and_waits(void)
{
	static volatile int value;
	pid_t pid = vfork();

	if (pid == 0) {
		value = 7;
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_EQ(value, 7);
	t_wait_exit(pid, 3);
}

static int thread_like(void *arg)
{
	*(volatile int *)arg = 5;
	return 9;
}

static void clone_with_shared_memory(void)
{
	static char stack[32768] __attribute__((aligned(16)));
	volatile int value = 0;
	pid_t pid =
		MUST(clone(thread_like, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)&value));

	t_wait_exit(pid, 9);
	CHECK_EQ(value, 5);
}

static int changes_directory(void *arg)
{
	return chdir("/") < 0;
}

static int opens_a_file(void *arg)
{
	return open("/", O_RDONLY);
}

static void clone_can_share_directory_and_descriptors(void)
{
	static char stack[32768] __attribute__((aligned(16)));
	char cwd[64];
	int status;
	pid_t pid = MUST(clone(changes_directory, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));

	t_wait_exit(pid, 0);
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	pid = MUST(clone(opens_a_file, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	MUST(fcntl(WEXITSTATUS(status), F_GETFD));
}

static void clone_writes_thread_ids(void)
{
	pid_t parent_tid = 0, pid;

	pid = (pid_t)MUST(
		syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, &parent_tid, NULL, 0));
	if (pid == 0)
		_exit(0);
	CHECK_EQ(parent_tid, pid);
	t_wait_exit(pid, 0);
}

static void the_exit_signal_can_be_chosen(void)
{
	sigset_t set;
	siginfo_t info;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = (pid_t)MUST(syscall(SYS_clone, SIGUSR2, NULL, NULL, NULL, 0));
	if (pid == 0)
		_exit(4);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 4);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
}

static void clone3_forks_and_gives_a_pidfd(void)
{
	int pidfd = -1;
	siginfo_t info = { 0 };
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)MUST(raw_clone3(&args));

	if (pid == 0)
		_exit(6);
	CHECK(pidfd >= 0);
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	MUST(waitid(P_PIDFD, pidfd, &info, WEXITED));
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 6);
}

static void clone3_errors(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	CHECK_ERRNO(syscall(SYS_clone3, &args, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, t_bad_ptr(), sizeof(args)), EFAULT);
	args.exit_signal = 999;
	CHECK_ERRNO(raw_clone3(&args), EINVAL);
	args.exit_signal = SIGCHLD;
	args.flags = CLONE_SIGHAND;
	CHECK_ERRNO(raw_clone3(&args), EINVAL);
	args.flags = CLONE_THREAD | CLONE_VM;
	CHECK_ERRNO(raw_clone3(&args), EINVAL);
}

static void clone_can_reset_handlers(void)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	struct sigaction sa;
	pid_t pid;

	t_handle(SIGUSR1, ignore_signal, 0);
	pid = (pid_t)MUST(raw_clone3(&args));
	if (pid == 0) {
		MUST(sigaction(SIGUSR1, NULL, &sa));
		_exit(sa.sa_handler != SIG_DFL);
	}
	t_wait_exit(pid, 0);
}

static void the_process_limit_is_eagain(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 1, 1 };

	MUST(syscall(SYS_setrlimit, 6 /* RLIMIT_NPROC */, &lim));
	t_become_user(54321);
	CHECK_ERRNO(fork(), EAGAIN);
}

TEST_PROGRAM(fork, CASE(the_child_is_a_copy), CASE(many_pages_are_copied_on_write),
	     CASE(descriptors_are_copied), CASE(pending_signals_and_alarms_are_not_inherited),
	     CASE(vfork_shares_memory_and_waits), CASE(clone_with_shared_memory),
	     CASE(clone_can_share_directory_and_descriptors), CASE(clone_writes_thread_ids),
	     CASE(the_exit_signal_can_be_chosen), CASE(clone3_forks_and_gives_a_pidfd),
	     CASE(clone3_errors), CASE(clone_can_reset_handlers),
	     CASE(the_process_limit_is_eagain));
