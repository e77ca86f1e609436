// SPDX-License-Identifier: Apache-2.0
/*
 * guest_start - CPUs of a bare guest program in an x86-64 virtual machine: the monitor starts them
 */
#include "tests/lib/guestlib.h"

static u8 stacks[4][8192] __attribute__((aligned(16)));

void machine_init(void)
{
}

void start_cpu(u32 cpu, void (*fn)(void))
{
	struct hyp_cpu_start s = { .cpu = cpu,
				   .ip = (u64)fn,
				   .sp = (u64)(stacks[cpu & 3] + sizeof stacks[0] - 16) };

	raw_call(HYP_CPU_START, sizeof s, &s, sizeof s);
}
