// SPDX-License-Identifier: Apache-2.0
/*
 * region - what the files of mm share about regions and their pages
 */
#pragma once

#include "guestkernel/mm/aspace.h"

struct page;

/* All below: as->lock held exclusively unless said otherwise. */
struct region *region_next(struct region *r);
struct region *region_prev(struct region *r);
int must_check region_create(struct aspace *as, u64 start, u64 end, const struct region *like, struct region **out);
void region_insert(struct aspace *as, struct region *r);
/* Out of the tree and freed; its pages are gone already. */
void region_remove(struct aspace *as, struct region *r);
/* Cuts r at va (inside it); r keeps the lower part. */
int must_check region_split(struct aspace *as, struct region *r, u64 va);
/* Joins r with its neighbours where they are one mapping; returns the survivor. */
struct region *region_merge(struct aspace *as, struct region *r);
/* Highest (or hinted) free range of len bytes; 0 when there is none. */
u64 region_find_gap(struct aspace *as, u64 hint, u64 len, u64 limit);
void region_account(struct aspace *as, const struct region *r, s64 pages);

int must_check aspace_unmap_locked(struct aspace *as, u64 va, u64 len);
/* Drops every page of the range (page table lock taken inside). Any hold of as->lock. */
void region_zap(struct aspace *as, u64 va, u64 end);
u32 region_mmu_prot(const struct region *r, bool writable);
/* Drops one page table entry's hold on its frame. */
void rss_drop(struct aspace *as, struct page *pg);
void rss_add(struct aspace *as, struct page *pg);

/* aspace_fault() with as->lock already held shared; -EAGAIN: the stack must grow first (exclusive lock). force: ignore
 * the region's rights as ptrace does. */
int must_check fault_locked(struct aspace *as, u64 va, u32 access, bool force);
/* Grows a stack region down to va; lock held exclusively. */
int must_check region_grow_down(struct aspace *as, u64 va);
