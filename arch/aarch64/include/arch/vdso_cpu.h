// SPDX-License-Identifier: Apache-2.0
/*
 * vdso_cpu - what arch/common/vdso/clock.h needs of this CPU; runs in user mode
 */
#pragma once

#include <stdint.h>

#define VDSO(name)	 __kernel_##name
#define NR_clock_gettime 113
#define NR_clock_getres	 114
#define VDSO_SIGRETURN	 0x800 /* of the signal trampoline within the image; vdso.lds puts it there */

static inline long syscall2(long nr, long a, void *b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register void *x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

static inline uint64_t vdso_cycles(void)
{
	uint64_t v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}
