// SPDX-License-Identifier: Apache-2.0
/*
 * boot_pte - numbers of aarch64 the monitor needs: page table entries, names of the machine
 *
 * Role      For vmm/ and arch/common/vmm/.
 * See       Arm ARM D5.3 (VMSAv8-64 translation table format)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARCH_KERNEL_MACHINE 183		/* EM_AARCH64 */
#define ARCH_AUDIT	    0xc00000b7u /* AUDIT_ARCH_AARCH64 */

/* KVM itself takes the guest's request to start a CPU (PSCI), and its thread waits in KVM_RUN. */
#define ARCH_KVM_STARTS_CPUS 1

#define BOOT_PTE_VALID 0x001ull
#define BOOT_PTE_ADDR  0x0000fffffffff000ull

static inline bool boot_pte_is_block(uint64_t pte)
{
	return (pte & 3) == 1;
}
