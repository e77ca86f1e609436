// SPDX-License-Identifier: Apache-2.0
/*
 * remap - mremap and madvise
 *
 * Rules     Moving a mapping moves its page table entries: no page is copied, none is faulted again.
 * Locking   as->lock exclusively, except for advice that only drops pages (shared).
 * Missing   MREMAP_DONTUNMAP of shared mappings; reclaim hints (COLD, PAGEOUT, WILLNEED) change nothing, as there
 *           is no swap.
 * See       mremap(2), madvise(2)
 */
#include "arch/param.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

/* Moves the entries of [from, from+len) to the same place behind to. */
static int move_pages(struct aspace *as, u64 from, u64 to, u64 len)
{
	u64 va = from;
	u32 flags, prot;
	paddr_t pa;
	int ret = 0;

	spin_lock(&as->pt_lock);
	while (!ret && arch_mmu_next(&as->arch, &va, from + len, &pa, &flags)) {
		prot = MMU_READ | (flags & MMU_Q_WRITE ? MMU_WRITE : 0) | (flags & MMU_Q_EXEC ? MMU_EXEC : 0);
		ret = arch_mmu_map(&as->arch, to + (va - from), pa, prot);
		if (!ret)
			arch_mmu_unmap(&as->arch, va, 1, NULL, NULL);
		va += PAGE_SIZE;
	}
	arch_mmu_flush(&as->arch, from, len >> PAGE_SHIFT);
	spin_unlock(&as->pt_lock);
	return ret;
}

static int shrink(struct aspace *as, u64 va, u64 old_len, u64 new_len)
{
	return new_len < old_len ? aspace_unmap_locked(as, va + new_len, old_len - new_len) : 0;
}

static bool can_grow_in_place(struct aspace *as, struct region *r, u64 new_end)
{
	struct region *next = region_next(r);

	return new_end <= USER_VA_END && (!next || next->start >= new_end);
}

static void grow_in_place(struct aspace *as, struct region *r, u64 new_end)
{
	s64 more = (s64)((new_end - r->end) >> PAGE_SHIFT);

	if (r->pager)
		spin_lock(&r->pager->map_lock);
	r->end = new_end;
	if (r->pager)
		spin_unlock(&r->pager->map_lock);
	region_account(as, r, more);
	region_merge(as, r);
}

/* The part [old, old+old_len) becomes its own region (cut at both ends). */
static int isolate(struct aspace *as, u64 old, u64 old_len, struct region **out)
{
	struct region *r = aspace_find(as, old);
	int ret = 0;

	if (r->start < old) {
		ret = region_split(as, r, old);
		if (!ret)
			r = region_next(r);
	}
	if (!ret && r->end > old + old_len)
		ret = region_split(as, r, old + old_len);
	*out = r;
	return ret;
}

static int move(struct aspace *as, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr, u64 *out)
{
	struct region *r, *moved;
	u64 to;
	int ret;

	if (flags & MREMAP_FIXED) {
		ret = aspace_unmap_locked(as, new_addr, new_len);
		if (ret)
			return ret;
		to = new_addr;
	} else {
		to = region_find_gap(as, 0, new_len, USER_VA_END);
		if (!to)
			return -ENOMEM;
	}
	ret = isolate(as, old, MIN(old_len, new_len), &r);
	if (!ret)
		ret = region_create(as, to, to + new_len, r, &moved);
	if (ret)
		return ret;
	moved->pgoff = r->pgoff;
	region_insert(as, moved);
	ret = move_pages(as, old, to, MIN(old_len, new_len));
	if (ret)
		return ret;
	if (!(flags & MREMAP_DONTUNMAP))
		ret = aspace_unmap_locked(as, old, old_len);
	*out = to;
	region_merge(as, moved);
	return ret;
}

static int check(struct aspace *as, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr)
{
	struct region *r = aspace_find(as, old);
	u64 more = new_len > old_len ? (new_len - old_len) >> PAGE_SHIFT : 0;

	if (!r)
		return -EFAULT;
	if (old_len && r->end < old + old_len)
		return -EFAULT;
	if (!old_len && !(r->flags & REGION_SHARED))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && new_addr < old + old_len && old < new_addr + new_len)
		return -EINVAL;
	if (r->flags & REGION_SPECIAL && more)
		return -EFAULT;
	if (as->total_pages + more > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (r->flags & REGION_LOCKED && as->locked_pages + more > current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT)
		return -EAGAIN;
	return 0;
}

static int remap_locked(struct aspace *as, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr, u64 *out)
{
	struct region *r;
	int ret = check(as, old, old_len, new_len, flags, new_addr);

	if (ret)
		return ret;
	*out = old;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return move(as, old, old_len, new_len, flags, new_addr, out);
	if (new_len <= old_len)
		return shrink(as, old, old_len, new_len);
	r = aspace_find(as, old);
	if (r->end == old + old_len && can_grow_in_place(as, r, old + new_len)) {
		grow_in_place(as, r, old + new_len);
		return 0;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	return move(as, old, old_len, new_len, flags, new_addr, out);
}

int aspace_remap(struct aspace *as, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr, u64 *out)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = remap_locked(as, old, old_len, new_len, flags, new_addr, out);
	rwsem_write_unlock(&as->lock);
	return ret;
}

static int set_flags(struct aspace *as, u64 va, u64 end, u32 set, u32 clear)
{
	struct region *r;
	int ret;

	for (r = aspace_find_first(as, va); r && r->start < end; r = region_next(r)) {
		if (((r->flags | set) & ~clear) == r->flags)
			continue;
		if (r->start < va) {
			ret = region_split(as, r, va);
			if (ret)
				return ret;
			continue;
		}
		if (r->end > end) {
			ret = region_split(as, r, end);
			if (ret)
				return ret;
		}
		region_account(as, r, -(s64)((r->end - r->start) >> PAGE_SHIFT));
		r->flags = (r->flags | set) & ~clear;
		region_account(as, r, (s64)((r->end - r->start) >> PAGE_SHIFT));
		r = region_merge(as, r);
	}
	return 0;
}

int aspace_set_region_flags(struct aspace *as, u64 va, u64 len, u32 set, u32 clear)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = set_flags(as, va, va + len, set, clear);
	rwsem_write_unlock(&as->lock);
	return ret;
}

bool aspace_is_mapped(struct aspace *as, u64 va, u64 len)
{
	u64 at = va, end = va + len;
	struct region *r;

	rwsem_read_lock(&as->lock);
	for (r = aspace_find(as, at); r && r->start <= at && at < end; r = region_next(r))
		at = r->end;
	rwsem_read_unlock(&as->lock);
	return at >= end;
}

static int drop_pages(struct aspace *as, u64 va, u64 end)
{
	struct region *r;
	int ret = 0;

	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, va); r && r->start < end; r = region_next(r)) {
		if (r->flags & REGION_LOCKED) {
			ret = -EINVAL;
			break;
		}
		region_zap(as, MAX(va, r->start), MIN(end, r->end));
	}
	rwsem_read_unlock(&as->lock);
	return ret;
}

int aspace_populate(struct aspace *as, u64 va, u64 len, bool write)
{
	u64 end = va + len;

	for (; va < end; va += PAGE_SIZE) {
		int ret = aspace_fault(as, va, write ? FAULT_WRITE : FAULT_READ);

		if (ret)
			return ret;
	}
	return 0;
}

static int advice_flags(struct aspace *as, u64 va, u64 len, s32 advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		return aspace_set_region_flags(as, va, len, REGION_DONTFORK, 0);
	case MADV_DOFORK:
		return aspace_set_region_flags(as, va, len, 0, REGION_DONTFORK);
	case MADV_WIPEONFORK:
		return aspace_set_region_flags(as, va, len, REGION_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return aspace_set_region_flags(as, va, len, 0, REGION_WIPEONFORK);
	case MADV_NORMAL:
		return aspace_set_region_flags(as, va, len, 0, REGION_RANDOM_READ | REGION_SEQ_READ);
	case MADV_RANDOM:
		return aspace_set_region_flags(as, va, len, REGION_RANDOM_READ, REGION_SEQ_READ);
	case MADV_SEQUENTIAL:
		return aspace_set_region_flags(as, va, len, REGION_SEQ_READ, REGION_RANDOM_READ);
	}
	return -EINVAL;
}

int aspace_madvise(struct aspace *as, u64 va, u64 len, s32 advice)
{
	int ret;

	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
		ret = drop_pages(as, va, va + len);
		break;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return aspace_populate(as, va, len, advice == MADV_POPULATE_WRITE);
	case MADV_WILLNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		ret = 0;
		break;
	default:
		ret = advice_flags(as, va, len, advice);
	}
	return ret ? ret : aspace_is_mapped(as, va, len) ? 0 : -ENOMEM;
}
