// SPDX-License-Identifier: Apache-2.0
/*
 * fake_mmu - arch/mmu.h for host tests: a sparse array of entries instead of page tables
 *
 * Rules     An entry that was changed but not flushed stays visible to fake_mmu_access(), as in a TLB: code
 *           that forgets a flush is found.
 */
#pragma once

#include "arch/mmu.h"

/* What hardware would do at an access: true and the kernel address of the byte, or false: page fault. *present
 * tells which kind. Uses a stale translation where there is one. */
bool fake_mmu_access(struct arch_aspace *as, u64 va, bool write, u8 **p, bool *present);
/* Entries of an address space. */
u64 fake_mmu_count(struct arch_aspace *as);
