// SPDX-License-Identifier: Apache-2.0
/*
 * pagetable - tables of four levels with 512 entries behind arch/mmu.h
 *
 * Role      The part of arch/mmu.h that only knows the shape of the tables. What an entry looks like, and what
 *           must happen when one changes, is arch/pte.h of the machine.
 * Rules     User tables are freed with the address space only, so a walk needs no care beyond the caller's
 *           lock. Nothing here flushes.
 * Locking   Callers hold the address space's page table lock.
 * Missing   Large user pages.
 * See       tlb.c
 */
#include "arch/mmu.h"

#include "arch/common/guest/tlb.h"
#include "arch/param.h"
#include "arch/pte.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"

#define UNROLL_WALK _Pragma("GCC unroll 3") /* constant shifts: a third of the instructions */

static u64 *table_of(u64 entry)
{
	return pte_direct(entry & PTE_ADDR);
}

static u64 *slot(u64 *table, u64 va, u32 level)
{
	return &table[va >> (12 + 9 * (level - 1)) & 511];
}

/* Tables of dead address spaces, all zero again: clearing a frame is the dearest part of making a table. */
#define SPARE_MAX 128
static struct {
	struct spinlock lock;
	struct page *list; /* [lock] linked by next_free */
	u32 nr;		   /* [lock] */
} spare = { SPINLOCK_INIT(RANK_LEAF), NULL, 0 };

static int table_frame(struct page **out)
{
	struct page *pg;

	spin_lock(&spare.lock);
	pg = spare.list;
	if (pg) {
		spare.list = pg->next_free;
		spare.nr--;
	}
	spin_unlock(&spare.lock);
	*out = pg;
	if (!pg)
		return page_alloc(PAGE_ZERO, out);
	leak_note(pg, PAGE_SIZE);
	return 0;
}

/* owner: the entry that points to this table, so that destroying can clear just that. */
static int table_alloc(struct arch_aspace *as, u64 *entry, u64 bits)
{
	struct page *pg;
	int ret = table_frame(&pg);

	if (ret)
		return ret;
	pg->flags = PG_TABLE;
	pg->owner = entry;
	if (as) {
		as->nr_tables++;
		pg->next_free = as->tables;
		as->tables = pg;
	}
	*entry = page_paddr(pg).pa | bits;
	return 0;
}

static void release_tables(struct page *list)
{
	struct page *pg, *next;

	/* every last-level entry is gone; the upper ones are found through owner */
	for (pg = list; pg; pg = pg->next_free)
		if (pg->owner)
			*(u64 *)pg->owner = 0;
	for (pg = list; pg; pg = next) {
		next = pg->next_free;
		spin_lock(&spare.lock);
		if (spare.nr < SPARE_MAX) {
			pg->next_free = spare.list;
			spare.list = pg;
			spare.nr++;
			leak_forget(pg);
			pg = NULL;
		}
		spin_unlock(&spare.lock);
		if (pg)
			page_put(pg);
	}
}

/* The last-level slot of va, or NULL when tables are missing. */
u64 *mmu_find_pte(u64 root_pa, u64 va)
{
	u64 *table = pte_direct(root_pa);
	u32 level;

	UNROLL_WALK
	for (level = 4; level > 1; level--) {
		u64 e = *slot(table, va, level);

		if (!(e & PTE_TABLE))
			return NULL;
		table = table_of(e);
	}
	return slot(table, va, 1);
}

int mmu_make_pte(struct arch_aspace *as, u64 root_pa, u64 va, u64 bits, u64 **out)
{
	u64 *table = pte_direct(root_pa);
	u32 level;

	UNROLL_WALK
	for (level = 4; level > 1; level--) {
		u64 *e = slot(table, va, level);
		int ret;

		if (!(*e & PTE_TABLE)) {
			ret = table_alloc(as, e, bits);
			if (ret)
				return ret;
		}
		table = table_of(*e);
	}
	*out = slot(table, va, 1);
	return 0;
}

int arch_mmu_create(struct arch_aspace *as)
{
	struct page *pg;
	int ret = table_frame(&pg);

	if (ret)
		return ret;
	memset(as, 0, sizeof *as);
	as->root_pa = page_paddr(pg).pa;
	as->nr_tables = 1;
	as->tables = pg;
	pg->next_free = NULL;
	pg->flags = PG_TABLE;
	pg->owner = NULL;
	mmu_fill_root(page_kaddr(pg));
	return 0;
}

void arch_mmu_destroy(struct arch_aspace *as)
{
	mmu_leave_everywhere(as);
	mmu_forget(as);
	release_tables(as->tables);
	as->tables = NULL;
	as->root_pa = 0;
}

int arch_mmu_map(struct arch_aspace *as, u64 va, paddr_t pa, u32 prot)
{
	return arch_mmu_map_run(as, va, pa, 1, prot);
}

int arch_mmu_map_run(struct arch_aspace *as, u64 va, paddr_t pa, u32 npages, u32 prot)
{
	u64 bits = pte_user(prot), *pte = NULL;
	u32 i;

	for (i = 0; i < npages; i++, va += PAGE_SIZE, pa.pa += PAGE_SIZE) {
		int ret;

		if (pte && (va & (512 * PAGE_SIZE - 1)) != 0) {
			pte++;
		} else {
			ret = mmu_make_pte(as, as->root_pa, va, PTE_USER_TABLE, &pte);
			if (ret)
				return ret;
		}
		pte_set(as, va, pte, pa.pa | bits);
	}
	return 0;
}

/* Goes over the mapped last-level entries of a range; tables are walked down once each. */
struct walk {
	u64 *root;
	u64 va, end; /* va: of the entry walk_next() returned last */
	u64 *pte;    /* of va; NULL: table to be found */
	u64 stop;    /* where this table's part of the range ends */
};

#define LEAF_BYTES (512 * PAGE_SIZE)

static void walk_start(struct walk *w, struct arch_aspace *as, u64 va, u64 end)
{
	w->root = pte_direct(as->root_pa);
	w->va = va;
	w->end = end;
	w->pte = NULL;
}

/* Sets pte to the slot of va, skipping holes by whole tables. False at the end. */
static bool walk_down(struct walk *w)
{
	while (w->va < w->end) {
		u64 *table = w->root;
		u32 level;

		for (level = 4; level > 1; level--) {
			u64 e = *slot(table, w->va, level);

			if (!(e & PTE_TABLE))
				break;
			table = table_of(e);
		}
		if (level == 1) {
			w->pte = slot(table, w->va, 1);
			return true;
		}
		w->va = ALIGN_DOWN(w->va, 1ull << (12 + 9 * (level - 1))) +
			(1ull << (12 + 9 * (level - 1)));
	}
	return false;
}

/* From va on, which is at or below stop when there is a table. */
static u64 *walk_search(struct walk *w)
{
	for (;;) {
		u64 *pte, va;

		if (!w->pte) {
			if (!walk_down(w))
				return NULL;
			w->stop = MIN(ALIGN_DOWN(w->va, LEAF_BYTES) + LEAF_BYTES, w->end);
		}
		pte = w->pte;
		for (va = w->va; va < w->stop; va += PAGE_SIZE, pte++) {
			/* most of a sparse table is empty */
			while (va + 4 * PAGE_SIZE <= w->stop &&
			       !(pte[0] | pte[1] | pte[2] | pte[3])) {
				pte += 4;
				va += 4 * PAGE_SIZE;
			}
			if (va < w->stop && (*pte & PTE_MAPPED)) {
				w->va = va;
				w->pte = pte;
				return pte;
			}
		}
		w->va = MIN(va, w->stop);
		w->pte = NULL;
	}
}

static inline u64 *walk_next(struct walk *w)
{
	if (w->pte) {
		w->pte++;
		w->va += PAGE_SIZE;
		if (likely(w->va < w->stop && (*w->pte & PTE_MAPPED)))
			return w->pte;
	}
	return walk_search(w);
}

void arch_mmu_unmap(struct arch_aspace *as, u64 va, u64 npages, mmu_unmap_fn fn, void *ctx)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		u64 old = xchg(pte, 0);

		pte_changed(as, w.va, old, 0);
		if (fn)
			fn(ctx, w.va, PADDR(old & PTE_ADDR), pte_query(old));
	}
}

void arch_mmu_protect(struct arch_aspace *as, u64 va, u64 npages, u32 prot)
{
	u64 bits = pte_user(prot), *pte;
	struct walk w;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		u64 old = READ_ONCE(*pte);

		while (!__atomic_compare_exchange_n(pte, &old, (old & PTE_PROTECT_KEEPS) | bits,
						    false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
		pte_changed(as, w.va, old, (old & PTE_PROTECT_KEEPS) | bits);
	}
}

static inline void take_write(struct arch_aspace *as, u64 va, u64 *pte)
{
	u64 old = *pte;

	if (!pte_is_writable(old))
		return;
	pte_take_write(pte);
	pte_changed(as, va, old, *pte);
}

void arch_mmu_wrprotect(struct arch_aspace *as, u64 va, u64 npages)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL)
		take_write(as, w.va, pte);
}

int arch_mmu_share(struct arch_aspace *dst, struct arch_aspace *src, u64 va, u64 npages,
		   mmu_share_fn fn, void *ctx)
{
	u64 *pte, *to = NULL, last = 0;
	struct walk w;
	int ret;

	walk_start(&w, src, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		if (to && ALIGN_DOWN(w.va, LEAF_BYTES) == ALIGN_DOWN(last, LEAF_BYTES)) {
			to += (w.va - last) >> PAGE_SHIFT;
		} else {
			ret = mmu_make_pte(dst, dst->root_pa, w.va, PTE_USER_TABLE, &to);
			if (ret)
				return ret;
		}
		last = w.va;
		if (!fn(ctx, w.va, PADDR(*pte & PTE_ADDR)))
			continue;
		take_write(src, w.va, pte);
		pte_set(dst, w.va, to, *pte);
	}
	return 0;
}

int arch_mmu_run(struct arch_aspace *as, u64 va, u32 want, struct mmu_run *out)
{
	u64 *pte;
	int ret = mmu_make_pte(as, as->root_pa, va, PTE_USER_TABLE, &pte);

	if (unlikely(ret))
		return ret;
	out->entry = pte;
	pte_run_init(out, as, va);
	out->n = MIN(want, 512 - (u32)(va >> PAGE_SHIFT & 511));
	return 0;
}

bool arch_mmu_run_query(const struct mmu_run *run, u32 i, paddr_t *pa, u32 *flags)
{
	u64 pte = ((u64 *)run->entry)[i];

	if (!(pte & PTE_MAPPED))
		return false;
	*pa = PADDR(pte & PTE_ADDR);
	*flags = pte_query(pte);
	return true;
}

bool arch_mmu_run_is_mapped(const struct mmu_run *run, u32 i)
{
	return ((u64 *)run->entry)[i] & PTE_MAPPED;
}

void arch_mmu_run_set(const struct mmu_run *run, u32 i, paddr_t pa, u32 prot)
{
	pte_set(run->as, run->va + i * PAGE_SIZE, (u64 *)run->entry + i, pa.pa | pte_user(prot));
}

u32 arch_mmu_run_fill(const struct mmu_run *run, u32 i, paddr_t pa, u32 n, u32 prot)
{
	u64 *pte = (u64 *)run->entry + i, entry = pa.pa | pte_user(prot);
	u32 done;

	for (done = 0; done < n && !(*pte & PTE_MAPPED); done++, entry += PAGE_SIZE, i++)
		pte_set(run->as, run->va + i * PAGE_SIZE, pte++, entry);
	return done;
}

void arch_mmu_code_written(paddr_t pa)
{
	pte_code_written(pa);
}

bool arch_mmu_query(struct arch_aspace *as, u64 va, paddr_t *pa, u32 *flags)
{
	u64 *pte = mmu_find_pte(as->root_pa, va);

	if (!pte || !(*pte & PTE_MAPPED))
		return false;
	*pa = PADDR(*pte & PTE_ADDR);
	*flags = pte_query(*pte);
	return true;
}

bool arch_mmu_next(struct arch_aspace *as, u64 *va, u64 end, paddr_t *pa, u32 *flags)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, *va, end);
	pte = walk_next(&w);
	*va = w.va;
	if (!pte)
		return false;
	*pa = PADDR(*pte & PTE_ADDR);
	*flags = pte_query(*pte);
	return true;
}
