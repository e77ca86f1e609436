// SPDX-License-Identifier: Apache-2.0
/*
 * aspace_model - mm/aspace.c, region.c, remap.c, fault.c, access.c against an array of pages
 *
 * Role      Random maps, unmaps, protections, moves, forks and accesses of private anonymous memory, with
 *           failing allocations; a page table of the test's own stands behind arch/mmu.h.
 * Rules     An operation that failed for lack of memory may have been done in part, page by page; only then
 *           is the model corrected from what the address space says.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/mman.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define PAGES  48
#define BASE   0x10000000ull
#define SPACES 4

/* The page table: page number to frame address with MMU_* in the low bits. */
static struct xarray *table(struct arch_aspace *as)
{
	return (struct xarray *)(uintptr_t)as->root_pa;
}

int arch_mmu_create(struct arch_aspace *as)
{
	struct xarray *xa = knew(struct xarray);

	as->root_pa = (uintptr_t)xa;
	return xa ? 0 : -ENOMEM;
}

void arch_mmu_destroy(struct arch_aspace *as)
{
	CHECK(table(as)->count == 0);
	kfree(table(as));
}

int arch_mmu_map(struct arch_aspace *as, u64 va, paddr_t pa, u32 prot)
{
	return xa_store(table(as), va >> PAGE_SHIFT, (void *)(uintptr_t)(pa.pa | prot | 8), NULL);
}

int arch_mmu_map_run(struct arch_aspace *as, u64 va, paddr_t pa, u32 npages, u32 prot)
{
	int ret = 0;

	for (u32 i = 0; i < npages && !ret; i++)
		ret = arch_mmu_map(as, va + i * PAGE_SIZE, PADDR(pa.pa + i * PAGE_SIZE), prot);
	return ret;
}

static u32 query_flags(u64 e)
{
	return MMU_Q_PRESENT | (e & MMU_WRITE ? MMU_Q_WRITE | MMU_Q_DIRTY : 0) |
	       (e & MMU_EXEC ? MMU_Q_EXEC : 0);
}

bool arch_mmu_next(struct arch_aspace *as, u64 *va, u64 end, paddr_t *pa, u32 *flags)
{
	u64 i = *va >> PAGE_SHIFT;
	u64 e = (uintptr_t)xa_find(table(as), &i);

	if (!e || i << PAGE_SHIFT >= end)
		return false;
	*va = i << PAGE_SHIFT;
	*pa = PADDR(e & PAGE_MASK);
	*flags = query_flags(e);
	return true;
}

bool arch_mmu_query(struct arch_aspace *as, u64 va, paddr_t *pa, u32 *flags)
{
	u64 at = va & PAGE_MASK;

	return arch_mmu_next(as, &at, (va & PAGE_MASK) + PAGE_SIZE, pa, flags);
}

void arch_mmu_unmap(struct arch_aspace *as, u64 va, u64 npages, mmu_unmap_fn fn, void *ctx)
{
	u64 end = va + npages * PAGE_SIZE;
	paddr_t pa;
	u32 flags;

	for (; arch_mmu_next(as, &va, end, &pa, &flags); va += PAGE_SIZE) {
		xa_erase(table(as), va >> PAGE_SHIFT);
		if (fn)
			fn(ctx, va, pa, flags);
	}
}

static void change(struct arch_aspace *as, u64 va, u64 npages, u32 keep, u32 set)
{
	u64 end = va + npages * PAGE_SIZE;
	paddr_t pa;
	u32 flags;

	for (; arch_mmu_next(as, &va, end, &pa, &flags); va += PAGE_SIZE) {
		u64 e = (uintptr_t)xa_load(table(as), va >> PAGE_SHIFT);

		CHECK(xa_store(table(as), va >> PAGE_SHIFT,
			       (void *)(uintptr_t)((e & (PAGE_MASK | 8 | keep)) | set), NULL) == 0);
	}
}

void arch_mmu_protect(struct arch_aspace *as, u64 va, u64 npages, u32 prot)
{
	change(as, va, npages, 0, prot);
}

void arch_mmu_wrprotect(struct arch_aspace *as, u64 va, u64 npages)
{
	change(as, va, npages, MMU_READ | MMU_EXEC, 0);
}

void arch_mmu_activate(struct arch_aspace *as)
{
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (u8 *)page_kaddr(paddr_page(pa)) + (pa.pa & ~PAGE_MASK);
}

void task_fault_signal(s32 sig, s32 code, u64 addr, u32 access)
{
	CHECK(false);
}

/* There is nothing to reclaim. */
bool must_check reclaim_memory(void);
bool reclaim_memory(void)
{
	return false;
}

struct model_page {
	bool mapped;
	u32 prot;
	u8 value;
};

static struct aspace *spaces[SPACES];
static struct model_page model[SPACES][PAGES];

static u64 va_of(u32 page)
{
	return BASE + page * PAGE_SIZE;
}

static bool all_mapped(u32 s, u32 first, u32 n)
{
	for (u32 i = first; i < first + n; i++)
		if (!model[s][i].mapped)
			return false;
	return true;
}

/* Value of a page whatever its rights, or -1 when nothing is mapped there. */
static int peek(u32 s, u32 page)
{
	u8 v;

	return aspace_access(spaces[s], va_of(page) + 123, &v, 1, false, true) == 1 ? v : -1;
}

static void check_page(u32 s, u32 page)
{
	const struct model_page *m = &model[s][page];

	CHECK(peek(s, page) == (m->mapped ? m->value : -1));
}

static void do_map(u32 s, u32 first, u32 n, u32 prot)
{
	struct map_req req = { .addr = va_of(first),
			       .len = n * PAGE_SIZE,
			       .prot = prot,
			       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED };
	u64 va;
	int ret = aspace_map(spaces[s], &req, &va);

	CHECK(ret == 0 || (ret == -ENOMEM && fail_happened()));
	CHECK(ret || va == va_of(first));
	fail_at(0);
	for (u32 i = first; i < first + n; i++) {
		if (ret && peek(s, i) >= 0)
			continue;
		model[s][i] = (struct model_page){ !ret, prot, 0 };
	}
}

static void do_unmap(u32 s, u32 first, u32 n)
{
	int ret = aspace_unmap(spaces[s], va_of(first), n * PAGE_SIZE);

	CHECK(ret == 0 || (ret == -ENOMEM && fail_happened()));
	fail_at(0);
	for (u32 i = first; i < first + n; i++)
		if (!ret || peek(s, i) < 0)
			model[s][i].mapped = false;
}

static bool may(u32 s, u32 page, bool write)
{
	u8 v = model[s][page].value;

	return aspace_access(spaces[s], va_of(page) + 123, &v, 1, write, false) == 1;
}

static void do_protect(u32 s, u32 first, u32 n, u32 prot)
{
	int ret;

	if (!all_mapped(s, first, n))
		return;
	ret = aspace_protect(spaces[s], va_of(first), n * PAGE_SIZE, prot);
	CHECK(ret == 0 || (ret == -ENOMEM && fail_happened()));
	fail_at(0);
	for (u32 i = first; i < first + n; i++)
		if (!ret || (may(s, i, true) == !!(prot & PROT_WRITE) &&
			     may(s, i, false) == !!(prot & PROT_READ)))
			model[s][i].prot = prot;
}

static void do_access(u32 s, u32 page, u8 value, bool write)
{
	struct model_page *m = &model[s][page];
	u8 v = value;
	s64 n = aspace_access(spaces[s], va_of(page) + 123, &v, 1, write, false);

	if (n < 0 && fail_happened())
		return;
	CHECK((n == 1) == (m->mapped && (m->prot & (write ? PROT_WRITE : PROT_READ))));
	if (n == 1 && write)
		m->value = value;
	else if (n == 1)
		CHECK(v == m->value);
}

static void do_discard(u32 s, u32 first, u32 n)
{
	if (!all_mapped(s, first, n))
		return;
	CHECK(aspace_madvise(spaces[s], va_of(first), n * PAGE_SIZE, MADV_DONTNEED) == 0);
	for (u32 i = first; i < first + n; i++)
		model[s][i].value = 0;
}

/* fork, or the end of the child that was there. */
static void do_fork(u32 from, u32 to)
{
	int ret;

	if (from == to)
		return;
	if (spaces[to]) {
		aspace_put(spaces[to]);
		spaces[to] = NULL;
		return;
	}
	ret = aspace_clone(spaces[from], &spaces[to]);
	CHECK(ret == 0 || (ret == -ENOMEM && fail_happened()));
	if (ret)
		spaces[to] = NULL;
	for (u32 i = 0; i < PAGES && !ret; i++)
		model[to][i] = model[from][i];
}

static void do_move(u32 s, u32 from, u32 to, u32 n)
{
	struct model_page moved[PAGES];
	u64 va;
	int ret;

	if (!all_mapped(s, from, n) || (from < to + n && to < from + n))
		return;
	for (u32 i = 1; i < n; i++) /* mremap(2) wants one mapping */
		if (model[s][from + i].prot != model[s][from].prot)
			return;
	fail_at(0);
	ret = aspace_remap(spaces[s], va_of(from), n * PAGE_SIZE, n * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, va_of(to), &va);
	if (ret == -EFAULT) /* equal rights, but two regions that did not merge */
		return;
	CHECK(ret == 0 && va == va_of(to));
	for (u32 i = 0; i < n; i++)
		moved[i] = model[s][from + i];
	for (u32 i = 0; i < n; i++)
		model[s][from + i].mapped = false;
	for (u32 i = 0; i < n; i++)
		model[s][to + i] = moved[i];
}

static void random_step(u64 *seed)
{
	static const u32 prots[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
				     PROT_NONE };
	u32 s = (u32)(test_rand(seed) % SPACES), first = (u32)(test_rand(seed) % PAGES);
	u32 n = 1 + (u32)(test_rand(seed) % MIN(8u, PAGES - first));
	u32 prot = prots[test_rand(seed) % 4], op = (u32)(test_rand(seed) % 16);
	u32 other = (u32)(test_rand(seed) % (PAGES - 8));

	if (!spaces[s])
		s = 0;
	fail_at(test_rand(seed) % 6 == 0 ? 1 + test_rand(seed) % 5 : 0);
	if (op < 2)
		do_map(s, first, n, prot);
	else if (op < 3)
		do_unmap(s, first, n);
	else if (op < 5)
		do_protect(s, first, n, prot);
	else if (op < 6)
		do_discard(s, first, n);
	else if (op < 7)
		do_move(s, first, other, n);
	else if (op < 8)
		do_fork(s, 1 + (u32)(test_rand(seed) % (SPACES - 1)));
	else
		do_access(s, first, (u8)test_rand(seed), op < 13);
	fail_at(0);
}

TEST(address_spaces_behave_like_arrays_of_pages)
{
	u64 seed = test_seed();

	CHECK(aspace_create(&spaces[0]) == 0);
	for (u32 step = 0; step < 30000; step++) {
		random_step(&seed);
		for (u32 s = 0; s < SPACES; s++)
			for (u32 i = step % 4; spaces[s] && i < PAGES; i += 4)
				check_page(s, i);
	}
	for (u32 s = 0; s < SPACES; s++)
		if (spaces[s])
			aspace_put(spaces[s]);
	CHECK(host_pages_in_use() <= 1); /* the page of zeros */
	CHECK(host_blocks_in_use() == 0);
}
