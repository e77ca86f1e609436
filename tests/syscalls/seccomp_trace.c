/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_trace.c - SECCOMP_RET_TRACE, and what tracers learn about filters
 *
 * See       seccomp(2), ptrace(2)
 */
#include "tests/lib/t_seccomp.h"
#include "tests/lib/t_trace.h"

#define EVENT (SIGTRAP | 7 << 8) /* PTRACE_EVENT_SECCOMP */
#define MARK  4242

/* Its exit status: what getppid() gives. */
static void ask_for_getppid(void)
{
	long r;

	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_TRACE | MARK)));
	r = my_parent();
	_exit(r == getppid() ? 1 : r < 0 ? errno : (int)r);
}

static pid_t asking_child(void (*fn)(void))
{
	pid_t pid = traced_child(fn);

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD));
	next_stop(pid, PTRACE_CONT, 0, EVENT);
	return pid;
}

static void without_a_tracer_the_call_is_missing(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		no_new_privs();
		MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_TRACE)));
		CHECK_ERRNO(my_parent(), ENOSYS);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	/* nor is a tracer asked that did not say so */
	pid = traced_child(ask_for_getppid);
	finish(pid, ENOSYS);
}

static void the_tracer_is_asked(void)
{
	pid_t pid = asking_child(ask_for_getppid);
	struct syscall_info info = info_of(pid);
	unsigned long message;

	MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	CHECK_EQ(message, MARK);
	CHECK_EQ(info.op, 3);
	CHECK_EQ(info.arch, T_AUDIT_ARCH);
	CHECK_EQ(info.seccomp.nr, SYS_getppid);
	CHECK_EQ(info.seccomp.ret_data, MARK);
	next_stop(pid, PTRACE_CONT, 0, EVENT); /* the second getppid() */
	finish(pid, 1);
}

static void ask_for_kill(void)
{
	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_kill, SECCOMP_RET_TRACE)));
	_exit(syscall(SYS_kill, getpid(), SIGUSR1) == 33 ? 5 : 6);
}

static void the_tracer_can_leave_the_call_out(void)
{
	pid_t pid = asking_child(ask_for_kill);
	struct user_regs_struct regs;

	CHECK_EQ(info_of(pid).seccomp.args[1], SIGUSR1);
	MUST(t_set_syscall(pid, -1));
	regs = regs_of(pid);
	regs.T_REGS_RET = 33;
	set_regs(pid, &regs);
	finish(pid, 5);
}

static void refuse_getpid_too(void)
{
	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_getpid, SECCOMP_RET_ERRNO | 66)));
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_TRACE)));
	_exit(my_parent() < 0 ? errno : 1);
}

static void another_call_is_judged_again(void)
{
	pid_t pid = asking_child(refuse_getpid_too);

	MUST(t_set_syscall(pid, SYS_getpid));
	finish(pid, 66);
	pid = asking_child(refuse_getpid_too);
	MUST(t_set_syscall(pid, SYS_gettid));
	finish(pid, 1);
}

static void the_call_stops_come_around_it(void)
{
	pid_t pid = asking_child(ask_for_getppid);

	next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | 0x80);
	CHECK_EQ(info_of(pid).op, 2);
	CHECK_EQ(info_of(pid).exit.rval, getpid());
	next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | 0x80);
	CHECK_EQ(info_of(pid).op, 1);
	CHECK_EQ(info_of(pid).entry.nr, SYS_getppid);
	next_stop(pid, PTRACE_SYSCALL, 0, EVENT);
	next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | 0x80);
	CHECK_EQ(info_of(pid).op, 2);
	finish(pid, 1);
}

static void refused_calls_have_their_stops(void)
{
	pid_t pid = traced_child(refuse_getpid_too);

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	do
		next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | 0x80);
	while (info_of(pid).op != 1 || info_of(pid).entry.nr != SYS_getppid);
	next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP | 0x80);
	CHECK_EQ(info_of(pid).op, 2);
	CHECK_EQ(info_of(pid).exit.is_error, 1);
	CHECK_EQ(info_of(pid).exit.rval, -ENOSYS);
	finish(pid, ENOSYS);
}

static void two_filters(void)
{
	no_new_privs();
	MUST(ADD(0, ALLOW));
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_TRACE)));
	my_parent();
}

static void filters_can_be_read(void)
{
	const struct sock_filter want[] = { ON_CALL(__NR_getppid, SECCOMP_RET_TRACE) };
	struct sock_filter got[8];
	pid_t pid = traced_child(nothing);

	CHECK_ERRNO(ptrace(0x420c /* PTRACE_SECCOMP_GET_FILTER */, pid, 0, got), EINVAL);
	finish(pid, 0);
	pid = asking_child(two_filters);
	CHECK_EQ(ptrace(0x420c, pid, 0, NULL), 1);
	CHECK_EQ(ptrace(0x420c, pid, 1, got), 4);
	CHECK(!memcmp(got, want, sizeof want));
	CHECK_ERRNO(ptrace(0x420c, pid, 1, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(ptrace(0x420c, pid, 2, got), ENOENT);
	finish(pid, 0);
}

TEST_PROGRAM(seccomp_trace, CASE(without_a_tracer_the_call_is_missing), CASE(the_tracer_is_asked),
	     CASE(the_tracer_can_leave_the_call_out), CASE(another_call_is_judged_again),
	     CASE(the_call_stops_come_around_it), CASE(refused_calls_have_their_stops),
	     CASE(filters_can_be_read));
