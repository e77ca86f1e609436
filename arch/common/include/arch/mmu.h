// SPDX-License-Identifier: Apache-2.0
/*
 * mmu - address spaces as the hardware sees them (pmap)
 *
 * Role      mm/aspace.c and mm/fault.c are the callers. Page tables hold no truth of their own: everything in
 *           them can be dropped and rebuilt from regions and pagers.
 * Rules     Ranges are page aligned, within the user range, and covered by as->lock of the caller (the
 *           caller's spinlock of rank RANK_PGTABLE: one writer per address space).
 *           map/protect/unmap do not flush; the caller ends each batch with arch_mmu_flush(), which returns
 *           when no CPU can use the old translations. Frames are freed only after that flush.
 */
#pragma once

#include "guestkernel/kapi/atomic.h"

enum mmu_prot {
	MMU_READ = 1u << 0,
	MMU_WRITE = 1u << 1,
	MMU_EXEC = 1u << 2,
	MMU_GUARDED =
		1u << 3, /* with MMU_EXEC: indirect branches must land where the code allows it */
};

enum mmu_query_flags {
	MMU_Q_PRESENT = 1u << 0,
	MMU_Q_WRITE = 1u << 1,
	MMU_Q_EXEC = 1u << 2,
	MMU_Q_ACCESSED = 1u << 3,
	MMU_Q_DIRTY = 1u << 4,
};

struct arch_aspace {
	u64 root_pa;	     /* [I] top level table */
	u64 active_cpus;     /* atomic bit mask: CPUs that may hold translations */
	u64 context;	     /* the machine's: an address space number and its generation */
	u64 nr_tables;	     /* page table frames, for accounting */
	struct page *tables; /* all of them, linked by next_free */
};

/* One page of a batch handed to the visitor of arch_mmu_unmap(). */
typedef void (*mmu_unmap_fn)(void *ctx, u64 va, paddr_t pa, u32 query_flags);

/* Says whether the page is to be shared, and counts it. */
typedef bool (*mmu_share_fn)(void *ctx, u64 va, paddr_t pa);

/* Neighbouring entries under one last-level table: the walk is made once. Valid while the caller's lock is held. */
struct mmu_run {
	void *entry;
	u32 n;
	/* of entry; only on machines whose pte_set() asks for them (arch/pte.h) */
	struct arch_aspace *as;
	u64 va;
};

int must_check arch_mmu_create(struct arch_aspace *as);
/* The space is about to be torn down: no application code runs in it from now on. The tables stay. */
void arch_mmu_retire(struct arch_aspace *as);
/* Frees the tables; every mapping has been removed and the space is active nowhere. */
void arch_mmu_destroy(struct arch_aspace *as);
/* Maps one page, replacing what was there (no flush). prot 0: the page stays known but any access faults
 * (PROT_NONE). -ENOMEM for a page table. */
int must_check arch_mmu_map(struct arch_aspace *as, u64 va, paddr_t pa, u32 prot);
/* Maps n pages in a row of ascending physical frames; stops at the first failure. */
int must_check arch_mmu_map_run(struct arch_aspace *as, u64 va, paddr_t pa, u32 npages, u32 prot);
/* Removes what is mapped in the range; fn (may be NULL) sees each present page before it goes. */
void arch_mmu_unmap(struct arch_aspace *as, u64 va, u64 npages, mmu_unmap_fn fn, void *ctx);
/* Changes the rights of what is mapped; never adds pages. clear_dirty also resets dirty bits. */
void arch_mmu_protect(struct arch_aspace *as, u64 va, u64 npages, u32 prot);
/* Takes write permission away, keeping the rest (fork, write-back). */
void arch_mmu_wrprotect(struct arch_aspace *as, u64 va, u64 npages);
/* 0 and the frame when present; false otherwise. */
bool arch_mmu_query(struct arch_aspace *as, u64 va, paddr_t *pa, u32 *flags);
/* The kernel wrote to a frame that is mapped with MMU_Q_EXEC: no CPU runs what was there before. */
void arch_mmu_code_written(paddr_t pa);
/* Next mapped page at or after *va, below end; for fork and unmap of sparse ranges. */
bool arch_mmu_next(struct arch_aspace *as, u64 *va, u64 end, paddr_t *pa, u32 *flags);
/* fork: copies the entries that fn wants from src to dst, without write permission in both. -ENOMEM. */
int must_check arch_mmu_share(struct arch_aspace *dst, struct arch_aspace *src, u64 va, u64 npages,
			      mmu_share_fn fn, void *ctx);
/* The entries of up to want pages from va on (n: how many), making tables where they are missing. -ENOMEM. */
int must_check arch_mmu_run(struct arch_aspace *as, u64 va, u32 want, struct mmu_run *out);
bool arch_mmu_run_query(const struct mmu_run *run, u32 i, paddr_t *pa, u32 *flags);
bool arch_mmu_run_is_mapped(const struct mmu_run *run, u32 i);
/* As arch_mmu_map(): replaces, no flush. */
void arch_mmu_run_set(const struct mmu_run *run, u32 i, paddr_t pa, u32 prot);
/* Maps n ascending frames from entry i on, up to the first that is mapped already; returns how many. */
u32 arch_mmu_run_fill(const struct mmu_run *run, u32 i, paddr_t pa, u32 n, u32 prot);
/* Makes this the address space of the running CPU; NULL: kernel mappings only. */
void arch_mmu_activate(struct arch_aspace *as);
/* No CPU uses old translations of the range after this returns. npages U64_MAX: everything. */
void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages);

/* Kernel mappings (mm/kmap.c): stacks and large buffers outside the direct map. */
int must_check arch_kmap_page(u64 va, paddr_t pa, bool writable);
/* Unmaps n runs of npages pages; no CPU uses old translations of them after this returns. */
void arch_kmap_unmap(const u64 *va, u32 n, u32 npages);
/* This CPU has just come online, where arch_kmap_unmap() sees it: it forgets what it may have looked up before. */
void arch_kmap_join(void);
extern u64 arch_kmap_base, arch_kmap_end;

/* Rights of mmap(2) beyond reading, writing, executing that this CPU obeys: PROT_BTI or none. */
extern u32 arch_prot_extra;

/* True where clearing a frame costs far more than taking one the host has not backed yet. */
extern bool arch_prefers_fresh_pages;

/* How much one fault brings in, in pages: of a file in the window, and of anonymous memory (a power of two; on its own, and
 * in a row of faults). Where mapping a run costs as much as mapping a page, these are large. fork_copies: how many written
 * pages of a region fork copies at once, to spare both sides the faults. */
struct arch_fault_sizes {
	u32 window, anon, anon_row, fork_copies;
};
extern const struct arch_fault_sizes arch_fault_sizes;

/* The direct map of guest memory. */
void *arch_phys_to_virt(paddr_t pa);
paddr_t arch_virt_to_phys(const void *p);
