// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - stand-in for arch/cpu.h in host tests: a host thread is a task
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "tests/lib/host_os.h"

struct cpu;
struct task;

struct arch_cpu {
	u64 unused;
};

struct cpu *this_cpu(void);

static inline struct task *current(void)
{
	return (struct task *)host_self();
}

static inline u64 arch_cycles(void)
{
	return host_clock_ns(0);
}

static inline void arch_spin_relax(void)
{
	host_yield();
}
