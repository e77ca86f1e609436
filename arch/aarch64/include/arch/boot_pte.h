// SPDX-License-Identifier: Apache-2.0
/*
 * boot_pte - numbers of aarch64 the monitor needs: page table entries, names of the machine
 *
 * Role      For arch/common/vmm/.
 * See       Arm ARM D5.3 (VMSAv8-64 translation table format)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARCH_KERNEL_MACHINE 183		/* EM_AARCH64 */
#define ARCH_AUDIT	    0xc00000b7u /* AUDIT_ARCH_AARCH64 */

#define BOOT_PTE_VALID 0x001ull
#define BOOT_PTE_TABLE 0x003ull
#define BOOT_PTE_ADDR  0x0000fffffffff000ull

enum { PT_WRITE = 1, PT_EXEC = 2, PT_DEVICE = 4 };

static inline bool boot_pte_is_block(uint64_t pte)
{
	return (pte & 3) == 1;
}

static inline uint64_t boot_pte_leaf(int flags, int level)
{
	uint64_t bits =
		1 | 3ull << 8 | 1ull << 10 | 1ull << 54; /* inner shareable, accessed, UXN */

	if (!(flags & PT_WRITE))
		bits |= 1ull << 7;
	if (!(flags & PT_EXEC))
		bits |= 1ull << 53;
	if (flags & PT_DEVICE)
		bits |= 1ull << 2; /* attribute 1 of MAIR_EL1 */
	return bits | (level == 1 ? 2 : 0);
}
