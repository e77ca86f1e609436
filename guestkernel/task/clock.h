// SPDX-License-Identifier: Apache-2.0
/* clock - setting the wall clock, CPU-time clock ids (kapi/time.h for reading clocks) */
#pragma once

#include "guestkernel/kapi/wait.h"

u64 clock_wall_offset_ns(void);
/* Moves timers and sleepers that wait for a time of the wall clock, too. */
void clock_set_wall_offset(u64 offset_ns);
/* Woken when the wall clock was set. */
extern struct waitq clock_was_set_wq;
/* A CPU-time clock id as clock_getcpuclockid(3) makes it: negative, ~pid << 3 | kind. */
int clock_cpu_get_ns(s32 clock_id, u64 *out);
bool clock_is_cpu(s32 clock_id);
/* It moves when the wall clock is set. */
bool clock_is_wall(s32 clock_id);
/* Deadline on CLOCK_MONOTONIC of a time on another clock; -EINVAL for CPU clocks and unknown ones. */
int clock_to_monotonic(s32 clock_id, u64 ns, bool absolute, u64 *deadline_ns);
