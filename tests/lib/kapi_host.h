// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host - what tests may ask of the host stand-in for the kernel
 */
#pragma once

#include "guestkernel/kapi/async.h"

struct task;

/* The n-th allocation (heap, page) from now fails, once; 0: none. */
void fail_at(u32 n);
/* True when the failure asked for has happened. */
bool fail_happened(void);
/* Heap blocks and pages in use, for leak checks. */
u64 host_blocks_in_use(void);
u64 host_pages_in_use(void);
/* Accesses to application memory in [lo, hi) give -EFAULT; below 4096 always. */
void host_fault_range(u64 lo, u64 hi);
/* signal_pending() of the calling thread; wakes it when set from another one. */
void host_signal_set(bool pending);
void host_signal_thread(struct task *t);
/* Stops the monotonic clock there (0: the host's runs again); the wall clock stands beside it. */
void host_clock_fix(u64 monotonic_ns);
/* Stops the clock there and runs the timers that are due; how many. */
u32 host_timers_run(u64 now_ns);
/* The same without touching the clock, and the earliest deadline (U64_MAX: none). */
u32 host_timers_expire(u64 now_ns);
u64 host_timers_next(void);

/* What sigio_send() was called with. */
extern struct host_sigio {
	u32 sent;
	struct sigio last;
} host_sigio;

struct file;
/* Read and write with a kernel buffer, access checked. */
s64 host_read(struct file *f, void *buf, size_t n);
s64 host_write(struct file *f, const void *buf, size_t n);
/* An application address for host memory. */
#define HOST_UADDR(p) UADDR((uintptr_t)(p))
