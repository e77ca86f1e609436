// SPDX-License-Identifier: Apache-2.0
/*
 * access - the memory of an address space that is not the running one
 *
 * Role      exec's argument pages, process_vm_readv, /proc/<pid>/mem, ptrace later; keys of shared futexes.
 * Locking   as->lock shared while a page is found and copied.
 */
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"

/* The frame of va, present with the wanted right; lock held shared. *pg is referenced (NULL: window). */
static int find_frame(struct aspace *as, u64 va, bool write, bool force, paddr_t *pa, struct page **pg)
{
	u32 flags, tries;
	int ret;

	for (tries = 0; tries < 4; tries++) {
		spin_lock(&as->pt_lock);
		if (arch_mmu_query(&as->arch, va, pa, &flags) && (!write || (flags & MMU_Q_WRITE) || (force && tries))) {
			*pg = paddr_page(*pa);
			if (*pg)
				page_get(*pg);
			spin_unlock(&as->pt_lock);
			return write && !*pg ? -EFAULT : 0;
		}
		spin_unlock(&as->pt_lock);
		ret = fault_locked(as, va, write ? FAULT_WRITE : FAULT_READ, force);
		if (ret)
			return ret;
	}
	return -EFAULT;
}

static int access_page(struct aspace *as, u64 va, void *buf, size_t n, bool write, bool force)
{
	struct page *pg = NULL;
	paddr_t pa;
	int ret;

	for (;;) {
		rwsem_read_lock(&as->lock);
		ret = find_frame(as, va, write, force, &pa, &pg);
		rwsem_read_unlock(&as->lock);
		if (ret != -EAGAIN)
			break;
		rwsem_write_lock(&as->lock);
		ret = region_grow_down(as, va);
		rwsem_write_unlock(&as->lock);
		if (ret)
			break;
	}
	if (ret)
		return ret;
	pa.pa += va & (PAGE_SIZE - 1);
	if (write)
		memcpy(arch_phys_to_virt(pa), buf, n);
	else
		memcpy(buf, arch_phys_to_virt(pa), n);
	if (pg)
		page_put(pg);
	return 0;
}

s64 aspace_access(struct aspace *as, u64 va, void *buf, size_t n, bool write, bool force)
{
	size_t done = 0;

	while (done < n) {
		size_t piece = MIN(n - done, (size_t)(PAGE_SIZE - (va & (PAGE_SIZE - 1))));

		if (va >= USER_VA_END || access_page(as, va, (u8 *)buf + done, piece, write, force))
			break;
		done += piece;
		va += piece;
	}
	return done || !n ? (s64)done : -EFAULT;
}

int aspace_futex_key(struct aspace *as, u64 va, bool write, struct pager **pager, u64 *pgoff)
{
	struct region *r;
	int ret = 0;

	rwsem_read_lock(&as->lock);
	r = aspace_find(as, va);
	if (!r) {
		ret = -EFAULT;
	} else if (r->pager && (r->flags & REGION_SHARED)) {
		*pager = r->pager;
		*pgoff = r->pgoff + ((va - r->start) >> PAGE_SHIFT);
	} else {
		*pager = NULL;
		*pgoff = 0;
	}
	rwsem_read_unlock(&as->lock);
	(void)write;
	return ret;
}
