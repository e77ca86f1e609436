// SPDX-License-Identifier: Apache-2.0
/*
 * vdso_cpu - what arch/common/vdso/vdso.c needs of this CPU; runs in user mode
 */
#pragma once

#include <stdint.h>

#define VDSO(name)	 __vdso_##name
#define NR_clock_gettime 228
#define NR_clock_getres	 229

static inline long syscall2(long nr, long a, void *b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t vdso_cycles(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}
