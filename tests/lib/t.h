/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t.h - TAP harness of the system call programs
 *
 * Role      Included by every tests/syscalls/<name>.c. Such a file defines static
 *           functions named as sentences and ends in TEST_PROGRAM(); the table of
 *           all programs is generated from the list in tests/syscalls/meson.build.
 * Rules     Each case runs in a forked child of its own, the leader of its own
 *           process group, in an empty directory of its own, under a time limit.
 *           A case may therefore change ids, limits, handlers and directory and
 *           need not undo it. The first failed check ends the case; a failed
 *           check in a process forked by a case ends that process with status 1.
 * See       tests/syscalls/README.md
 */
#ifndef TESTS_LIB_T_H
#define TESTS_LIB_T_H

/* What nearly every program needs; the rest it includes itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t_cpu.h"
#include "tests/lib/old_calls.h"

struct t_case {
	const char *name;
	void (*fn)(void);
};

struct t_program {
	const char *name;
	const struct t_case *cases;
	int (*helper)(int argc, char **argv); /* what `--helper NAME args` runs */
};

#define CASE(function)              \
	{                           \
#function, function \
	}

#define TEST_PROGRAM_WITH_HELPER(program, helper_fn, ...)  \
	static const struct t_case program##_cases[] = {   \
		__VA_ARGS__, {NULL, NULL}                \
	};                                                 \
	extern const struct t_program t_program_##program; \
	const struct t_program t_program_##program = { #program, program##_cases, helper_fn }

#define TEST_PROGRAM(program, ...) TEST_PROGRAM_WITH_HELPER(program, NULL, __VA_ARGS__)

/* The condition must hold. */
#define CHECK(expr)                                        \
	do {                                               \
		if (!(expr))                               \
			t_fail(__FILE__, __LINE__, #expr); \
	} while (0)

/* Two integers must be equal; both are printed when they are not. */
#define CHECK_EQ(left, right) \
	t_check_eq((long long)(left), (long long)(right), __FILE__, __LINE__, #left " == " #right)

/* The call must return -1 and leave the given errno. */
#define CHECK_ERRNO(call, err)                                                                   \
	do {                                                                                     \
		errno = 0;                                                                       \
		t_check_errno((long)(call), err, __FILE__, __LINE__, #call " fails with " #err); \
	} while (0)

/* The call must not return -1 (or MAP_FAILED); yields its value. Do not nest. */
#define MUST(call)                                         \
	({                                                 \
		__auto_type must_value = (call);           \
		if ((long)must_value == -1)                \
			t_fail(__FILE__, __LINE__, #call); \
		must_value;                                \
	})

/* End the case here: it cannot be tried in this place. */
#define SKIP(reason) t_skip(reason)

_Noreturn void t_fail(const char *file, int line, const char *what);
_Noreturn void t_skip(const char *reason);
void t_check_eq(long long left, long long right, const char *file, int line, const char *what);
void t_check_errno(long result, int err, const char *file, int line, const char *what);

/* Creates (or replaces) a file of mode 0644 with this text. */
void t_write_file(const char *path, const char *text);
/* Reads at most size - 1 bytes, terminates them, returns their number. */
size_t t_read_file(const char *path, char *buf, size_t size);
/* Opens a fresh empty file for reading and writing. */
int t_temp_fd(void);

/* fork() that cannot fail; the child must end in _exit(). */
pid_t t_fork(void);
/* Waits for a child that must exit with this code, or be killed by this signal. */
void t_wait_exit(pid_t pid, int code);
void t_wait_signal(pid_t pid, int sig);

/* Installs a handler with the given flags. */
void t_handle(int sig, void (*handler)(int), int flags);
/*
 * Sends this process SIGALRM every few milliseconds, for ever: whatever blocks is interrupted
 * sooner or later, without a sleep to guess when it has blocked.
 */
void t_start_ticks(void (*handler)(int), int flags);

/* Gives up root for good: these ids, no groups, no capabilities. */
void t_become_user(uid_t uid);
/* Skips the case unless the process holds this capability. */
void t_need_cap(int cap);

/* An address nothing is mapped at, and one in the kernel's half. */
void *t_bad_ptr(void);
void *t_kernel_ptr(void);
/* The last `size` bytes before an unmapped page. */
void *t_edge_buffer(size_t size);

/* Absolute path of the running test binary, for execve(). */
const char *t_self(void);

/* Milliseconds of CLOCK_MONOTONIC. */
long long t_now_ms(void);

/* A byte-wise hand-shake between related processes. */
struct t_gate {
	int fds[2];
};
void t_gate_init(struct t_gate *gate);
void t_gate_open(struct t_gate *gate);
void t_gate_wait(struct t_gate *gate);

#endif
