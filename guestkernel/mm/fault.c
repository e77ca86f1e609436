// SPDX-License-Identifier: Apache-2.0
/*
 * fault - page faults: region to frame to page table
 *
 * Role      aspace_fault() is called by fault_trap.c for the hardware and by whoever wants a page present.
 * Rules     Three kinds of page: anonymous (zero on demand), private file (the pager's frame read-only, a private
 *           copy at the first write), shared (the pager's frame). A private frame with one reference is
 *           written in place; with more it is copied. Each page table entry holds one reference, except for
 *           the zero page and the file window.
 *           The page table is looked at again under pt_lock before it is changed: two threads may fault on one
 *           page, and a file may be truncated between get_page and the change (pager->unmap_seq). A frame that
 *           another CPU may still reach is released only after the flush.
 *           A fault of the hardware that found no entry goes straight to making a page (FAULT_PRESENT clear);
 *           other callers set FAULT_PRESENT, which means: look at the page table first.
 * Locking   as->lock shared; pt_lock for the page table. Pagers may sleep: pt_lock is not held then.
 * Missing   Swap, NUMA, huge pages.
 */
#include "arch/param.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define AROUND	    16 /* pages mapped at once around a fault of a cached file */
#define COPY_AROUND 16 /* pages looked at around a write that needs a copy */
#define AHEAD	    7  /* pages mapped after one that continues a row of writes */
#define TABLE_BYTES (512 * PAGE_SIZE)
#define RETRY	    1 /* the page table changed under us: look again */

struct fault {
	struct aspace *as;
	struct region *r;
	u64 va; /* page aligned */
	bool is_write;
	u32 seq; /* pager->unmap_seq before the pager was asked */
};

static int zero_frame(paddr_t *out)
{
	struct page *pg;
	int ret;

	if (unlikely(!mm_zero_frame.pa)) {
		ret = page_alloc(PAGE_ZERO, &pg);
		if (ret)
			return ret;
		leak_forget(pg);
		if (xchg(&mm_zero_frame.pa, page_paddr(pg).pa))
			return -ENOMEM; /* two CPUs at once: cannot be, the first fault is process 1's */
	}
	*out = mm_zero_frame;
	return 0;
}

static int alloc_anon(u32 flags, struct page **out)
{
	int ret = page_alloc(flags | PAGE_USER, out);

	if (likely(!ret))
		(*out)->flags |= PG_ANON;
	return ret;
}

static bool is_outdated(const struct fault *f)
{
	return f->r->pager && READ_ONCE(f->r->pager->unmap_seq) != f->seq;
}

/* Maps a frame where nothing is mapped; consumes the reference on pg (NULL: not counted). */
static int install(struct fault *f, paddr_t pa, struct page *pg, u32 prot)
{
	struct aspace *as = f->as;
	struct mmu_run run;
	int ret = RETRY;

	spin_lock(&as->pt_lock);
	if (is_outdated(f))
		goto unlock;
	ret = arch_mmu_run(&as->arch, f->va, 1, &run);
	if (unlikely(ret))
		goto unlock;
	ret = RETRY;
	if (!arch_mmu_run_is_mapped(&run, 0)) {
		ret = 0;
		arch_mmu_run_set(&run, 0, pa, prot);
		if (pg && (pg->flags & PG_ANON))
			f->r->has_anon = true;
		rss_add_one(f->r, pa, 1);
	}
unlock:
	spin_unlock(&as->pt_lock);
	if (unlikely(ret) && pg)
		page_put(pg);
	return ret;
}

/* Replaces the mapping of old_pa by a new anonymous frame; consumes new's reference. */
static int replace(struct fault *f, paddr_t old_pa, struct page *new)
{
	struct aspace *as = f->as;
	struct page *old = frame_page(old_pa);
	struct mmu_run run;
	u32 flags;
	paddr_t now;
	int ret;

	spin_lock(&as->pt_lock);
	ret = arch_mmu_run(&as->arch, f->va, 1, &run);
	if (!ret) {
		ret = RETRY;
		if (arch_mmu_run_query(&run, 0, &now, &flags) && now.pa == old_pa.pa) {
			ret = 0;
			arch_mmu_run_set(&run, 0, page_paddr(new), region_mmu_prot(f->r, true));
			arch_mmu_flush(&as->arch, f->va, 1);
			rss_add_one(f->r, old_pa, -1);
			rss_add(f->r, 1, 0);
			f->r->has_anon = true;
		}
	}
	spin_unlock(&as->pt_lock);
	if (ret)
		page_put(new);
	else if (old)
		page_put(old);
	return ret;
}

/* Write to a private page that others see too; pg (may be NULL) is referenced for us. */
static int copy_on_write(struct fault *f, paddr_t pa, struct page *pg)
{
	bool is_zero = pa.pa == mm_zero_frame.pa;
	struct page *new;
	int ret = alloc_anon(is_zero ? PAGE_ZERO : 0, &new);

	if (!ret) {
		if (!is_zero)
			memcpy(page_kaddr(new), arch_phys_to_virt(pa), PAGE_SIZE);
		ret = replace(f, pa, new);
	}
	if (pg)
		page_put(pg);
	return ret;
}

/* A program that writes one page after the other gets the next ones too, if there is memory. */
static void map_ahead(struct fault *f)
{
	u64 va = f->va + PAGE_SIZE, room = (f->r->end - va) >> PAGE_SHIFT;
	u32 want = (u32)MIN(room, (u64)AHEAD), prot = region_mmu_prot(f->r, true), n = 0, i,
	    used = 0;
	struct page *pg[AHEAD];
	struct mmu_run run;

	while (n < want && !alloc_anon(PAGE_ZERO, &pg[n]))
		n++;
	spin_lock(&f->as->pt_lock);
	if (n && !arch_mmu_run(&f->as->arch, va, n, &run)) {
		for (i = 0; i < run.n && !arch_mmu_run_is_mapped(&run, i); i++)
			arch_mmu_run_set(&run, i, page_paddr(pg[used++]), prot);
	}
	rss_add(f->r, used, 0);
	f->as->next_anon = va + used * PAGE_SIZE;
	spin_unlock(&f->as->pt_lock);
	while (n > used)
		page_put(pg[--n]);
}

/* Unmapped pages in a row from va on (a stack: up to va), at most want; they are under one table. */
static u32 room_at(struct fault *f, u64 va, u32 want)
{
	struct mmu_run run;
	u32 n = 0;

	if (arch_mmu_run(&f->as->arch, va, want, &run))
		return 0;
	while (n < run.n && !arch_mmu_run_is_mapped(&run, n))
		n++;
	return n;
}

/* Unmapped pages in a row that end with f->va, at most want, under one table. */
static u32 room_below(struct fault *f, u32 want)
{
	u64 low = MAX(ALIGN_DOWN(f->va, TABLE_BYTES), f->r->start), up;
	struct mmu_run run;
	u32 last, n = 0;

	up = f->va - MIN(f->va - low, (want - 1) * PAGE_SIZE);
	last = (u32)((f->va - up) >> PAGE_SHIFT);
	if (arch_mmu_run(&f->as->arch, up, last + 1, &run) || run.n <= last)
		return 0;
	while (n <= last && !arch_mmu_run_is_mapped(&run, last - n))
		n++;
	return n;
}

/* Where runs are cheap: a chunk of frames in a row, upwards, or downwards when what is above is there already: memory is
 * also filled from its end (memmove, and memcpy where that avoids clashes in the cache). */
static bool fault_chunk(struct fault *f)
{
	bool is_row = f->as->next_anon == f->va || f->as->prev_anon == f->va;
	u32 want = is_row ? arch_fault_sizes.anon_row : arch_fault_sizes.anon;
	u32 prot = region_mmu_prot(f->r, true), n, i, order;
	struct mmu_run run;
	struct page *pg;
	u64 va = f->va;

	/* small regions show by mincore() which of their pages were touched */
	if (want == arch_fault_sizes.anon && f->r->end - f->r->start < 2 * want * PAGE_SIZE)
		return false;
	if (f->r->flags & REGION_GROWSDOWN)
		va = MAX(f->r->start, va - (want - 1) * PAGE_SIZE);
	spin_lock(&f->as->pt_lock);
	n = room_at(f, va, (u32)MIN((f->r->end - va) >> PAGE_SHIFT, (u64)want));
	if (n < 2 && va == f->va) {
		n = room_below(f, want);
		va -= n ? (n - 1) * PAGE_SIZE : 0;
	}
	spin_unlock(&f->as->pt_lock);
	if (va + n * PAGE_SIZE <= f->va || n < 2)
		return false;
	order = 31 - (u32)__builtin_clz(n);
	n = 1u << order;
	va = MAX(va, f->va - MIN((f->va - va), (n - 1) * PAGE_SIZE));
	if (page_alloc_run(order, PAGE_ZERO | PAGE_USER, &pg))
		return false;
	spin_lock(&f->as->pt_lock);
	if (room_at(f, va, n) == n && !arch_mmu_run(&f->as->arch, va, n, &run)) {
		for (i = 0; i < n; i++) {
			pg[i].flags |= PG_ANON;
			arch_mmu_run_set(&run, i, page_paddr(&pg[i]), prot);
		}
		rss_add(f->r, n, 0);
		f->as->next_anon = va + n * PAGE_SIZE;
		f->as->prev_anon = va - PAGE_SIZE;
		n = 0;
	}
	spin_unlock(&f->as->pt_lock);
	if (n)
		page_free_order(pg, order);
	return !n;
}

static int fault_anon(struct fault *f)
{
	struct page *pg;
	paddr_t pa;
	int ret;

	/* where faults are dear, what may be written is not shown the zero page first */
	if (unlikely(!f->is_write) && (arch_fault_sizes.anon == 1 || !(f->r->prot & PROT_WRITE))) {
		ret = zero_frame(&pa);
		return ret ? ret : install(f, pa, NULL, region_mmu_prot(f->r, false));
	}
	if (arch_fault_sizes.anon > 1 && fault_chunk(f))
		return 0;
	ret = alloc_anon(PAGE_ZERO, &pg);
	if (!ret)
		ret = install(f, page_paddr(pg), pg, region_mmu_prot(f->r, true));
	if (unlikely(ret))
		return ret;
	if (f->as->next_anon == f->va)
		map_ahead(f);
	else
		f->as->next_anon = f->va + PAGE_SIZE;
	return 0;
}

/* The part of the pages around the fault that lies in the region; it is under one table. */
struct around {
	u64 start;
	u32 n;
};

static bool run_start(struct fault *f, const struct around *a, struct mmu_run *run)
	TRY_ACQUIRES(true, f->as->pt_lock)
{
	spin_lock(&f->as->pt_lock);
	if (likely(!is_outdated(f) && !arch_mmu_run(&f->as->arch, a->start, a->n, run)))
		return true;
	spin_unlock(&f->as->pt_lock);
	return false;
}

static bool map_window(struct fault *f, const struct around *a, paddr_t first)
{
	u32 i, done, used = 0, prot = region_mmu_prot(f->r, false);
	struct mmu_run run;

	if (!run_start(f, a, &run))
		return false;
	for (i = 0; i < run.n; i += done + 1) { /* + 1: what stopped it is mapped already */
		done = arch_mmu_run_fill(&run, i, PADDR(first.pa + ((u64)i << PAGE_SHIFT)),
					 run.n - i, prot);
		used += done;
	}
	rss_add(f->r, 0, used);
	spin_unlock(&f->as->pt_lock);
	return a->start + run.n * PAGE_SIZE > f->va;
}

static bool map_cached(struct fault *f, const struct around *a, struct pager_page *got)
{
	u32 i, used = 0, prot = region_mmu_prot(f->r, false);
	struct mmu_run run = { 0 };

	if (run_start(f, a, &run)) {
		for (i = 0; i < run.n; i++) {
			if (arch_mmu_run_is_mapped(&run, i))
				continue;
			arch_mmu_run_set(&run, i, got[i].pa, prot);
			got[i].page = NULL; /* the reference is the page table's now */
			used++;
		}
		rss_add(f->r, 0, used);
		spin_unlock(&f->as->pt_lock);
	}
	for (i = 0; i < a->n; i++)
		if (got[i].page)
			page_put(got[i].page);
	return run.n && a->start + run.n * PAGE_SIZE > f->va;
}

/* Read faults of files: map what is at hand around va. True when va itself is mapped now. */
static bool map_around_region(struct fault *f)
{
	const struct pager_ops *ops = f->r->pager->ops;
	u32 pages = ops->get_window ? arch_fault_sizes.window : AROUND;
	u64 low = ALIGN_DOWN(f->va, pages * PAGE_SIZE);
	u64 end = MIN(f->r->end, low + pages * PAGE_SIZE), pgoff;
	struct around a = { .start = MAX(f->r->start, low) };
	struct pager_page got[AROUND];
	paddr_t first;

	if (f->r->flags & REGION_RANDOM_READ)
		return false;
	pgoff = region_pgoff(f->r, a.start);
	a.n = (u32)((end - a.start) >> PAGE_SHIFT);
	if (ops->get_window) {
		a.n = ops->get_window(f->r->pager, pgoff, a.n, &first);
		return a.n && map_window(f, &a, first);
	}
	if (!ops->get_around)
		return false;
	a.n = ops->get_around(f->r->pager, pgoff, a.n, got);
	return a.n && map_cached(f, &a, got);
}

/* The same in the regions beside it that show the same file, as an ELF file's segments do. */
static void map_neighbour(struct fault *f, struct region *r, u64 va)
{
	struct fault g = { .as = f->as, .r = r, .va = va, .seq = f->seq };

	if (r && r->pager == f->r->pager && !(r->flags & REGION_SHARED) && r->prot != PROT_NONE)
		map_around_region(&g);
}

static bool map_around(struct fault *f)
{
	bool done = map_around_region(f);
	struct region *prev, *next;

	if (!done || arch_fault_sizes.window <= AROUND)
		return done;
	prev = region_prev(f->r);
	next = region_next(f->r);
	if (prev)
		map_neighbour(f, prev, prev->end - PAGE_SIZE);
	if (next)
		map_neighbour(f, next, next->start);
	return true;
}

static int ask_pager(struct fault *f, bool for_write, struct pager_page *got)
{
	int ret;

	got->page = NULL;
	ret = f->r->pager->ops->get_page(f->r->pager, region_pgoff(f->r, f->va), for_write, got);
	return unlikely(ret == -EINVAL) ? -EIO : ret;
}

static int fault_shared(struct fault *f)
{
	/* shared memory without a file keeps no account of dirty pages: one fault a page is enough */
	bool for_write = f->is_write || (!f->r->file && (f->r->prot & PROT_WRITE));
	struct pager_page got;
	int ret = ask_pager(f, for_write, &got);

	return ret ? ret : install(f, got.pa, got.page, region_mmu_prot(f->r, for_write));
}

/* Pages around a write to private memory that would need a copy of their own soon: of a window file, or shared with a
 * parent or child. Where faults are dear, one fault copies them all. */
struct copies {
	u64 va;
	u32 n;
	struct page *new; /* n frames in a row */
	struct {
		paddr_t pa;
		struct page
			*page; /* referenced while we copy; NULL: of the window, or the zero page */
		bool is_mapped;
	} src[COPY_AROUND];
};

static bool copy_source(struct fault *f, u64 va, u32 i, struct copies *c)
{
	u32 flags;
	paddr_t pa;

	c->src[i].page = NULL;
	c->src[i].is_mapped = arch_mmu_query(&f->as->arch, va, &pa, &flags);
	if (!c->src[i].is_mapped)
		return f->r->pager && f->r->pager->ops->get_window &&
		       f->r->pager->ops->get_window(f->r->pager, region_pgoff(f->r, va), 1,
						    &c->src[i].pa) == 1;
	if (flags & MMU_Q_WRITE)
		return false;
	c->src[i].pa = pa;
	c->src[i].page = frame_page(pa);
	return !c->src[i].page ||
	       ((c->src[i].page->flags & PG_ANON) && refs_read(&c->src[i].page->refs) > 1);
}

/* Finds the row of such pages that contains f->va. */
static bool find_copies(struct fault *f, struct copies *c)
{
	u64 low = MAX(f->r->start, ALIGN_DOWN(f->va, COPY_AROUND * PAGE_SIZE));
	u64 end = MIN(f->r->end,
		      ALIGN_DOWN(f->va, COPY_AROUND * PAGE_SIZE) + COPY_AROUND * PAGE_SIZE);
	u64 va;

	c->n = 0;
	c->va = low;
	for (va = low; va < end; va += PAGE_SIZE) {
		if (copy_source(f, va, c->n, c)) {
			c->n++;
		} else if (va >= f->va) {
			break;
		} else {
			c->n = 0;
			c->va = va + PAGE_SIZE;
		}
	}
	return c->n >= 2 && c->va <= f->va && f->va < c->va + c->n * PAGE_SIZE;
}

static void put_sources(struct copies *c, u32 times)
{
	u32 i;

	for (i = 0; i < c->n; i++)
		for (u32 k = 0; c->src[i].page && k < times; k++)
			page_put(c->src[i].page);
}

/* pt_lock held. False: something changed meanwhile. */
static bool install_copies(struct fault *f, struct copies *c)
{
	u32 i, prot = region_mmu_prot(f->r, true), flags;
	struct mmu_run run;
	paddr_t pa;

	if (is_outdated(f) || arch_mmu_run(&f->as->arch, c->va, c->n, &run) || run.n < c->n)
		return false;
	for (i = 0; i < c->n; i++) {
		bool is_mapped = arch_mmu_run_query(&run, i, &pa, &flags);

		if (is_mapped != c->src[i].is_mapped ||
		    (is_mapped && (pa.pa != c->src[i].pa.pa || (flags & MMU_Q_WRITE))))
			return false;
	}
	for (i = 0; i < c->n; i++) {
		c->new[i].flags |= PG_ANON;
		if (c->src[i].is_mapped)
			rss_add_one(f->r, c->src[i].pa, -1);
		arch_mmu_run_set(&run, i, page_paddr(&c->new[i]), prot);
	}
	arch_mmu_flush(&f->as->arch, c->va, c->n);
	rss_add(f->r, c->n, 0);
	f->r->has_anon = true;
	return true;
}

static bool copy_around(struct fault *f)
{
	struct copies c;
	bool found, done;
	u32 i, order;

	spin_lock(&f->as->pt_lock);
	found = find_copies(f, &c);
	for (i = 0; found && i < c.n; i++)
		if (c.src[i].page)
			page_get(c.src[i].page);
	spin_unlock(&f->as->pt_lock);
	if (!found)
		return false;
	order = 32 - (u32)__builtin_clz(c.n - 1);
	if (page_alloc_run(order, PAGE_USER, &c.new)) {
		put_sources(&c, 1);
		return false;
	}
	for (i = 0; i < c.n; i++)
		memcpy(page_kaddr(&c.new[i]), arch_phys_to_virt(c.src[i].pa), PAGE_SIZE);
	spin_lock(&f->as->pt_lock);
	done = install_copies(f, &c);
	spin_unlock(&f->as->pt_lock);
	for (i = done ? c.n : 0; i < 1u << order; i++)
		page_put(&c.new[i]);
	put_sources(&c, done ? 2 : 1);
	return done;
}

static bool wants_copies(const struct fault *f)
{
	return arch_fault_sizes.anon > 1 && f->is_write && !(f->r->flags & REGION_SHARED);
}

static int fault_private_file(struct fault *f)
{
	struct pager_page got;
	struct page *new;
	int ret;

	if (wants_copies(f) && copy_around(f))
		return 0;
	ret = ask_pager(f, false, &got);
	if (ret)
		return ret;
	if (!f->is_write)
		return install(f, got.pa, got.page, region_mmu_prot(f->r, false));
	ret = alloc_anon(0, &new);
	if (!ret)
		memcpy(page_kaddr(new), arch_phys_to_virt(got.pa), PAGE_SIZE);
	if (got.page)
		page_put(got.page);
	return ret ? ret : install(f, page_paddr(new), new, region_mmu_prot(f->r, true));
}

static int fault_missing(struct fault *f)
{
	if (!f->r->pager)
		return fault_anon(f);
	f->seq = load_acquire(&f->r->pager->unmap_seq);
	if (!f->is_write && map_around(f))
		return 0;
	return f->r->flags & REGION_SHARED ? fault_shared(f) : fault_private_file(f);
}

/* First write to a shared page that is mapped read-only: the owner has to know. */
static int make_shared_writable(struct fault *f)
{
	struct pager_page got;
	u32 flags;
	paddr_t pa;
	int ret;

	f->seq = load_acquire(&f->r->pager->unmap_seq);
	ret = ask_pager(f, true, &got);
	if (ret)
		return ret;
	ret = RETRY;
	spin_lock(&f->as->pt_lock);
	if (!is_outdated(f) && arch_mmu_query(&f->as->arch, f->va, &pa, &flags)) {
		if (pa.pa == got.pa.pa) {
			ret = arch_mmu_map(&f->as->arch, f->va, pa, region_mmu_prot(f->r, true));
		} else {
			/* the owner moved the page (a hole got its own frame) */
			struct page *old = frame_page(pa);

			ret = arch_mmu_map(&f->as->arch, f->va, got.pa,
					   region_mmu_prot(f->r, true));
			arch_mmu_flush(&f->as->arch, f->va, 1);
			if (!ret)
				got.page = old;
		}
	}
	spin_unlock(&f->as->pt_lock);
	if (got.page)
		page_put(got.page);
	return ret;
}

/* Pages beside f->va that have become ours alone, too, where a fault is dear. pt_lock held. */
static void take_over_around(struct fault *f)
{
	u64 low = ALIGN_DOWN(f->va, COPY_AROUND * PAGE_SIZE), va = MAX(f->r->start, low);
	u64 end = MIN(f->r->end, low + COPY_AROUND * PAGE_SIZE);
	u32 i, n = (u32)((end - va) >> PAGE_SHIFT), flags;
	struct mmu_run run;
	paddr_t pa;

	if (arch_mmu_run(&f->as->arch, va, n, &run))
		return;
	for (i = 0; i < MIN(n, run.n); i++) {
		struct page *pg;

		if (!arch_mmu_run_query(&run, i, &pa, &flags) || (flags & MMU_Q_WRITE))
			continue;
		pg = frame_page(pa);
		if (pg && (pg->flags & PG_ANON) && refs_read(&pg->refs) == 1)
			arch_mmu_run_set(&run, i, pa, region_mmu_prot(f->r, true));
	}
}

/* The page may be mapped, but not for this access: copy-on-write, first write to a shared page, a stale TLB. */
static int fault_present(struct fault *f)
{
	struct aspace *as = f->as;
	struct mmu_run run;
	struct page *pg;
	paddr_t pa;
	u32 flags;
	int ret;

	spin_lock(&as->pt_lock);
	ret = arch_mmu_run(&as->arch, f->va, 1, &run);
	if (unlikely(ret))
		goto unlock;
	ret = RETRY;
	if (!arch_mmu_run_query(&run, 0, &pa, &flags))
		goto unlock;
	ret = 0;
	if (unlikely(!f->is_write || (flags & MMU_Q_WRITE))) {
		arch_mmu_flush(&as->arch, f->va, 1);
		goto unlock;
	}
	if (f->r->flags & REGION_SHARED) {
		spin_unlock(&as->pt_lock);
		return make_shared_writable(f);
	}
	pg = frame_page(pa);
	if (pg && (pg->flags & PG_ANON) && refs_read(&pg->refs) == 1) {
		/* ours alone. Another CPU with the old translation faults once more and finds it right */
		arch_mmu_run_set(&run, 0, pa, region_mmu_prot(f->r, true));
		if (wants_copies(f))
			take_over_around(f);
		goto unlock;
	}
	if (pg)
		page_get(pg);
	spin_unlock(&as->pt_lock);
	if (wants_copies(f) && copy_around(f)) {
		if (pg)
			page_put(pg);
		return 0;
	}
	return copy_on_write(f, pa, pg);
unlock:
	spin_unlock(&as->pt_lock);
	return ret;
}

static bool is_allowed(const struct region *r, u32 access, bool force)
{
	if (access & FAULT_WRITE)
		return (r->prot & PROT_WRITE) || (force && !(r->flags & REGION_SHARED));
	if (access & FAULT_EXEC)
		return r->prot & PROT_EXEC;
	return (r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) || force;
}

static struct region *find_region(struct aspace *as, u64 va)
{
	struct region *r = READ_ONCE(as->last_found);

	if (likely(r && r->start <= va && va < r->end))
		return r;
	r = aspace_find_first(as, va);
	if (r && r->start <= va)
		WRITE_ONCE(as->last_found, r);
	return r;
}

int fault_locked(struct aspace *as, u64 va, u32 access, bool force)
{
	struct fault f = { .as = as, .is_write = access & FAULT_WRITE };
	struct region *r = find_region(as, va);
	bool look = access & FAULT_PRESENT;
	int ret;

	f.va = ALIGN_DOWN(va, PAGE_SIZE);
	if (unlikely(!r || r->start > f.va))
		return r && (r->flags & REGION_GROWSDOWN) ? -EAGAIN : -EFAULT;
	if (unlikely(!is_allowed(r, access, force)))
		return -EACCES;
	f.r = r;
	do {
		ret = look ? fault_present(&f) : fault_missing(&f);
		look = !look;
	} while (unlikely(ret == RETRY));
	return ret;
}

int region_grow_down(struct aspace *as, u64 va)
{
	struct region *r = aspace_find_first(as, va), *prev;
	u64 start = ALIGN_DOWN(va, PAGE_SIZE);
	s64 pages;

	if (!r)
		return -EFAULT;
	if (r->start <= va)
		return 0; /* another thread was faster */
	if (!(r->flags & REGION_GROWSDOWN) || r->end - start > current_rlimit(RLIMIT_STACK) ||
	    start < USER_VA_MIN)
		return -EFAULT;
	prev = region_prev(r);
	if (prev && start < prev->end + (prev->prot == PROT_NONE ? 0 : REGION_STACK_GAP))
		return -EFAULT;
	pages = (s64)((r->start - start) >> PAGE_SHIFT);
	if (as->total_pages + (u64)pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	r->start = start;
	region_account(as, r, pages);
	return 0;
}

int aspace_fault(struct aspace *as, u64 va, u32 access)
{
	int ret;

	for (;;) {
		rwsem_read_lock(&as->lock);
		ret = fault_locked(as, va, access, false);
		rwsem_read_unlock(&as->lock);
		if (likely(ret != -EAGAIN))
			return ret;
		rwsem_write_lock(&as->lock);
		ret = region_grow_down(as, va);
		aspace_write_unlock(as);
		if (ret)
			return ret;
	}
}

static bool is_patchable(const struct region *r)
{
	return r->file && !(r->flags & REGION_SHARED) &&
	       (r->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC;
}

int aspace_patch_code(struct aspace *as, u64 va, const void *bytes, size_t n)
{
	struct fault f = { .as = as, .va = ALIGN_DOWN(va, PAGE_SIZE) };
	struct page *new;
	paddr_t pa;
	u32 flags;
	int ret = -EFAULT;

	rwsem_read_lock(&as->lock);
	f.r = find_region(as, va);
	if (!f.r || f.r->start > va || !is_patchable(f.r))
		goto unlock;
	if (f.r->pager)
		f.seq = load_acquire(&f.r->pager->unmap_seq);
	spin_lock(&as->pt_lock);
	if (arch_mmu_query(&as->arch, f.va, &pa, &flags))
		ret = 0;
	spin_unlock(&as->pt_lock);
	if (!ret)
		ret = alloc_anon(0, &new);
	if (!ret) {
		memcpy(page_kaddr(new), arch_phys_to_virt(pa), PAGE_SIZE);
		memcpy((u8 *)page_kaddr(new) + (va - f.va), bytes, n);
		ret = replace(&f, pa, new);
	}
unlock:
	rwsem_read_unlock(&as->lock);
	return ret == RETRY ? -EFAULT : ret;
}
