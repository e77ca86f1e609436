// SPDX-License-Identifier: Apache-2.0
/*
 * rewrite_race - code that makes system calls is run, replaced and unmapped by several threads at once
 *
 * Rules     Whoever makes a call in the middle gets the right answer or, when the page is gone, a fault of its own.
 */
#include "tests/escape/escape.h"

#include <pthread.h>
#include <setjmp.h>

#define ROUND_MS 1500

/* mov $39, %eax; syscall; ret, and the same with other numbers */
static const unsigned char get_pid[] = { 0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3 };
static const unsigned char get_ppid[] = { 0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0xc3 };

#define SITES  64
#define STRIDE 64

static unsigned char *code;
static int code_fd = -1;
static volatile int stop;
static __thread sigjmp_buf on_fault;

static void fill_code(unsigned char *p, const unsigned char *site)
{
	for (int i = 0; i < SITES; i++)
		memcpy(p + i * STRIDE, site, sizeof get_pid);
}

static void make_file(void)
{
	unsigned char p[4096] = { 0 };

	fill_code(p, get_pid);
	code_fd = t_temp_fd();
	CHECK_EQ(write(code_fd, p, sizeof p), sizeof p);
	CHECK_EQ(pwrite(code_fd, p, sizeof p, 4096), sizeof p);
}

static void back_from_fault(int sig)
{
	siglongjmp(on_fault, 1);
}

static void *run_sites(void *arg)
{
	const long pid = getpid(), ppid = getppid();
	volatile long wrong = 0;
	const int only_pid = arg != NULL;
	volatile unsigned i;

	for (i = 0; !stop; i++) {
		long (*fn)(void) = (long (*)(void))(uintptr_t)(code + i % SITES * STRIDE);
		long got;

		if (sigsetjmp(on_fault, 1))
			continue;
		got = fn();
		wrong += got != pid && (only_pid || got != ppid);
	}
	return (void *)wrong;
}

static void run_against(void (*change)(unsigned i), int only_pid)
{
	pthread_t t[3];
	long long end = t_now_ms() + ROUND_MS;
	void *wrong;

	t_handle(SIGSEGV, back_from_fault, SA_NODEFER);
	t_handle(SIGBUS, back_from_fault, SA_NODEFER);
	t_handle(SIGILL, back_from_fault, SA_NODEFER);
	t_handle(SIGTRAP, back_from_fault, SA_NODEFER);
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&t[i], NULL, run_sites, only_pid ? &end : NULL));
	for (unsigned i = 0; t_now_ms() < end; i++)
		change(i);
	stop = 1;
	for (int i = 0; i < 3; i++) {
		CHECK(!pthread_join(t[i], &wrong));
		CHECK(!wrong);
	}
	attack_check();
}

static void map_code(int prot)
{
	void *p = mmap(code, 4096, prot, MAP_PRIVATE | (code ? MAP_FIXED : 0), code_fd, 0);

	CHECK(p != MAP_FAILED);
	code = p;
}

static void remap_or_unmap(unsigned i)
{
	if (i % 3 == 0)
		MUST(munmap(code, 4096));
	else if (i % 3 == 1)
		map_code(PROT_READ | PROT_EXEC);
	else
		usleep(i % 50 * 100); /* time to become hot */
}

static void a_page_is_unmapped_while_it_is_rewritten(void)
{
	make_file();
	map_code(PROT_READ | PROT_EXEC);
	run_against(remap_or_unmap, 1);
}

static void change_protection(unsigned i)
{
	static const int prots[] = { PROT_READ | PROT_EXEC, PROT_READ,
				     PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_EXEC };

	MUST(mprotect(code, 4096, prots[i % 4]));
	if (i % 4 == 2)
		fill_code(code, i & 4 ? get_pid : get_ppid);
	else
		usleep(i % 20 * 100);
}

static void a_page_becomes_writable_while_it_is_rewritten(void)
{
	make_file();
	map_code(PROT_READ | PROT_EXEC);
	run_against(change_protection, 0);
}

static void write_the_file(unsigned i)
{
	const unsigned char *site = i & 1 ? get_pid : get_ppid;

	for (int s = 0; s < SITES; s++)
		CHECK_EQ(pwrite(code_fd, site, sizeof get_pid, s * STRIDE), sizeof get_pid);
	usleep(i % 30 * 100);
}

static void the_file_changes_under_rewritten_code(void)
{
	make_file();
	map_code(PROT_READ | PROT_EXEC);
	run_against(write_the_file, 0);
}

static void move_it(unsigned i)
{
	static unsigned char *other;
	unsigned char *p;

	if (!other)
		other = MUST(mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	p = mremap(code, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, other);
	CHECK(p == other);
	usleep(100);
	p = mremap(other, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, code);
	CHECK(p == code);
	usleep(i % 30 * 100);
}

static void a_page_moves_while_it_is_rewritten(void)
{
	make_file();
	map_code(PROT_READ | PROT_EXEC);
	run_against(move_it, 1);
}

static void fork_beside(unsigned i)
{
	int status;
	pid_t pid = t_fork();

	if (!pid) {
		long (*fn)(void) = (long (*)(void))(uintptr_t)(code + i % SITES * STRIDE);

		if (i & 1)
			munmap((void *)SLOT_CODE, 16384);
		signal(SIGSEGV, SIG_DFL);
		for (int k = 0; k < 100; k++)
			if (fn() != getpid())
				_exit(3);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(i & 1 || status == 0);
}

static void a_fork_beside_a_rewrite_finds_whole_sites(void)
{
	make_file();
	map_code(PROT_READ | PROT_EXEC);
	run_against(fork_beside, 1);
}

/* Generated code, written and run without any pause between. */
static void just_in_time(unsigned i)
{
	fill_code(code, i & 1 ? get_pid : get_ppid);
	sched_yield();
}

static void generated_code_changes_while_it_runs(void)
{
	code = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fill_code(code, get_pid);
	run_against(just_in_time, 0);
}

/* Sites of two numbers become hot on all CPUs together: no slot may be given twice. */
static void *run_all_sites(void *gate)
{
	long want[2] = { getpid(), getppid() };
	long wrong = 0;

	pthread_barrier_wait(gate);
	for (int turn = 0; turn < 80; turn++)
		for (int i = 0; i < SITES; i++)
			wrong += ((long (*)(void))(uintptr_t)(code + i * STRIDE))() != want[i & 1];
	return (void *)wrong;
}

static void make_hot_together(void)
{
	pthread_barrier_t gate;
	pthread_t t[4];
	void *wrong;

	CHECK(!pthread_barrier_init(&gate, NULL, 4));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, run_all_sites, &gate));
	for (int i = 0; i < 4; i++) {
		CHECK(!pthread_join(t[i], &wrong));
		CHECK(!wrong);
	}
}

static void sites_that_become_hot_together_stay_apart(void)
{
	make_file();
	for (int s = 1; s < SITES; s += 2)
		CHECK_EQ(pwrite(code_fd, get_ppid, sizeof get_ppid, s * STRIDE), sizeof get_ppid);
	map_code(PROT_READ | PROT_EXEC);
	for (int round = 0; round < 40; round++) {
		pid_t pid = t_fork();

		if (!pid) {
			make_hot_together();
			_exit(0);
		}
		t_wait_exit(pid, 0);
	}
}

TEST_PROGRAM(rewrite_race, CASE(a_page_is_unmapped_while_it_is_rewritten),
	     CASE(a_page_becomes_writable_while_it_is_rewritten),
	     CASE(the_file_changes_under_rewritten_code), CASE(a_page_moves_while_it_is_rewritten),
	     CASE(a_fork_beside_a_rewrite_finds_whole_sites),
	     CASE(generated_code_changes_while_it_runs),
	     CASE(sites_that_become_hot_together_stay_apart));
