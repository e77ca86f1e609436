/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_sigaction.c - rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigsuspend, rt_sigtimedwait, rt_sigreturn, pause
 *
 * See       sigaction(2)
 */
#include "tests/lib/t.h"

static volatile int order[8];
static volatile int depth;
static sigset_t mask_inside;

static void record(int sig)
{
	order[depth++] = sig;
	sigprocmask(SIG_BLOCK, NULL, &mask_inside);
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	if (a)
		sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

static void the_old_action_is_returned(void)
{
	struct sigaction sa = { .sa_handler = record, .sa_flags = SA_RESTART }, old;

	sa.sa_mask = set_of(SIGUSR2, 0);
	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == record);
	CHECK(old.sa_flags & SA_RESTART);
	CHECK(sigismember(&old.sa_mask, SIGUSR2) && !sigismember(&old.sa_mask, SIGHUP));
}

static void handler_mask_is_applied_and_undone(void)
{
	struct sigaction sa = { .sa_handler = record };
	sigset_t now;

	sa.sa_mask = set_of(SIGHUP, 0);
	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(raise(SIGUSR1));
	CHECK(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGHUP));
	CHECK(!sigismember(&mask_inside, SIGUSR2));
	MUST(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGHUP));
}

static void nodefer_and_resethand(void)
{
	struct sigaction old;

	t_handle(SIGUSR1, record, SA_NODEFER | SA_RESETHAND);
	MUST(raise(SIGUSR1));
	CHECK(!sigismember(&mask_inside, SIGUSR1));
	MUST(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
}

static void blocked_signals_wait_and_merge(void)
{
	sigset_t set = set_of(SIGUSR1, 0), pending;

	t_handle(SIGUSR1, record, 0);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGUSR1));
	MUST(raise(SIGUSR1));
	CHECK_EQ(depth, 0);
	MUST(sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR1));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHECK_EQ(depth, 1);
	MUST(sigpending(&pending));
	CHECK(!sigismember(&pending, SIGUSR1));
}

static void real_time_signals_queue(void)
{
	sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);

	t_handle(SIGRTMIN, record, 0);
	t_handle(SIGRTMIN + 1, record, 0);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGRTMIN + 1));
	MUST(raise(SIGRTMIN));
	MUST(raise(SIGRTMIN));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHECK_EQ(depth, 3);
}

static void ignoring_drops_what_is_pending(void)
{
	sigset_t set = set_of(SIGUSR1, 0), pending;

	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	MUST(sigpending(&pending));
	CHECK(!sigismember(&pending, SIGUSR1));
}

static void sigsuspend_waits_with_another_mask(void)
{
	sigset_t set = set_of(SIGUSR1, 0), none = set_of(0, 0), now;

	t_handle(SIGUSR1, record, 0);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGUSR1));
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(depth, 1);
	CHECK(!sigismember(&mask_inside, SIGUSR2));
	MUST(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1));
}

static void sigtimedwait_takes_from_the_queue(void)
{
	struct timespec zero = { 0, 0 }, some = { 0, 10000000 }, bad = { 0, -1 };
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	siginfo_t info;
	long long start;

	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
	MUST(raise(SIGUSR2));
	CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGUSR2);
	CHECK_EQ(info.si_signo, SIGUSR2);
	CHECK_EQ(info.si_pid, getpid());
	start = t_now_ms();
	CHECK_ERRNO(sigtimedwait(&set, NULL, &some), EAGAIN);
	CHECK(t_now_ms() - start >= 9);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &bad), EINVAL);
	MUST(kill(getpid(), SIGUSR1));
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
}

static void sigwait_is_woken_by_another_process(void)
{
	sigset_t set = set_of(SIGUSR1, 0);
	siginfo_t info;
	pid_t pid;

	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = t_fork();
	if (pid == 0)
		_exit(kill(getppid(), SIGUSR1));
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_pid, pid);
	t_wait_exit(pid, 0);
}

static void pause_returns_after_a_handler(void)
{
	t_start_ticks(record, SA_RESETHAND);
	signal(SIGALRM, record);
	CHECK_ERRNO(pause(), EINTR);
}

static void kill_and_stop_cannot_be_caught(void)
{
	struct sigaction sa = { .sa_handler = record };
	sigset_t all, now;

	CHECK_ERRNO(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &sa, NULL), EINVAL);
	sigfillset(&all);
	MUST(sigprocmask(SIG_BLOCK, &all, NULL));
	MUST(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP));
	CHECK(sigismember(&now, SIGTERM));
}

static void arguments_are_checked(void)
{
	sigset_t set = set_of(0, 0);

	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, t_bad_ptr(), NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, t_bad_ptr(), NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 100), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &set, 4), EINVAL);
}

static void default_actions(void)
{
	static const int fatal[] = { SIGHUP, SIGINT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, 34 };
	static const int harmless[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	pid_t pid;

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
		pid = t_fork();
		if (pid == 0) {
			raise(fatal[i]);
			_exit(0);
		}
		t_wait_signal(pid, fatal[i]);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		MUST(raise(harmless[i]));
}

static void registers_survive_a_handler(void)
{
	unsigned long out[6] = { 0 };

	t_handle(SIGUSR1, record, 0);
	CHECK_EQ(t_kill_with_registers(SIGUSR1, out), 0);
	CHECK_EQ(depth, 1);
	for (unsigned long i = 0; i < 6; i++)
		CHECK_EQ(out[i], (i + 1) * 0x1111);
}

TEST_PROGRAM(rt_sigaction, CASE(the_old_action_is_returned),
	     CASE(handler_mask_is_applied_and_undone), CASE(nodefer_and_resethand),
	     CASE(blocked_signals_wait_and_merge), CASE(real_time_signals_queue),
	     CASE(ignoring_drops_what_is_pending), CASE(sigsuspend_waits_with_another_mask),
	     CASE(sigtimedwait_takes_from_the_queue), CASE(sigwait_is_woken_by_another_process),
	     CASE(pause_returns_after_a_handler), CASE(kill_and_stop_cannot_be_caught),
	     CASE(arguments_are_checked), CASE(default_actions), CASE(registers_survive_a_handler));
