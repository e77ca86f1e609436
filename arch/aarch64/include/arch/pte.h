// SPDX-License-Identifier: Apache-2.0
/*
 * pte - page table entries of aarch64, for arch/common/guest/pagetable.c and tlb.c
 *
 * Role      What the common walker of four levels with 512 entries asks of a machine.
 * Rules     An entry is mapped when it has one of the bits PTE_MAPPED; a page without any right (PROT_NONE)
 *           is known by a software bit. Dirty is a software bit too, set with the right to write.
 *           A valid entry gets another frame only by way of an invalid one and a broadcast flush
 *           (break before make); an entry that gains the right to execute first makes the frame's bytes
 *           visible to instruction fetch.
 * See       Arm ARM D5.3, D5.10.1
 */
#pragma once

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/param.h"

#define PTE_VALID   (1ull << 0)
#define PTE_PAGE    (1ull << 1)
#define PTE_USER    (1ull << 6)
#define PTE_RO	    (1ull << 7)
#define PTE_INNER   (3ull << 8)
#define PTE_AF	    (1ull << 10)
#define PTE_NG	    (1ull << 11)
#define PTE_DEVICE  (1ull << 2)	 /* attribute 1 of MAIR_EL1 */
#define PTE_GUARDED (1ull << 50) /* indirect branches into the page must land on a BTI */
#define PTE_PXN	    (1ull << 53)
#define PTE_UXN	    (1ull << 54)
#define PTE_DIRTY   (1ull << 55) /* software */
#define PTE_NONE    (1ull << 58) /* software: mapped without any right, PTE_VALID clear */
#define PTE_ADDR    0x0000fffffffff000ull

#define PTE_MAPPED	  (PTE_VALID | PTE_NONE)
#define PTE_TABLE	  PTE_VALID
#define PTE_USER_TABLE	  (PTE_VALID | PTE_PAGE)
#define PTE_KERNEL_TABLE  (PTE_VALID | PTE_PAGE)
#define PTE_PROTECT_KEEPS (PTE_ADDR | PTE_DIRTY)

extern u64 mmu_boot_root; /* TTBR1: tables made by boot.c */

/* mmu.c */
void mmu_load(struct arch_aspace *as);
void mmu_forget(struct arch_aspace *as);
void mmu_sync_icache(u64 pa);

/* Where the kernel sees a table or frame. */
static inline void *pte_direct(u64 pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

static inline u64 pte_user(u32 prot)
{
	u64 bits = PTE_VALID | PTE_PAGE | PTE_USER | PTE_INNER | PTE_AF | PTE_NG | PTE_PXN;

	if (!prot)
		return PTE_NONE | PTE_RO | PTE_UXN;
	bits |= prot & MMU_WRITE ? PTE_DIRTY : PTE_RO;
	if (!(prot & MMU_EXEC))
		bits |= PTE_UXN;
	if (prot & MMU_GUARDED)
		bits |= PTE_GUARDED;
	return bits;
}

static inline u64 pte_kernel(bool writable)
{
	return PTE_VALID | PTE_PAGE | PTE_INNER | PTE_AF | PTE_PXN | PTE_UXN |
	       (writable ? 0 : PTE_RO);
}

static inline u32 pte_query(u64 pte)
{
	return MMU_Q_PRESENT | (pte & PTE_RO ? 0 : MMU_Q_WRITE) | (pte & PTE_UXN ? 0 : MMU_Q_EXEC) |
	       (pte & PTE_AF ? MMU_Q_ACCESSED : 0) | (pte & PTE_DIRTY ? MMU_Q_DIRTY : 0);
}

static inline bool pte_is_writable(u64 pte)
{
	return !(pte & PTE_RO);
}

static inline void pte_take_write(u64 *pte)
{
	fetch_or(pte, PTE_RO);
}

static inline bool pte_is_executable(u64 pte)
{
	return (pte & (PTE_VALID | PTE_UXN)) == PTE_VALID;
}

static inline void pte_run_init(struct mmu_run *run, struct arch_aspace *as, u64 va)
{
	run->as = as;
	run->va = va;
}

static inline void pte_set(struct arch_aspace *as, u64 va, u64 *pte, u64 new)
{
	u64 old = *pte;

	if (unlikely((old & PTE_VALID) && ((old ^ new) & PTE_ADDR))) {
		WRITE_ONCE(*pte, 0);
		arch_mmu_flush(as, va, 1);
	}
	if (pte_is_executable(new) && !(pte_is_executable(old) && !((old ^ new) & PTE_ADDR)))
		mmu_sync_icache(new &PTE_ADDR);
	WRITE_ONCE(*pte, new);
}

static inline void pte_changed(struct arch_aspace *as, u64 va, u64 old, u64 new)
{
	(void)as;
	(void)va;
	if (pte_is_executable(new) && !pte_is_executable(old))
		mmu_sync_icache(new &PTE_ADDR);
}

static inline void pte_code_written(paddr_t pa)
{
	mmu_sync_icache(pa.pa & PTE_ADDR);
}

/* TTBR1 holds the kernel half; user tables have nothing of it. */
static inline void mmu_fill_root(u64 *root)
{
	(void)root;
}

/* Kernel entries just made are in force on this CPU. */
static inline void mmu_publish(void)
{
	__asm__ volatile("dsb ishst; isb" : : : "memory");
}

/* Forgets it on this CPU, or on all. */
static const bool mmu_kernel_flush_is_global = true;
static inline void mmu_flush_kernel_page(u64 va)
{
	__asm__ volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb"
			 :
			 : "r"(va >> 12 & 0xfffffffffffull)
			 : "memory");
}
