// SPDX-License-Identifier: Apache-2.0
/*
 * region - the tree of regions: find, insert, cut, join, drop pages
 *
 * Rules     Regions of an address space never overlap and are never empty. Neighbours that are one mapping are
 *           joined, so that the tree stays small and grows back together after mprotect().
 * Locking   as->lock, exclusively, except for finding. A region is on its pager's list exactly while it is in
 *           the tree; its bounds change under the pager's map_lock too, because pager_unmap() reads them.
 */
#include "guestkernel/mm/region.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/mman.h"

s32 sysctl_max_map_count = 65530;

#define ZAP_BATCH 64
#define PROT_RWX  (PROT_READ | PROT_WRITE | PROT_EXEC)

paddr_t mm_zero_frame;

struct region *aspace_find_first(struct aspace *as, u64 va)
{
	struct rb_node *n = as->regions.node;
	struct region *best = NULL;

	while (n) {
		struct region *r = rb_entry(n, struct region, node);

		if (r->end > va) {
			best = r;
			if (r->start <= va)
				break;
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

int region_create(struct aspace *as, u64 start, u64 end, const struct region *like,
		  struct region **out)
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

void aspace_write_unlock(struct aspace *as)
{
	struct list dead = LIST_INIT(dead);
	struct region *r;

	as->hiwater_vm = MAX(as->hiwater_vm, as->total_pages);
	list_splice_tail(&dead, &as->dead);
	rwsem_write_unlock(&as->lock);
	while ((r = list_first(&dead, struct region, map_link)) != NULL) {
		list_del(&r->map_link);
		region_free(r);
	}
}

void region_account(struct aspace *as, const struct region *r, s64 pages)
{
	as->total_pages += (u64)pages;
	if (r->flags & REGION_LOCKED)
		as->locked_pages += (u64)pages;
	if (r->flags & REGION_GROWSDOWN)
		as->stack_pages += (u64)pages;
	else if ((r->prot & PROT_WRITE) && !(r->flags & REGION_SHARED))
		as->data_pages += (u64)pages;
	else if ((r->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC)
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
		link = r->start < rb_entry(parent, struct region, node)->start ? &parent->left
									       : &parent->right;
	}
	rb_link(&r->node, parent, link);
	rb_insert_fixup(&as->regions, &r->node);
	as->nr_regions++;
	region_account(as, r, (s64)((r->end - r->start) >> PAGE_SHIFT));
	link_pager(r);
}

/* Room below a used address: a later search may start there. */
static void note_gap(struct aspace *as, u64 end)
{
	if (end > as->gap_top)
		as->gap_top = MIN(end, as->mmap_base);
}

void region_remove(struct aspace *as, struct region *r)
{
	unlink_pager(r);
	rb_erase(&as->regions, &r->node);
	as->nr_regions--;
	as->last_found = NULL;
	region_account(as, r, -(s64)((r->end - r->start) >> PAGE_SHIFT));
	note_gap(as, r->end);
	list_add(&as->dead, &r->map_link);
}

static void set_end(struct region *r, u64 end)
{
	if (!r->pager) {
		r->end = end;
		return;
	}
	spin_lock(&r->pager->map_lock);
	r->end = end;
	spin_unlock(&r->pager->map_lock);
}

void region_set_end(struct aspace *as, struct region *r, u64 end)
{
	region_account(as, r, (s64)(end - r->end) >> PAGE_SHIFT);
	set_end(r, end);
}

int region_split(struct aspace *as, struct region *r, u64 va)
{
	struct region *hi;
	int ret = region_create(as, va, r->end, r, &hi);

	if (ret)
		return ret;
	hi->pgoff = region_pgoff(r, va);
	region_set_end(as, r, va);
	region_insert(as, hi);
	return 0;
}

int region_clip(struct aspace *as, struct region **r, u64 va, u64 end)
{
	int ret;

	if (((*r)->start < va || (*r)->end > end) && as->nr_regions + 2 > REGION_COUNT_MAX)
		return -ENOMEM;
	if ((*r)->start < va) {
		ret = region_split(as, *r, va);
		if (ret)
			return ret;
		*r = region_next(*r);
	}
	return (*r)->end > end ? region_split(as, *r, end) : 0;
}

static bool can_merge(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->prot == b->prot && a->max_prot == b->max_prot &&
	       a->flags == b->flags && a->pager == b->pager && a->file == b->file &&
	       a->label == b->label && (!a->pager || region_pgoff(a, a->end) == b->pgoff) &&
	       !(a->flags & (REGION_GROWSDOWN | REGION_SPECIAL));
}

/* a takes over b. The order matters to pager_unmap(): it may see a page in both, never in none. */
static void join(struct aspace *as, struct region *a, struct region *b)
{
	a->has_anon |= b->has_anon;
	region_set_end(as, a, b->end);
	region_remove(as, b);
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

/* Where r starts for others: a stack needs room to grow and a gap. */
static u64 region_floor(const struct region *r)
{
	if (!(r->flags & REGION_GROWSDOWN))
		return r->start;
	return r->start > REGION_STACK_GAP ? r->start - REGION_STACK_GAP : 0;
}

static bool gap_is_free(struct aspace *as, u64 va, u64 len, u64 limit)
{
	struct region *r;

	if (va < USER_VA_MIN || len > limit || va > limit - len)
		return false;
	r = aspace_find_first(as, va);
	return !r || (r->start > va && region_floor(r) >= va + len);
}

/* Highest gap of len bytes that ends at or below top; *widest: the widest one passed over. */
static u64 search_down(struct aspace *as, u64 len, u64 top, u64 *widest)
{
	struct region *above = aspace_find_first(as, top - 1), *r;

	r = above ? region_prev(above)
		  : rb_entry_or_null(rb_last(&as->regions), struct region, node);
	if (above)
		top = MIN(top, region_floor(above));
	for (; top > USER_VA_MIN; r = region_prev(r)) {
		u64 floor = r ? r->end : USER_VA_MIN;

		if (floor < top) {
			if (top - floor >= len)
				return top - len;
			*widest = MAX(*widest, top - floor);
		}
		if (!r)
			return 0;
		top = MIN(top, region_floor(r));
	}
	return 0;
}

static u64 search_up(struct aspace *as, u64 len, u64 from, u64 limit)
{
	struct region *r = aspace_find_first(as, from);
	u64 at = from;

	for (; at < limit && limit - at >= len; at = MAX(at, r->end), r = region_next(r)) {
		if (!r || (region_floor(r) > at && region_floor(r) - at >= len))
			return at;
	}
	return 0;
}

u64 region_find_gap(struct aspace *as, u64 hint, u64 len, u64 limit)
{
	u64 va, widest = 0;

	if (hint && gap_is_free(as, hint, len, limit))
		return hint;
	if (limit < as->mmap_base)
		return search_down(as, len, limit, &widest);
	/* every gap above gap_top is known to be narrower than or as wide as gap_widest */
	if (len > as->gap_widest) {
		va = search_down(as, len, as->gap_top, &as->gap_widest);
		if (va) {
			as->gap_top = va;
			return va;
		}
	}
	as->gap_widest = 0;
	va = search_down(as, len, as->mmap_base, &as->gap_widest);
	as->gap_top = va ? va : USER_VA_MIN;
	return va ? va : search_up(as, len, as->mmap_base, limit);
}

struct zap {
	struct page *page[ZAP_BATCH];
	u32 nr, anon, paged;
};

static void zap_one(void *ctx, u64 va, paddr_t pa, u32 flags)
{
	struct zap *z = ctx;
	struct page *pg;

	(void)va;
	(void)flags;
	if (pa.pa == mm_zero_frame.pa)
		return;
	pg = paddr_page(pa);
	if (pg && (pg->flags & PG_ANON))
		z->anon++;
	else
		z->paged++;
	if (pg)
		z->page[z->nr++] = pg;
}

static void note_rss(struct aspace *as)
{
	u64 rss = atomic64_read(&as->rss_anon) + atomic64_read(&as->rss_file) +
		  atomic64_read(&as->rss_shmem);

	as->hiwater_rss = MAX(as->hiwater_rss, rss);
}

void region_zap(struct region *r, u64 va, u64 end)
{
	struct aspace *as = r->as;
	struct zap z;
	u32 flags, i;
	paddr_t pa;

	note_rss(as);
	for (;;) {
		u64 stop;

		z.nr = z.anon = z.paged = 0;
		spin_lock(&as->pt_lock);
		if (!arch_mmu_next(&as->arch, &va, end, &pa, &flags)) {
			spin_unlock(&as->pt_lock);
			return;
		}
		stop = MIN(end, va + ZAP_BATCH * PAGE_SIZE);
		arch_mmu_unmap(&as->arch, va, (stop - va) >> PAGE_SHIFT, zap_one, &z);
		rss_add(r, -(s64)z.anon, -(s64)z.paged);
		if (refs_read(&as->refs)) /* nobody runs in a dying address space */
			arch_mmu_flush(&as->arch, va, (stop - va) >> PAGE_SHIFT);
		spin_unlock(&as->pt_lock);
		for (i = 0; i < z.nr; i++)
			page_put(z.page[i]);
		va = stop;
		cond_resched();
	}
}

u32 region_mmu_prot(const struct region *r, bool writable)
{
	u32 prot = MMU_READ;

	if (!(r->prot & PROT_RWX))
		return 0;
	if (writable && (r->prot & PROT_WRITE))
		prot |= MMU_WRITE;
	if (r->prot & PROT_EXEC)
		prot |= MMU_EXEC;
	if (r->prot & PROT_BTI)
		prot |= MMU_GUARDED;
	return prot;
}
