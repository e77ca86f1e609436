// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - clock_gettime and friends without leaving user mode
 *
 * Role      A shared object of its own, mapped into every program; its symbols are found by libc through
 *           AT_SYSINFO_EHDR. The page before it is the kernel's struct vdso_data.
 * Rules     Same arithmetic as guest/clock.c. What is not answered here falls back to the system call.
 * See       vdso(7)
 */
#include "arch/x86_64/guest/vdso.h"

struct timespec {
	int64_t tv_sec, tv_nsec;
};
struct timeval {
	int64_t tv_sec, tv_usec;
};

extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

#define NSEC_PER_SEC	 1000000000u
#define EXPORT		 __attribute__((visibility("default")))
#define NR_clock_gettime 228
#define NR_clock_getres	 229

EXPORT int __vdso_clock_gettime(int clock, struct timespec *ts);
EXPORT int __vdso_gettimeofday(struct timeval *tv, void *tz);
EXPORT int64_t __vdso_time(int64_t *t);
EXPORT int __vdso_clock_getres(int clock, struct timespec *ts);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long syscall2(long nr, long a, void *b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

static uint64_t now_ns(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)((__uint128_t)(((uint64_t)hi << 32 | lo) - vdso_data.base_cycles) *
				  vdso_data.mult >>
			  32);
}

static uint64_t wall_ns(void)
{
	uint64_t offset;
	uint32_t seq;

	do {
		seq = __atomic_load_n(&vdso_data.seq, __ATOMIC_ACQUIRE);
		offset = vdso_data.wall_offset_ns;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((seq & 1) || seq != vdso_data.seq);
	return now_ns() + offset;
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	uint64_t ns;

	switch (clock) {
	case 0: /* CLOCK_REALTIME */
	case 5: /* CLOCK_REALTIME_COARSE */
		ns = wall_ns();
		break;
	case 1: /* CLOCK_MONOTONIC */
	case 4: /* CLOCK_MONOTONIC_RAW */
	case 6: /* CLOCK_MONOTONIC_COARSE */
	case 7: /* CLOCK_BOOTTIME */
		ns = now_ns();
		break;
	default:
		return (int)syscall2(NR_clock_gettime, clock, ts);
	}
	ts->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
	ts->tv_nsec = (int64_t)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, void *tz)
{
	uint64_t ns = wall_ns();

	if (tv) {
		tv->tv_sec = (int64_t)(ns / NSEC_PER_SEC);
		tv->tv_usec = (int64_t)(ns % NSEC_PER_SEC / 1000);
	}
	if (tz)
		*(int64_t *)tz = 0; /* struct timezone: UTC */
	return 0;
}

int64_t __vdso_time(int64_t *t)
{
	int64_t now = (int64_t)(wall_ns() / NSEC_PER_SEC);

	if (t)
		*t = now;
	return now;
}

int __vdso_clock_getres(int clock, struct timespec *ts)
{
	return (int)syscall2(NR_clock_getres, clock, ts);
}

#define NR_getcpu 309

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	(void)unused;
	return syscall2(NR_getcpu, (long)cpu, node);
}
