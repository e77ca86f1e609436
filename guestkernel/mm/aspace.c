// SPDX-License-Identifier: Apache-2.0
/*
 * aspace - life of an address space; map, unmap, protect, brk
 *
 * Role      See aspace.h. Faults are in fault.c, moving and advice in remap.c, other address spaces' memory in
 *           access.c.
 * Rules     Addresses and lengths arrive page aligned and inside the user range (sys_mm.c and exec check).
 *           Each change is planned so that running out of memory leaves the space as it was, except that
 *           unmapping may have cut regions (which changes nothing an application sees).
 * Locking   as->lock exclusively for every change; pages are dropped inside it.
 */
#include "guestkernel/mm/aspace.h"

#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define STACK_AREA     (16ull << 30) /* exec puts the stack somewhere in the topmost part */
#define FEW_PAGES      64	     /* looked at one by one in mprotect */
#define MMAP_32BIT_END (1ull << 31)

int aspace_create(struct aspace **out)
{
	struct aspace *as = knew(struct aspace);
	int ret;

	if (!as)
		return -ENOMEM;
	ret = arch_mmu_create(&as->arch);
	if (ret) {
		kfree(as);
		return ret;
	}
	refs_init(&as->refs, 1);
	refs_init(&as->holds, 1);
	rwsem_init(&as->lock, RANK_ASPACE);
	spin_init(&as->pt_lock, RANK_PGTABLE);
	as->mmap_base = USER_VA_END - STACK_AREA - MMAP_BASE_GAP; /* exec moves it */
	as->gap_top = as->mmap_base;
	list_init(&as->dead);
	as->dumpable = true;
	*out = as;
	return 0;
}

struct aspace *aspace_get(struct aspace *as)
{
	refs_get(&as->refs);
	return as;
}

struct aspace *aspace_hold(struct aspace *as)
{
	refs_get(&as->holds);
	return as;
}

void aspace_unhold(struct aspace *as)
{
	if (refs_put(&as->holds))
		kfree(as);
}

bool aspace_get_live(struct aspace *as)
{
	return refs_get_unless_zero(&as->refs);
}

static void destroy(struct aspace *as)
{
	struct region *r;

	arch_mmu_retire(&as->arch);
	rwsem_write_lock(
		&as->lock); /* nobody else has it; pager_unmap() may still see our regions */
	while ((r = rb_entry_or_null(rb_first(&as->regions), struct region, node)) != NULL) {
		region_zap(r, r->start, r->end);
		region_remove(as, r);
	}
	aspace_write_unlock(as);
	if (as->exe_file)
		file_put(as->exe_file);
	arch_mmu_destroy(&as->arch);
	aspace_unhold(as);
}

void aspace_put(struct aspace *as)
{
	if (as && refs_put(&as->refs))
		destroy(as);
}

void aspace_activate(struct aspace *as)
{
	arch_mmu_activate(as ? &as->arch : NULL);
}

int aspace_unmap_locked(struct aspace *as, u64 va, u64 len)
{
	u64 end = va + len;
	struct region *r = aspace_find_first(as, va), *next;
	int ret;

	for (; r && r->start < end; r = next) {
		ret = region_clip(as, &r, va, end);
		if (ret)
			return ret;
		next = region_next(r);
		region_zap(r, r->start, r->end);
		region_remove(as, r);
	}
	return 0;
}

int aspace_unmap(struct aspace *as, u64 va, u64 len)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = aspace_unmap_locked(as, va, len);
	aspace_write_unlock(as);
	return ret;
}

static int check_limits(struct aspace *as, const struct map_req *req)
{
	u64 pages = req->len >> PAGE_SHIFT;

	if (as->nr_regions >= REGION_COUNT_MAX)
		return -ENOMEM;
	if (as->total_pages + pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (!(req->flags & MAP_SHARED) && (req->prot & PROT_WRITE) &&
	    !(req->region_flags & REGION_GROWSDOWN) &&
	    as->data_pages + pages > current_rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return -ENOMEM;
	if (((req->region_flags | as->default_flags) & REGION_LOCKED) && !capable(CAP_IPC_LOCK) &&
	    as->locked_pages + pages > current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT)
		return -EAGAIN;
	return 0;
}

/* Chooses the address and makes room at a fixed one. */
static int choose_place(struct aspace *as, const struct map_req *req, u64 *va)
{
	struct region *r;

	if (req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		*va = req->addr;
		if (!(req->flags & MAP_FIXED_NOREPLACE))
			return aspace_unmap_locked(as, req->addr, req->len);
		r = aspace_find_first(as, req->addr);
		return r && r->start < req->addr + req->len ? -EEXIST : 0;
	}
	*va = region_find_gap(as, req->addr, req->len,
			      req->flags & MAP_32BIT ? MMAP_32BIT_END : USER_VA_END);
	return *va ? 0 : -ENOMEM;
}

static int map_locked(struct aspace *as, const struct map_req *req, u64 *va_out)
{
	const struct region like = {
		.pgoff = req->pgoff,
		.prot = req->prot & (PROT_READ | PROT_WRITE | PROT_EXEC | arch_prot_extra),
		.max_prot = req->max_prot ? req->max_prot : PROT_READ | PROT_WRITE | PROT_EXEC,
		.flags = req->region_flags | as->default_flags |
			 (req->flags & MAP_SHARED ? REGION_SHARED : 0),
		.pager = req->pager,
		.file = req->file,
		.label = req->label,
	};
	struct region *r;
	u64 va;
	int ret = check_limits(as, req);

	if (!ret)
		ret = choose_place(as, req, &va);
	if (!ret)
		ret = region_create(as, va, va + req->len, &like, &r);
	if (ret)
		return ret;
	region_insert(as, r);
	region_merge(as, r);
	*va_out = va;
	return 0;
}

int aspace_map(struct aspace *as, const struct map_req *req, u64 *va_out)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = map_locked(as, req, va_out);
	aspace_write_unlock(as);
	return ret;
}

/* All of [va, end) mapped, and the rights allowed. */
static int check_protect(struct aspace *as, u64 va, u64 end, u32 prot)
{
	struct region *r = aspace_find(as, va);

	for (; va < end; r = region_next(r)) {
		if (!r || r->start > va)
			return -ENOMEM;
		if (prot & ~(r->max_prot | arch_prot_extra))
			return -EACCES;
		va = r->end;
	}
	return 0;
}

/* Private pages nobody else has may be written without another fault. */
static u32 page_prot(const struct region *r, paddr_t pa)
{
	struct page *pg = frame_page(pa);

	return region_mmu_prot(r, !(r->flags & REGION_SHARED) && pg && (pg->flags & PG_ANON) &&
					  refs_read(&pg->refs) == 1);
}

static void protect_pages(struct aspace *as, struct region *r)
{
	u64 va = r->start, first, nr = 0;
	u32 flags;
	paddr_t pa;

	spin_lock(&as->pt_lock);
	if (arch_mmu_next(&as->arch, &va, r->end, &pa, &flags)) {
		first = va;
		if ((r->prot & PROT_WRITE) && !(r->flags & REGION_SHARED)) {
			for (; nr < FEW_PAGES && arch_mmu_next(&as->arch, &va, r->end, &pa, &flags);
			     va += PAGE_SIZE, nr++)
				arch_mmu_protect(&as->arch, va, 1, page_prot(r, pa));
		}
		/* the rest comes through a fault at the first write, as do shared pages: their owner counts dirty ones */
		if (va < r->end)
			arch_mmu_protect(&as->arch, va, (r->end - va) >> PAGE_SHIFT,
					 region_mmu_prot(r, false));
		arch_mmu_flush(&as->arch, first, (r->end - first) >> PAGE_SHIFT);
	}
	spin_unlock(&as->pt_lock);
}

static void protect_region(struct aspace *as, struct region *r, u32 prot)
{
	s64 pages = (s64)((r->end - r->start) >> PAGE_SHIFT);

	region_account(as, r, -pages);
	r->prot = prot;
	region_account(as, r, pages);
	protect_pages(as, r);
}

static int protect_locked(struct aspace *as, u64 va, u64 end, u32 prot)
{
	struct region *r;
	int ret = check_protect(as, va, end, prot);

	if (ret)
		return ret;
	for (r = aspace_find(as, va); r && r->start < end; r = region_next(r)) {
		if (r->prot == prot)
			continue;
		ret = region_clip(as, &r, va, end);
		if (ret)
			return ret;
		protect_region(as, r, prot);
		r = region_merge(as, r);
	}
	return 0;
}

int aspace_protect(struct aspace *as, u64 va, u64 len, u32 prot)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = protect_locked(as, va, va + len, prot);
	aspace_write_unlock(as);
	return ret;
}

static int grow_brk(struct aspace *as, u64 old_top, u64 new_top)
{
	const struct map_req req = {
		.addr = old_top,
		.len = new_top - old_top,
		.prot = PROT_READ | PROT_WRITE,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		.label = "[heap]",
	};
	u64 va;

	return map_locked(as, &req, &va);
}

int aspace_set_brk(struct aspace *as, u64 new_brk, u64 *result)
{
	u64 old_top, new_top;
	int ret = 0;

	rwsem_write_lock(&as->lock);
	old_top = ALIGN_UP(as->brk_end, PAGE_SIZE);
	new_top = ALIGN_UP(new_brk, PAGE_SIZE);
	if (new_brk < as->brk_start || new_brk >= USER_VA_END ||
	    new_brk - as->brk_start > current_rlimit(RLIMIT_DATA))
		ret = -ENOMEM;
	else if (new_top > old_top)
		ret = grow_brk(as, old_top, new_top);
	else if (new_top < old_top)
		ret = aspace_unmap_locked(as, new_top, old_top - new_top);
	if (!ret)
		as->brk_end = new_brk;
	*result = as->brk_end;
	aspace_write_unlock(as);
	return ret;
}
