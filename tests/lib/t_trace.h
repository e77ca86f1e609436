/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t_trace.h - what the programs about ptrace(2) share
 */
#ifndef TESTS_LIB_T_TRACE_H
#define TESTS_LIB_T_TRACE_H

#include "tests/lib/t.h"

#include <elf.h>
#include <sys/uio.h>

/* struct ptrace_syscall_info, which libraries name differently */
struct syscall_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data;
		} seccomp;
	};
};

static volatile long traced_word = 41; /* what tracers read and change */

static inline void nothing(void)
{
}

static inline void exit_with_word(void)
{
	_exit((int)traced_word);
}

/* A child that stopped itself for us. */
static inline pid_t traced_child(void (*fn)(void))
{
	pid_t pid = t_fork();
	int status;

	if (pid == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	return pid;
}

/* A child that runs until stop opens; traced_word is its exit status. */
static inline pid_t waiting_child(struct t_gate *stop)
{
	struct t_gate up;
	pid_t pid;

	t_gate_init(&up);
	t_gate_init(stop);
	pid = t_fork();
	if (pid == 0) {
		t_gate_open(&up);
		t_gate_wait(stop);
		exit_with_word();
	}
	t_gate_wait(&up);
	return pid;
}

static inline void next_stop(pid_t pid, int request, int sig, int want)
{
	int status;

	MUST(ptrace(request, pid, 0, (void *)(long)sig));
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(status >> 8, want);
}

static inline void finish(pid_t pid, int code)
{
	MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	t_wait_exit(pid, code);
}

static inline struct user_regs_struct regs_of(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof(regs) };

	MUST(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v));
	CHECK_EQ(v.iov_len, sizeof(regs));
	return regs;
}

static inline void set_regs(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec v = { regs, sizeof(*regs) };

	MUST(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v));
}

static inline struct syscall_info info_of(pid_t pid)
{
	struct syscall_info info;

	memset(&info, 0, sizeof(info));
	MUST(ptrace(0x420e /* PTRACE_GET_SYSCALL_INFO */, pid, sizeof(info), &info));
	return info;
}

#endif
