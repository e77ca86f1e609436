// SPDX-License-Identifier: Apache-2.0
/*
 * region - what the files of mm share about regions and their pages
 */
#pragma once

#include "arch/param.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/aspace.h"

struct page;

extern s32 sysctl_max_map_count; /* vm.max_map_count */
#define REGION_COUNT_MAX ((u32)READ_ONCE(sysctl_max_map_count))
#define REGION_STACK_GAP (256 * PAGE_SIZE) /* kept free below a region that grows down */

/* All below: as->lock held exclusively unless said otherwise. */

/* Ends an exclusive hold of as->lock: regions removed meanwhile are freed after the lock was dropped, because
 * letting a file or pager go may take locks that come before it. */
void aspace_write_unlock(struct aspace *as) RELEASES(&as->lock) NO_LOCK_ANALYSIS;

struct region *region_next(struct region *r);
struct region *region_prev(struct region *r);
/* A copy of like for [start, end), holding its own references; not in the tree. */
int must_check region_create(struct aspace *as, u64 start, u64 end, const struct region *like,
			     struct region **out);
void region_insert(struct aspace *as, struct region *r);
/* Out of the tree; its pages are gone already. Freed by aspace_write_unlock(). */
void region_remove(struct aspace *as, struct region *r);
/* Cuts r at va (inside it); r keeps the lower part. */
int must_check region_split(struct aspace *as, struct region *r, u64 va);
/* Cuts *r so that it lies inside [va, end). -ENOMEM also when there would be too many regions. */
int must_check region_clip(struct aspace *as, struct region **r, u64 va, u64 end);
/* Moves the end, with accounting. */
void region_set_end(struct aspace *as, struct region *r, u64 end);
/* Joins r with its neighbours where they are one mapping; returns the survivor. */
struct region *region_merge(struct aspace *as, struct region *r);
/* Highest (or hinted) free range of len bytes below limit; 0 when there is none. */
u64 region_find_gap(struct aspace *as, u64 hint, u64 len, u64 limit);
/* Counts pages of r in or out of the totals of as. */
void region_account(struct aspace *as, const struct region *r, s64 pages);
/* Unmaps all of [va, va+len). */
int must_check aspace_unmap_locked(struct aspace *as, u64 va, u64 len);

/* Drops every page of [va, end), which lies inside r (page table lock taken inside). Any hold of as->lock. */
void region_zap(struct region *r, u64 va, u64 end);
/* Page table rights for pages of r; 0: none. */
u32 region_mmu_prot(const struct region *r, bool writable);
/* Page of the pager that va shows. */
static inline u64 region_pgoff(const struct region *r, u64 va)
{
	return r->pgoff + ((va - r->start) >> PAGE_SHIFT);
}

/* The frame every page that was only read shows; neither counted nor referenced. 0: not made yet. */
extern paddr_t mm_zero_frame;
/* The frame behind a page table entry that holds a reference: NULL for the zero page and file window frames. */
static inline struct page *frame_page(paddr_t pa)
{
	return pa.pa == mm_zero_frame.pa ? NULL : paddr_page(pa);
}
/* Entries of r more or fewer, of private frames and of the pager's; pt_lock held. */
static inline void rss_add(struct region *r, s64 anon, s64 paged)
{
	atomic64_t *count = r->file ? &r->as->rss_file : &r->as->rss_shmem;

	/* pt_lock makes these plain additions */
	atomic64_set(&r->as->rss_anon, atomic64_read(&r->as->rss_anon) + (u64)anon);
	atomic64_set(count, atomic64_read(count) + (u64)paged);
}
/* One more (1) or fewer (-1) that shows pa. */
static inline void rss_add_one(struct region *r, paddr_t pa, s64 n)
{
	struct page *pg = paddr_page(pa);

	if (pa.pa == mm_zero_frame.pa)
		return;
	if (pg && (pg->flags & PG_ANON))
		rss_add(r, n, 0);
	else
		rss_add(r, 0, n);
}

/* aspace_fault() with as->lock already held shared; -EAGAIN: the stack must grow first (exclusive lock). force: ignore
 * the region's rights as ptrace does. */
int must_check fault_locked(struct aspace *as, u64 va, u32 access, bool force);
/* Grows a stack region down to va; lock held exclusively. */
int must_check region_grow_down(struct aspace *as, u64 va);
