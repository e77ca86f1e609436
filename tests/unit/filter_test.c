// SPDX-License-Identifier: Apache-2.0
/*
 * filter_test - the filters of the monitor and the process machine, evaluated: call numbers, places, chosen arguments
 */
#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/vcpu.h"
#include "vmm/abi/process.h"
#include "vmm/sandbox.h"

#define INSIDE	 (PM_STUB_CODE + 0x123)
#define STATE	 (PM_STUB_AREA + PM_STUB_AREA_BYTES) /* the word of CPU 1 */
#define X32_BIT	 0x40000000
#define NR_CALLS 1024
#define TGID	 77
#define MACHINE	 88
#define VCPU_FD	 (SANDBOX_FD_VCPU + 3)

static struct sock_filter filter[SANDBOX_FILTER_MAX];

/* The verdict of the filter last built; only the instructions that filter.c uses. */
static uint32_t verdict(const struct seccomp_data *d)
{
	uint32_t a = 0, at = 0;

	for (;;) {
		const struct sock_filter *f = &filter[at++];
		bool is_true;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const uint8_t *)d + f->k, sizeof a);
			continue;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is_true = a == f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is_true = a >= f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			is_true = a > f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			is_true = a & f->k;
			break;
		default:
			cr_assert_fail("instruction 0x%x", f->code);
			return 0;
		}
		at += is_true ? f->jt : f->jf;
	}
}

static uint32_t build(enum sandbox_machine m, enum sandbox_thread kind)
{
	const struct sandbox_own own = { .tgid = TGID, .vcpu_fd = VCPU_FD, .machine = MACHINE };

	return sandbox_filter_build(m, kind, &own, filter);
}

static bool is_allowed(int nr, uint64_t ip, uint64_t a0, uint64_t a1)
{
	struct seccomp_data d = {
		.nr = nr, .arch = ARCH_AUDIT, .instruction_pointer = ip, .args = {a0, a1}
	};
	uint32_t v = verdict(&d);

	cr_assert(v == SECCOMP_RET_ALLOW || v == SECCOMP_RET_TRAP);
	return v == SECCOMP_RET_ALLOW;
}

Test(filter, every_kind_fits)
{
	int kind;

	for (kind = SANDBOX_MAIN; kind < SANDBOX_KINDS; kind++) {
		cr_assert_gt(build(SANDBOX_PROCESS, (enum sandbox_thread)kind), 3);
		if (kind < SANDBOX_REAPER)
			cr_assert_gt(build(SANDBOX_KVM, (enum sandbox_thread)kind), 3);
	}
	cr_assert_eq(sandbox_filter_calls(SANDBOX_PROCESS, 1u << SANDBOX_APP), 2);
}

#ifndef __SANITIZE_ADDRESS__ /* its run-time library has rows of its own */
#define MONITOR ((1u << SANDBOX_KERNEL) - 2)

Test(filter, the_budget_is_kept)
{
	cr_assert_leq(sandbox_filter_calls(SANDBOX_KVM, 1u << SANDBOX_VCPU), 8);
	cr_assert_leq(sandbox_filter_calls(SANDBOX_PROCESS, 1u << SANDBOX_VCPU), 8);
	cr_assert_leq(sandbox_filter_calls(SANDBOX_KVM, MONITOR), 25);
	cr_assert_leq(sandbox_filter_calls(SANDBOX_PROCESS, MONITOR), 25);
	cr_assert_leq(sandbox_filter_calls(SANDBOX_PROCESS, 1u << SANDBOX_KERNEL), 12);
}

static bool may(enum sandbox_machine m, enum sandbox_thread kind, int nr, uint64_t a0, uint64_t a1,
		uint64_t a2)
{
	struct seccomp_data d = {
		.nr = nr, .arch = ARCH_AUDIT, .args = {a0, a1, a2}
	};

	build(m, kind);
	return verdict(&d) == SECCOMP_RET_ALLOW;
}

Test(filter, a_monitor_signals_its_own_threads_and_its_kernel_process_alone)
{
	int kind, pid, sig;

	for (kind = SANDBOX_MAIN; kind < SANDBOX_KERNEL; kind++) {
		enum sandbox_thread k = (enum sandbox_thread)kind;

		for (pid = -1; pid < 200; pid++)
			cr_assert_eq(may(SANDBOX_KVM, k, SYS_tgkill, (uint64_t)pid, 5, SIGURG),
				     pid == TGID);
		for (sig = 0; sig < 65; sig++) {
			cr_assert_eq(may(SANDBOX_KVM, k, SYS_tgkill, TGID, 5, (uint64_t)sig),
				     sig == SIGURG);
			cr_assert(!may(SANDBOX_PROCESS, k, SYS_tgkill, TGID, 5, (uint64_t)sig));
			cr_assert(!may(SANDBOX_KVM, k, SYS_kill, 5, (uint64_t)sig, 0));
			cr_assert(!may(SANDBOX_PROCESS, k, SYS_pidfd_send_signal, 9, (uint64_t)sig,
				       0));
			cr_assert_eq(may(SANDBOX_PROCESS, k, SYS_pidfd_send_signal,
					 SANDBOX_FD_KERNEL, (uint64_t)sig, 0),
				     (sig == SIGKILL && k == SANDBOX_MAIN) ||
					     (sig == SIGTRAP && k == SANDBOX_VCPU));
		}
	}
}

Test(filter, a_monitors_threads_read_and_write_their_own_descriptors_alone)
{
	int kind, fd;

	for (kind = SANDBOX_MAIN; kind < SANDBOX_KERNEL; kind++) {
		enum sandbox_thread k = (enum sandbox_thread)kind;
		bool is_stream = k == SANDBOX_STREAM;

		for (fd = 0; fd < 100; fd++) {
			cr_assert_eq(may(SANDBOX_KVM, k, SYS_read, (uint64_t)fd, 0, 1),
				     is_stream && (fd == 0 || fd == SANDBOX_FD_KICK));
			cr_assert_eq(may(SANDBOX_PROCESS, k, SYS_write, (uint64_t)fd, 0, 1),
				     fd == 2 || (is_stream && fd == 1) ||
					     (fd == SANDBOX_FD_KICK &&
					      (k == SANDBOX_VCPU || k == SANDBOX_MAIN)));
			cr_assert_eq(may(SANDBOX_KVM, k, SYS_ioctl, (uint64_t)fd, KVM_RUN, 0),
				     k == SANDBOX_VCPU && fd == VCPU_FD);
		}
		cr_assert(!may(SANDBOX_KVM, k, SYS_mmap, 0, 4096, PROT_EXEC) &&
			  !may(SANDBOX_KVM, k, SYS_mprotect, 0, 4096, PROT_EXEC) &&
			  !may(SANDBOX_KVM, k, SYS_openat, 0, 0, 0));
	}
}
#endif

Test(filter, application_code_makes_no_call_from_its_own_code)
{
	const uint64_t outside[] = { 0,
				     0x400000,
				     PM_STUB_CODE - 2,
				     PM_STUB_CODE,
				     PM_STUB_CODE + 1,
				     PM_STUB_CODE + PM_STUB_CODE_BYTES + 1,
				     PM_STUB_CODE + (1ull << 32) + 0x100,
				     PM_STUB_COMMAND,
				     PM_STUB_AREA,
				     0xffffffffff600002 };
	size_t i;
	int nr;

	build(SANDBOX_PROCESS, SANDBOX_APP);
	for (i = 0; i < ARRAY_SIZE(outside); i++)
		for (nr = -1; nr < NR_CALLS; nr++)
			cr_assert(!is_allowed(nr, outside[i], STATE, FUTEX_WAKE) &&
				  !is_allowed(nr | X32_BIT, outside[i], STATE, FUTEX_WAKE));
}

Test(filter, the_stubs_code_waits_and_wakes_and_no_more)
{
	int nr, op;

	build(SANDBOX_PROCESS, SANDBOX_APP);
	for (nr = -1; nr < NR_CALLS; nr++) {
		cr_assert_eq(is_allowed(nr, INSIDE, STATE, FUTEX_WAIT), nr == SYS_futex, "%d", nr);
		cr_assert(!is_allowed(nr | X32_BIT, INSIDE, STATE, FUTEX_WAIT));
	}
	for (op = 0; op < 512; op++)
		cr_assert_eq(is_allowed(SYS_futex, INSIDE, STATE, (uint64_t)op),
			     op == FUTEX_WAIT || op == FUTEX_WAKE);
}

Test(filter, the_stubs_code_waits_for_its_state_words_only)
{
	const uint64_t others[] = { 0,
				    0x400000,
				    PM_STUB_BASE,
				    PM_STUB_CODE + 0x100,
				    PM_STUB_COMMAND,
				    PM_STUB_AREA - PM_STUB_AREA_BYTES,
				    PM_STUB_AREA + 4,
				    PM_STUB_AREA + 0x1000,
				    PM_STUB_AREA_END,
				    PM_STUB_AREA & 0xffffffff,
				    PM_STUB_AREA ^ 1ull << 32,
				    PM_STUB_AREA | 1ull << 63 };
	struct seccomp_data d = {
		.nr = SYS_futex,
		.arch = ARCH_AUDIT,
		.instruction_pointer = INSIDE,
		.args = {STATE, FUTEX_WAIT}
	};
	size_t i;

	build(SANDBOX_PROCESS, SANDBOX_APP);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		cr_assert(!is_allowed(SYS_futex, INSIDE, others[i], FUTEX_WAIT) &&
			  !is_allowed(SYS_futex, INSIDE, others[i], FUTEX_WAKE));
	for (i = 0; i < HYP_CPU_MAX; i++)
		cr_assert(is_allowed(SYS_futex, INSIDE, PM_STUB_AREA + i * PM_STUB_AREA_BYTES,
				     FUTEX_WAIT));
	for (i = 0; i < 64; i++) { /* a limit of time */
		d.args[3] = 1ull << i;
		cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
	}
}

Test(filter, application_threads_may_unblock_signals_and_block_none)
{
	struct seccomp_data d = {
		.nr = SYS_rt_sigprocmask,
		.arch = ARCH_AUDIT,
		.instruction_pointer = INSIDE,
		.args = {SIG_SETMASK, PM_STUB_NO_SIGNALS, 0, 8}
	};

	build(SANDBOX_PROCESS, SANDBOX_APP);
	cr_assert_eq(verdict(&d), SECCOMP_RET_ALLOW);
	d.args[0] = SIG_BLOCK;
	cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
	d.args[0] = SIG_SETMASK;
	d.args[1] = STATE;
	cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
	d.args[1] = PM_STUB_NO_SIGNALS ^ 1ull << 40;
	cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
	d.args[1] = PM_STUB_NO_SIGNALS;
	d.args[2] = STATE;
	cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
}

Test(filter, calls_of_another_architecture_trap)
{
	struct seccomp_data d = { .arch = AUDIT_ARCH_I386, .instruction_pointer = INSIDE };

	build(SANDBOX_PROCESS, SANDBOX_APP);
	for (d.nr = 0; d.nr < NR_CALLS; d.nr++)
		cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
	build(SANDBOX_PROCESS, SANDBOX_SPAWNER);
	for (d.nr = 0; d.nr < NR_CALLS; d.nr++)
		cr_assert_eq(verdict(&d), SECCOMP_RET_TRAP);
}

static bool may_map(enum sandbox_thread kind, uint64_t prot, uint64_t flags, uint64_t fd)
{
	struct seccomp_data d = {
		.nr = SYS_mmap, .arch = ARCH_AUDIT, .args = {0x1000, 4096, prot, flags, fd, 0}
	};

	build(SANDBOX_PROCESS, kind);
	return verdict(&d) == SECCOMP_RET_ALLOW;
}

Test(filter, what_is_mapped_is_the_sandboxs_own)
{
	const uint64_t rw = PROT_READ | PROT_WRITE, ours = MAP_SHARED | MAP_FIXED;

	cr_assert(may_map(SANDBOX_KERNEL, rw, ours, PM_FD_RAM));
	cr_assert(!may_map(SANDBOX_KERNEL, rw | PROT_EXEC, ours, PM_FD_RAM));
	cr_assert(!may_map(SANDBOX_KERNEL, rw, ours, PM_FD_DONE));
	cr_assert(!may_map(SANDBOX_KERNEL, rw, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1));
	cr_assert(may_map(SANDBOX_SERVICE, rw | PROT_EXEC, ours, PM_FD_WINDOW));
	cr_assert(!may_map(SANDBOX_SERVICE, rw, ours, PM_FD_DONE));
	cr_assert(!may_map(SANDBOX_SERVICE, rw, ours | MAP_ANONYMOUS, (uint64_t)-1));
}

Test(filter, the_kernel_process_starts_threads_and_no_processes)
{
	build(SANDBOX_PROCESS, SANDBOX_KERNEL);
	cr_assert(is_allowed(SYS_clone, 0, 0x50f00, 0x1000));
	cr_assert(!is_allowed(SYS_clone, 0, 17, 0));
	cr_assert(!is_allowed(SYS_clone, 0, 0x50f00 | CLONE_NEWUSER, 0));
	cr_assert(!is_allowed(SYS_execve, 0, 0, 0) && !is_allowed(SYS_openat, 0, 0, 0) &&
		  !is_allowed(SYS_clone3, 0, 0, 0) && !is_allowed(SYS_ptrace, 0, 0, 0));
}
