// SPDX-License-Identifier: Apache-2.0
/*
 * remap - mremap: grow, shrink and move a mapping with its pages
 *
 * Rules     Pages move by page table entry: first the new entries are written, then the old ones go, so that
 *           running out of page tables in between changes nothing.
 * Locking   as->lock exclusively; pt_lock while entries move.
 * Missing   Moving a range that spans several regions (Linux 6.12 refuses it too).
 */
#include "arch/param.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/advise.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

/* The frames' references move along with the entries. r has the rights of both places. */
static int move_pages(struct aspace *as, const struct region *r, u64 from, u64 to, u64 len)
{
	u64 va, end = from + len;
	u32 flags;
	paddr_t pa;
	int ret = 0;

	spin_lock(&as->pt_lock);
	for (va = from; !ret && arch_mmu_next(&as->arch, &va, end, &pa, &flags); va += PAGE_SIZE)
		ret = arch_mmu_map(&as->arch, to + (va - from), pa,
				   region_mmu_prot(r, flags & MMU_Q_WRITE));
	if (ret) {
		arch_mmu_unmap(&as->arch, to, len >> PAGE_SHIFT, NULL, NULL);
	} else {
		arch_mmu_unmap(&as->arch, from, len >> PAGE_SHIFT, NULL, NULL);
		arch_mmu_flush(&as->arch, from, len >> PAGE_SHIFT);
	}
	spin_unlock(&as->pt_lock);
	return ret;
}

static int check_growth(struct aspace *as, const struct region *r, u64 pages)
{
	if (r->flags & REGION_SPECIAL)
		return -EFAULT;
	if (as->total_pages + pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if ((r->flags & REGION_LOCKED) && !capable(CAP_IPC_LOCK) &&
	    as->locked_pages + pages > current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT)
		return -EAGAIN;
	if (!(r->flags & REGION_SHARED) && (r->prot & PROT_WRITE) &&
	    !(r->flags & REGION_GROWSDOWN) &&
	    as->data_pages + pages > current_rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

/* True when r could be made longer where it lies. */
static bool grow_in_place(struct aspace *as, struct region *r, u64 new_end)
{
	struct region *next = region_next(r);
	u64 limit = USER_VA_END;

	if (next)
		limit = next->flags & REGION_GROWSDOWN ? next->start - REGION_STACK_GAP
						       : next->start;
	if (new_end > limit)
		return false;
	region_set_end(as, r, new_end);
	region_merge(as, r);
	return true;
}

static int move(struct aspace *as, struct region *r, const struct remap_req *m, u64 *out)
{
	struct region like = *r, *n;
	u64 va = m->new_addr;
	int ret;

	if (!(m->flags & MREMAP_FIXED)) {
		va = region_find_gap(as, m->new_addr, m->new_len, USER_VA_END);
		if (!va)
			return -ENOMEM;
	}
	like.pgoff += (m->old - r->start) >> PAGE_SHIFT;
	ret = region_create(as, va, va + m->new_len, &like, &n);
	if (ret)
		return ret;
	region_insert(as, n);
	ret = move_pages(as, n, m->old, va, MIN(m->old_len, m->new_len));
	if (ret) {
		region_remove(as, n);
		return ret;
	}
	*out = va;
	if (m->old_len && !(m->flags & MREMAP_DONTUNMAP))
		ret = aspace_unmap_locked(as, m->old, m->old_len);
	region_merge(as, n);
	return ret;
}

static int check_old(struct aspace *as, const struct remap_req *m, struct region **out)
{
	struct region *r = aspace_find(as, m->old);

	if ((m->flags & MREMAP_FIXED) && m->new_addr < m->old + m->old_len &&
	    m->old < m->new_addr + m->new_len)
		return -EINVAL;
	if (!r)
		return -EFAULT;
	if (m->old_len == 0 && (!(r->flags & REGION_SHARED) || !(m->flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (m->old_len > r->end - m->old)
		return -EFAULT;
	if ((m->flags & MREMAP_DONTUNMAP) && (r->flags & REGION_SPECIAL))
		return -EINVAL;
	*out = r;
	return 0;
}

static int remap_locked(struct aspace *as, struct remap_req *m, u64 *out)
{
	struct region *r;
	int ret = check_old(as, m, &r);

	if (ret)
		return ret;
	*out = m->old;
	if (m->new_len < m->old_len) {
		ret = aspace_unmap_locked(as, m->old + m->new_len, m->old_len - m->new_len);
		m->old_len = m->new_len;
	}
	if (ret || (m->new_len == m->old_len && !(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))))
		return ret;
	if (m->flags & MREMAP_FIXED)
		ret = aspace_unmap_locked(as, m->new_addr, m->new_len);
	if (!ret)
		ret = check_old(as, m, &r);
	if (!ret && (m->new_len > m->old_len || (m->flags & MREMAP_DONTUNMAP)))
		ret = check_growth(as, r, (m->new_len - m->old_len) >> PAGE_SHIFT);
	if (ret)
		return ret;
	if (!(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))) {
		m->new_addr = 0;
		if (m->old_len && m->old + m->old_len == r->end &&
		    grow_in_place(as, r, m->old + m->new_len))
			return 0;
	}
	if (!(m->flags & MREMAP_MAYMOVE) || as->nr_regions + 3 > REGION_COUNT_MAX)
		return -ENOMEM;
	return move(as, r, m, out);
}

int aspace_remap(struct aspace *as, const struct remap_req *req, u64 *out)
{
	struct remap_req m = *req;
	struct region *r;
	bool locked = false;
	int ret;

	rwsem_write_lock(&as->lock);
	ret = remap_locked(as, &m, out);
	r = ret ? NULL : aspace_find(as, *out);
	locked = r && (r->flags & REGION_LOCKED);
	aspace_write_unlock(as);
	if (locked)
		aspace_populate(as, *out, req->new_len);
	return ret;
}
