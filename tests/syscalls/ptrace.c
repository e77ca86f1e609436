/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace.c - a tracer reads and changes memory, registers, system calls and signals, and steps
 *
 * See       ptrace(2); who traces whom and what is told about it: ptrace_events.c
 */
#include "tests/lib/t_trace.h"

#define SYSTRAP (SIGTRAP | 0x80)

static void call_getppid(void)
{
	_exit(syscall(SYS_getppid) == 12345 ? 7 : 8);
}

static void memory_is_read_and_written(void)
{
	pid_t pid = traced_child(exit_with_word);

	errno = 0;
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &traced_word, 0), 41);
	CHECK_EQ(errno, 0);
	MUST(ptrace(PTRACE_POKEDATA, pid, &traced_word, 42l));
	CHECK_EQ(traced_word, 41);
	CHECK_ERRNO(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
	CHECK_ERRNO(ptrace(PTRACE_POKEDATA, pid, 8, 1l), EIO);
	finish(pid, 42);
}

static void read_only_memory_is_written_too(void)
{
	static const long fixed = 5;
	pid_t pid = traced_child(nothing);

	MUST(ptrace(PTRACE_POKEDATA, pid, &fixed, 6l));
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &fixed, 0), 6);
	CHECK_EQ(*(const volatile long *)&fixed, 5);
	finish(pid, 0);
}

static void calls_stop_twice(void)
{
	pid_t pid = traced_child(call_getppid);
	struct syscall_info info;
	int found = 0, i;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACESYSGOOD));
	for (i = 0; i < 20 && !found; i++) {
		next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
		info = info_of(pid);
		CHECK_EQ(info.op, 1);
		found = info.entry.nr == SYS_getppid;
		if (found)
			break;
		next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
		CHECK_EQ(info_of(pid).op, 2);
	}
	CHECK(found);
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	info = info_of(pid);
	CHECK_EQ(info.op, 2);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_EQ(info.exit.is_error, 0);
	finish(pid, 8);
}

/* To the entry stop of a call. */
static void run_to_call(pid_t pid, long nr)
{
	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACESYSGOOD));
	for (;;) {
		next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
		if ((long)info_of(pid).entry.nr == nr)
			return;
		next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	}
}

static void a_result_is_replaced(void)
{
	pid_t pid = traced_child(call_getppid);
	struct user_regs_struct regs;

	run_to_call(pid, SYS_getppid);
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	regs = regs_of(pid);
	CHECK_EQ(regs.T_REGS_RET, getpid());
	regs.T_REGS_RET = 12345;
	set_regs(pid, &regs);
	finish(pid, 7);
}

static void a_call_is_not_made(void)
{
	pid_t pid = traced_child(call_getppid);
	struct user_regs_struct regs;

	run_to_call(pid, SYS_getppid);
	MUST(t_set_syscall(pid, -1));
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	regs = regs_of(pid);
	regs.T_REGS_RET = 12345;
	set_regs(pid, &regs);
	finish(pid, 7);
}

static void a_call_becomes_another(void)
{
	pid_t pid = traced_child(call_getppid);

	run_to_call(pid, SYS_getppid);
	MUST(t_set_syscall(pid, SYS_getpid));
	next_stop(pid, PTRACE_SYSCALL, 0, SYSTRAP);
	CHECK_EQ(info_of(pid).exit.rval, pid);
	finish(pid, 8);
}

static void exit_three(void)
{
	syscall(SYS_exit_group, 3);
}

static void an_argument_is_replaced(void)
{
	pid_t pid = traced_child(exit_three);
	struct user_regs_struct regs;

	run_to_call(pid, SYS_exit_group);
	regs = regs_of(pid);
	CHECK_EQ(regs.T_REGS_ARG, 3);
	regs.T_REGS_ARG = 9;
	set_regs(pid, &regs);
	finish(pid, 9);
}

static void calls_can_be_emulated(void)
{
	pid_t pid = traced_child(call_getppid);
	struct user_regs_struct regs;

	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACESYSGOOD));
	for (;;) {
		next_stop(pid, 31 /* PTRACE_SYSEMU */, 0, SYSTRAP);
		regs = regs_of(pid);
		if (info_of(pid).entry.nr == SYS_getppid)
			break;
		regs.T_REGS_RET = 0;
		set_regs(pid, &regs);
	}
	regs.T_REGS_RET = 12345;
	set_regs(pid, &regs);
	finish(pid, 7);
}

static volatile int handled;

static void note_signal(int sig)
{
	handled = sig;
}

static void raise_usr1(void)
{
	t_handle(SIGUSR1, note_signal, 0);
	t_handle(SIGUSR2, note_signal, 0);
	raise(SIGUSR1);
	_exit(handled);
}

static void signals_are_shown_first(void)
{
	pid_t pid = traced_child(raise_usr1);
	siginfo_t info;

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	MUST(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_code, SI_TKILL);
	CHECK_EQ(info.si_pid, pid);
	MUST(ptrace(PTRACE_CONT, pid, 0, SIGUSR1));
	t_wait_exit(pid, SIGUSR1);
}

static void a_signal_is_swallowed(void)
{
	pid_t pid = traced_child(raise_usr1);

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	finish(pid, 0);
}

static void a_signal_becomes_another(void)
{
	pid_t pid = traced_child(raise_usr1);

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	MUST(ptrace(PTRACE_CONT, pid, 0, SIGUSR2));
	t_wait_exit(pid, SIGUSR2);
}

static siginfo_t seen;

static void note_info(int sig, siginfo_t *info, void *uc)
{
	seen = *info;
}

static void raise_queued(void)
{
	struct sigaction sa = { .sa_sigaction = note_info, .sa_flags = SA_SIGINFO };
	union sigval v = { .sival_int = 5 };

	sigaction(SIGUSR1, &sa, NULL);
	sigqueue(getpid(), SIGUSR1, v);
	_exit(seen.si_value.sival_int);
}

static void what_comes_with_a_signal_is_replaced(void)
{
	pid_t pid = traced_child(raise_queued);
	siginfo_t info;

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	MUST(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	CHECK_EQ(info.si_value.sival_int, 5);
	info.si_value.sival_int = 6;
	MUST(ptrace(PTRACE_SETSIGINFO, pid, 0, &info));
	MUST(ptrace(PTRACE_CONT, pid, 0, SIGUSR1));
	t_wait_exit(pid, 6);
}

static void ignored_signals_are_shown(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGUSR1);
		raise(SIGWINCH);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &(int){ 0 }, 0), pid);
	next_stop(pid, PTRACE_CONT, SIGUSR1, SIGWINCH);
	finish(pid, 0);
}

static void a_fatal_signal_stops_before_it_kills(void)
{
	pid_t pid = traced_child(nothing);

	MUST(kill(pid, SIGTERM));
	next_stop(pid, PTRACE_CONT, 0, SIGTERM);
	MUST(ptrace(PTRACE_CONT, pid, 0, SIGTERM));
	t_wait_signal(pid, SIGTERM);
}

static void the_signal_mask_is_read_and_written(void)
{
	pid_t pid = traced_child(nothing);
	uint64_t mask = 0;

	MUST(ptrace(0x420a, pid, sizeof(mask), &mask));
	CHECK_EQ(mask & 1ull << (SIGUSR1 - 1), 0);
	mask |= 1ull << (SIGUSR1 - 1);
	MUST(ptrace(0x420b, pid, sizeof(mask), &mask));
	mask = 0;
	MUST(ptrace(0x420a, pid, sizeof(mask), &mask));
	CHECK(mask & 1ull << (SIGUSR1 - 1));
	CHECK_ERRNO(ptrace(0x420a, pid, 4, &mask), EINVAL);
	finish(pid, 0);
}

static void queued_signals_are_listed(void)
{
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} args = { 0, 1 /* shared */, 4 };
	uint64_t mask = 1ull << (SIGUSR1 - 1) | 1ull << (SIGUSR2 - 1);
	pid_t pid = traced_child(nothing);
	siginfo_t info[4];

	MUST(ptrace(0x420b, pid, sizeof(mask), &mask));
	CHECK_EQ(ptrace(0x4209, pid, &args, info), 0);
	MUST(kill(pid, SIGUSR1));
	MUST(kill(pid, SIGUSR2));
	CHECK_EQ(ptrace(0x4209, pid, &args, info), 2);
	CHECK_EQ(info[0].si_signo, SIGUSR1);
	CHECK_EQ(info[1].si_signo, SIGUSR2);
	args.off = 1;
	CHECK_EQ(ptrace(0x4209, pid, &args, info), 1);
	CHECK_EQ(info[0].si_signo, SIGUSR2);
	finish(pid, 0);
}

static void step_here(void)
{
	long n = 0;

	for (int i = 0; i < 100; i++)
		__asm__ volatile("" : "+r"(n));
	_exit(0);
}

static void single_steps_go_on_by_one_instruction(void)
{
	pid_t pid = traced_child(step_here);
	unsigned long before, after;
	int moved = 0, i;

	for (i = 0; i < 100; i++) {
		before = regs_of(pid).T_REGS_PC;
		next_stop(pid, PTRACE_SINGLESTEP, 0, SIGTRAP);
		after = regs_of(pid).T_REGS_PC;
		moved += after != before;
	}
	CHECK(moved > 90);
	finish(pid, 0);
}

static void a_step_says_so(void)
{
	pid_t pid = traced_child(step_here);
	siginfo_t info;

	next_stop(pid, PTRACE_SINGLESTEP, 0, SIGTRAP);
	next_stop(pid, PTRACE_SINGLESTEP, 0, SIGTRAP);
	next_stop(pid, PTRACE_SINGLESTEP, 0, SIGTRAP);
	MUST(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	CHECK_EQ(info.si_signo, SIGTRAP);
	CHECK_EQ(info.si_code, TRAP_TRACE);
	CHECK_EQ((unsigned long)info.si_addr, regs_of(pid).T_REGS_PC);
	finish(pid, 0);
}

/* Through system calls and back. */
static void steps_cross_system_calls(void)
{
	pid_t pid = traced_child(call_getppid);
	int status, steps = 0;

	for (;;) {
		MUST(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		CHECK_EQ(status >> 8, SIGTRAP);
		CHECK(++steps < 100000);
	}
	CHECK_EQ(WEXITSTATUS(status), 8);
	CHECK(steps > 3);
}

static void a_step_into_a_handler_stops_at_its_begin(void)
{
	pid_t pid = traced_child(raise_usr1);

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	next_stop(pid, PTRACE_SINGLESTEP, SIGUSR1, SIGTRAP);
	CHECK_EQ(regs_of(pid).T_REGS_PC, (unsigned long)note_signal);
	finish(pid, SIGUSR1);
}

static void fork_while_stepping(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	t_wait_exit(pid, 0);
	_exit(4);
}

static void a_child_of_a_stepped_thread_is_not_stepped(void)
{
	pid_t pid = traced_child(fork_while_stepping);
	int status;

	for (;;) {
		MUST(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		if (status >> 8 == SIGCHLD)
			break;
		CHECK_EQ(status >> 8, SIGTRAP);
	}
	if (!WIFEXITED(status)) {
		finish(pid, 4);
		return;
	}
	CHECK_EQ(WEXITSTATUS(status), 4);
}

__attribute__((noinline)) static int add_one(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

static int (*volatile adder)(int) = add_one;

static void call_adder(void)
{
	_exit(adder(10));
}

static void breakpoints_stop_and_are_taken_out(void)
{
	static const unsigned char trap[] = T_BREAKPOINT;
	pid_t pid = traced_child(call_adder);
	struct user_regs_struct regs;
	long old, with;

	errno = 0;
	old = ptrace(PTRACE_PEEKTEXT, pid, add_one, 0);
	CHECK_EQ(errno, 0);
	with = old;
	memcpy(&with, trap, sizeof(trap));
	MUST(ptrace(PTRACE_POKETEXT, pid, add_one, with));
	next_stop(pid, PTRACE_CONT, 0, SIGTRAP);
	regs = regs_of(pid);
	CHECK_EQ(regs.T_REGS_PC - T_BREAKPOINT_SKIPS, (unsigned long)add_one);
	MUST(ptrace(PTRACE_POKETEXT, pid, add_one, old));
	regs.T_REGS_PC = (unsigned long)add_one;
	set_regs(pid, &regs);
	CHECK_EQ(add_one(1), 2);
	finish(pid, 11);
}

static void spin_with_vectors(void)
{
	double in[4] = { 1.5, 2.5, 3.5, 4.5 }, out[4] = { 0 };

	t_kill_with_vectors(SIGUSR1, in, out);
	_exit(in[1] == out[1] && in[2] == out[2] && in[3] == out[3] && out[0] == 99.25 ? 0 : 1);
}

static void vector_registers_are_read_and_written(void)
{
	pid_t pid = traced_child(spin_with_vectors);
	unsigned char set[1024];
	struct iovec v = { set, sizeof(set) };
	double want = 1.5, other = 99.25;
	size_t at;

	next_stop(pid, PTRACE_CONT, 0, SIGUSR1);
	MUST(ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &v));
	CHECK_EQ(v.iov_len, T_FPREGS_BYTES);
	for (at = 0; at + 8 <= v.iov_len; at += 8)
		if (!memcmp(set + at, &want, 8))
			break;
	CHECK(at < v.iov_len);
	memcpy(set + at, &other, 8);
	MUST(ptrace(PTRACE_SETREGSET, pid, NT_PRFPREG, &v));
	finish(pid, 0);
}

static void register_sets_have_names_and_sizes(void)
{
	pid_t pid = traced_child(nothing);
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof(regs) };

	CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, 0x7777, &v), EINVAL);
	v.iov_len = 12;
	CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v), EINVAL);
	v.iov_len = 16;
	MUST(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v));
	CHECK_EQ(v.iov_len, 16);
	CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(ptrace(0x7123, pid, 0, 0), EIO);
	finish(pid, 0);
}

static void loop_with_calls(void)
{
	for (int i = 0; i < 300; i++)
		getppid();
	_exit(3);
}

/* Calls made often run another way on some machines: every one of them stops all the same. */
static void hot_calls_are_seen(void)
{
	pid_t pid = t_fork();
	int status, entries = 0;

	if (pid == 0) {
		loop_with_calls();
		_exit(1);
	}
	t_wait_exit(pid, 3);
	for (int i = 0; i < 300; i++)
		getppid();
	pid = traced_child(loop_with_calls);
	MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACESYSGOOD));
	for (;;) {
		MUST(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		CHECK_EQ(status >> 8, SYSTRAP);
		if (info_of(pid).op == 1 && info_of(pid).entry.nr == SYS_getppid)
			entries++;
	}
	CHECK_EQ(entries, 300);
}

/* Memory of the code as the compiler wrote it, whatever ran before. */
static void a_debugger_reads_the_code_itself(void)
{
	struct t_gate stop;
	unsigned char theirs[32], own[32];
	pid_t pid;
	long piece;

	memcpy(own, (void *)getppid, sizeof(own));
	for (int i = 0; i < 300; i++)
		getppid();
	pid = waiting_child(&stop);
	MUST(ptrace(PTRACE_ATTACH, pid, 0, 0));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	for (size_t at = 0; at < sizeof(theirs); at += sizeof(piece)) {
		piece = ptrace(PTRACE_PEEKTEXT, pid, (char *)getppid + at, 0);
		memcpy(theirs + at, &piece, sizeof(piece));
	}
	CHECK(!memcmp(theirs, own, sizeof(own)));
	MUST(ptrace(PTRACE_DETACH, pid, 0, 0));
	t_gate_open(&stop);
	t_wait_exit(pid, 41);
}

TEST_PROGRAM(ptrace, CASE(memory_is_read_and_written), CASE(read_only_memory_is_written_too),
	     CASE(calls_stop_twice), CASE(a_result_is_replaced), CASE(a_call_is_not_made),
	     CASE(a_call_becomes_another), CASE(an_argument_is_replaced),
	     CASE(calls_can_be_emulated), CASE(signals_are_shown_first),
	     CASE(a_signal_is_swallowed), CASE(a_signal_becomes_another),
	     CASE(what_comes_with_a_signal_is_replaced), CASE(ignored_signals_are_shown),
	     CASE(a_fatal_signal_stops_before_it_kills), CASE(the_signal_mask_is_read_and_written),
	     CASE(queued_signals_are_listed), CASE(single_steps_go_on_by_one_instruction),
	     CASE(a_step_says_so), CASE(steps_cross_system_calls),
	     CASE(a_step_into_a_handler_stops_at_its_begin),
	     CASE(a_child_of_a_stepped_thread_is_not_stepped),
	     CASE(breakpoints_stop_and_are_taken_out), CASE(vector_registers_are_read_and_written),
	     CASE(register_sets_have_names_and_sizes), CASE(hot_calls_are_seen),
	     CASE(a_debugger_reads_the_code_itself));
