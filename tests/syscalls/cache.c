/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c - translations and instructions that change under a running thread
 *
 * Role      One thread unmaps, remaps and rewrites while the other uses: a CPU that kept an old translation or an
 *           old instruction is found out. Says the most with two CPUs.
 * See       mmap(2), mprotect(2)
 */
#include "tests/lib/t.h"

#include <pthread.h>
#include <setjmp.h>

#define PAGE   4096
#define ROUNDS 100

static volatile int stop;
static volatile unsigned long round_nr, seen_nr;
static char *shared;
static sigjmp_buf jump;

static void on_fault(int sig)
{
	siglongjmp(jump, sig);
}

/* Stores the round it sees into the page it believes in. */
static void *keep_writing(void *arg)
{
	t_handle(SIGSEGV, on_fault, SA_NODEFER);
	while (!stop) {
		unsigned long n = round_nr;

		if (sigsetjmp(jump, 1) == 0)
			*(volatile unsigned long *)shared = n;
		seen_nr = n;
	}
	return arg;
}

static void wait_for_the_other(void)
{
	unsigned long n = ++round_nr;

	while (seen_nr < n)
		usleep(0);
}

static void an_unmapped_page_is_gone_for_every_thread(void)
{
	pthread_t other;
	char *old;

	shared = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK_EQ(pthread_create(&other, NULL, keep_writing, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		wait_for_the_other();
		/* the page moves away: what is written at the old place must not arrive in it */
		old = MUST(mremap(shared, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				  (char *)0x700000000 + (long)i * PAGE));
		*(volatile unsigned long *)old = ~0ul;
		wait_for_the_other();
		CHECK(*(volatile unsigned long *)old == ~0ul);
		MUST(munmap(old, PAGE));
		MUST(mmap(shared, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	}
	stop = 1;
	pthread_join(other, NULL);
}

static void a_write_protected_page_stays_as_it_is(void)
{
	unsigned long before;
	pthread_t other;

	shared = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK_EQ(pthread_create(&other, NULL, keep_writing, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		wait_for_the_other();
		MUST(mprotect(shared, PAGE, PROT_READ));
		before = *(volatile unsigned long *)shared;
		wait_for_the_other();
		CHECK(*(volatile unsigned long *)shared == before);
		MUST(mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	}
	stop = 1;
	pthread_join(other, NULL);
}

static void *keep_forking(void *arg)
{
	while (!stop) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return arg;
}

static void copies_on_write_are_seen_by_every_thread(void)
{
	volatile unsigned long *word;
	pthread_t other;

	word = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK_EQ(pthread_create(&other, NULL, keep_forking, NULL), 0);
	for (unsigned long i = 0; i < 20000; i++) {
		*word = i;
		CHECK(*word == i);
	}
	stop = 1;
	pthread_join(other, NULL);
}

static void *keep_calling(void *arg)
{
	int (*fn)(void) = (int (*)(void))shared;

	while (!stop) {
		unsigned long n = round_nr;

		syscall(SYS_getppid); /* on the way back the CPU drops what it has fetched ahead */
		if (n && fn() != (n & 1 ? 42 : 43))
			return (void *)n;
		seen_nr = n;
	}
	return arg;
}

/* Code is rewritten in place between two calls of the other thread. */
static void rewritten_code_runs_as_written(void)
{
	static const unsigned char odd[] = T_RETURN_42, even[] = T_RETURN_43;
	pthread_t other;
	void *wrong;

	shared = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK_EQ(pthread_create(&other, NULL, keep_calling, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned long n = round_nr;

		while (seen_nr < n && pthread_tryjoin_np(other, &wrong))
			usleep(0);
		CHECK(seen_nr >= n);
		/* the other thread may be in the old code: it finishes that before it sees the new number */
		round_nr = 0;
		while (seen_nr)
			usleep(0);
		memcpy(shared, (n + 1) & 1 ? odd : even, sizeof(odd));
		__builtin___clear_cache(shared, shared + sizeof(odd));
		round_nr = n + 1;
	}
	stop = 1;
	pthread_join(other, &wrong);
	CHECK(!wrong);
}

TEST_PROGRAM(cache, CASE(an_unmapped_page_is_gone_for_every_thread),
	     CASE(a_write_protected_page_stays_as_it_is),
	     CASE(copies_on_write_are_seen_by_every_thread), CASE(rewritten_code_runs_as_written));
