// SPDX-License-Identifier: Apache-2.0
/*
 * tlb - between tlb.c, pagetable.c and the machine's mmu.c
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct arch_aspace;

/* Answers IPI_FLUSH on this CPU. */
void mmu_serve_flush(void);
/* The CPUs in the mask flush the range (npages 0: load the kernel's tables instead) if they have as loaded;
 * returns when all have. */
void mmu_flush_others(struct arch_aspace *as, u64 others, u64 va, u64 npages);
/* CPUs that went idle or to a kernel thread may still have a dying space loaded: they go to the kernel's tables. */
void mmu_leave_everywhere(struct arch_aspace *as);

/* The machine's: forgets user translations of the loaded space on this CPU. */
void mmu_flush_local(u64 va, u64 npages);

/* pagetable.c: the last-level slot of va; NULL when tables are missing. */
u64 *mmu_find_pte(u64 root_pa, u64 va);
/* The same, making tables with these bits; as may be NULL (kernel tables are not counted). -ENOMEM. */
int must_check mmu_make_pte(struct arch_aspace *as, u64 root_pa, u64 va, u64 bits, u64 **out);
