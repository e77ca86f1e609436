// SPDX-License-Identifier: Apache-2.0
/*
 * pte - page table entries in software, for arch/common/guest/pagetable.c
 *
 * Role      The tables are the truth about an address space: the kernel's own accesses walk them, and
 *           guest/space.c brings the mappings of the stub process in line with them.
 * Rules     PTE_FRAME: the stub shows this entry's frame at this address; PTE_RIGHTS: with this entry's rights. Every
 *           store that makes the stub's mapping wrong is noted: as stale when the stub shows something it must
 *           not, else as pending.
 */
#pragma once

#include "arch/layout.h"
#include "arch/mmu.h"
#include "guestkernel/kapi/atomic.h"

#define PTE_P	   0x001ull
#define PTE_W	   0x002ull
#define PTE_A	   0x020ull
#define PTE_D	   0x040ull
#define PTE_NONE   0x200ull /* mapped without any right, P clear */
#define PTE_FRAME  0x400ull
#define PTE_RIGHTS 0x800ull
#define PTE_STUB   (PTE_FRAME | PTE_RIGHTS)
#define PTE_MAPPED (PTE_P | PTE_NONE)
#define PTE_NX	   (1ull << 63)
#define PTE_ADDR   0x000ffffffffff000ull

#define PTE_TABLE	  PTE_P
#define PTE_USER_TABLE	  PTE_P
#define PTE_PROTECT_KEEPS (PTE_ADDR | PTE_D | PTE_FRAME)

/* space.c */
void space_note_stale(struct arch_aspace *as, u64 va);
void space_note_pending(struct arch_aspace *as, u64 va);

static inline void *pte_direct(u64 pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

static inline u64 pte_user(u32 prot)
{
	u64 bits = PTE_P | PTE_A;

	if (!prot)
		return PTE_NONE;
	if (prot & MMU_WRITE)
		bits |= PTE_W | PTE_D;
	if (!(prot & MMU_EXEC))
		bits |= PTE_NX;
	return bits;
}

static inline u32 pte_query(u64 pte)
{
	BUILD_BUG_ON(MMU_Q_WRITE != PTE_W || MMU_Q_EXEC != 4);
	BUILD_BUG_ON(MMU_Q_ACCESSED != PTE_A >> 2 || MMU_Q_DIRTY != PTE_D >> 2);
	return MMU_Q_PRESENT | (u32)(pte & PTE_W) |
	       (u32)(pte >> 2 & (MMU_Q_ACCESSED | MMU_Q_DIRTY)) | (u32)(~pte >> 63 << 2);
}

static inline bool pte_is_writable(u64 pte)
{
	return pte & PTE_W;
}

static inline void pte_take_write(u64 *pte)
{
	fetch_and(pte, ~(PTE_W | PTE_RIGHTS));
}

static inline void pte_run_init(struct mmu_run *run, struct arch_aspace *as, u64 va)
{
	run->as = as;
	run->va = va;
}

static inline void pte_set(struct arch_aspace *as, u64 va, u64 *pte, u64 new)
{
	u64 old = *pte;

	new &= ~PTE_STUB;
	if (old & PTE_FRAME) {
		if (!((old ^ new) & PTE_ADDR))
			new |= PTE_FRAME;
		space_note_stale(as, va);
	} else {
		space_note_pending(as, va);
	}
	WRITE_ONCE(*pte, new);
}

static inline void pte_changed(struct arch_aspace *as, u64 va, u64 old, u64 new)
{
	(void)new;
	if (old & PTE_FRAME)
		space_note_stale(as, va);
	else if (new)
		space_note_pending(as, va);
}

static inline void pte_code_written(paddr_t pa)
{
	(void)pa;
}

static inline void mmu_fill_root(u64 *root)
{
	(void)root;
}

/* The stub has gone back to the pool in mmu_leave_everywhere(). */
static inline void mmu_forget(struct arch_aspace *as)
{
	(void)as;
}
