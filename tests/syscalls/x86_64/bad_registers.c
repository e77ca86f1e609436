// SPDX-License-Identifier: Apache-2.0
/*
 * bad_registers - whatever a program or its debugger asks the kernel to load into registers, only the program suffers
 *
 * Rules     Tables of the values a CPU refuses, by each way they can come: clone, arch_prctl, ptrace, sigreturn; then random
 *           ones. $BAD_REGISTERS_ROUNDS (60) and $BAD_REGISTERS_SEED choose how many and which. That the kernel survived
 *           shows in that the next case runs.
 */
#include "tests/lib/t_trace.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <ucontext.h>

#define XSTATE_BV      512
#define XCOMP_BV       520
#define HEADER_TAIL    528
#define MXCSR	       24
#define SW_RESERVED    464
#define FP_MAGIC1      0x46505853u
#define FLAGS_KEPT     0x50dd5ull /* what sigreturn changes */
#define NT_X86_XSTATE_ 0x202
#define IMAGE_BYTES    16384

/* Not canonical, in the kernel's half, at the edges of both halves. */
static const unsigned long odd_addresses[] = {
	0x8000000000000000ul, 0x7ffffffffffffffful, 0x0000800000000000ul, 0x0001000000000000ul,
	0xffff7ffffffffffful, 0xffff800000000000ul, 0xffffffff80000000ul, 0xffffffffff600000ul,
	0xfffffffffffffffful, 0xdead000000000000ul, T_USER_END,
};
#define NR_ODD (sizeof odd_addresses / sizeof odd_addresses[0])

static const unsigned long good_bases[] = { 0, 1, 0x1000, 0x7fffffffeffful };

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
	return rounds ? atoi(rounds) : 60;
}

/* ---- clone, arch_prctl ---- */

static long clone_with_tls(unsigned long tls)
{
	return syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, tls);
}

static void clone_refuses_a_thread_pointer_outside(void)
{
	size_t i;

	for (i = 0; i < NR_ODD; i++)
		CHECK_ERRNO(clone_with_tls(odd_addresses[i]), EPERM);
	CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
}

static void clone3_refuses_a_thread_pointer_outside(void)
{
	struct clone_args args = { .flags = CLONE_SETTLS, .exit_signal = SIGCHLD };
	size_t i;

	for (i = 0; i < NR_ODD; i++) {
		args.tls = odd_addresses[i];
		CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EPERM);
	}
}

static void a_refused_thread_leaves_nothing(void)
{
	unsigned long flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
	int i;

	for (i = 0; i < 300; i++)
		CHECK_ERRNO(syscall(SYS_clone, flags, (char *)t_bad_ptr(), 0, 0, T_ODD_ADDRESS),
			    EPERM);
}

static void arch_prctl_takes_bases_below_the_end_only(void)
{
	unsigned long old, now;
	size_t i;

	MUST(syscall(SYS_arch_prctl, ARCH_GET_FS, &old));
	for (i = 0; i < NR_ODD; i++) {
		CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, odd_addresses[i]), EPERM);
		CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS, odd_addresses[i]), EPERM);
	}
	for (i = 0; i < sizeof good_bases / sizeof good_bases[0]; i++) {
		MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, good_bases[i]));
		MUST(syscall(SYS_arch_prctl, ARCH_GET_GS, &now));
		CHECK_EQ(now, good_bases[i]);
	}
	MUST(syscall(SYS_arch_prctl, ARCH_GET_FS, &now));
	CHECK_EQ(now, old);
}

/* ---- ptrace ---- */

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		;
}

static size_t offset_of_base(int i)
{
	return i ? offsetof(struct user_regs_struct, gs_base)
		 : offsetof(struct user_regs_struct, fs_base);
}

static void a_debugger_cannot_set_a_base_outside(void)
{
	pid_t pid = traced_child(nothing);
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof r };
	size_t i;
	int b;

	for (i = 0; i < NR_ODD; i++) {
		for (b = 0; b < 2; b++) {
			CHECK_ERRNO(
				ptrace(PTRACE_POKEUSER, pid, offset_of_base(b), odd_addresses[i]),
				EIO);
			r = regs_of(pid);
			*(unsigned long *)((char *)&r + offset_of_base(b)) = odd_addresses[i];
			CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v), EIO);
			CHECK_ERRNO(ptrace(PTRACE_SETREGS, pid, 0, &r), EIO);
		}
	}
	finish(pid, 0);
}

static void a_debugger_cannot_set_other_selectors(void)
{
	static const unsigned long bad[] = { 0, 8, 0x10, 0x18, 0x30, 0x28, 0x40, 0xfffc };
	pid_t pid = traced_child(nothing);
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ERRNO(
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, cs), bad[i]),
			EIO);
		CHECK_ERRNO(
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, ss), bad[i]),
			EIO);
		if (bad[i]) {
			CHECK_ERRNO(ptrace(PTRACE_POKEUSER, pid,
					   offsetof(struct user_regs_struct, ds), bad[i]),
				    EIO);
			CHECK_ERRNO(ptrace(PTRACE_POKEUSER, pid,
					   offsetof(struct user_regs_struct, gs), bad[i]),
				    EIO);
		}
	}
	finish(pid, 0);
}

static void flags_of_the_system_cannot_be_set_by_a_debugger(void)
{
	pid_t pid = traced_child(spin);
	struct user_regs_struct r = regs_of(pid);
	unsigned long before = r.eflags;

	r.eflags = ~0ul & ~0x100ul; /* without single steps */
	set_regs(pid, &r);
	r = regs_of(pid);
	CHECK_EQ(r.eflags & 0x3000, 0);	  /* IOPL */
	CHECK_EQ(r.eflags & 0x1a0000, 0); /* VM, VIF, VIP */
	CHECK_EQ(r.eflags & 0x200, 0x200);
	CHECK_EQ(r.eflags & ~0x54dd5ul, before & ~0x54dd5ul);
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	end(pid);
}

/* The child goes on at ip and must be told so by SIGSEGV. */
static void expect_segv_at(pid_t pid, unsigned long ip)
{
	siginfo_t info;

	next_stop(pid, PTRACE_CONT, 0, SIGSEGV);
	CHECK_EQ(regs_of(pid).rip, ip);
	MUST(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	CHECK_EQ(info.si_signo, SIGSEGV);
	end(pid);
}

static void a_program_sent_outside_by_its_debugger_faults_there(void)
{
	struct user_regs_struct r;
	pid_t pid;
	size_t i;

	for (i = 0; i < NR_ODD; i++) {
		if (odd_addresses[i] == 0xffffffffff600000ul) /* Linux may have a page there */
			continue;
		pid = traced_child(spin);
		r = regs_of(pid);
		r.rip = odd_addresses[i];
		r.orig_rax = -1;
		set_regs(pid, &r);
		expect_segv_at(pid, odd_addresses[i]);
	}
}

/* Where a call stops on its way in and out, and where a new process stops. */
static void calls_getppid(void)
{
	for (;;)
		syscall(SYS_getppid);
}

static void a_call_can_end_outside(void)
{
	struct user_regs_struct r;
	pid_t pid;
	size_t i;
	int n;

	for (i = 0; i < NR_ODD; i++) {
		if (odd_addresses[i] == 0xffffffffff600000ul)
			continue;
		pid = traced_child(calls_getppid);
		for (n = 0; n < 3 + (int)(i & 1); n++)
			next_stop(pid, PTRACE_SYSCALL, 0, SIGTRAP);
		r = regs_of(pid);
		r.rip = odd_addresses[i];
		r.rcx = r.rip;
		set_regs(pid, &r);
		expect_segv_at(pid, odd_addresses[i]);
	}
}

static void forks(void)
{
	fork();
	_exit(0);
}

static void a_new_process_can_begin_outside(void)
{
	struct user_regs_struct r;
	unsigned long child;
	pid_t pid, c;
	int status;
	size_t i;

	for (i = 0; i < NR_ODD; i += 3) {
		pid = traced_child(forks);
		MUST(ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)PTRACE_O_TRACEFORK));
		next_stop(pid, PTRACE_CONT, 0, SIGTRAP | PTRACE_EVENT_FORK << 8);
		MUST(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child));
		c = (pid_t)child;
		CHECK_EQ(waitpid(c, &status, __WALL), c);
		CHECK(WIFSTOPPED(status));
		r = regs_of(c);
		r.rip = odd_addresses[i];
		r.orig_rax = -1;
		set_regs(c, &r);
		expect_segv_at(c, odd_addresses[i]);
		end(pid);
	}
}

static void waits(void)
{
	for (;;)
		pause();
}

/* The kernel steps back by the length of the call's instruction: from the first canonical address to one that is not. */
static void a_call_is_not_begun_again_outside(void)
{
	pid_t pid = traced_child(waits);
	struct user_regs_struct r;
	int n;

	for (n = 0; n < 200; n++) {
		usleep(1000);
		MUST(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
		r = regs_of(pid);
		if (r.orig_rax == SYS_pause)
			break;
	}
	CHECK_EQ(r.orig_rax, SYS_pause);
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGUSR1);
	CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
	r = regs_of(pid);
	r.rip = 0xffff800000000001ul;
	r.rax = -514;
	set_regs(pid, &r);
	expect_segv_at(pid, 0xffff7ffffffffffful);
}

static void a_stack_pointer_may_be_anything(void)
{
	struct user_regs_struct r;
	pid_t pid;
	size_t i;

	for (i = 0; i < NR_ODD; i++) {
		pid = traced_child(nothing);
		r = regs_of(pid);
		r.rsp = odd_addresses[i];
		r.orig_rax = -1;
		set_regs(pid, &r);
		CHECK_EQ(regs_of(pid).rsp, odd_addresses[i]);
		MUST(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
		end(pid);
	}
}

static void debug_registers_do_not_reach_the_kernel(void)
{
	pid_t pid = traced_child(nothing);
	size_t at = offsetof(struct user, u_debugreg);

	CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, at, 0xffffffff80000000ul), -1);
	CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, at, 0x8000000000000000ul), -1);
	CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, at + 4 * 8, 0xfffffffful), -1);
	finish(pid, 0);
}

static void a_debugger_cannot_set_reserved_bits_of_mxcsr(void)
{
	pid_t pid = traced_child(nothing);
	struct user_fpregs_struct f;

	MUST(ptrace(PTRACE_GETFPREGS, pid, 0, &f));
	f.mxcsr |= 0x10000;
	CHECK_ERRNO(ptrace(PTRACE_SETFPREGS, pid, 0, &f), EINVAL);
	f.mxcsr = ~0u;
	CHECK_ERRNO(ptrace(PTRACE_SETFPREGS, pid, 0, &f), EINVAL);
	f.mxcsr = 0x1f80;
	memset(f.st_space, 0xff, sizeof f.st_space);
	f.cwd = f.swd = 0xffff;
	f.ftw = 0xff;
	MUST(ptrace(PTRACE_SETFPREGS, pid, 0, &f));
	finish(pid, 0);
}

static unsigned char image[IMAGE_BYTES] __attribute__((aligned(64)));

static size_t get_xstate(pid_t pid)
{
	struct iovec v = { image, sizeof image };

	if (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE_, &v) || v.iov_len < HEADER_TAIL)
		SKIP("no XSAVE here");
	return v.iov_len;
}

static void a_debugger_cannot_set_a_wrong_xsave_header(void)
{
	static const struct {
		int at;
		unsigned long bits;
	} bad[] = {
		{XSTATE_BV,	     1ul << 62     },
		  { XSTATE_BV,	       1ul << 20	 },
		{ XCOMP_BV,	    1ul << 63     },
		  { XCOMP_BV,	      1		},
		{ HEADER_TAIL,      1		 },
		  { HEADER_TAIL + 8,  1ul << 63     },
		{ HEADER_TAIL + 40, 1	      },
		  { XSTATE_BV,	       0xfffful << 40},
	};
	pid_t pid = traced_child(nothing);
	struct iovec v = { image, get_xstate(pid) };
	unsigned long old;
	size_t i;

	MUST(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE_, &v));
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memcpy(&old, image + bad[i].at, sizeof old);
		*(unsigned long *)(image + bad[i].at) |= bad[i].bits;
		CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE_, &v), EINVAL);
		memcpy(image + bad[i].at, &old, sizeof old);
	}
	*(unsigned long *)(image + XSTATE_BV) |= 3;
	*(unsigned *)(image + MXCSR) |= 1u << 31;
	CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE_, &v), EINVAL);
	finish(pid, 0);
}

/* ---- sigreturn ---- */

static void (*spoil)(ucontext_t *uc);
static unsigned long spoil_value;
static volatile sig_atomic_t returned;
static volatile unsigned long seen_ip, seen_code, seen_trap;

static void spoiling(int sig, siginfo_t *info, void *uc)
{
	spoil(uc);
	returned = 1;
	(void)sig;
	(void)info;
}

/* Runs spoil over a frame in a child of its own; how it ended. */
static int status_after(void (*fn)(ucontext_t *), unsigned long value)
{
	int status;
	pid_t pid;

	pid = t_fork();
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

static void spoil_ip(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)spoil_value;
	uc->uc_mcontext.gregs[REG_RCX] = (greg_t)spoil_value;
}

static void spoil_sp(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)spoil_value;
}

static void spoil_selectors(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)(spoil_value * 0x0001000100010001ul);
}

static void spoil_flags(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_EFL] = (greg_t)spoil_value;
}

static void spoil_fp_pointer(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = (void *)spoil_value;
}

static void spoil_mxcsr(ucontext_t *uc)
{
	*(unsigned *)((char *)uc->uc_mcontext.fpregs + MXCSR) = (unsigned)spoil_value;
}

static int spoil_at;

static void spoil_header(ucontext_t *uc)
{
	char *p = (char *)uc->uc_mcontext.fpregs;

	if (*(unsigned *)(p + SW_RESERVED) != FP_MAGIC1)
		_exit(77);
	*(unsigned long *)(p + spoil_at) |= spoil_value;
}

static void a_frame_that_leads_outside_is_a_fault(void)
{
	size_t i;
	int status;

	for (i = 0; i < NR_ODD; i++) {
		status = status_after(spoil_ip, odd_addresses[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		status = status_after(spoil_sp, odd_addresses[i]);
		CHECK(WIFSIGNALED(status) &&
		      (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS));
		status = status_after(spoil_fp_pointer, odd_addresses[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

static void on_fault(int sig, siginfo_t *info, void *v)
{
	ucontext_t *uc = v;

	_exit(sig == SIGSEGV && info->si_code == (int)seen_code &&
			      (unsigned long)uc->uc_mcontext.gregs[REG_RIP] == seen_ip &&
			      (unsigned long)uc->uc_mcontext.gregs[REG_TRAPNO] == seen_trap
		      ? 42
		      : 43);
}

static int faults_at(unsigned long ip, int code, int trap)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int status;
	pid_t pid;

	pid = t_fork();
	if (!pid) {
		seen_ip = ip;
		seen_code = (unsigned long)code;
		seen_trap = (unsigned long)trap;
		MUST(sigaltstack(&ss, NULL));
		MUST(sigaction(SIGSEGV, &sa, NULL));
		sa.sa_sigaction = spoiling;
		MUST(sigaction(SIGUSR1, &sa, NULL));
		spoil = spoil_ip;
		spoil_value = ip;
		raise(SIGUSR1);
		_exit(7);
	}
	MUST(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static void the_fault_says_where_the_frame_led(void)
{
	CHECK_EQ(faults_at(0x8000000000000000ul, SI_KERNEL, 13), 42);
	CHECK_EQ(faults_at(0x0000800000000000ul, SI_KERNEL, 13), 42);
	CHECK_EQ(faults_at(0xffff800000000000ul, SEGV_MAPERR, 14), 42);
	CHECK_EQ(faults_at(0xffffffff80000000ul, SEGV_MAPERR, 14), 42);
}

static void selectors_in_a_frame_give_no_rights(void)
{
	static const unsigned long selectors[] = { 0, 8, 0x10, 0x18, 0x40, 0xffff, 0x2b };
	size_t i;
	int status;

	for (i = 0; i < sizeof selectors / sizeof selectors[0]; i++) {
		status = status_after(spoil_selectors, selectors[i]);
		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 7);
	}
}

static unsigned long flags_now(void)
{
	unsigned long f;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(f));
	return f;
}

static void flags_of_the_system_cannot_be_set_by_a_frame(void)
{
	struct sigaction sa = { .sa_sigaction = spoiling, .sa_flags = SA_SIGINFO };
	unsigned long before, after;

	MUST(sigaction(SIGUSR1, &sa, NULL));
	spoil = spoil_flags;
	spoil_value = ~0ul & ~0x100ul &
		      ~0x40400ul; /* no single steps, alignment checks, downward copies */
	before = flags_now();
	raise(SIGUSR1);
	after = flags_now();
	CHECK(returned);
	CHECK_EQ(after & 0x3000, 0);
	CHECK_EQ(after & ~FLAGS_KEPT, before & ~FLAGS_KEPT);
}

static void reserved_bits_of_mxcsr_in_a_frame_are_a_fault(void)
{
	int status = status_after(spoil_mxcsr, 0x1f80);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	status = status_after(spoil_mxcsr, 0x11f80);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = status_after(spoil_mxcsr, 0xffffffff);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void a_wrong_xsave_header_in_a_frame_is_a_fault(void)
{
	static const struct {
		int at;
		unsigned long bits;
	} bad[] = {
		{XSTATE_BV,    1ul << 62},
		  { XSTATE_BV,   1ul << 40},
		    { XCOMP_BV,	1ul << 63},
		{ XCOMP_BV,    1	      },
		  { HEADER_TAIL, 1	   },
	};
	size_t i;
	int status;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		spoil_at = bad[i].at;
		status = status_after(spoil_header, bad[i].bits);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			SKIP("no XSAVE here");
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

/* ---- random ---- */

static unsigned long odd_word(void)
{
	unsigned long r = random_word();

	return r % 3 == 0 ? odd_addresses[r / 3 % NR_ODD] : r % 3 == 1 ? r : r & 0xffffffff;
}

static void spoil_at_random(ucontext_t *uc)
{
	unsigned long *w = (unsigned long *)uc->uc_mcontext.gregs,
		      *fp = (unsigned long *)uc->uc_mcontext.fpregs;
	unsigned long how = random_word();
	int n;

	for (n = how & 7; n > 0; n--)
		w[random_word() % NGREG] = odd_word();
	for (n = how >> 3 & 15; n > 0; n--)
		fp[random_word() % ((HEADER_TAIL + 64) / sizeof *fp)] = random_word();
	for (n = how >> 7 & 3; n > 0; n--)
		((unsigned long *)uc)[random_word() % 5] = random_word();
}

/* A second of processor time, whatever is blocked. */
static void limit_time(void)
{
	struct rlimit one = { 1, 1 }, none = { 0, 0 };

	MUST(setrlimit(RLIMIT_CPU, &one));
	MUST(setrlimit(RLIMIT_CORE, &none));
}

static void random_frames_hurt_only_their_program(void)
{
	int rounds = random_rounds(), i, status;
	pid_t pid;

	for (i = 0; i < rounds; i++) {
		unsigned long seed = random_word();

		pid = t_fork();
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

static void spoil_general(pid_t pid)
{
	struct user_regs_struct r;
	int n;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r))
		return;
	for (n = random_word() & 3; n >= 0; n--)
		((unsigned long *)&r)[random_word() % (sizeof r / 8)] = odd_word();
	(void)!ptrace(PTRACE_SETREGS, pid, 0, &r);
	(void)!ptrace(PTRACE_POKEUSER, pid, random_word() % 27 * 8, odd_word());
}

static void spoil_vectors(pid_t pid)
{
	struct iovec v = { image, sizeof image };
	int n;

	if (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE_, &v))
		return;
	for (n = random_word() & 7; n > 0; n--)
		((unsigned long *)image)[random_word() % (v.iov_len / 8)] = random_word();
	if (random_word() & 1)
		*(unsigned *)(image + MXCSR) = 0x1f80;
	(void)!ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE_, &v);
	memset(image + 28, (int)random_word(), 200);
	(void)!ptrace(PTRACE_SETFPREGS, pid, 0, image);
}

static void random_register_sets_hurt_only_their_program(void)
{
	int rounds = random_rounds(), i, k, status;
	static const int how[] = { PTRACE_CONT, PTRACE_SINGLESTEP, PTRACE_SYSCALL };
	pid_t pid;

	for (i = 0; i < rounds / 2; i++) {
		pid = traced_child(i & 1 ? calls_getppid : spin);
		for (k = 0; k < 6; k++) {
			spoil_general(pid);
			spoil_vectors(pid);
			if (ptrace(how[random_word() % 3], pid, 0, 0))
				break;
			kill(pid, SIGSTOP);
			if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
				break;
		}
		end(pid);
	}
}

TEST_PROGRAM(bad_registers, CASE(clone_refuses_a_thread_pointer_outside),
	     CASE(clone3_refuses_a_thread_pointer_outside), CASE(a_refused_thread_leaves_nothing),
	     CASE(arch_prctl_takes_bases_below_the_end_only),
	     CASE(a_debugger_cannot_set_a_base_outside),
	     CASE(a_debugger_cannot_set_other_selectors),
	     CASE(flags_of_the_system_cannot_be_set_by_a_debugger),
	     CASE(a_program_sent_outside_by_its_debugger_faults_there),
	     CASE(a_call_can_end_outside), CASE(a_new_process_can_begin_outside),
	     CASE(a_call_is_not_begun_again_outside), CASE(a_stack_pointer_may_be_anything),
	     CASE(debug_registers_do_not_reach_the_kernel),
	     CASE(a_debugger_cannot_set_reserved_bits_of_mxcsr),
	     CASE(a_debugger_cannot_set_a_wrong_xsave_header),
	     CASE(a_frame_that_leads_outside_is_a_fault), CASE(the_fault_says_where_the_frame_led),
	     CASE(selectors_in_a_frame_give_no_rights),
	     CASE(flags_of_the_system_cannot_be_set_by_a_frame),
	     CASE(reserved_bits_of_mxcsr_in_a_frame_are_a_fault),
	     CASE(a_wrong_xsave_header_in_a_frame_is_a_fault),
	     CASE(random_frames_hurt_only_their_program),
	     CASE(random_register_sets_hurt_only_their_program));
