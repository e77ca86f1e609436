// SPDX-License-Identifier: Apache-2.0
/*
 * phys - page frames: buddy lists, a frontier of never-used memory, per-CPU caches
 *
 * Role      Implements kapi/page.h.
 * Rules     Frames above the frontier were never touched: they are zero and the host has not backed them. They
 *           are used when the free lists are empty, so that the sandbox stays small; where clearing memory
 *           is slow (arch_prefers_fresh_pages) a request for a zeroed frame takes a fresh one first.
 *           User allocations stop a reserve before the end, so that the kernel can still act (kill, free); so do
 *           the kernel's own for ordinary users, at half of it.
 *           Large free blocks are given back to the host when there is nothing else to do (host/release.c). They
 *           stay on the lists, behind those that the host still backs, and are zero until used.
 * Locking   zone.lock (RANK_PHYS) for lists and frontier; the per-CPU caches need none (the kernel is not
 *           preempted).
 */
#include "guestkernel/mm/phys.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/disturb.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/mm/slab.h"

#define CACHE_MAX     64
#define CACHE_BATCH   16
#define FRESH_BATCH   8
#define RESERVE_MIN   256
#define JOIN_MIN      512
#define JOIN_BATCH    4096 /* frames, when nobody waits for them */
#define RELEASE_ORDER 6	   /* smaller blocks are not worth the host's bookkeeping */
#define RELEASE_FROM \
	1024 /* frames worth a hostcall: what small programs leave is used again soon */
#define RELEASE_MIN_FREE \
	(4u << (MAX_ORDER - 1)) /* frames; with less, nothing is taken away even for a moment */

struct page *page_map;
u64 page_first_pfn, page_end_pfn;

static struct {
	struct spinlock lock;
	struct list free[MAX_ORDER];
	u64 nr_blocks[MAX_ORDER]; /* on the lists */
	u32 have;		  /* bit n: free[n] has a block */
	struct page
		*single; /* free frames not joined with their neighbours yet, linked by next_free */
	u64 nr_single;	 /* of them */
	u64 frontier;	 /* next never-used pfn */
	u64 nr_free;	 /* frames on the lists */
	u64 nr_backed;	 /* of them, in blocks that could be given back to the host */
	u64 nr_releasing; /* neither on the lists nor in use: on their way back to the host */
	u64 reserve;
	u64 nr_total;
} zone;

void phys_init(u64 first_pfn, u64 end_pfn, u64 reserved_end_pfn, struct page *map)
{
	u32 i;

	/* what lies below belongs to the kernel image and the monitor's structures: no struct page */
	page_map = map + (reserved_end_pfn - first_pfn);
	page_first_pfn = reserved_end_pfn;
	page_end_pfn = end_pfn;
	spin_init(&zone.lock, RANK_PHYS);
	for (i = 0; i < MAX_ORDER; i++)
		list_init(&zone.free[i]);
	zone.frontier = reserved_end_pfn;
	zone.nr_total = end_pfn - reserved_end_pfn;
	zone.reserve = MAX(zone.nr_total / 128, (u64)RESERVE_MIN);
}

void *page_kaddr(const struct page *pg)
{
	return arch_phys_to_virt(page_paddr(pg));
}

struct page *kaddr_page(const void *kaddr)
{
	return paddr_page(arch_virt_to_phys(kaddr));
}

static struct page *pfn_page(u64 pfn)
{
	return &page_map[pfn - page_first_pfn];
}

static bool counts_as_backed(const struct page *pg, u32 order)
{
	return order >= RELEASE_ORDER && !(pg->flags & PG_RELEASED);
}

/* released: 0 or PG_RELEASED. */
static void list_put(struct page *pg, u32 order, u32 released)
{
	pg->flags = PG_FREE | released;
	pg->index = order;
	if (released)
		list_add_tail(&zone.free[order], &pg->link);
	else
		list_add(&zone.free[order], &pg->link);
	zone.have |= 1u << order;
	zone.nr_blocks[order]++;
	zone.nr_free += 1ull << order;
	if (counts_as_backed(pg, order))
		zone.nr_backed += 1ull << order;
}

/* Says whether it was given back to the host: 0 or PG_RELEASED. */
static u32 list_take(struct page *pg, u32 order)
{
	u32 released = pg->flags & PG_RELEASED;

	if (counts_as_backed(pg, order))
		zone.nr_backed -= 1ull << order;
	list_del(&pg->link);
	zone.nr_blocks[order]--;
	if (list_empty(&zone.free[order]))
		zone.have &= ~(1u << order);
	pg->flags = 0;
	zone.nr_free -= 1ull << order;
	return released;
}

/* Free frames never lie above the frontier, so a buddy there is not a candidate. */
static void free_block(u64 pfn, u32 order, u32 released)
{
	while (order < MAX_ORDER - 1) {
		u64 buddy = pfn ^ (1ull << order);
		struct page *b;

		if (buddy < page_first_pfn || buddy + (1ull << order) > zone.frontier)
			break;
		b = pfn_page(buddy);
		if (!(b->flags & PG_FREE) || b->index != order)
			break;
		released &= list_take(b, order);
		pfn &= ~(1ull << order);
		order++;
	}
	list_put(pfn_page(pfn), order, released);
}

static struct page *take_listed(u32 order, bool *is_zero)
{
	u32 fits = zone.have >> order, have, released;
	struct page *pg;

	if (!fits)
		return NULL;
	have = order + (u32)__builtin_ctz(fits);
	pg = list_first(&zone.free[have], struct page, link);
	released = list_take(pg, have);
	while (have > order) {
		have--;
		list_put(pg + (1ull << have), have, released);
	}
	*is_zero = released != 0;
	return pg;
}

static struct page *take_fresh(u32 order)
{
	u64 start = ALIGN_UP(zone.frontier, 1ull << order), skipped = zone.frontier;

	if (start + (1ull << order) > page_end_pfn)
		return NULL;
	zone.frontier = start + (1ull << order);
	for (; skipped < start; skipped++)
		free_block(skipped, 0, PG_RELEASED); /* never touched */
	return pfn_page(start);
}

/* Application memory leaves the whole reserve; what the kernel allocates for an ordinary user leaves half of it, for root,
 * process 1 and whoever has to end. */
static bool may_take(u32 order, u32 flags)
{
	u64 left = zone.nr_free + (page_end_pfn - zone.frontier);

	if (likely(left >= zone.reserve + (1ull << order)))
		return true;
	if (flags & PAGE_USER)
		return false;
	return left >= zone.reserve / 2 + (1ull << order) || !charge_is_bounded();
}

/* A single free frame: one that waits to be joined, or part of a block. */
static struct page *take_single(bool *is_zero)
{
	struct page *pg = zone.single;

	*is_zero = false;
	if (!pg)
		return take_listed(0, is_zero);
	zone.single = pg->next_free;
	zone.nr_single--;
	zone.nr_free--;
	return pg;
}

/* Frames come and go one by one; blocks are put together only when one is wanted. */
static void join_singles(u64 most)
{
	struct page *pg;

	while (most-- && (pg = zone.single) != NULL) {
		zone.single = pg->next_free;
		zone.nr_single--;
		zone.nr_free--;
		free_block(page_pfn(pg), 0, 0);
	}
}

/* A frame or block and whether it is known to be zero. */
static struct page *take(u32 order, u32 flags, bool *is_zero)
{
	bool fresh_first = (flags & PAGE_ZERO) && arch_prefers_fresh_pages;
	struct page *pg = NULL;

	*is_zero = false;
	spin_lock(&zone.lock);
	if (!may_take(order, flags))
		goto unlock;
	if (!fresh_first)
		pg = order ? take_listed(order, is_zero) : take_single(is_zero);
	if (!pg && order && zone.nr_single >= JOIN_MIN) { /* rather than touch new memory */
		join_singles(U64_MAX);
		pg = take_listed(order, is_zero);
	}
	if (!pg) {
		pg = take_fresh(order);
		*is_zero = pg != NULL;
	}
	if (!pg) {
		join_singles(U64_MAX);
		pg = take_listed(order, is_zero);
	}
unlock:
	spin_unlock(&zone.lock);
	return pg;
}

static void cache_put(struct cpu *c, struct page *pg, bool is_zero)
{
	if (is_zero) {
		pg->next_free = c->zero_cache;
		c->zero_cache = pg;
		c->zero_cache_nr++;
	} else {
		pg->next_free = c->page_cache;
		c->page_cache = pg;
		c->page_cache_nr++;
	}
}

/* Fills one of the CPU's lists. False: nothing to spare, the caller asks the zone itself. */
static bool refill(struct cpu *c, bool fresh_first)
{
	struct page *pg;
	bool is_zero;
	u32 i = 0;

	spin_lock(&zone.lock);
	if (!may_take(0, PAGE_USER) ||
	    zone.nr_free + (page_end_pfn - zone.frontier) < zone.reserve + CACHE_BATCH)
		goto unlock;
	for (; !fresh_first && i < CACHE_BATCH && (pg = take_single(&is_zero)) != NULL; i++)
		cache_put(c, pg, is_zero);
	if (i)
		goto unlock;
	for (; i < FRESH_BATCH && zone.frontier < page_end_pfn; i++) {
		pg = pfn_page(zone.frontier++);
		cache_put(c, pg, true);
	}
unlock:
	spin_unlock(&zone.lock);
	return i > 0;
}

static void spill(struct cpu *c)
{
	u32 i;

	spin_lock(&zone.lock);
	for (i = 0; i < CACHE_MAX / 2; i++) {
		struct page *pg = c->page_cache;

		c->page_cache = pg->next_free;
		c->page_cache_nr--;
		pg->next_free = zone.single;
		zone.single = pg;
		zone.nr_single++;
		zone.nr_free++;
	}
	spin_unlock(&zone.lock);
}

static struct page *take_used(struct cpu *c)
{
	struct page *pg = c->page_cache;

	if (pg) {
		c->page_cache = pg->next_free;
		c->page_cache_nr--;
	}
	return pg;
}

static struct page *take_zero(struct cpu *c)
{
	struct page *pg = c->zero_cache;

	if (pg) {
		c->zero_cache = pg->next_free;
		c->zero_cache_nr--;
	}
	return pg;
}

static struct page *take_cached(u32 flags, bool *is_zero)
{
	bool fresh_first = (flags & PAGE_ZERO) && arch_prefers_fresh_pages;
	struct cpu *c = this_cpu();
	struct page *pg;

	do {
		if (!fresh_first && (pg = take_used(c)) != NULL)
			return pg;
		pg = take_zero(c);
		if (pg) {
			*is_zero = true;
			return pg;
		}
	} while (refill(c, fresh_first));
	return fresh_first ? take_used(c) : NULL;
}

static void page_start(struct page *pg)
{
	refs_init(&pg->refs, 1);
	pg->flags = 0;
	pg->owner = NULL;
	pg->index = 0;
	atomic_set(&pg->mapcount, 0);
}

int page_alloc(u32 flags, struct page **out)
{
	bool is_zero = false;
	struct page *pg;

	if (!(flags & PAGE_USER) && disturb_alloc_fails())
		return -ENOMEM;
	pg = take_cached(flags, &is_zero);
	if (!pg)
		pg = take(0, flags, &is_zero);
	if (unlikely(!pg))
		return -ENOMEM;
	page_start(pg);
	if ((flags & PAGE_ZERO) && !is_zero)
		memset(page_kaddr(pg), 0, PAGE_SIZE);
	leak_note(pg, PAGE_SIZE);
	*out = pg;
	return 0;
}

int page_alloc_order(u32 order, u32 flags, struct page **out)
{
	bool is_zero;
	struct page *pg;

	if (order >= MAX_ORDER || (!(flags & PAGE_USER) && disturb_alloc_fails()))
		return -ENOMEM;
	pg = take(order, flags, &is_zero);
	if (!pg)
		return -ENOMEM;
	page_start(pg);
	if ((flags & PAGE_ZERO) && !is_zero)
		memset(page_kaddr(pg), 0, PAGE_SIZE << order);
	leak_note(pg, PAGE_SIZE << order);
	*out = pg;
	return 0;
}

int page_alloc_run(u32 order, u32 flags, struct page **out)
{
	u64 left = READ_ONCE(zone.nr_free) + (page_end_pfn - READ_ONCE(zone.frontier));
	u32 i;
	int ret = left < zone.nr_total / 4 ? -ENOMEM : page_alloc_order(order, flags, out);

	for (i = 1; !ret && i < 1u << order; i++)
		page_start(*out + i);
	return ret;
}

void page_free_order(struct page *pg, u32 order)
{
	leak_forget(pg);
	spin_lock(&zone.lock);
	free_block(page_pfn(pg), order, 0);
	spin_unlock(&zone.lock);
}

void page_put(struct page *pg)
{
	struct cpu *c;

	if (!refs_put(&pg->refs))
		return;
	leak_forget(pg);
	c = this_cpu();
	pg->flags = 0;
	pg->next_free = c->page_cache;
	c->page_cache = pg;
	if (++c->page_cache_nr > CACHE_MAX)
		spill(c);
}

bool page_release_wanted(void)
{
	if (READ_ONCE(zone.nr_free) < RELEASE_MIN_FREE)
		return false;
	return READ_ONCE(zone.nr_backed) >= RELEASE_FROM ||
	       READ_ONCE(zone.nr_single) >= RELEASE_FROM;
}

u32 page_release_begin(struct page_range *r, u32 max, u64 most)
{
	u32 n = 0, order, nr_order;
	struct page *pg;

	spin_lock(&zone.lock);
	join_singles(JOIN_BATCH);
	/* What is taken here is missing elsewhere for a while. */
	most = MIN(most, zone.nr_free / 4);
	for (order = MAX_ORDER - 1; order >= RELEASE_ORDER; order--) {
		nr_order = 1u << order;
		while (n < max && most >= nr_order && !list_empty(&zone.free[order])) {
			pg = list_first(&zone.free[order], struct page, link);
			if (pg->flags & PG_RELEASED)
				break;
			(void)list_take(pg, order);
			r[n++] = (struct page_range){ page_paddr(pg), nr_order };
			most -= nr_order;
			zone.nr_releasing += nr_order;
		}
	}
	spin_unlock(&zone.lock);
	return n;
}

void page_release_end(const struct page_range *r, u32 n)
{
	spin_lock(&zone.lock);
	for (; n; n--, r++) {
		zone.nr_releasing -= r->nr;
		free_block(r->start.pa >> PAGE_SHIFT, (u32)__builtin_ctzll(r->nr), PG_RELEASED);
	}
	spin_unlock(&zone.lock);
}

void page_free_blocks(u64 nr[MAX_ORDER])
{
	spin_lock(&zone.lock);
	memcpy(nr, zone.nr_blocks, sizeof zone.nr_blocks);
	nr[0] += zone.nr_single;
	spin_unlock(&zone.lock);
}

void page_stats(struct page_stats *out)
{
	struct cpu *c;

	memset(out, 0, sizeof *out);
	spin_lock(&zone.lock);
	out->total = zone.nr_total;
	out->never_used = page_end_pfn - zone.frontier;
	out->free = zone.nr_free + zone.nr_releasing + out->never_used;
	spin_unlock(&zone.lock);
	for_each_cpu(c) out->free += c->page_cache_nr + c->zero_cache_nr;
	slab_stats(&out->slab);
}
