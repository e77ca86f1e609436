// SPDX-License-Identifier: Apache-2.0
/*
 * region - the tree of regions: find, insert, cut, join, drop pages
 *
 * Rules     Regions of an address space never overlap and are never empty. Neighbours that are one mapping are
 *           joined, so that the tree stays small and grows back together after mprotect().
 * Locking   as->lock, exclusively, except for finding. A region is on its pager's list exactly while it is in
 *           the tree.
 */
#include "guestkernel/mm/region.h"

#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/uapi/mman.h"

#define ZAP_BATCH 64

struct region *aspace_find_first(struct aspace *as, u64 va)
{
	struct rb_node *n = as->regions.node;
	struct region *best = NULL;

	while (n) {
		struct region *r = rb_entry(n, struct region, node);

		if (r->end > va) {
			best = r;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct region *aspace_find(struct aspace *as, u64 va)
{
	struct region *r = aspace_find_first(as, va);

	return r && r->start <= va ? r : NULL;
}

struct region *region_next(struct region *r)
{
	return rb_entry_or_null(rb_next(&r->node), struct region, node);
}

struct region *region_prev(struct region *r)
{
	return rb_entry_or_null(rb_prev(&r->node), struct region, node);
}

static bool is_shared_writable(const struct region *r)
{
	return r->pager && (r->flags & REGION_SHARED) && (r->max_prot & PROT_WRITE);
}

int region_create(struct aspace *as, u64 start, u64 end, const struct region *like, struct region **out)
{
	struct region *r = kmalloc(sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = *like;
	r->as = as;
	r->start = start;
	r->end = end;
	list_init(&r->map_link);
	if (r->pager)
		r->pager->ops->get(r->pager);
	if (r->file)
		file_get(r->file);
	*out = r;
	return 0;
}

static void region_free(struct region *r)
{
	if (r->pager)
		r->pager->ops->put(r->pager);
	if (r->file)
		file_put(r->file);
	kfree(r);
}

void region_account(struct aspace *as, const struct region *r, s64 pages)
{
	as->total_pages += (u64)pages;
	if (r->flags & REGION_LOCKED)
		as->locked_pages += (u64)pages;
	if (r->flags & REGION_GROWSDOWN)
		as->stack_pages += (u64)pages;
	else if (!r->pager && (r->prot & PROT_WRITE))
		as->data_pages += (u64)pages;
	else if (r->prot & PROT_EXEC)
		as->exec_pages += (u64)pages;
}

static void link_pager(struct region *r)
{
	if (!r->pager)
		return;
	spin_lock(&r->pager->map_lock);
	list_add(&r->pager->regions, &r->map_link);
	spin_unlock(&r->pager->map_lock);
	if (is_shared_writable(r))
		atomic_add(&r->pager->nr_writable, 1);
}

static void unlink_pager(struct region *r)
{
	if (!r->pager)
		return;
	spin_lock(&r->pager->map_lock);
	list_del(&r->map_link);
	spin_unlock(&r->pager->map_lock);
	if (is_shared_writable(r))
		atomic_sub(&r->pager->nr_writable, 1);
}

void region_insert(struct aspace *as, struct region *r)
{
	struct rb_node **link = &as->regions.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = r->start < rb_entry(parent, struct region, node)->start ? &parent->left : &parent->right;
	}
	rb_link(&r->node, parent, link);
	rb_insert_fixup(&as->regions, &r->node);
	as->nr_regions++;
	region_account(as, r, (s64)((r->end - r->start) >> PAGE_SHIFT));
	link_pager(r);
}

static void region_detach(struct aspace *as, struct region *r)
{
	unlink_pager(r);
	rb_erase(&as->regions, &r->node);
	as->nr_regions--;
	region_account(as, r, -(s64)((r->end - r->start) >> PAGE_SHIFT));
}

void region_remove(struct aspace *as, struct region *r)
{
	region_detach(as, r);
	region_free(r);
}

int region_split(struct aspace *as, struct region *r, u64 va)
{
	struct region *hi;
	int ret = region_create(as, va, r->end, r, &hi);

	if (ret)
		return ret;
	hi->pgoff = r->pgoff + ((va - r->start) >> PAGE_SHIFT);
	region_account(as, r, -(s64)((r->end - va) >> PAGE_SHIFT));
	if (r->pager)
		spin_lock(&r->pager->map_lock);
	r->end = va;
	if (r->pager)
		spin_unlock(&r->pager->map_lock);
	region_insert(as, hi);
	return 0;
}

static bool can_merge(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->prot == b->prot && a->max_prot == b->max_prot && a->flags == b->flags &&
	       a->pager == b->pager && a->file == b->file && a->label == b->label &&
	       (!a->pager || a->pgoff + ((a->end - a->start) >> PAGE_SHIFT) == b->pgoff) &&
	       !(a->flags & (REGION_GROWSDOWN | REGION_SPECIAL));
}

static void join(struct aspace *as, struct region *a, struct region *b)
{
	u64 end = b->end;

	region_remove(as, b);
	region_account(as, a, (s64)((end - a->end) >> PAGE_SHIFT));
	if (a->pager)
		spin_lock(&a->pager->map_lock);
	a->end = end;
	if (a->pager)
		spin_unlock(&a->pager->map_lock);
}

struct region *region_merge(struct aspace *as, struct region *r)
{
	struct region *prev = region_prev(r), *next = region_next(r);

	if (next && can_merge(r, next))
		join(as, r, next);
	if (prev && can_merge(prev, r)) {
		join(as, prev, r);
		return prev;
	}
	return r;
}

static bool gap_is_free(struct aspace *as, u64 va, u64 len)
{
	struct region *r;

	if (va < USER_VA_MIN || len > USER_VA_END || va > USER_VA_END - len)
		return false;
	r = aspace_find_first(as, va);
	return !r || r->start >= va + len;
}

u64 region_find_gap(struct aspace *as, u64 hint, u64 len, u64 limit)
{
	u64 top = MIN(limit, as->mmap_base);
	struct region *r;

	if (hint && gap_is_free(as, hint, len) && hint + len <= limit)
		return hint;
	r = aspace_find_first(as, top - 1);
	if (r && r->start < top)
		top = r->start;
	r = r ? region_prev(r) : rb_entry_or_null(rb_last(&as->regions), struct region, node);
	for (; top > USER_VA_MIN; r = region_prev(r)) {
		u64 floor = r ? r->end : USER_VA_MIN;

		if (floor < top && top - floor >= len)
			return top - len;
		if (!r)
			break;
		top = r->start;
	}
	/* the area below is full: anything above it, bottom up */
	for (r = aspace_find_first(as, as->mmap_base); r; r = region_next(r)) {
		struct region *next = region_next(r);
		u64 end = next ? next->start : limit;

		if (end > r->end && end <= limit && end - r->end >= len && !(next && next->flags & REGION_GROWSDOWN))
			return r->end;
	}
	return 0;
}

void rss_add(struct aspace *as, struct page *pg)
{
	atomic64_add(pg && pg->flags & PG_ANON ? &as->rss_anon : &as->rss_file, 1);
}

void rss_drop(struct aspace *as, struct page *pg)
{
	atomic64_sub(pg && pg->flags & PG_ANON ? &as->rss_anon : &as->rss_file, 1);
}

struct zap {
	struct aspace *as;
	struct page *page[ZAP_BATCH];
	u32 nr;
};

static void zap_one(void *ctx, u64 va, paddr_t pa, u32 flags)
{
	struct zap *z = ctx;
	struct page *pg = paddr_page(pa);

	(void)va;
	(void)flags;
	rss_drop(z->as, pg);
	if (pg)
		z->page[z->nr++] = pg;
}

void region_zap(struct aspace *as, u64 va, u64 end)
{
	struct zap z = { .as = as };
	u32 flags, i;
	paddr_t pa;

	for (;;) {
		u64 stop;

		spin_lock(&as->pt_lock);
		if (!arch_mmu_next(&as->arch, &va, end, &pa, &flags)) {
			spin_unlock(&as->pt_lock);
			return;
		}
		stop = MIN(end, va + ZAP_BATCH * PAGE_SIZE);
		arch_mmu_unmap(&as->arch, va, (stop - va) >> PAGE_SHIFT, zap_one, &z);
		arch_mmu_flush(&as->arch, va, (stop - va) >> PAGE_SHIFT);
		spin_unlock(&as->pt_lock);
		for (i = 0; i < z.nr; i++)
			page_put(z.page[i]);
		z.nr = 0;
		va = stop;
	}
}

u32 region_mmu_prot(const struct region *r, bool writable)
{
	u32 prot = MMU_READ;

	if (writable && (r->prot & PROT_WRITE))
		prot |= MMU_WRITE;
	if (r->prot & PROT_EXEC)
		prot |= MMU_EXEC;
	return prot;
}
