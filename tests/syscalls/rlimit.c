/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rlimit.c - getrlimit, setrlimit, prlimit64, getrusage
 *
 * See       getrlimit(2), getrusage(2)
 */
#include "tests/lib/t.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

static void limits_are_kept_and_inherited(void)
{
	struct rlimit lim = { 50, 60 }, got;
	pid_t pid;

	MUST(syscall(SYS_setrlimit, RLIMIT_NOFILE, &lim));
	MUST(syscall(SYS_getrlimit, RLIMIT_NOFILE, &got));
	CHECK(got.rlim_cur == 50 && got.rlim_max == 60);
	pid = t_fork();
	if (pid == 0) {
		MUST(syscall(SYS_getrlimit, RLIMIT_NOFILE, &got));
		_exit(got.rlim_cur != 50);
	}
	t_wait_exit(pid, 0);
}

static void users_may_only_lower_the_hard_limit(void)
{
	struct rlimit lim = { 50, 60 };

	MUST(setrlimit(RLIMIT_NOFILE, &lim));
	t_become_user(1000);
	lim.rlim_cur = 60;
	MUST(setrlimit(RLIMIT_NOFILE, &lim));
	lim.rlim_max = 61;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &lim), EPERM);
	lim.rlim_max = 55;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &lim), EINVAL);
}

static void prlimit_reaches_other_processes(void)
{
	struct rlimit lim = { 33, 44 }, old;
	pid_t pid = t_fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	MUST(prlimit(pid, RLIMIT_CORE, NULL, &old));
	if (old.rlim_max < 44)
		lim.rlim_cur = lim.rlim_max = 0;
	MUST(prlimit(pid, RLIMIT_CORE, &lim, NULL));
	MUST(prlimit(pid, RLIMIT_CORE, NULL, &old));
	CHECK_EQ(old.rlim_cur, lim.rlim_cur);
	MUST(kill(pid, SIGKILL));
	CHECK_ERRNO(prlimit(0x3fffffff, RLIMIT_CORE, NULL, &old), ESRCH);
}

static void every_resource_can_be_read(void)
{
	struct rlimit lim;

	for (int i = 0; i < 16; i++)
		MUST(getrlimit(i, &lim));
	CHECK_ERRNO(syscall(SYS_getrlimit, 16, &lim), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrlimit, 0, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(syscall(SYS_setrlimit, 0, t_bad_ptr()), EFAULT);
}

static void cpu_limit_signals(void)
{
	struct rlimit lim = { 1, 2 };
	volatile unsigned long n = 0;
	pid_t pid = t_fork();

	if (pid == 0) {
		MUST(setrlimit(RLIMIT_CPU, &lim));
		for (;;)
			n++;
	}
	t_wait_signal(pid, SIGXCPU);
}

static void usage_grows(void)
{
	struct rusage a, b, kids;
	char *p;

	MUST(getrusage(RUSAGE_SELF, &a));
	p = MUST(mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 64; i++)
		p[i * 4096] = 1;
	MUST(getrusage(RUSAGE_SELF, &b));
	CHECK(b.ru_minflt > a.ru_minflt);
	CHECK(b.ru_maxrss > 0);
	MUST(getrusage(RUSAGE_CHILDREN, &kids));
	CHECK_EQ(kids.ru_utime.tv_sec, 0);
	MUST(getrusage(RUSAGE_THREAD, &a));
	CHECK_ERRNO(getrusage(99, &a), EINVAL);
	CHECK_ERRNO(getrusage(RUSAGE_SELF, t_bad_ptr()), EFAULT);
}

static long long usec(struct timeval t)
{
	return (long long)t.tv_sec * 1000000 + t.tv_usec;
}

static long long cpu_usec(void)
{
	struct timespec t;

	MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void kernel_work_is_system_time(void)
{
	static char buf[16 << 20]; /* so long that entering the kernel does not count */
	struct rusage a, b;
	int fd = MUST(open("/dev/zero", O_RDONLY));
	volatile unsigned long n = 0;
	long long end;

	MUST(read(fd, buf, sizeof buf));
	MUST(getrusage(RUSAGE_SELF, &a));
	for (end = cpu_usec() + 300000; cpu_usec() < end;)
		MUST(read(fd, buf, sizeof buf));
	MUST(getrusage(RUSAGE_SELF, &b));
	CHECK(usec(b.ru_stime) - usec(a.ru_stime) >
	      100000); /* a busy host makes the way in and out longer */
	for (end = cpu_usec() + 300000; cpu_usec() < end;)
		for (int i = 0; i < 1000000; i++)
			n++;
	MUST(getrusage(RUSAGE_SELF, &a));
	CHECK(usec(a.ru_utime) - usec(b.ru_utime) > 200000);
	CHECK(usec(a.ru_stime) - usec(b.ru_stime) < 100000);
	close(fd);
}

/* A child of this user that waits; its pid, or -1. */
static pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void each_user_has_processes_of_his_own(void)
{
	struct rlimit lim = { 3, 3 };
	pid_t pid;

	for (int i = 0; i < 3; i++)
		MUST(fork_sleeper()); /* root's do not count */
	pid = t_fork();
	if (pid == 0) {
		MUST(setpgid(0, 0));
		t_become_user(54321);
		MUST(setrlimit(RLIMIT_NPROC, &lim));
		MUST(fork_sleeper());
		MUST(pid = fork_sleeper());
		CHECK_ERRNO(fork_sleeper(), EAGAIN);
		MUST(kill(pid, SIGKILL));
		t_wait_signal(pid, SIGKILL);
		MUST(fork_sleeper());
		CHECK_ERRNO(fork_sleeper(), EAGAIN);
		kill(0, SIGKILL);
	}
	t_wait_signal(pid, SIGKILL);
}

static void a_zombie_counts_until_it_is_reaped(void)
{
	struct rlimit lim = { 2, 2 };
	siginfo_t info;
	pid_t pid;

	t_become_user(54322);
	MUST(setrlimit(RLIMIT_NPROC, &lim));
	for (int i = 0; i < 50; i++) {
		pid = MUST(fork());
		if (pid == 0)
			_exit(7);
		MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
		CHECK_ERRNO(fork_sleeper(), EAGAIN);
		t_wait_exit(pid, 7);
	}
}

TEST_PROGRAM(rlimit, CASE(limits_are_kept_and_inherited), CASE(users_may_only_lower_the_hard_limit),
	     CASE(prlimit_reaches_other_processes), CASE(every_resource_can_be_read),
	     CASE(cpu_limit_signals), CASE(usage_grows), CASE(kernel_work_is_system_time),
	     CASE(each_user_has_processes_of_his_own), CASE(a_zombie_counts_until_it_is_reaped));
