// SPDX-License-Identifier: Apache-2.0
/*
 * cow_race - pages that one thread copies by writing while the kernel writes next to them for another
 *
 * Rules     After each fork every page is shared with a child that only waits. What read(2) has put into a page is
 *           there when it returns, whatever other threads do to the pages around.
 */
#include "tests/lib/t.h"

#include <pthread.h>

#define PAGES  64
#define ROUNDS 30
#define PAGE   4096

static char *area;
static pthread_barrier_t barrier;

static void *writer(void *arg)
{
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < PAGES; i += 2)
			*(volatile int *)(area + i * PAGE) = round;
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

/* A child that shares everything until the gate opens. */
static pid_t sharer(struct t_gate *gate)
{
	pid_t pid = t_fork();

	if (!pid) {
		t_gate_wait(gate);
		for (int i = 0; i < PAGES; i++)
			if (*(int *)(area + i * PAGE + 64) != i)
				_exit(1);
		_exit(0);
	}
	return pid;
}

static void a_read_is_seen_beside_copied_pages(void)
{
	struct t_gate gate;
	pthread_t thread;
	int fds[2];

	area = MUST(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0));
	for (int i = 0; i < PAGES; i++)
		*(int *)(area + i * PAGE + 64) = i;
	MUST(pipe(fds));
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
	CHECK_EQ(pthread_create(&thread, NULL, writer, NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid;

		t_gate_init(&gate);
		pid = sharer(&gate);
		pthread_barrier_wait(&barrier);
		for (int i = 1; i < PAGES; i += 2) {
			int value = round * PAGES + i;

			CHECK_EQ(write(fds[1], &value, sizeof value), sizeof value);
			CHECK_EQ(read(fds[0], area + i * PAGE, sizeof value), sizeof value);
			CHECK_EQ(*(volatile int *)(area + i * PAGE), value);
		}
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < PAGES; i++)
			CHECK_EQ(*(int *)(area + i * PAGE + 64), i);
		t_gate_open(&gate);
		t_wait_exit(pid, 0);
		close(gate.fds[0]);
		close(gate.fds[1]);
	}
	pthread_join(thread, NULL);
}

TEST_PROGRAM(cow_race, CASE(a_read_is_seen_beside_copied_pages));
