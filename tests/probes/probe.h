/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - the security model as a list of questions and answers
 *
 * Role      `probes` asks the kernel it runs on some hundred times "may I?" and prints a line for each: name, tab, answer. The
 *           suite `probes` runs it on this Linux and in the sandbox and compares; there are no expected values.
 * Rules     An answer says nothing that differs between two runs on one kernel: no process ids, addresses, times.
 *           A probe that changes something for later ones runs in a child (asked()).
 * See       tests/probes/differences.txt
 */
#ifndef TESTS_PROBES_PROBE_H
#define TESTS_PROBES_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER  1000
#define OTHER 2000

/* A process that is looked at. */
struct target {
	const char *name;
	pid_t pid;
};
extern struct target targets[];
extern const int nr_targets;

/* Prefix of all names from here on: who asks. */
void as(const char *who);
void answer(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "ok" for a result >= 0, else the error's name. */
const char *result_text(long result);

/* What a call that fails with -1 says. */
#define ASK(call, ...)                                          \
	do {                                                    \
		errno = 0;                                      \
		answer(result_text((long)(call)), __VA_ARGS__); \
	} while (0)

/* The same in a child of its own. */
#define ASK_APART(call, ...)                    \
	do {                                    \
		fflush(stdout);                 \
		pid_t apart_ = fork();          \
		if (apart_ == 0) {              \
			ASK(call, __VA_ARGS__); \
			fflush(stdout);         \
			_exit(0);               \
		}                               \
		waitpid(apart_, NULL, 0);       \
	} while (0)

void become(uid_t id);
long raw(long nr, long a, long b, long c, long d, long e, long f);

/* The topics. */
void probe_procfs(void);
void probe_processes(void);
void probe_ids(void);
void probe_exec(void);
void probe_files(void);
void probe_system(void);

#endif
