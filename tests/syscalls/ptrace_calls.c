// SPDX-License-Identifier: Apache-2.0
/*
 * ptrace_calls - what a tracer sees of calls that were interrupted, of calls it watches from the middle on, and of exec
 *
 * See       ptrace(2); ptrace.c, ptrace_events.c
 */
#include "tests/lib/t_trace.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/time.h>

#define SYSTRAP	      (SIGTRAP | 0x80)
#define OLDSETOPTIONS 21
#define ARCH_PRCTL    30

static void vfork_once(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(5);
	t_wait_exit(pid, 5);
}

static pid_t vforked(pid_t pid, int options)
{
	unsigned long child = 0;
	int status;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0,
		    (void *)(long)(options | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEVFORK)));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_VFORK << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child));
	CHECK_EQ(waitpid((pid_t)child, &status, __WALL), child);
	MUST(ptrace(PTRACE_DETACH, child, 0, 0));
	return (pid_t)child;
}

static void a_call_watched_from_its_event_on_has_an_end(void)
{
	pid_t pid = traced_child(vfork_once), child = vforked(pid, 0);
	struct syscall_info info;

	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	info = info_of(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, child);
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_wait_exit(pid, 0);
}

static void the_end_of_vfork_comes_after_its_second_event(void)
{
	pid_t pid = traced_child(vfork_once), child = vforked(pid, PTRACE_O_TRACEVFORKDONE);

	next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	CHECK_EQ(info_of(pid).op, 2);
	CHECK_EQ(info_of(pid).exit.rval, child);
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_wait_exit(pid, 0);
}

static int helper(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 9;
}

static void exec_self(void)
{
	execl(t_self(), "syscalls_all", "--helper", "ptrace_calls", (char *)NULL);
	_exit(1);
}

static void exec_watched_from_its_event_on_has_an_end(void)
{
	pid_t pid = traced_child(exec_self);

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0,
		    (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	CHECK_EQ(info_of(pid).op, 2);
	CHECK_EQ(info_of(pid).exit.rval, 0);
	finish(pid, 9);
}

static void *sleep_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static pthread_barrier_t started;

static void *exec_thread(void *arg)
{
	pthread_barrier_wait(&started);
	exec_self();
	return arg;
}

static void *wait_thread(void *arg)
{
	pthread_barrier_wait(&started);
	return sleep_thread(arg);
}

static void leader_execs(void)
{
	pthread_t t;

	pthread_barrier_init(&started, NULL, 3);
	pthread_create(&t, NULL, wait_thread, NULL);
	pthread_create(&t, NULL, wait_thread, NULL);
	pthread_barrier_wait(&started);
	exec_self();
}

static void thread_execs(void)
{
	pthread_t t;

	pthread_barrier_init(&started, NULL, 2);
	pthread_create(&t, NULL, exec_thread, NULL);
	pthread_create(&t, NULL, sleep_thread, NULL);
	pthread_barrier_wait(&started);
	for (;;)
		pause();
}

/* What is told of a process of three threads one of which execs. */
struct told {
	int exits, execs, ends, end_code, leader_exits;
};

static struct told run_threads(void (*fn)(void))
{
	pid_t pid = traced_child(fn), got;
	struct told told = { 0 };
	int status;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0,
		    (void *)(long)(PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC)));
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	for (;;) {
		int sig = 0;

		got = waitpid(-1, &status, __WALL);
		CHECK(got > 0);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (got == pid) {
				CHECK_EQ(WEXITSTATUS(status), 9);
				return told;
			}
			told.ends++;
			told.end_code = status;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			told.exits++;
			told.leader_exits += got == pid && !told.execs;
		} else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			told.execs++;
		} else if (status >> 8 != (SIGTRAP | PTRACE_EVENT_CLONE << 8) &&
			   WSTOPSIG(status) != SIGSTOP) {
			sig = WSTOPSIG(status);
		}
		MUST(ptrace(PTRACE_CONT, got, 0, (void *)(long)sig));
	}
}

static void exec_of_the_leader_tells_of_the_ends_of_the_others(void)
{
	struct told told = run_threads(leader_execs);

	CHECK_EQ(told.execs, 1);
	CHECK_EQ(told.exits, 3); /* two threads, and the program that was executed */
	CHECK_EQ(told.leader_exits, 0);
	CHECK_EQ(told.ends, 2);
	CHECK_EQ(told.end_code, 0);
}

static void exec_of_a_thread_tells_of_the_ends_of_the_others(void)
{
	struct told told = run_threads(thread_execs);

	CHECK_EQ(told.execs, 1);
	CHECK_EQ(told.exits, 3);
	CHECK_EQ(told.leader_exits, 1);
	CHECK_EQ(told.ends, 1); /* the leader's number lives on */
	CHECK_EQ(told.end_code, 0);
}

/* ---- calls that begin again ---- */

static int *result; /* shared with the child: errno of its call, -1 while it waits, -2 success */

static void note(long r)
{
	*result = r < 0 ? errno : -2;
}

static int event_fd;

static void reads(void)
{
	uint64_t n;

	for (;;) {
		note(read(event_fd, &n, sizeof n));
		_exit(0);
	}
}

static void sleeps(void)
{
	struct timespec ts = { 0, 300000000 };

	note(nanosleep(&ts, NULL));
	_exit(0);
}

static void pauses(void)
{
	note(pause());
	_exit(0);
}

static pid_t waiting_in_call(void (*fn)(void))
{
	pid_t pid;

	event_fd = MUST(eventfd(0, 0));
	result = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	*result = -1;
	pid = t_fork();
	if (!pid)
		fn();
	usleep(20000);
	return pid;
}

static void end_call(pid_t pid, int sig)
{
	uint64_t one = 1;

	MUST(write(event_fd, &one, sizeof one));
	if (sig)
		kill(pid, sig);
}

static void a_call_interrupted_by_attaching_goes_on(void)
{
	void (*const calls[])(void) = { reads, sleeps };
	int i, k, status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		for (k = 0; k < 20; k++) {
			pid = waiting_in_call(calls[i]);
			MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
			CHECK_EQ(waitpid(pid, &status, __WALL), pid);
			if (k & 1)
				next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP);
			MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
			end_call(pid, 0);
			t_wait_exit(pid, 0);
			CHECK_EQ(*result, -2);
			if (i)
				break;
		}
	}
}

static void a_call_interrupted_by_seizing_goes_on(void)
{
	int k, status;
	pid_t pid;

	for (k = 0; k < 10; k++) {
		pid = waiting_in_call(reads);
		MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
		MUST(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
		end_call(pid, 0);
		t_wait_exit(pid, 0);
		CHECK_EQ(*result, -2);
	}
}

/* The end of the call is a stop of its own, in which the tracer leaves. */
static void no_error_of_the_kernels_own_is_seen_when_the_tracer_leaves(void)
{
	void (*const calls[])(void) = { reads, pauses, sleeps };
	int i, k, status;
	pid_t pid;

	for (i = 0; i < 3; i++) {
		for (k = 0; k < 5; k++) {
			pid = waiting_in_call(calls[i]);
			MUST(ptrace(PTRACE_SEIZE, pid, 0, (void *)(long)PTRACE_O_TRACESYSGOOD));
			MUST(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
			CHECK_EQ(waitpid(pid, &status, __WALL), pid);
			MUST(ptrace(PTRACE_SYSCALL, pid, 0, 0)); /* begins again */
			CHECK_EQ(waitpid(pid, &status, __WALL), pid);
			CHECK_EQ(status >> 8, SYSTRAP);
			MUST(ptrace(PTRACE_SYSCALL, pid, 0, 0));
			usleep(2000 * k + 1000);
			if (k & 1) /* ignored; a traced process hears of it */
				kill(pid, SIGCONT);
			else
				MUST(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
			CHECK_EQ(waitpid(pid, &status, __WALL), pid);
			CHECK_EQ(status >> 8, SYSTRAP);
			MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
			end_call(pid, i == 1 ? SIGKILL : 0);
			waitpid(pid, &status, 0);
			CHECK(*result < 0 || *result == EINTR);
		}
	}
}

/* ---- requests ---- */

static void a_stopped_process_answers_as_soon_as_it_is_attached(void)
{
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof r };
	struct t_gate stop;
	int k, status;
	pid_t pid;

	for (k = 0; k < 30; k++) {
		pid = waiting_child(&stop);
		kill(pid, SIGSTOP);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		MUST(ptrace(k & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, pid, 0, 0));
		MUST(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v));
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
			;
	}
}

static void old_numbers_of_requests_work(void)
{
	pid_t pid = traced_child(nothing);

	if (!T_OLD_PTRACE) {
		CHECK_ERRNO(ptrace(OLDSETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEEXIT), EIO);
		return;
	}
	MUST(ptrace(OLDSETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEEXIT));
	CHECK_ERRNO(ptrace(OLDSETOPTIONS, pid, 0, 0x40000000l), EINVAL);
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	finish(pid, 0);
}

#ifdef __x86_64__
#include <asm/prctl.h>

static void a_tracer_reads_and_sets_bases(void)
{
	pid_t pid = traced_child(nothing);
	unsigned long base = 1;

	MUST(ptrace(ARCH_PRCTL, pid, &base, ARCH_GET_FS));
	CHECK_EQ(base, regs_of(pid).fs_base);
	MUST(ptrace(ARCH_PRCTL, pid, 0x1234000ul, ARCH_SET_GS));
	MUST(ptrace(ARCH_PRCTL, pid, &base, ARCH_GET_GS));
	CHECK_EQ(base, 0x1234000);
	CHECK_EQ(regs_of(pid).gs_base, 0x1234000);
	CHECK_ERRNO(ptrace(ARCH_PRCTL, pid, 0x8000000000000000ul, ARCH_SET_FS), EPERM);
	CHECK_ERRNO(ptrace(ARCH_PRCTL, pid, 8, ARCH_GET_FS), EFAULT);
	CHECK_ERRNO(ptrace(ARCH_PRCTL, pid, 0, 77), EINVAL);
	finish(pid, 0);
}
#else
static void a_tracer_reads_and_sets_bases(void)
{
	SKIP("x86-64 only");
}
#endif

TEST_PROGRAM_WITH_HELPER(ptrace_calls, helper, CASE(a_call_watched_from_its_event_on_has_an_end),
			 CASE(the_end_of_vfork_comes_after_its_second_event),
			 CASE(exec_watched_from_its_event_on_has_an_end),
			 CASE(exec_of_the_leader_tells_of_the_ends_of_the_others),
			 CASE(exec_of_a_thread_tells_of_the_ends_of_the_others),
			 CASE(a_call_interrupted_by_attaching_goes_on),
			 CASE(a_call_interrupted_by_seizing_goes_on),
			 CASE(no_error_of_the_kernels_own_is_seen_when_the_tracer_leaves),
			 CASE(a_stopped_process_answers_as_soon_as_it_is_attached),
			 CASE(old_numbers_of_requests_work), CASE(a_tracer_reads_and_sets_bases));
