// SPDX-License-Identifier: Apache-2.0
/*
 * guest_kvm - guestlib.h on a virtual machine: direct map and doorbell; the rest is in guest/<cpu>/guest_start.c
 */
#include "arch/cpu_local.h"
#include "tests/lib/guestlib.h"

#define DIRECT_MAP 0xffff800000000000ull

void *at_gpa(u64 gpa)
{
	return (void *)(DIRECT_MAP + gpa);
}

void ring_doorbell(void)
{
	arch_doorbell(0);
}
