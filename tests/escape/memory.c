// SPDX-License-Identifier: Apache-2.0
/*
 * memory - the pages that run the application, attacked by guest calls and by plain stores
 *
 * Rules     No guest call knows addresses from PM_STUB_BASE up. The areas of the application threads are writable by
 *           design: what is scribbled there must hurt the scribbler alone.
 */
#include "tests/escape/escape.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <sys/uio.h>

static const unsigned long targets[] = {
	PM_STUB_CODE,
	PM_STUB_CODE + 0x1000,
	PM_STUB_CODE + STUB_DATA_OFF,
	PM_STUB_CODE + STUB_DATA_OFF + 0x1000,
	PM_STUB_COMMAND,
	PM_STUB_COMMAND + 4096,
	STUB_AREA(0),
	STUB_AREA(0) + AREA_ALTSTACK,
	STUB_AREA(1),
	PM_STUB_BASE - 4096,
	0x7ffffffff000ul - 4096,
	0x7ffffffff000ul,
	0xffffffffff600000ul,
};

#define NR_TARGETS (sizeof targets / sizeof targets[0])

static char page[4096] __attribute__((aligned(4096)));

static int is_stubs(unsigned long a)
{
	return a >= PM_STUB_BASE;
}

static void mapping_calls(unsigned long a)
{
	static const int advices[] = { 0,  1,  2,  3,  4,  8,  9,  10, 11, 12, 13,  14,
				       15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 100, 101 };
	const unsigned long wide = 64 << 20;
	long ret;

	ret = raw_call(SYS_mmap, a, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1ul, 0);
	CHECK(ret < 0 && ret > -4096);
	ret = raw_call(SYS_mmap, a, 4096, 7, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1ul,
		       0);
	CHECK(ret < 0 && ret > -4096);
	ret = raw_call(SYS_mmap, PM_STUB_BASE - wide, 2 * wide, 7,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1ul, 0);
	CHECK(ret < 0 && ret > -4096);
	CHECK(raw_call(SYS_munmap, a, 4096, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_mprotect, a, 4096, 7, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_pkey_mprotect, a, 4096, 7, -1ul, 0, 0) < 0);
	CHECK(raw_call(SYS_mremap, a, 4096, 8192, MREMAP_MAYMOVE, 0, 0) < 0);
	CHECK(raw_call(SYS_mremap, a, 0, 4096, MREMAP_MAYMOVE, 0, 0) < 0);
	CHECK(raw_call(SYS_mremap, (unsigned long)page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
		       a, 0) < 0);
	CHECK(raw_call(SYS_remap_file_pages, a, 4096, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_mlock, a, 4096, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_msync, a, 4096, MS_SYNC, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_shmat, 0, a, 0, 0, 0, 0) < 0);
	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
		CHECK(raw_call(SYS_madvise, a, 4096, (unsigned long)advices[i], 0, 0, 0) < 0);
}

static void mapping_calls_do_not_know_the_stubs_pages(void)
{
	need_stub();
	for (size_t i = 0; i < NR_TARGETS; i++)
		if (is_stubs(targets[i]))
			mapping_calls(targets[i]);
	/* around and across */
	raw_call(SYS_munmap, 0x7fffd0000000ul, 0x20000000, 0, 0, 0, 0);
	raw_call(SYS_madvise, 0x7fffd0000000ul, 0x20000000, MADV_DONTNEED, 0, 0, 0);
	attack_check();
}

static void copying_calls(unsigned long a)
{
	struct iovec mine = { page, 64 }, theirs = { (void *)a, 64 };
	int fds[2], mem = open("/proc/self/mem", O_RDWR);

	MUST(pipe(fds));
	MUST(write(fds[1], page, 64));
	CHECK_ERRNO(read(fds[0], (void *)a, 64), EFAULT);
	CHECK_ERRNO(write(fds[1], (void *)a, 64), EFAULT);
	CHECK(process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0) < 0);
	CHECK(process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0) < 0);
	if (mem >= 0) {
		CHECK(pwrite(mem, page, 64, (off_t)a) <= 0);
		CHECK(pread(mem, page, 64, (off_t)a) <= 0);
		MUST(close(mem));
	}
	CHECK(raw_call(SYS_getrandom, a, 64, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_futex, a, 1 | 128, 1, 0, 0, 0) <= 0);
	CHECK(raw_call(SYS_futex, a, 0, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_clock_gettime, 1, a, 0, 0, 0, 0) < 0);
	CHECK(raw_call(SYS_openat, -100ul, a, 0, 0, 0, 0) < 0);
	MUST(close(fds[0]));
	MUST(close(fds[1]));
}

static void copying_calls_do_not_know_the_stubs_pages(void)
{
	need_stub();
	for (size_t i = 0; i < NR_TARGETS; i++)
		if (is_stubs(targets[i]))
			copying_calls(targets[i]);
	attack_check();
}

/* Addresses the kernel writes to later, at its own time. */
static void late_writes(unsigned long i)
{
	unsigned long a = targets[i];
	stack_t ss = { .ss_sp = (void *)a, .ss_size = 16384 };

	raw_call(SYS_set_tid_address, a, 0, 0, 0, 0, 0);
	raw_call(SYS_set_robust_list, a, 24, 0, 0, 0, 0);
	raw_call(SYS_rseq, a, 32, 0, 0x53053053, 0, 0);
	raw_call(SYS_sigaltstack, (unsigned long)&ss, 0, 0, 0, 0, 0);
	signal(SIGUSR1, SIG_IGN);
	t_handle(SIGUSR2, (void (*)(int))a, SA_ONSTACK);
	raw_call(SYS_clone, 0x01200000 | SIGCHLD, 0, a, a, a,
		 0); /* tid set and cleared in the child */
	raw_call(SYS_clone, 0x00100f00, a + 4096, a, a, a, 0);
	raw_call(SYS_clone, 0x01280000 | SIGCHLD, a, a, a, a, 0);
	sched_yield();
	kill(getpid(), SIGUSR2);
	raw_call(SYS_exit, 0, 0, 0, 0, 0, 0);
}

static void addresses_for_later_are_no_way_in(void)
{
	need_stub();
	for (int round = 0; round < 5; round++)
		for (size_t i = 0; i < NR_TARGETS; i++)
			attack(late_writes, i);
	attack_check();
}

static void store_to(unsigned long a)
{
	*(volatile char *)a = 1;
}

static void load_from(unsigned long a)
{
	(void)*(volatile char *)a;
}

static void execute_at(unsigned long a)
{
	((void (*)(void))a)();
}

static int ends_by_segv(void (*fn)(unsigned long), unsigned long a)
{
	int status = attack(fn, a);

	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
}

static void stores_reach_the_areas_and_nothing_else(void)
{
	unsigned nr_areas = 0;

	need_stub();
	for (unsigned long a = PM_STUB_BASE; a < PM_STUB_BASE + 0x10000; a += 4096)
		CHECK(ends_by_segv(store_to, a));
	CHECK(ends_by_segv(store_to, PM_STUB_COMMAND));
	for (unsigned long a = PM_STUB_COMMAND + 4096; a < PM_STUB_AREA; a += 0x8000)
		CHECK(ends_by_segv(load_from, a));
	for (unsigned cpu = 0; cpu < 64; cpu++) {
		nr_areas += !ends_by_segv(load_from, STUB_AREA(cpu));
		CHECK(ends_by_segv(load_from, STUB_AREA(cpu) + AREA_BYTES));
		CHECK(ends_by_segv(execute_at, STUB_AREA(cpu) + 0x1000));
	}
	CHECK(nr_areas >= 1 && nr_areas <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
	for (unsigned bit = 21; bit < 64; bit++) {
		CHECK(ends_by_segv(load_from, 0x7ffffffff000ul + (1ul << bit)));
		CHECK(ends_by_segv(store_to, -(1ul << bit)));
		CHECK(ends_by_segv(execute_at, 0x800000000000ul + (1ul << bit)));
	}
	attack_check();
}

static uint64_t scribble_seed;
static volatile int scribbling;

static void *scribble(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;
	unsigned nr_cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);

	for (;;) {
		unsigned long area = STUB_AREA(random_word(&seed) % nr_cpus),
			      r = random_word(&seed);
		unsigned long off = r & 1 ? r >> 8 & 0xf8 : r >> 8 & (AREA_BYTES - 8),
			      v = random_word(&seed);

		switch (r >> 4 & 7) {
		case 0:
			v = v % 6; /* a state, a signal */
			break;
		case 1:
			v = v % 110;
			break;
		case 2:
			v = area + (v & (AREA_BYTES - 64));
			break;
		case 3:
			v = PM_STUB_CODE + (v & 0x1fff);
			break;
		case 4:
			v = (unsigned long)page;
			break;
		}
		if (r & 2)
			*(volatile unsigned *)(area + off) = (unsigned)v;
		else
			*(volatile unsigned long *)(area + off) = v;
		scribbling = 1;
	}
	return NULL;
}

/* One thread scribbles in the areas, two make calls and faults beside it. */
static void scribble_and_call(unsigned long arg)
{
	pthread_t t;

	pthread_create(&t, NULL, scribble, (void *)(uintptr_t)(scribble_seed + arg));
	if (arg & 1)
		pthread_create(&t, NULL, scribble, (void *)(uintptr_t)(scribble_seed + arg + 1000));
	for (unsigned i = 0;; i++) {
		volatile double x = i;
		char *p;

		raw_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
		x = x * 1.5 + 1;
		p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED) {
			p[0] = p[8192] = 1;
			munmap(p, 16384);
		}
	}
}

static void scribbled_areas_hurt_the_scribbler_alone(void)
{
	need_stub();
	for (unsigned long i = 0; i < 60; i++) {
		attack(scribble_and_call, i);
		if (i % 10 == 0)
			attack_check();
	}
	attack_check();
}

/* A thread that never ran here is set going by hand, in the hope that nobody looks at it later. */
static void wake_another(unsigned long cpu)
{
	volatile unsigned *state = (volatile unsigned *)(STUB_AREA(cpu) + AREA_STATE);
	unsigned long *regs = (unsigned long *)(STUB_AREA(cpu) + AREA_REGS);
	static unsigned char loop[] __attribute__((aligned(4096))) = { 0xeb, 0xfe };

	mprotect(loop, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	regs[16] = (unsigned long)loop;
	*state = STATE_RUN;
	for (;;)
		raw_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

static void threads_set_going_by_hand_do_not_outlive_their_process(void)
{
	need_stub();
	for (unsigned long i = 0; i < 30; i++) {
		attack(wake_another, i % (unsigned long)sysconf(_SC_NPROCESSORS_CONF));
		attack_check();
	}
}

TEST_PROGRAM(memory, CASE(mapping_calls_do_not_know_the_stubs_pages),
	     CASE(copying_calls_do_not_know_the_stubs_pages),
	     CASE(addresses_for_later_are_no_way_in), CASE(stores_reach_the_areas_and_nothing_else),
	     CASE(scribbled_areas_hurt_the_scribbler_alone),
	     CASE(threads_set_going_by_hand_do_not_outlive_their_process));
