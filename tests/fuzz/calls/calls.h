// SPDX-License-Identifier: Apache-2.0
/*
 * calls - what the parts of the random system call program share
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
	K_FD,
	K_DIRFD,
	K_PID,
	K_SIG,
	K_PATH,
	K_STRV,
	K_IN,
	K_OUT,
	K_IOV,
	K_IOVOUT,
	K_ADDR,
	K_ADDROUT,
	K_MSG,
	K_MSGOUT,
	K_TIMESPEC,
	K_TIMEVAL,
	K_ITIMERSPEC,
	K_SIZE,
	K_UID,
	K_GID,
	K_FLAGS,
	K_ENUM,
	K_OFF,
	K_NUM,
	K_PTR,
};

struct call {
	int nr, nr_args;
	const char *name;
	enum kind arg[6];
};

/* Generated from guestkernel/syscalls.tbl. */
extern const struct call calls[];
extern const unsigned nr_calls;

/* Random numbers of the calling thread: the same seed, the same sequence. */
void random_seed(uint64_t seed);
uint64_t random64(void);
uint32_t below(uint32_t n);

/* values.c: memory, descriptors, processes that arguments are taken from. */
void values_start(void);
uint64_t value_of(enum kind kind);
void *some_memory(void);
/* Page-aligned inside the memory that calls may unmap and protect. */
uint64_t some_pages(uint64_t *bytes);
void children_add(int pid);

/* worker.c: makes calls until they are made or the process ends. */
struct worker_opts {
	uint64_t seed;
	unsigned threads;
	int uid;
	bool trace; /* each call on stderr before it is made */
};
_Noreturn void worker_run(const struct worker_opts *o);
