// SPDX-License-Identifier: Apache-2.0
/*
 * page - page frames
 *
 * Role      struct page describes one 4 KiB frame of guest memory. Frames of the read-only file window
 *           (EROFS image) have none: paddr_page() is NULL there.
 * Rules     The array of struct page is all zero at boot and only touched when a frame is used: memory
 *           the guest never needed is never backed by the host. Frames that were never used are known
 *           to be zero, so PAGE_ZERO costs nothing for them. Implementation in mm/phys.c.
 */
#pragma once

#include "arch/param.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/refs.h"

enum page_flag {
	PG_DIRTY = 1u << 0,    /* differs from its backing store */
	PG_UPTODATE = 1u << 1, /* contents valid */
	PG_SLAB = 1u << 2,     /* owned by an object cache */
	PG_LARGE = 1u << 3,    /* head of a contiguous kmalloc */
	PG_FREE = 1u << 4,     /* on a free list */
	PG_TABLE = 1u << 5,    /* a page table */
	PG_ANON =
		1u << 6, /* private memory of address spaces; shared copy-on-write when refs > 1 */
	PG_RELEASED = 1u << 7, /* free, given back to the host: zero */
};

struct page {
	struct refs refs;
	u32 flags;	  /* atomic: fetch_or/fetch_and */
	struct list link; /* free list, slab list, or the owner's list */
	union {
		void *owner;		  /* pager, address space (page table) */
		struct kmem_cache *cache; /* slab */
	};
	union {
		u64 index; /* offset in the owner, in pages; order of a free or large block */
		u64 inuse; /* slab: objects handed out */
	};
	atomic_t mapcount;	  /* page table entries that point here */
	u32 carved;		  /* slab: objects ever handed out; the rest was never touched */
	void *next_free;	  /* slab: first free object; CPU cache: next frame */
	u32 carve_at, carve_step; /* slab: the order in which objects are carved off */
};
BUILD_BUG_ON(sizeof(struct page) != 64);

enum page_alloc_flags {
	PAGE_ZERO = 1u << 0,
	PAGE_USER =
		1u
		<< 1, /* counts against the sandbox's memory limit; may fail before the last reserve */
};

/* One frame with one reference. -ENOMEM. Never sleeps. */
int must_check page_alloc(u32 flags, struct page **out);
/* 2^order contiguous frames; the first carries the reference. Free with page_free_order(). */
int must_check page_alloc_order(u32 order, u32 flags, struct page **out);
/* 2^order contiguous frames, each with a reference of its own. -ENOMEM also when memory is getting scarce. */
int must_check page_alloc_run(u32 order, u32 flags, struct page **out);
void page_free_order(struct page *pg, u32 order);
static inline void page_get(struct page *pg)
{
	refs_get(&pg->refs);
}
/* Frees at the last reference. */
void page_put(struct page *pg);

extern struct page *page_map; /* page_map[pfn - page_first_pfn] */
extern u64 page_first_pfn, page_end_pfn;

static inline u64 page_pfn(const struct page *pg)
{
	return (u64)(pg - page_map) + page_first_pfn;
}
static inline paddr_t page_paddr(const struct page *pg)
{
	return PADDR(page_pfn(pg) << PAGE_SHIFT);
}
static inline struct page *paddr_page(paddr_t pa)
{
	u64 pfn = pa.pa >> PAGE_SHIFT;

	return pfn >= page_first_pfn && pfn < page_end_pfn ? &page_map[pfn - page_first_pfn] : NULL;
}
/* Kernel address of a frame through the direct map (arch_phys_to_virt). */
void *page_kaddr(const struct page *pg);
struct page *kaddr_page(const void *kaddr);

/* Giving free memory back to the host. begin takes at most max blocks of together at most `most` frames off the free
 * lists, end puts them back, zero now. */
struct page_range {
	paddr_t start;
	u64 nr; /* frames */
};
bool page_release_wanted(void);
u32 page_release_begin(struct page_range *r, u32 max, u64 most);
void page_release_end(const struct page_range *r, u32 n);
/* The idle loop has nothing to run: host/release.c does a part of it now and then. */
void page_release_idle(void);

#define MAX_ORDER 11 /* blocks of 2^0 to 2^10 frames */

struct page_stats {
	u64 total, free, never_used; /* frames */
	u64 slab, tables, stacks, cache;
};
void page_stats(struct page_stats *out);
/* Free blocks of each order; what was never used is in none. */
void page_free_blocks(u64 nr[MAX_ORDER]);
