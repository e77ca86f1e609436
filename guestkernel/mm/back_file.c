// SPDX-License-Identifier: Apache-2.0
/*
 * back_file - pages leave mappings (truncate, write-back), and shared anonymous memory as a pager
 *
 * Role      Implements the mm side of kapi/pager.h.
 * Locking   pager->map_lock over the regions, pt_lock of each address space inside.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/mm/region.h"

/* The part of a region that shows [pgoff, pgoff + npages) of its pager; false when none. */
static bool overlap(const struct region *r, u64 pgoff, u64 npages, u64 *va, u64 *end)
{
	u64 r_end = r->pgoff + ((r->end - r->start) >> PAGE_SHIFT);
	u64 stop = npages > U64_MAX - pgoff ? U64_MAX : pgoff + npages;
	u64 lo = MAX(pgoff, r->pgoff), hi = MIN(stop, r_end);

	if (lo >= hi)
		return false;
	*va = r->start + ((lo - r->pgoff) << PAGE_SHIFT);
	*end = r->start + ((hi - r->pgoff) << PAGE_SHIFT);
	return true;
}

static void take_page(void *ctx, u64 va, paddr_t pa, u32 flags)
{
	(void)va;
	(void)flags;
	*(struct page **)ctx = frame_page(pa);
}

static void unmap_range(struct region *r, u64 va, u64 end, bool private_too)
{
	struct aspace *as = r->as;
	u32 flags;
	paddr_t pa;

	spin_lock(&as->pt_lock);
	for (; arch_mmu_next(&as->arch, &va, end, &pa, &flags); va += PAGE_SIZE) {
		struct page *pg = paddr_page(pa);
		struct page *gone = NULL;

		if (pg && (pg->flags & PG_ANON) && !(r->flags & REGION_SHARED) && !private_too)
			continue;
		arch_mmu_unmap(&as->arch, va, 1, take_page, &gone);
		arch_mmu_flush(&as->arch, va, 1);
		rss_add_one(r, pa, -1);
		if (gone)
			page_put(gone);
	}
	spin_unlock(&as->pt_lock);
}

void pager_unmap(struct pager *p, u64 pgoff, u64 npages, bool private_too)
{
	struct region *r;
	u64 va, end;

	/* before any entry goes: a fault that has its page already finds out, see fault.c */
	__atomic_fetch_add(&p->unmap_seq, 1, __ATOMIC_SEQ_CST);
	spin_lock(&p->map_lock);
	list_for_each_entry (r, &p->regions, map_link)
		if (overlap(r, pgoff, npages, &va, &end))
			unmap_range(r, va, end, private_too);
	spin_unlock(&p->map_lock);
}

void pager_wrprotect(struct pager *p, u64 pgoff, u64 npages)
{
	struct region *r;
	u64 va, end;

	spin_lock(&p->map_lock);
	list_for_each_entry (r, &p->regions, map_link) {
		if (!(r->flags & REGION_SHARED) || !overlap(r, pgoff, npages, &va, &end))
			continue;
		spin_lock(&r->as->pt_lock);
		arch_mmu_wrprotect(&r->as->arch, va, (end - va) >> PAGE_SHIFT);
		arch_mmu_flush(&r->as->arch, va, (end - va) >> PAGE_SHIFT);
		spin_unlock(&r->as->pt_lock);
	}
	spin_unlock(&p->map_lock);
}

/* Shared anonymous memory: pages by index, zero on demand. */
struct anon_pager {
	struct pager base;
	struct refs refs;
	struct spinlock lock; /* RANK_PAGECACHE */
	struct xarray pages;  /* [lock] */
	u64 npages;	      /* [I] */
};

static struct anon_pager *anon_pager(struct pager *p)
{
	return container_of(p, struct anon_pager, base);
}

static int anon_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	struct anon_pager *a = anon_pager(p);
	struct page *pg, *fresh = NULL;
	void *old;
	int ret = 0;

	(void)for_write;
	if (pgoff >= a->npages)
		return -EINVAL;
	spin_lock(&a->lock);
	pg = xa_load(&a->pages, pgoff);
	if (!pg) {
		ret = page_alloc(PAGE_ZERO | PAGE_USER, &fresh);
		if (!ret)
			ret = xa_store(&a->pages, pgoff, fresh, &old);
		pg = fresh;
	}
	if (!ret)
		page_get(pg);
	spin_unlock(&a->lock);
	if (ret) {
		if (fresh)
			page_put(fresh);
		return ret;
	}
	out->pa = page_paddr(pg);
	out->page = pg;
	return 0;
}

static bool anon_is_resident(struct pager *p, u64 pgoff)
{
	struct anon_pager *a = anon_pager(p);
	bool yes;

	spin_lock(&a->lock);
	yes = xa_load(&a->pages, pgoff) != NULL;
	spin_unlock(&a->lock);
	return yes;
}

static void anon_get(struct pager *p)
{
	refs_get(&anon_pager(p)->refs);
}

static void anon_put(struct pager *p)
{
	struct anon_pager *a = anon_pager(p);
	struct page *pg;
	u64 i;

	if (!refs_put(&a->refs))
		return;
	xa_for_each (&a->pages, i, pg)
		page_put(pg);
	xa_fini(&a->pages);
	kfree(a);
}

static void anon_describe(struct pager *p, struct pager_desc *out)
{
	(void)p;
	out->dev = 1;
	out->ino = (u64)p >> 6 & 0xffffff;
	strlcpy(out->path, "/dev/zero (deleted)", sizeof out->path);
}

static const struct pager_ops anon_pager_ops = {
	.get_page = anon_get_page,
	.is_resident = anon_is_resident,
	.get = anon_get,
	.put = anon_put,
	.describe = anon_describe,
};

int pager_create_anon(u64 npages, struct pager **out)
{
	struct anon_pager *a = knew(struct anon_pager);

	if (!a)
		return -ENOMEM;
	pager_init(&a->base, &anon_pager_ops);
	refs_init(&a->refs, 1);
	spin_init(&a->lock, RANK_PAGECACHE);
	xa_init(&a->pages);
	a->npages = npages;
	*out = &a->base;
	return 0;
}
