/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.h - how two threads meet on one object, for pairs.c
 *
 * Rules     all_pairs() makes a fresh object of a type for every pair of its operations, several times, starts both at
 *           once, one of them a little late, and lets go of the object. It has two threads only.
 */
#pragma once

#include "tests/lib/t.h"

#include <pthread.h>
#include <sched.h>

#define ROUNDS	4
#define OPS_MAX 14
#define BYTES	4096

struct object {
	int fd[4]; /* -1: none */
	char *map;
	pid_t pid;
	unsigned word;
};

typedef void op_fn(struct object *o);

struct type {
	void (*make)(struct object *o);
	op_fn *ops[OPS_MAX];
};

static char bytes[BYTES];

/* Results are nobody's business here. */
static void ignore(long result)
{
	(void)result;
}

/* Two threads */

static struct {
	struct object *object;
	op_fn *op;
	unsigned late;
	unsigned round, done; /* atomic */
	int end;
} meeting;

static void a_little_later(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

static unsigned load(unsigned *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void *partner(void *arg)
{
	for (unsigned round = 1;; round++) {
		while (load(&meeting.round) != round)
			sched_yield();
		if (meeting.end)
			return NULL;
		a_little_later(meeting.late);
		meeting.op(meeting.object);
		__atomic_store_n(&meeting.done, round, __ATOMIC_SEQ_CST);
	}
}

static void meet(const struct type *type, op_fn *mine, op_fn *other, unsigned bit)
{
	struct object o = {
		.fd = {-1, -1, -1, -1}
	};
	unsigned round = meeting.round + 1;

	type->make(&o);
	meeting.object = &o;
	meeting.op = other;
	meeting.late = bit % 2 ? bit * 40 : 0;
	__atomic_store_n(&meeting.round, round, __ATOMIC_SEQ_CST);
	a_little_later(bit % 2 ? 0 : bit * 40);
	mine(&o);
	while (load(&meeting.done) != round)
		sched_yield();
	if (o.pid) {
		kill(o.pid, SIGKILL);
		waitpid(o.pid, NULL, 0);
	}
	if (o.map)
		munmap(o.map, 4 * BYTES);
	for (int i = 0; i < 4; i++)
		if (o.fd[i] >= 0)
			close(o.fd[i]);
}

static int lowest_free(void)
{
	int fd = MUST(open("/dev/null", O_RDONLY));

	MUST(close(fd));
	return fd;
}

static void all_pairs(const struct type *type)
{
	int free_before = lowest_free();
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pthread_create(&thread, NULL, partner, NULL), 0);
	for (op_fn *const *a = type->ops; *a; a++)
		for (op_fn *const *b = type->ops; *b; b++)
			for (unsigned bit = 0; bit < ROUNDS; bit++)
				meet(type, *a, *b, bit);
	meeting.end = 1;
	__atomic_store_n(&meeting.round, meeting.round + 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(lowest_free(), free_before);
}
