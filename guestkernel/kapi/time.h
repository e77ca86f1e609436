// SPDX-License-Identifier: Apache-2.0
/*
 * time - clocks in nanoseconds
 *
 * Rules     CLOCK_MONOTONIC counts from guest boot. CLOCK_REALTIME is monotonic plus an offset that
 *           settimeofday/clock_settime move. Implementation in task/clock.c over arch/clock.h.
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "guestkernel/uapi/time.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

u64 clock_monotonic_ns(void);
u64 clock_realtime_ns(void);
/* -EINVAL for a clock id we do not have. CPU clocks of the caller included. */
int must_check clock_get_ns(s32 clock_id, u64 *out);
/* Is it the number of a clock? Those that wake a suspended machine are, but there is no hardware behind them to read. */
bool clock_exists(s32 clock_id);

static inline struct timespec ns_to_timespec(u64 ns)
{
	return (struct timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC),
				  .tv_nsec = (s64)(ns % NSEC_PER_SEC) };
}
/* False when the value is not a valid time (negative, tv_nsec out of range). Saturates at U64_MAX - 1. */
bool must_check timespec_to_ns(const struct timespec *ts, u64 *out);
bool must_check timeval_to_ns(const struct timeval *tv, u64 *out);
