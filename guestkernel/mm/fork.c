// SPDX-License-Identifier: Apache-2.0
/*
 * fork - the copy of an address space
 *
 * Rules     Only private pages are copied, as page table entries without write permission on both sides; the
 *           first write on either side takes the frame over or copies it. Pages of files and shared memory
 *           are left to the child's faults, sixteen at a time.
 *           Where a fault costs far more than copying a page (arch_fault_sizes.fork_copies), the first written pages of
 *           each region are copied at once, and the parent keeps its right to write; not of programs with several
 *           threads: the others write while pages are copied, and the child would see their writes out of order.
 *           The parent's stale writable translations are flushed once, at the end: nobody runs the child yet.
 * Locking   Parent's as->lock exclusively; both pt_locks, in address order, while a region's pages are copied.
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/uapi/mman.h"

/* Address range whose pages are shared before others get their turn. */
#define SHARE_AT_ONCE (8ull << 20)

#define COPIES_ALL 64u /* pages copied at once in one fork */
#define COPY_ORDER 4u  /* their frames are taken in runs: side by side they are one mapping */

struct share {
	u32 anon;
	u32 copies; /* how many pages may still be copied at once */
	struct aspace *src;
	struct region *copy;
	struct page *frames; /* nr_frames for the next copies */
	u32 nr_frames;
};

static struct page *next_frame(struct share *s)
{
	if (!s->nr_frames) {
		if (page_alloc_run(COPY_ORDER, PAGE_USER, &s->frames))
			return NULL;
		s->nr_frames = 1u << COPY_ORDER;
	}
	s->nr_frames--;
	return s->frames++;
}

/* Only what the parent alone has and can write now: others have shared it before. */
static bool copy_one(struct share *s, u64 va, struct page *pg)
{
	struct page *new;
	paddr_t pa;
	u32 flags;

	if (!s->copies || refs_read(&pg->refs) != 1 ||
	    !arch_mmu_query(&s->src->arch, va, &pa, &flags) || !(flags & MMU_Q_WRITE))
		return false;
	new = next_frame(s);
	if (!new)
		return false;
	new->flags |= PG_ANON;
	memcpy(page_kaddr(new), page_kaddr(pg), PAGE_SIZE);
	if (arch_mmu_map(&s->copy->as->arch, va, page_paddr(new), region_mmu_prot(s->copy, true))) {
		page_put(new);
		return false;
	}
	s->copies--;
	s->anon++;
	return true;
}

static bool share_one(void *ctx, u64 va, paddr_t pa)
{
	struct share *s = ctx;
	struct page *pg;

	if (pa.pa == mm_zero_frame.pa)
		return true;
	pg = paddr_page(pa);
	if (!pg || !(pg->flags & PG_ANON))
		return false;
	if (copy_one(s, va, pg))
		return false;
	page_get(pg);
	s->anon++;
	return true;
}

/* After a part: moves va to the next page there is; false at the end. */
static bool more_pages(struct aspace *src, u64 *va, u64 end)
{
	paddr_t pa;
	u32 flags;
	bool more;

	cond_resched();
	spin_lock(&src->pt_lock);
	more = arch_mmu_next(&src->arch, va, end, &pa, &flags);
	spin_unlock(&src->pt_lock);
	return more;
}

/* copy is the child's region of r. *copies: pages that may be copied at once. */
static int clone_pages(struct aspace *src, struct region *copy, const struct region *r, u32 *copies)
{
	u32 allowed = MIN(*copies, arch_fault_sizes.fork_copies);
	struct share s = { .copies = allowed, .src = src, .copy = copy };
	struct aspace *dst = copy->as;
	u64 va = r->start, n;
	int ret;

	if (r->pager && !r->has_anon)
		return 0;
	do {
		n = MIN(r->end - va, SHARE_AT_ONCE);
		spin_lock_pair(&src->pt_lock, &dst->pt_lock);
		ret = arch_mmu_share(&dst->arch, &src->arch, va, n >> PAGE_SHIFT, share_one, &s);
		spin_unlock_pair(&src->pt_lock, &dst->pt_lock);
		va += n;
	} while (!ret && va < r->end && more_pages(src, &va, r->end));
	while (s.nr_frames)
		page_put(next_frame(&s));
	*copies -= allowed - s.copies;
	rss_add(copy, s.anon, 0);
	return ret;
}

static int clone_region(struct aspace *src, struct aspace *dst, const struct region *r, u32 *copies)
{
	struct region like = *r, *copy;
	int ret;

	if (r->flags & REGION_DONTFORK)
		return 0;
	like.flags &= ~(u32)REGION_LOCKED;
	like.has_anon = r->has_anon && !(r->flags & (REGION_WIPEONFORK | REGION_SHARED));
	ret = region_create(dst, r->start, r->end, &like, &copy);
	if (ret)
		return ret;
	region_insert(dst, copy);
	return r->flags & (REGION_WIPEONFORK | REGION_SHARED) ? 0
							      : clone_pages(src, copy, r, copies);
}

static void clone_fields(struct aspace *src, struct aspace *dst)
{
	dst->mmap_base = src->mmap_base;
	dst->gap_top = src->gap_top;
	dst->gap_widest = src->gap_widest;
	dst->brk_start = src->brk_start;
	dst->brk_end = src->brk_end;
	dst->stack_start = src->stack_start;
	dst->arg_start = src->arg_start;
	dst->arg_end = src->arg_end;
	dst->env_start = src->env_start;
	dst->env_end = src->env_end;
	dst->start_code = src->start_code;
	dst->end_code = src->end_code;
	dst->start_data = src->start_data;
	dst->end_data = src->end_data;
	memcpy(dst->auxv, src->auxv, src->nr_auxv * sizeof src->auxv[0]);
	dst->nr_auxv = src->nr_auxv;
	dst->vdso_base = src->vdso_base;
	dst->dumpable = src->dumpable;
	dst->membarrier_state = src->membarrier_state;
	dst->exe_file = src->exe_file;
	if (dst->exe_file)
		file_get(dst->exe_file);
}

int aspace_clone(struct aspace *src, struct aspace **out)
{
	struct rb_node *n;
	struct aspace *dst;
	u32 copies = refs_read(&src->refs) == 1 ? COPIES_ALL : 0;
	int ret = aspace_create(&dst);

	if (ret)
		return ret;
	rwsem_write_lock(&src->lock);
	clone_fields(src, dst);
	for (n = rb_first(&src->regions); n && !ret; n = rb_next(n))
		ret = clone_region(src, dst, rb_entry(n, struct region, node), &copies);
	dst->hiwater_vm = dst->total_pages;
	spin_lock(&src->pt_lock);
	arch_mmu_flush(&src->arch, 0, U64_MAX);
	spin_unlock(&src->pt_lock);
	aspace_write_unlock(src);
	if (ret)
		aspace_put(dst);
	else
		*out = dst;
	return ret;
}
