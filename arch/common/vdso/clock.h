// SPDX-License-Identifier: Apache-2.0
/*
 * clock - clock_gettime and friends without leaving user mode
 *
 * Role      The body of arch/<cpu>/vdso/vdso.c: a shared object of its own, mapped into every program; its symbols are found by libc through
 *           AT_SYSINFO_EHDR. The page before it is the kernel's struct vdso_data.
 * Rules     Same arithmetic as guest/clock.c. What is not answered here falls back to the system call.
 * See       vdso(7)
 */
#pragma once

#include "arch/common/guest/vdso.h"
#include "arch/vdso_cpu.h"

struct timespec {
	int64_t tv_sec, tv_nsec;
};
struct timeval {
	int64_t tv_sec, tv_usec;
};

extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

#define NSEC_PER_SEC 1000000000u
#define EXPORT	     __attribute__((visibility("default")))

EXPORT int VDSO(clock_gettime)(int clock, struct timespec *ts);
EXPORT int VDSO(gettimeofday)(struct timeval *tv, void *tz);
EXPORT int VDSO(clock_getres)(int clock, struct timespec *ts);

static uint64_t now_ns(void)
{
	return (uint64_t)((__uint128_t)(vdso_cycles() - vdso_data.base_cycles) * vdso_data.mult >>
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

int VDSO(clock_gettime)(int clock, struct timespec *ts)
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

int VDSO(gettimeofday)(struct timeval *tv, void *tz)
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

int VDSO(clock_getres)(int clock, struct timespec *ts)
{
	return (int)syscall2(NR_clock_getres, clock, ts);
}
