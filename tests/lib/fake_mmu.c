// SPDX-License-Identifier: Apache-2.0
/*
 * fake_mmu - arch/mmu.h for host tests
 *
 * Role      See fake_mmu.h. Every entry has a second copy, the TLB's, filled by accesses and dropped by flushes.
 * Rules     Like x86: rights may grow without a flush (the access faults once and drops the stale entry).
 */
#include "tests/lib/fake_mmu.h"

#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/xarray.h"

struct entry {
	paddr_t pa, tlb_pa;
	u32 prot, tlb_prot;
	bool mapped, cached;
};

u64 arch_kmap_base, arch_kmap_end;
bool arch_prefers_fresh_pages;
u32 arch_prot_extra;
const struct arch_fault_sizes arch_fault_sizes = { .window = 16, .anon = 1, .anon_row = 1 };

static struct xarray *table(struct arch_aspace *as)
{
	return (struct xarray *)as->root_pa;
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (u8 *)page_kaddr(paddr_page(pa)) + (pa.pa & (PAGE_SIZE - 1));
}

paddr_t arch_virt_to_phys(const void *p)
{
	return page_paddr(kaddr_page(p));
}

int arch_mmu_create(struct arch_aspace *as)
{
	struct xarray *xa = kzalloc(sizeof *xa);

	if (!xa)
		return -ENOMEM;
	xa_init(xa);
	*as = (struct arch_aspace){ .root_pa = (u64)xa };
	return 0;
}

void arch_mmu_retire(struct arch_aspace *as)
{
	(void)as;
}

void arch_mmu_destroy(struct arch_aspace *as)
{
	struct entry *e;
	u64 i;

	xa_for_each (table(as), i, e) {
		BUG_ON(e->mapped);
		kfree(e);
	}
	xa_fini(table(as));
	kfree(table(as));
}

static struct entry *find(struct arch_aspace *as, u64 va)
{
	return xa_load(table(as), va >> PAGE_SHIFT);
}

int arch_mmu_map(struct arch_aspace *as, u64 va, paddr_t pa, u32 prot)
{
	struct entry *e = find(as, va);
	void *old;

	if (!e) {
		e = kzalloc(sizeof *e);
		if (!e)
			return -ENOMEM;
		if (xa_store(table(as), va >> PAGE_SHIFT, e, &old)) {
			kfree(e);
			return -ENOMEM;
		}
	}
	e->pa = pa;
	e->prot = prot;
	e->mapped = true;
	return 0;
}

int arch_mmu_map_run(struct arch_aspace *as, u64 va, paddr_t pa, u32 npages, u32 prot)
{
	int ret = 0;

	for (; npages && !ret; npages--, va += PAGE_SIZE, pa.pa += PAGE_SIZE)
		ret = arch_mmu_map(as, va, pa, prot);
	return ret;
}

static u32 query_bits(const struct entry *e)
{
	u32 f = MMU_Q_PRESENT;

	if (e->prot & MMU_WRITE)
		f |= MMU_Q_WRITE | MMU_Q_DIRTY;
	if (e->prot & MMU_EXEC)
		f |= MMU_Q_EXEC;
	return f;
}

static struct entry *next(struct arch_aspace *as, u64 *va, u64 end)
{
	u64 i = *va >> PAGE_SHIFT;
	struct entry *e;

	for (e = xa_find(table(as), &i); e && i << PAGE_SHIFT < end;
	     i++, e = xa_find(table(as), &i)) {
		if (!e->mapped)
			continue;
		*va = i << PAGE_SHIFT;
		return e;
	}
	return NULL;
}

void arch_mmu_unmap(struct arch_aspace *as, u64 va, u64 npages, mmu_unmap_fn fn, void *ctx)
{
	u64 end = va + npages * PAGE_SIZE;
	struct entry *e;

	for (; (e = next(as, &va, end)) != NULL; va += PAGE_SIZE) {
		e->mapped = false;
		if (fn)
			fn(ctx, va, e->pa, query_bits(e));
	}
}

void arch_mmu_protect(struct arch_aspace *as, u64 va, u64 npages, u32 prot)
{
	u64 end = va + npages * PAGE_SIZE;
	struct entry *e;

	for (; (e = next(as, &va, end)) != NULL; va += PAGE_SIZE)
		e->prot = prot;
}

void arch_mmu_wrprotect(struct arch_aspace *as, u64 va, u64 npages)
{
	u64 end = va + npages * PAGE_SIZE;
	struct entry *e;

	for (; (e = next(as, &va, end)) != NULL; va += PAGE_SIZE)
		e->prot &= ~(u32)MMU_WRITE;
}

void arch_mmu_code_written(paddr_t pa)
{
	(void)pa;
}

bool arch_mmu_query(struct arch_aspace *as, u64 va, paddr_t *pa, u32 *flags)
{
	struct entry *e = find(as, va);

	if (!e || !e->mapped)
		return false;
	*pa = e->pa;
	*flags = query_bits(e);
	return true;
}

bool arch_mmu_next(struct arch_aspace *as, u64 *va, u64 end, paddr_t *pa, u32 *flags)
{
	struct entry *e = next(as, va, end);

	if (!e)
		return false;
	*pa = e->pa;
	*flags = query_bits(e);
	return true;
}

int arch_mmu_share(struct arch_aspace *dst, struct arch_aspace *src, u64 va, u64 npages,
		   mmu_share_fn fn, void *ctx)
{
	u64 end = va + npages * PAGE_SIZE;
	struct entry *e;

	for (; (e = next(src, &va, end)) != NULL; va += PAGE_SIZE) {
		/* an empty entry first: failing after fn() is not allowed */
		if (!find(dst, va)) {
			int ret = arch_mmu_map(dst, va, e->pa, 0);

			if (ret)
				return ret;
			find(dst, va)->mapped = false;
		}
		if (!fn(ctx, va, e->pa))
			continue;
		e->prot &= ~(u32)MMU_WRITE;
		if (arch_mmu_map(dst, va, e->pa, e->prot))
			BUG();
	}
	return 0;
}

/* A run's entries are not neighbours here: entry points to where it starts. One run at a time. */
struct run_start {
	struct arch_aspace *as;
	u64 va;
};

int arch_mmu_run(struct arch_aspace *as, u64 va, u32 want, struct mmu_run *out)
{
	u32 i;
	static struct run_start at;

	for (i = 0; i < want; i++) {
		if (find(as, va + i * PAGE_SIZE))
			continue;
		if (arch_mmu_map(as, va + i * PAGE_SIZE, PADDR(0), 0))
			return -ENOMEM;
		find(as, va + i * PAGE_SIZE)->mapped = false;
	}
	at.as = as;
	at.va = va;
	out->entry = &at;
	out->n = want;
	return 0;
}

static struct entry *run_entry(const struct mmu_run *run, u32 i)
{
	const struct run_start *at = run->entry;

	return find(at->as, at->va + i * PAGE_SIZE);
}

bool arch_mmu_run_query(const struct mmu_run *run, u32 i, paddr_t *pa, u32 *flags)
{
	struct entry *e = run_entry(run, i);

	if (!e->mapped)
		return false;
	*pa = e->pa;
	*flags = query_bits(e);
	return true;
}

bool arch_mmu_run_is_mapped(const struct mmu_run *run, u32 i)
{
	return run_entry(run, i)->mapped;
}

void arch_mmu_run_set(const struct mmu_run *run, u32 i, paddr_t pa, u32 prot)
{
	struct entry *e = run_entry(run, i);

	e->pa = pa;
	e->prot = prot;
	e->mapped = true;
}

u32 arch_mmu_run_fill(const struct mmu_run *run, u32 i, paddr_t pa, u32 n, u32 prot)
{
	u32 done;

	for (done = 0; done < n && !arch_mmu_run_is_mapped(run, i + done); done++)
		arch_mmu_run_set(run, i + done, PADDR(pa.pa + done * PAGE_SIZE), prot);
	return done;
}

void arch_mmu_activate(struct arch_aspace *as)
{
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
	u64 i = va >> PAGE_SHIFT, end = npages == U64_MAX ? U64_MAX : i + npages;
	struct entry *e;

	for (e = xa_find(table(as), &i); e && i < end; i++, e = xa_find(table(as), &i))
		e->cached = false;
}

bool fake_mmu_access(struct arch_aspace *as, u64 va, bool write, u8 **p, bool *present)
{
	u32 need = write ? MMU_WRITE : MMU_READ;
	struct entry *e = find(as, va);

	*present = false;
	if (!e)
		return false;
	if (!e->cached || !(e->tlb_prot & need)) {
		/* the hardware looks at the table (again) before it reports a fault */
		e->cached = false;
		if (!e->mapped || !e->prot)
			return false;
		*present = true;
		if (!(e->prot & need))
			return false;
		e->tlb_pa = e->pa;
		e->tlb_prot = e->prot;
		e->cached = true;
	}
	*p = (u8 *)arch_phys_to_virt(e->tlb_pa) + (va & (PAGE_SIZE - 1));
	return true;
}

u64 fake_mmu_count(struct arch_aspace *as)
{
	u64 va = 0, n = 0;

	for (; next(as, &va, U64_MAX); va += PAGE_SIZE)
		n++;
	return n;
}
