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
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define MAP_COUNT_MAX 65530
#define STACK_AREA (16ull << 30) /* exec puts the stack somewhere in the topmost part */
#define MMAP_RANDOM_PAGES (1ull << 28)
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
	rwsem_init(&as->lock, RANK_ASPACE);
	spin_init(&as->pt_lock, RANK_PGTABLE);
	as->mmap_base = USER_VA_END - STACK_AREA - MMAP_BASE_GAP - rand_below(MMAP_RANDOM_PAGES) * PAGE_SIZE;
	as->dumpable = true;
	*out = as;
	return 0;
}

struct aspace *aspace_get(struct aspace *as)
{
	refs_get(&as->refs);
	return as;
}

static void destroy(struct aspace *as)
{
	struct region *r;

	region_zap(as, 0, USER_VA_END);
	while ((r = rb_entry_or_null(rb_first(&as->regions), struct region, node)) != NULL)
		region_remove(as, r);
	if (as->exe_file)
		file_put(as->exe_file);
	arch_mmu_destroy(&as->arch);
	kfree(as);
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

/* Shares the private pages of one region with the child, read-only on both sides. */
static int clone_pages(struct aspace *src, struct aspace *dst, const struct region *r)
{
	u64 va = r->start;
	u32 flags, prot = region_mmu_prot(r, false);
	paddr_t pa;
	int ret = 0;

	spin_lock(&src->pt_lock);
	if (r->prot & PROT_WRITE)
		arch_mmu_wrprotect(&src->arch, r->start, (r->end - r->start) >> PAGE_SHIFT);
	while (!ret && arch_mmu_next(&src->arch, &va, r->end, &pa, &flags)) {
		struct page *pg = paddr_page(pa);

		if (pg && (pg->flags & PG_ANON)) {
			ret = arch_mmu_map(&dst->arch, va, pa, prot);
			if (!ret) {
				page_get(pg);
				rss_add(dst, pg);
			}
		}
		va += PAGE_SIZE;
	}
	spin_unlock(&src->pt_lock);
	return ret;
}

static void clone_fields(struct aspace *src, struct aspace *dst)
{
	dst->mmap_base = src->mmap_base;
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
	for (u32 i = 0; i < src->nr_auxv; i++)
		dst->auxv[i] = src->auxv[i];
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
	int ret = aspace_create(&dst);

	if (ret)
		return ret;
	rwsem_write_lock(&src->lock);
	clone_fields(src, dst);
	for (n = rb_first(&src->regions); n && !ret; n = rb_next(n)) {
		struct region *r = rb_entry(n, struct region, node), *copy;

		if (r->flags & REGION_DONTFORK)
			continue;
		ret = region_create(dst, r->start, r->end, r, &copy);
		if (ret)
			break;
		copy->flags &= ~(u32)REGION_LOCKED;
		region_insert(dst, copy);
		if (!(r->flags & (REGION_WIPEONFORK | REGION_SHARED)))
			ret = clone_pages(src, dst, r);
	}
	arch_mmu_flush(&src->arch, 0, U64_MAX);
	rwsem_write_unlock(&src->lock);
	if (ret)
		aspace_put(dst);
	else
		*out = dst;
	return ret;
}

int aspace_unmap_locked(struct aspace *as, u64 va, u64 len)
{
	u64 end = va + len;
	struct region *r = aspace_find_first(as, va), *next;
	int ret;

	if (r && r->start < va) {
		if (r->end > end && as->nr_regions >= MAP_COUNT_MAX)
			return -ENOMEM;
		ret = region_split(as, r, va);
		if (ret)
			return ret;
		r = region_next(r);
	}
	for (; r && r->start < end; r = next) {
		if (r->end > end) {
			ret = region_split(as, r, end);
			if (ret)
				return ret;
		}
		next = region_next(r);
		region_zap(as, r->start, r->end);
		region_remove(as, r);
	}
	return 0;
}

int aspace_unmap(struct aspace *as, u64 va, u64 len)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = aspace_unmap_locked(as, va, len);
	rwsem_write_unlock(&as->lock);
	return ret;
}

static int check_limits(struct aspace *as, const struct map_req *req)
{
	u64 pages = req->len >> PAGE_SHIFT;

	if (as->nr_regions >= MAP_COUNT_MAX)
		return -ENOMEM;
	if (as->total_pages + pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (!req->pager && (req->prot & PROT_WRITE) && !(req->region_flags & REGION_GROWSDOWN) &&
	    as->data_pages + pages > current_rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return -ENOMEM;
	if ((req->region_flags & REGION_LOCKED) &&
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
	*va = region_find_gap(as, req->addr, req->len, req->flags & MAP_32BIT ? MMAP_32BIT_END : USER_VA_END);
	return *va ? 0 : -ENOMEM;
}

static int map_locked(struct aspace *as, const struct map_req *req, u64 *va_out)
{
	const struct region like = {
		.pgoff = req->pgoff,
		.prot = req->prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.max_prot = req->max_prot ? req->max_prot : PROT_READ | PROT_WRITE | PROT_EXEC,
		.flags = req->region_flags | (req->flags & MAP_SHARED ? REGION_SHARED : 0),
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
	rwsem_write_unlock(&as->lock);
	return ret;
}

/* All of [va, end) mapped, and the rights allowed. */
static int check_protect(struct aspace *as, u64 va, u64 end, u32 prot)
{
	struct region *r = aspace_find(as, va);

	for (; va < end; r = region_next(r)) {
		if (!r || r->start > va)
			return -ENOMEM;
		if (prot & ~r->max_prot)
			return -EACCES;
		va = r->end;
	}
	return 0;
}

static void protect_region(struct aspace *as, struct region *r, u32 prot)
{
	s64 pages = (s64)((r->end - r->start) >> PAGE_SHIFT);

	region_account(as, r, -pages);
	r->prot = prot;
	region_account(as, r, pages);
	spin_lock(&as->pt_lock);
	/* writing always goes through a fault first: copy-on-write and dirty tracking stay right */
	arch_mmu_protect(&as->arch, r->start, (u64)pages, prot ? region_mmu_prot(r, false) : 0);
	arch_mmu_flush(&as->arch, r->start, (u64)pages);
	spin_unlock(&as->pt_lock);
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
		if (as->nr_regions + 2 > MAP_COUNT_MAX)
			return -ENOMEM;
		if (r->start < va) {
			ret = region_split(as, r, va);
			if (ret)
				return ret;
			continue; /* the upper part is next */
		}
		if (r->end > end) {
			ret = region_split(as, r, end);
			if (ret)
				return ret;
		}
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
	rwsem_write_unlock(&as->lock);
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
	rwsem_write_unlock(&as->lock);
	return ret;
}
