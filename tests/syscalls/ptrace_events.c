/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace_events.c - who traces whom; events, group stops, ends
 *
 * See       ptrace(2)
 */
#include "tests/lib/t_trace.h"

#include <pthread.h>

static void only_the_tracer_may_ask(void)
{
	pid_t pid = t_fork(), other;
	struct t_gate done;

	t_gate_init(&done);
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_CONT, 999999, 0, 0), ESRCH);
	MUST(kill(pid, SIGCONT));
	t_wait_exit(pid, 0);
	pid = traced_child(nothing);
	other = t_fork();
	if (other == 0) {
		CHECK_ERRNO(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
		CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
		_exit(0);
	}
	t_wait_exit(other, 0);
	finish(pid, 0);
}

static void a_running_tracee_answers_nothing(void)
{
	struct t_gate gate;
	pid_t pid;

	t_gate_init(&gate);
	pid = t_fork();
	if (pid == 0) {
		t_gate_wait(&gate);
		_exit(0);
	}
	MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
	CHECK_ERRNO(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_DETACH, pid, 0, 0), ESRCH);
	t_gate_open(&gate);
	t_wait_exit(pid, 0);
}

static void sigkill_ends_a_stop(void)
{
	pid_t pid = traced_child(nothing);

	MUST(kill(pid, SIGKILL));
	t_wait_signal(pid, SIGKILL);
	pid = traced_child(nothing);
	MUST(ptrace(PTRACE_KILL, pid, 0, 0));
	t_wait_signal(pid, SIGKILL);
}

static void exec_self(void)
{
	execl("/proc/self/exe", t_self(), "--helper", "ptrace_events", "leave", NULL);
	_exit(99);
}

static int helper(int argc, char **argv)
{
	return 21;
}

static void exec_stops(void)
{
	pid_t pid = traced_child(exec_self);

	next_stop(pid, PTRACE_CONT, 0, SIGTRAP);
	finish(pid, 21);
}

static void exec_is_an_event(void)
{
	pid_t pid = traced_child(exec_self);
	unsigned long message = 0;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEEXEC));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	CHECK_EQ(message, pid);
	finish(pid, 21);
}

static void fork_once(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	t_wait_exit(pid, 5);
}

static void children_are_followed(void)
{
	pid_t pid = traced_child(fork_once);
	unsigned long child = 0;
	int status;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEFORK));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_FORK << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child));
	CHECK_EQ(waitpid((pid_t)child, &status, __WALL), child);
	CHECK_EQ(status >> 8, SIGSTOP);
	MUST(ptrace(PTRACE_CONT, child, 0, 0));
	CHECK_EQ(waitpid((pid_t)child, &status, __WALL), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	/* only now its parent hears of it */
	next_stop(pid, PTRACE_CONT, 0, SIGCHLD);
	finish(pid, 0);
}

static void vfork_once(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(5);
	t_wait_exit(pid, 5);
}

static void vfork_has_an_end(void)
{
	pid_t pid = traced_child(vfork_once);
	unsigned long child = 0, message = 0;
	int status;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0,
		    (void *)(long)(PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE)));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_VFORK << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child));
	CHECK_EQ(waitpid((pid_t)child, &status, __WALL), child);
	MUST(ptrace(PTRACE_DETACH, child, 0, 0));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	CHECK_EQ(message, child);
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_wait_exit(pid, 0);
}

static void *leave_thread(void *arg)
{
	return arg;
}

static void one_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, leave_thread, NULL);
	pthread_join(t, NULL);
	_exit(6);
}

static void threads_are_followed_and_waited_for(void)
{
	pid_t pid = traced_child(one_thread), got;
	unsigned long tid = 0;
	int status, thread_ended = 0, thread_stopped = 0;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACECLONE));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_CLONE << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &tid));
	CHECK(tid != (unsigned long)pid);
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	for (;;) {
		got = MUST(waitpid(-1, &status, __WALL));
		if (got == (pid_t)tid && WIFSTOPPED(status)) {
			CHECK_EQ(status >> 8, SIGSTOP);
			thread_stopped++;
			MUST(ptrace(PTRACE_CONT, tid, 0, 0));
		} else if (got == (pid_t)tid) {
			CHECK(WIFEXITED(status));
			thread_ended++;
		} else {
			break;
		}
	}
	CHECK_EQ(got, pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	CHECK_EQ(thread_stopped, 1);
	CHECK_EQ(thread_ended, 1);
}

static void exit_is_an_event(void)
{
	pid_t pid = traced_child(exit_with_word);
	unsigned long message = 0;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEEXIT));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	CHECK_EQ(message, 41 << 8);
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), 41);
	finish(pid, 41);
}

static void options_are_checked(void)
{
	pid_t pid = traced_child(nothing);

	CHECK_ERRNO(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)0x800l), EINVAL);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, (void *)65l), EIO);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, (void *)-1l), EIO);
	CHECK_ERRNO(ptrace(PTRACE_LISTEN, pid, 0, 0), EIO);
	CHECK_ERRNO(ptrace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	finish(pid, 0);
}

static void attach_stops(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop);
	int status;

	MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status >> 8, SIGSTOP);
	MUST(ptrace(PTRACE_POKEDATA, pid, &traced_word, 43l));
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_gate_open(&stop);
	t_wait_exit(pid, 43);
}

static void detach_can_send_a_signal(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop);

	MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	MUST(ptrace(PTRACE_DETACH, pid, 0, (void *)(long)SIGTERM));
	t_wait_signal(pid, SIGTERM);
}

static void seize_does_not_stop_but_interrupt_does(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop);
	siginfo_t info;
	int status;

	MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	MUST(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status >> 8, SIGTRAP | 128 << 8);
	MUST(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	CHECK_EQ(info.si_code, SIGTRAP | 128 << 8);
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
	CHECK_ERRNO(ptrace(PTRACE_SEIZE, getppid(), 4, 0), EIO);
}

static void group_stops_are_seen_and_kept(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop);
	int status;

	MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
	MUST(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status >> 8, SIGSTOP);
	next_stop(pid, PTRACE_CONT, SIGSTOP, SIGSTOP | 128 << 8);
	MUST(ptrace(PTRACE_LISTEN, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	MUST(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status >> 8, SIGTRAP | 128 << 8);
	next_stop(pid, PTRACE_CONT, 0, SIGCONT);
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
}

static void a_stopped_process_can_be_attached(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop);
	int status;

	MUST(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status >> 8, SIGSTOP);
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), 41);
	MUST(kill(pid, SIGCONT));
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
}

static void tracees_run_on_when_the_tracer_ends(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop), tracer = t_fork();

	if (tracer == 0) {
		MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
		MUST(waitpid(pid, NULL, 0));
		_exit(0);
	}
	t_wait_exit(tracer, 0);
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
}

static void tracees_die_with_the_tracer_when_asked(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop), tracer = t_fork();

	if (tracer == 0) {
		MUST(ptrace(PTRACE_SEIZE, pid, 0, (void *)0x100000l /* EXITKILL */));
		_exit(0);
	}
	t_wait_exit(tracer, 0);
	t_wait_signal(pid, SIGKILL);
}

static void the_tracer_waits_before_the_parent(void)
{
	struct t_gate stop, seized;
	pid_t pid = waiting_child(&stop), tracer;
	int status;

	t_gate_init(&seized);
	tracer = t_fork();
	if (tracer == 0) {
		MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
		t_gate_open(&seized);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 41);
		_exit(0);
	}
	t_gate_wait(&seized);
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
	t_wait_exit(tracer, 0);
}

static void status_names_the_tracer(void)
{
	pid_t pid = traced_child(nothing);
	char path[40], text[2048], want[40];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	t_read_file(path, text, sizeof(text));
	snprintf(want, sizeof(want), "\nTracerPid:\t%d\n", getpid());
	CHECK(strstr(text, want) != NULL);
	CHECK(strstr(text, "\nState:\tt (tracing stop)\n") != NULL);
	finish(pid, 0);
}

static void strangers_may_not_be_traced(void)
{
	struct t_gate stop;
	pid_t pid = waiting_child(&stop), user = t_fork();

	if (user == 0) {
		t_become_user(1234);
		CHECK_ERRNO(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
		CHECK_ERRNO(ptrace(PTRACE_SEIZE, pid, 0, 0), EPERM);
		_exit(0);
	}
	t_wait_exit(user, 0);
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
}

TEST_PROGRAM_WITH_HELPER(
	ptrace_events, helper, CASE(only_the_tracer_may_ask),
	CASE(a_running_tracee_answers_nothing), CASE(sigkill_ends_a_stop), CASE(exec_stops),
	CASE(exec_is_an_event), CASE(children_are_followed), CASE(vfork_has_an_end),
	CASE(threads_are_followed_and_waited_for), CASE(exit_is_an_event),
	CASE(options_are_checked), CASE(attach_stops), CASE(detach_can_send_a_signal),
	CASE(seize_does_not_stop_but_interrupt_does), CASE(group_stops_are_seen_and_kept),
	CASE(a_stopped_process_can_be_attached), CASE(tracees_run_on_when_the_tracer_ends),
	CASE(tracees_die_with_the_tracer_when_asked), CASE(the_tracer_waits_before_the_parent),
	CASE(status_names_the_tracer), CASE(strangers_may_not_be_traced));
