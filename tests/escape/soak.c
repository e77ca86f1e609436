// SPDX-License-Identifier: Apache-2.0
/*
 * soak - waves of processes, some of them with many threads, while somebody outside counts what the host gives for them
 *
 * Role      `escape_all --helper soak WAVES ALIVE`: after each phase it says `phase NAME` and reads a line. Phases: `start`;
 *           `alive` while the first wave lives; `settled` when it ended; `end` after the others. As a test program: one
 *           small wave.
 * Rules     A child computes with vector registers, maps, writes to a pipe, and lives until the gate opens.
 */
#include "tests/escape/escape.h"

#include <pthread.h>
#include <sched.h>

#define THREADED 4
#define THREADS	 50
#define WORK	 40

static int ready[2], gate[2];

/* Says why before it is forgotten. */
static void *failed(const char *what, double value)
{
	printf("# soak: %s: %f, errno %d\n", what, value, errno);
	fflush(stdout);
	return NULL;
}

static void *work(void *arg)
{
	unsigned long seed = (unsigned long)(uintptr_t)arg;
	volatile double sum = 0;
	int fds[2];

	if (pipe(fds))
		return failed("pipe", 0);
	for (unsigned long i = 0; i < WORK; i++) {
		unsigned char *p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		unsigned long v = seed + i, got = 0;

		if (p == MAP_FAILED)
			return failed("mmap", 0);
		memset(p, (int)v, 8 * 4096);
		sum += (double)p[i * 811 % (8 * 4096)] * 1.5;
		if (write(fds[1], &v, sizeof v) != sizeof v ||
		    read(fds[0], &got, sizeof got) != sizeof got || got != v)
			return failed("a word through a pipe", (double)got - (double)v);
		if (i % 8 == 0)
			sched_yield();
		if (munmap(p, 8 * 4096))
			return failed("munmap", 0);
	}
	for (unsigned long i = 0; i < WORK; i++)
		sum -= (double)(unsigned char)(seed + i) * 1.5;
	close(fds[0]);
	close(fds[1]);
	return sum == 0 ? arg : failed("sum", sum);
}

static int run_child(unsigned n)
{
	pthread_t t[THREADS];
	void *arg = (void *)(uintptr_t)(n + 1), *got;
	int ok = work(arg) == arg;
	char c = 'r';

	for (unsigned i = 0; n < THREADED && i < THREADS; i++)
		ok &= !pthread_create(&t[i], NULL, work, arg);
	for (unsigned i = 0; n < THREADED && i < THREADS; i++)
		ok &= !pthread_join(t[i], &got) && got == arg;
	ok &= write(ready[1], &c, 1) == 1;
	close(gate[1]);
	ok &= read(gate[0], &c, 1) == 0;
	return !ok;
}

static void phase(const char *name)
{
	char line[80];

	printf("phase %s\n", name);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		exit(3);
}

static void wave(unsigned alive, int tell)
{
	char c;

	MUST(pipe(ready));
	MUST(pipe(gate));
	for (unsigned i = 0; i < alive; i++)
		if (!t_fork())
			_exit(run_child(i));
	for (unsigned i = 0; i < alive; i++)
		CHECK_EQ(read(ready[0], &c, 1), 1);
	if (tell)
		phase("alive");
	MUST(close(gate[1]));
	for (unsigned i = 0; i < alive; i++) {
		int status;

		MUST(wait(&status));
		CHECK_EQ(status, 0);
	}
	MUST(close(gate[0]));
	MUST(close(ready[0]));
	MUST(close(ready[1]));
}

static int soak_helper(int argc, char **argv)
{
	unsigned waves = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
	unsigned alive = argc > 2 ? (unsigned)atoi(argv[2]) : 20;

	phase("start");
	wave(alive, 1);
	phase("settled");
	for (unsigned i = 1; i < waves; i++)
		wave(alive, 0);
	phase("end");
	return 0;
}

static void a_small_wave_of_processes_and_threads(void)
{
	wave(12, 0);
}

TEST_PROGRAM_WITH_HELPER(soak, soak_helper, CASE(a_small_wave_of_processes_and_threads));
