/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals_deep.c - signal delivery: restart, nesting, alternate stack, faults, FP state
 *
 * See       signal(7), sigaltstack(2)
 */
#include "tests/lib/t.h"

#include <sched.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <ucontext.h>

static volatile int count;
static int pipe_fds[2];
static sigjmp_buf jump;
static siginfo_t seen;

static void feed_pipe(int sig)
{
	if (++count == 3)
		CHECK_EQ(write(pipe_fds[1], "x", 1), 1);
}

static void nothing(int sig)
{
	count++;
}

static void read_restarts_with_sa_restart(void)
{
	char byte = 0;

	MUST(pipe(pipe_fds));
	t_start_ticks(feed_pipe, SA_RESTART);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 1);
	CHECK(byte == 'x' && count >= 3);
}

static void read_is_eintr_without_sa_restart(void)
{
	char byte;

	MUST(pipe(pipe_fds));
	t_start_ticks(nothing, 0);
	CHECK_ERRNO(read(pipe_fds[0], &byte, 1), EINTR);
}

static void wait_restarts_with_sa_restart(void)
{
	struct t_gate gate;
	pid_t pid;

	MUST(pipe(pipe_fds));
	gate.fds[0] = pipe_fds[0];
	pid = t_fork();
	if (pid == 0) {
		t_gate_wait(&gate);
		_exit(3);
	}
	t_start_ticks(feed_pipe, SA_RESTART);
	t_wait_exit(pid, 3);
}

static void a_partial_write_returns_its_count(void)
{
	static char block[100000];
	ssize_t n;

	MUST(pipe(pipe_fds));
	t_start_ticks(nothing, SA_RESTART);
	n = write(pipe_fds[1], block, sizeof(block));
	CHECK(n >= 4096 && n < (ssize_t)sizeof(block));
}

static volatile int trace[8];
static volatile int at;

static void outer(int sig)
{
	trace[at++] = 1;
	raise(SIGUSR2);
	trace[at++] = 3;
}

static void inner(int sig)
{
	trace[at++] = 2;
}

static void handlers_nest(void)
{
	t_handle(SIGUSR1, outer, 0);
	t_handle(SIGUSR2, inner, 0);
	MUST(raise(SIGUSR1));
	CHECK(trace[0] == 1 && trace[1] == 2 && trace[2] == 3 && at == 3);
}

static void recurse(int sig)
{
	if (++count < 20)
		raise(sig);
}

static void nodefer_recurses(void)
{
	t_handle(SIGUSR1, recurse, SA_NODEFER);
	MUST(raise(SIGUSR1));
	CHECK_EQ(count, 20);
}

static stack_t alt;
static volatile int on_alt;

static void look_at_stack(int sig, siginfo_t *info, void *context)
{
	char here;
	stack_t now;

	on_alt = &here >= (char *)alt.ss_sp && &here < (char *)alt.ss_sp + alt.ss_size;
	MUST(sigaltstack(NULL, &now));
	CHECK(now.ss_flags & SS_ONSTACK);
	CHECK(sigaltstack(&alt, NULL) == -1 && errno == EPERM);
}

static void make_alt_stack(void)
{
	alt.ss_size = 65536;
	alt.ss_sp = MUST(mmap(NULL, alt.ss_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	alt.ss_flags = 0;
	MUST(sigaltstack(&alt, NULL));
}

static void the_alternate_stack_is_used(void)
{
	struct sigaction sa = { .sa_sigaction = look_at_stack,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t now;

	make_alt_stack();
	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(raise(SIGUSR1));
	CHECK(on_alt);
	MUST(sigaltstack(NULL, &now));
	CHECK(now.ss_sp == alt.ss_sp && now.ss_flags == 0);
	now.ss_flags = SS_DISABLE;
	MUST(sigaltstack(&now, NULL));
	now.ss_flags = 0;
	now.ss_size = 100;
	CHECK_ERRNO(sigaltstack(&now, NULL), ENOMEM);
	now.ss_flags = 0x40;
	CHECK_ERRNO(sigaltstack(&now, NULL), EINVAL);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(jump, sig);
}

static void catch_fault(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | flags };

	MUST(sigaction(sig, &sa, NULL));
}

static int eat_stack(volatile char *above, int levels)
{
	volatile char block[8192];

	block[0] = above ? above[0] : 0;
	return levels ? eat_stack(block, levels - 1) + block[0] : 0;
}

static void stack_overflow_is_caught_on_the_alternate_stack(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 256 * 1024, 256 * 1024 };

	MUST(syscall(SYS_setrlimit, 3 /* RLIMIT_STACK */, &lim));
	make_alt_stack();
	catch_fault(SIGSEGV, SA_ONSTACK);
	if (sigsetjmp(jump, 1) == 0) {
		eat_stack(NULL, 1000);
		CHECK(!"reached");
	}
	CHECK_EQ(seen.si_signo, SIGSEGV);
}

static void stack_overflow_without_one_kills(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 256 * 1024, 256 * 1024 };
	pid_t pid;

	MUST(syscall(SYS_setrlimit, 3 /* RLIMIT_STACK */, &lim));
	pid = t_fork();
	if (pid == 0) {
		t_handle(SIGSEGV, nothing, 0);
		_exit(eat_stack(NULL, 1000));
	}
	t_wait_signal(pid, SIGSEGV);
}

static void the_stack_grows_on_demand(void)
{
	volatile char block[600 * 1024];

	block[0] = 1;
	for (size_t i = 0; i < sizeof(block); i += 4096)
		block[i] = 2;
	CHECK_EQ(block[0], 2);
}

static void segv_tells_the_address(void)
{
	catch_fault(SIGSEGV, 0);
	if (sigsetjmp(jump, 1) == 0)
		*(volatile char *)t_bad_ptr() = 1;
	CHECK_EQ(seen.si_signo, SIGSEGV);
	CHECK_EQ(seen.si_code, SEGV_MAPERR);
	CHECK(seen.si_addr == t_bad_ptr());
	seen.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0)
		*(volatile char *)t_kernel_ptr() = 1;
	CHECK_EQ(seen.si_signo, SIGSEGV);
	seen.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0)
		*(volatile char *)T_ODD_ADDRESS = 1;
	CHECK_EQ(seen.si_signo, SIGSEGV);
	CHECK_EQ(seen.si_code, T_ODD_CODE);
}

static void cpu_exceptions_have_their_signals(void)
{
	volatile int zero = 0;

	catch_fault(SIGFPE, 0);
	catch_fault(SIGILL, 0);
	catch_fault(SIGTRAP, 0);
	if (T_DIVISION_TRAPS) {
		if (sigsetjmp(jump, 1) == 0)
			zero = (int)count / zero;
		CHECK_EQ(seen.si_signo, SIGFPE);
		CHECK_EQ(seen.si_code, FPE_INTDIV);
	}
	if (sigsetjmp(jump, 1) == 0)
		t_undefined();
	CHECK_EQ(seen.si_signo, SIGILL);
	CHECK_EQ(seen.si_code, T_UNDEFINED_CODE);
	if (sigsetjmp(jump, 1) == 0)
		t_breakpoint();
	CHECK_EQ(seen.si_signo, SIGTRAP);
}

static void privileged_instructions_are_refused(void)
{
	catch_fault(T_PRIVILEGED_SIG, 0);
	if (sigsetjmp(jump, 1) == 0)
		t_privileged_a();
	CHECK_EQ(seen.si_signo, T_PRIVILEGED_SIG);
	seen.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0)
		t_privileged_b();
	CHECK_EQ(seen.si_signo, T_PRIVILEGED_SIG);
	seen.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0)
		t_privileged_c();
	CHECK_EQ(seen.si_signo, T_PRIVILEGED_SIG);
}

static void skip_fault(int sig, siginfo_t *info, void *context)
{
	t_skip_undefined(context, 4242);
	count++;
}

static void the_handler_may_change_registers(void)
{
	struct sigaction sa = { .sa_sigaction = skip_fault, .sa_flags = SA_SIGINFO };

	MUST(sigaction(SIGILL, &sa, NULL));
	CHECK_EQ(t_undefined_value(), 4242);
	CHECK_EQ(count, 1);
}

static void clobber_fp(int sig)
{
	t_clobber_vectors();
	count++;
}

static void vector_registers_survive_handlers(void)
{
	double in[4] = { 1.5, 2.5, 3.5, 4.5 }, out[4] = { 0 };

	t_handle(SIGUSR1, clobber_fp, 0);
	t_kill_with_vectors(SIGUSR1, in, out);
	CHECK_EQ(count, 1);
	CHECK(!memcmp(in, out, sizeof(in)));
}

static void vector_registers_survive_preemption(void)
{
	double in = 1.0;
	pid_t pid = t_fork();
	double factor = pid ? 1.000001 : 1.000003;
	double again = 1.0;

	t_start_ticks(clobber_fp, SA_RESTART);
	while (count < 4)
		in = in * factor > 1e6 ? 1.0 : in * factor;
	for (int i = 0; i < 1000; i++)
		again *= factor;
	in = 1.0;
	for (int i = 0; i < 1000; i++)
		in *= factor;
	CHECK(in == again);
	if (pid == 0)
		_exit(0);
	t_wait_exit(pid, 0);
}

static void the_rounding_mode_is_per_process_and_kept(void)
{
	t_round_to_zero();
	t_handle(SIGUSR1, nothing, 0);
	MUST(raise(SIGUSR1));
	MUST(sched_yield());
	CHECK(t_rounds_to_zero());
}

static void sigchld_carries_the_child(void)
{
	sigset_t set;
	siginfo_t info;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = t_fork();
	if (pid == 0)
		_exit(12);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 12);
	t_wait_exit(pid, 12);
}

static void nocldstop_suppresses_stop_reports(void)
{
	int status;
	pid_t pid;

	t_handle(SIGCHLD, nothing, SA_NOCLDSTOP | SA_RESTART);
	pid = t_fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(count, 0);
	MUST(kill(pid, SIGCONT));
	t_wait_exit(pid, 0);
	CHECK_EQ(count, 1);
}

static void a_bad_frame_kills(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		t_handle(SIGUSR1, nothing, 0);
		t_kill_without_stack(SIGUSR1);
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

TEST_PROGRAM(signals_deep, CASE(read_restarts_with_sa_restart),
	     CASE(read_is_eintr_without_sa_restart), CASE(wait_restarts_with_sa_restart),
	     CASE(a_partial_write_returns_its_count), CASE(handlers_nest), CASE(nodefer_recurses),
	     CASE(the_alternate_stack_is_used),
	     CASE(stack_overflow_is_caught_on_the_alternate_stack),
	     CASE(stack_overflow_without_one_kills), CASE(the_stack_grows_on_demand),
	     CASE(segv_tells_the_address), CASE(cpu_exceptions_have_their_signals),
	     CASE(privileged_instructions_are_refused), CASE(the_handler_may_change_registers),
	     CASE(vector_registers_survive_handlers), CASE(vector_registers_survive_preemption),
	     CASE(the_rounding_mode_is_per_process_and_kept), CASE(sigchld_carries_the_child),
	     CASE(nocldstop_suppresses_stop_reports), CASE(a_bad_frame_kills));
