// SPDX-License-Identifier: Apache-2.0
/*
 * pte - page table entries of x86-64, for arch/common/guest/pagetable.c and tlb.c
 *
 * Role      What the common walker of four levels with 512 entries asks of a machine.
 * Rules     An entry is mapped when it has one of the bits PTE_MAPPED; a page without any right (PROT_NONE)
 *           is known by a software bit. pte_set() sees every store of an entry, pte_changed() every entry
 *           that was changed in place; neither flushes.
 * See       Intel SDM volume 3, 4.5
 */
#pragma once

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/x86_64/guest/x86.h"

#define PTE_P	   0x001ull
#define PTE_W	   0x002ull
#define PTE_U	   0x004ull
#define PTE_A	   0x020ull
#define PTE_D	   0x040ull
#define PTE_G	   0x100ull
#define PTE_NONE   0x200ull /* software: mapped without any right, P clear */
#define PTE_MAPPED (PTE_P | PTE_NONE)
#define PTE_NX	   (1ull << 63)
#define PTE_ADDR   0x000ffffffffff000ull

#define PTE_TABLE	  PTE_P /* set in an entry that points to a table */
#define PTE_USER_TABLE	  (PTE_P | PTE_W | PTE_U | PTE_A)
#define PTE_KERNEL_TABLE  (PTE_P | PTE_W | PTE_A)
#define PTE_PROTECT_KEEPS (PTE_ADDR | PTE_D) /* write-back must not lose the hardware's dirty bit */

extern u64 mmu_boot_root; /* tables the monitor made: kernel half only */

/* Where the kernel sees a table or frame. */
static inline void *pte_direct(u64 pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

static inline u64 pte_user(u32 prot)
{
	u64 bits = PTE_P | PTE_U | PTE_A;

	if (!prot)
		return PTE_NONE;
	if (prot & MMU_WRITE)
		bits |= PTE_W | PTE_D;
	if (!(prot & MMU_EXEC))
		bits |= PTE_NX;
	return bits;
}

static inline u64 pte_kernel(bool writable)
{
	return PTE_P | PTE_A | PTE_D | PTE_G | PTE_NX | (writable ? PTE_W : 0);
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
	fetch_and(pte, ~PTE_W);
}

static inline void pte_run_init(struct mmu_run *run, struct arch_aspace *as, u64 va)
{
	(void)run;
	(void)as;
	(void)va;
}

static inline void pte_set(struct arch_aspace *as, u64 va, u64 *pte, u64 new)
{
	(void)as;
	(void)va;
	WRITE_ONCE(*pte, new);
}

static inline void pte_changed(struct arch_aspace *as, u64 va, u64 old, u64 new)
{
	(void)as;
	(void)va;
	(void)old;
	(void)new;
}

static inline void pte_code_written(paddr_t pa)
{
	(void)pa;
}

/* The kernel half has three populated slots; copying only them keeps this short. */
static inline void mmu_fill_root(u64 *root)
{
	const u64 *kernel = pte_direct(mmu_boot_root);

	root[DIRECT_MAP_BASE >> 39 & 511] = kernel[DIRECT_MAP_BASE >> 39 & 511];
	root[KMAP_BASE >> 39 & 511] = kernel[KMAP_BASE >> 39 & 511];
	root[511] = kernel[511];
}

/* The space is loaded nowhere and its tables are about to be freed. */
static inline void mmu_forget(struct arch_aspace *as)
{
	u64 *root = pte_direct(as->root_pa);

	root[DIRECT_MAP_BASE >> 39 & 511] = 0;
	root[KMAP_BASE >> 39 & 511] = 0;
	root[511] = 0;
}

/* Before the first look of another CPU can miss it: as->active_cpus has this CPU's bit. NULL: kernel only. */
static inline void mmu_load(struct arch_aspace *as)
{
	write_cr3(as ? as->root_pa : mmu_boot_root);
}

/* Kernel entries just made are in force on this CPU. */
static inline void mmu_publish(void)
{
}

/* Forgets it on this CPU, or on all. */
static const bool mmu_kernel_flush_is_global = false;
static inline void mmu_flush_kernel_page(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
