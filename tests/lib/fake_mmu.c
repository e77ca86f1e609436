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
