// SPDX-License-Identifier: Apache-2.0
/*
 * bad_registers - whatever a program or its debugger asks the kernel to load into registers, only the program suffers
 *
 * Rules     Tables of what no program may have, by each way it can come; then random values. $BAD_REGISTERS_ROUNDS (40) and
 *           $BAD_REGISTERS_SEED choose how many and which. That the kernel survived shows in that the next case runs.
 */
#include "tests/lib/t_trace.h"

#include <sched.h>
#include <sys/resource.h>
#include <ucontext.h>

#define FPSIMD_MAGIC_ 0x46508001u

/* Other exception levels, AArch32, masks of interrupts and debug exceptions. */
static const unsigned long refused_pstates[] = { 0x1,  0x4,  0x5,  0x8,	  0x9,	 0xd,  0x10,
						 0x1f, 0x40, 0x80, 0x100, 0x200, 0x3c5 };
/* Accepted, and most of it dropped: the illegal state, reserved bits. */
static const unsigned long dropped_bits[] = { 1ul << 20, 1ul << 13, 1ul << 23,
					      1ul << 26, 1ul << 32, 1ul << 63 };
static const unsigned long odd_addresses[] = {
	0x8000000000000000ul,
	0x0001000000000000ul,
	0xffff7ffffffffffful,
	0xffff800000000000ul,
	0xfffffffffffffffcul,
	0xffffffffffffffful,
	0x3ul,
	T_USER_END,
};
#define NR(a) (sizeof(a) / sizeof((a)[0]))

static unsigned long random_state;

static unsigned long random_word(void)
{
	unsigned long z = (random_state += 0x9e3779b97f4a7c15ul);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

static int random_rounds(void)
{
	const char *rounds = getenv("BAD_REGISTERS_ROUNDS"), *seed = getenv("BAD_REGISTERS_SEED");

	random_state = seed ? strtoul(seed, NULL, 0) : 20261130;
	return rounds ? atoi(rounds) : 40;
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		;
}

static void any_thread_pointer_can_be_loaded(void)
{
	size_t i;
	long pid;

	for (i = 0; i < NR(odd_addresses); i++) {
		pid = syscall(SYS_clone, CLONE_SETTLS | CLONE_VFORK | CLONE_VM | SIGCHLD, 0, 0,
			      odd_addresses[i], 0);
		if (pid == 0)
			__asm__ volatile("mov x8, #93; mov x0, #5; svc #0" : : : "x0", "x8");
		MUST(pid);
		t_wait_exit((pid_t)pid, 5);
	}
}

static void a_debugger_cannot_set_another_mode(void)
{
	pid_t pid = traced_child(nothing);
	struct user_regs_struct r = regs_of(pid), now;
	struct iovec v = { &r, sizeof r };
	unsigned long before = r.pstate;
	size_t i;

	for (i = 0; i < NR(refused_pstates); i++) {
		r.pstate = before | refused_pstates[i];
		CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v), EINVAL);
	}
	for (i = 0; i < NR(dropped_bits); i++) {
		r.pstate = before | dropped_bits[i];
		MUST(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v));
		now = regs_of(pid);
		CHECK_EQ(now.pstate & dropped_bits[i], 0);
	}
	finish(pid, 0);
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void a_program_sent_outside_by_its_debugger_faults_there(void)
{
	struct user_regs_struct r;
	int status;
	pid_t pid;
	size_t i;

	for (i = 0; i < NR(odd_addresses); i++) {
		pid = traced_child(spin);
		r = regs_of(pid);
		r.pc = odd_addresses[i];
		set_regs(pid, &r);
		MUST(ptrace(PTRACE_CONT, pid, 0, 0));
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		CHECK(WIFSTOPPED(status) &&
		      (WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGBUS));
		end(pid);
	}
}

static void (*spoil)(ucontext_t *uc);
static unsigned long spoil_value;

static void spoiling(int sig, siginfo_t *info, void *uc)
{
	spoil(uc);
	(void)sig;
	(void)info;
}

static int status_after(void (*fn)(ucontext_t *), unsigned long value)
{
	int status;
	pid_t pid = t_fork();

	if (!pid) {
		struct sigaction sa = { .sa_sigaction = spoiling, .sa_flags = SA_SIGINFO };

		spoil = fn;
		spoil_value = value;
		MUST(sigaction(SIGUSR1, &sa, NULL));
		raise(SIGUSR1);
		_exit(7);
	}
	MUST(waitpid(pid, &status, 0));
	return status;
}

static void spoil_pstate(ucontext_t *uc)
{
	uc->uc_mcontext.pstate |= spoil_value;
}

static void spoil_pc(ucontext_t *uc)
{
	uc->uc_mcontext.pc = spoil_value;
}

static void spoil_sp(ucontext_t *uc)
{
	uc->uc_mcontext.sp = spoil_value;
}

static void spoil_fpcr(ucontext_t *uc)
{
	unsigned *w = (unsigned *)uc->uc_mcontext.__reserved;

	if (w[0] == FPSIMD_MAGIC_)
		w[2] = w[3] = (unsigned)spoil_value;
}

static int is_fault(int status)
{
	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
}

static void a_frame_that_asks_for_another_mode_is_a_fault(void)
{
	int status;
	size_t i;

	for (i = 0; i < NR(refused_pstates); i++)
		CHECK(is_fault(status_after(spoil_pstate, refused_pstates[i])));
	for (i = 0; i < NR(dropped_bits); i++) {
		status = status_after(spoil_pstate, dropped_bits[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
}

static void a_frame_that_leads_outside_is_a_fault(void)
{
	size_t i;

	for (i = 0; i < NR(odd_addresses); i++) {
		CHECK(is_fault(status_after(spoil_pc, odd_addresses[i])));
		CHECK(is_fault(status_after(spoil_sp, odd_addresses[i])));
	}
}

static void any_control_word_can_be_loaded(void)
{
	int status = status_after(spoil_fpcr, 0xffffffff);

	CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGFPE);
}

static void spoil_at_random(ucontext_t *uc)
{
	unsigned long *w = (unsigned long *)&uc->uc_mcontext,
		      *fp = (unsigned long *)uc->uc_mcontext.__reserved, how = random_word();
	int n;

	for (n = how & 7; n > 0; n--)
		w[random_word() % 35] = random_word() & 1
						? odd_addresses[random_word() % NR(odd_addresses)]
						: random_word();
	for (n = how >> 3 & 7; n > 0; n--)
		fp[random_word() % 70] = random_word();
}

static void limit_time(void)
{
	struct rlimit one = { 1, 1 };

	MUST(setrlimit(RLIMIT_CPU, &one));
}

static void random_frames_hurt_only_their_program(void)
{
	int rounds = random_rounds(), i, status;

	for (i = 0; i < rounds; i++) {
		unsigned long seed = random_word();
		pid_t pid = t_fork();

		if (!pid) {
			struct sigaction sa = { .sa_sigaction = spoiling, .sa_flags = SA_SIGINFO };

			limit_time();
			random_state = seed;
			spoil = spoil_at_random;
			MUST(sigaction(SIGUSR1, &sa, NULL));
			raise(SIGUSR1);
			_exit(7);
		}
		MUST(waitpid(pid, &status, 0));
	}
}

static void random_register_sets_hurt_only_their_program(void)
{
	int rounds = random_rounds(), i, k, status;
	struct user_regs_struct r;
	pid_t pid;

	for (i = 0; i < rounds / 2; i++) {
		pid = traced_child(spin);
		for (k = 0; k < 4; k++) {
			struct iovec v = { &r, sizeof r };

			r = regs_of(pid);
			((unsigned long *)&r)[random_word() % 34] = random_word();
			if (random_word() & 1)
				r.pstate = random_word() & ~0x3dful;
			(void)!ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
			if (ptrace(random_word() & 1 ? PTRACE_CONT : PTRACE_SINGLESTEP, pid, 0, 0))
				break;
			kill(pid, SIGSTOP);
			if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
				break;
		}
		end(pid);
	}
}

TEST_PROGRAM(bad_registers, CASE(any_thread_pointer_can_be_loaded),
	     CASE(a_debugger_cannot_set_another_mode),
	     CASE(a_program_sent_outside_by_its_debugger_faults_there),
	     CASE(a_frame_that_asks_for_another_mode_is_a_fault),
	     CASE(a_frame_that_leads_outside_is_a_fault), CASE(any_control_word_can_be_loaded),
	     CASE(random_frames_hurt_only_their_program),
	     CASE(random_register_sets_hurt_only_their_program));
