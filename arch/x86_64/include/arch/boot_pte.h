// SPDX-License-Identifier: Apache-2.0
/*
 * boot_pte - numbers of x86-64 the monitor needs: page table entries, names of the machine, who starts CPUs
 *
 * Role      For vmm/ and arch/common/vmm/.
 * See       Intel SDM volume 3, 4.5
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARCH_KERNEL_MACHINE 62		/* EM_X86_64 */
#define ARCH_AUDIT	    0xc000003eu /* AUDIT_ARCH_X86_64 */

/* KVM itself takes the guest's request to start a CPU, and its thread waits in KVM_RUN. */
#define ARCH_KVM_STARTS_CPUS 0

#define BOOT_PTE_VALID 0x001ull
#define BOOT_PTE_ADDR  0x000ffffffffff000ull
#define BOOT_PTE_LARGE 0x080ull

static inline bool boot_pte_is_block(uint64_t pte)
{
	return pte & BOOT_PTE_LARGE;
}
