// SPDX-License-Identifier: Apache-2.0
/*
 * guest_kvm - guestlib.h on a virtual machine: the doorbell is the machine's, the monitor starts CPUs
 */
#include "arch/cpu_local.h"
#include "tests/lib/guestlib.h"

#define DIRECT_MAP 0xffff800000000000ull

static u8 stacks[4][8192] __attribute__((aligned(16)));

void *at_gpa(u64 gpa)
{
	return (void *)(DIRECT_MAP + gpa);
}

void ring_doorbell(void)
{
	arch_doorbell(0);
}

void start_cpu(u32 cpu, void (*fn)(void))
{
	struct hyp_cpu_start s = { .cpu = cpu,
				   .ip = (u64)fn,
				   .sp = (u64)(stacks[cpu & 3] + sizeof stacks[0] - 16) };

	raw_call(HYP_CPU_START, sizeof s, &s, sizeof s);
}
