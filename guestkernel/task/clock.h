// SPDX-License-Identifier: Apache-2.0
/* clock - setting the wall clock, CPU-time clock ids (kapi/time.h for reading clocks) */
#pragma once

#include "guestkernel/kapi/types.h"

u64 clock_wall_offset_ns(void);
void clock_set_wall_offset(u64 offset_ns);
/* A CPU-time clock id as clock_getcpuclockid(3) makes it: negative, ~pid << 3 | kind. */
int clock_cpu_get_ns(s32 clock_id, u64 *out);
bool clock_is_cpu(s32 clock_id);
/* Deadline on CLOCK_MONOTONIC of a time on another clock; -EINVAL for CPU clocks and unknown ones. */
int clock_to_monotonic(s32 clock_id, u64 ns, bool absolute, u64 *deadline_ns);
