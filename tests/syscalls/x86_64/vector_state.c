// SPDX-License-Identifier: Apache-2.0
/*
 * vector_state - vector registers keep their contents over other programs' turns and changes of the CPU
 *
 * Rules     The registers are loaded, used over thousands of system calls and compared in one piece of assembly, so that the
 *           compiler has no part in it.
 */
#include "tests/lib/t.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define NR_PROGRAMS 3
#define MOVES	    300

static atomic_int *stop;

static void bind_to(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(pid, sizeof set, &set));
}

static int second_cpu(int first)
{
	cpu_set_t set;

	MUST(sched_getaffinity(0, sizeof set, &set));
	for (int i = first + 1; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			return i;
	return first;
}

/* Yields until *flag is set; true when xmm0, 7 and 15 stayed at what they were. */
static int keeps(uint64_t value, atomic_int *flag)
{
	uint64_t in[2] = { value, ~value }, out[6];

	__asm__ volatile("movdqu (%[in]), %%xmm0\n"
			 "movdqa %%xmm0, %%xmm7\n"
			 "movdqa %%xmm0, %%xmm15\n"
			 "1: movl $24, %%eax\n" /* sched_yield */
			 "syscall\n"
			 "cmpl $0, (%[flag])\n"
			 "je 1b\n"
			 "movdqu %%xmm0, (%[out])\n"
			 "movdqu %%xmm7, 16(%[out])\n"
			 "movdqu %%xmm15, 32(%[out])\n"
			 :
			 : [in] "r"(in), [out] "r"(out), [flag] "r"(flag)
			 : "rax", "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory", "cc");
	for (int i = 0; i < 6; i++)
		if (out[i] != in[i & 1])
			return 0;
	return 1;
}

static pid_t start(uint64_t value, int cpu)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		bind_to(0, cpu);
		_exit(!keeps(value, stop));
	}
	return pid;
}

static void over_changes_of_the_cpu(void)
{
	int cpu = second_cpu(-1), other = second_cpu(cpu);
	pid_t pid[NR_PROGRAMS];

	stop = mmap(NULL, sizeof *stop, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(stop != MAP_FAILED);
	for (int i = 0; i < NR_PROGRAMS; i++)
		pid[i] = start(0x0101010101010101ull * (i + 1), cpu);
	for (int i = 0; i < MOVES; i++) {
		bind_to(pid[i % NR_PROGRAMS], i / NR_PROGRAMS & 1 ? cpu : other);
		usleep(200);
	}
	*stop = 1;
	for (int i = 0; i < NR_PROGRAMS; i++)
		t_wait_exit(pid[i], 0);
}

TEST_PROGRAM(vector_state, CASE(over_changes_of_the_cpu));
