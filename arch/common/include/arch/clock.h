// SPDX-License-Identifier: Apache-2.0
/*
 * clock - time source and one-shot timer of a CPU
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Nanoseconds since boot of the guest, monotonic over all CPUs. */
u64 arch_clock_ns(void);
/* CLOCK_REALTIME minus CLOCK_MONOTONIC at boot, from the monitor. */
u64 arch_wall_offset_ns(void);
/* trap_timer() on this CPU at the deadline (monotonic ns) or soon after; U64_MAX disarms. One per CPU. */
void arch_timer_arm(u64 deadline_ns);
/* Behind it: an interrupt of this CPU when arch_cycles() reaches at; 0: none. */
void arch_timer_set(u64 at);
/* Publishes a new realtime offset to the vDSO data page. */
void arch_vdso_set_wall_offset(u64 offset_ns);
