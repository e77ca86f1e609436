// SPDX-License-Identifier: Apache-2.0
/*
 * boot_pte - numbers of x86-64 the monitor needs: page table entries, names of the machine
 *
 * Role      For arch/common/vmm/.
 * See       Intel SDM volume 3, 4.5
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARCH_KERNEL_MACHINE 62		/* EM_X86_64 */
#define ARCH_AUDIT	    0xc000003eu /* AUDIT_ARCH_X86_64 */

#define BOOT_PTE_VALID 0x001ull
#define BOOT_PTE_TABLE 0x023ull /* present, writable, accessed */
#define BOOT_PTE_ADDR  0x000ffffffffff000ull
#define BOOT_PTE_LARGE 0x080ull

enum { PT_WRITE = 1, PT_EXEC = 2 };

static inline bool boot_pte_is_block(uint64_t pte)
{
	return pte & BOOT_PTE_LARGE;
}

static inline uint64_t boot_pte_leaf(int flags, int level)
{
	uint64_t bits = 0x161; /* present, accessed, dirty, global */

	if (flags & PT_WRITE)
		bits |= 2;
	if (!(flags & PT_EXEC))
		bits |= 1ull << 63;
	return bits | (level > 1 ? BOOT_PTE_LARGE : 0);
}
