// SPDX-License-Identifier: Apache-2.0
/*
 * access - the memory of an address space that is not the running one
 *
 * Role      exec's argument pages, process_vm_readv, /proc/<pid>/mem, ptrace; keys of shared futexes.
 * Rules     A piece of at most one page is copied under pt_lock: no reference is taken, so copy-on-write of the
 *           owner never sees a frame as shared because somebody reads it.
 * Locking   as->lock shared while a page is found and copied.
 */
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/mman.h"

#define TRIES 8 /* a page may go away again between fault and copy */

struct access {
	struct aspace *as;
	bool write, force;
};

/* May this entry be written? By force also a read-only one, if the page is the owner's alone. */
static bool may_write(const struct access *a, paddr_t pa, u32 flags)
{
	struct page *pg = frame_page(pa);

	if (flags & MMU_Q_WRITE)
		return true;
	return a->force && pg && (pg->flags & PG_ANON) && refs_read(&pg->refs) == 1;
}

/* True when the bytes were copied. */
static bool try_copy(const struct access *a, u64 va, void *buf, size_t n)
{
	struct aspace *as = a->as;
	bool done = false;
	paddr_t pa;
	u32 flags;
	u8 *p;

	spin_lock(&as->pt_lock);
	if (arch_mmu_query(&as->arch, va, &pa, &flags) && (!a->write || may_write(a, pa, flags))) {
		p = (u8 *)arch_phys_to_virt(pa) + (va & ~PAGE_MASK);
		if (a->write)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		if (a->write && (flags & MMU_Q_EXEC))
			arch_mmu_code_written(pa);
		done = true;
	}
	spin_unlock(&as->pt_lock);
	return done;
}

static bool is_readable(struct aspace *as, u64 va)
{
	struct region *r = aspace_find(as, va);

	return r && (r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int access_locked(const struct access *a, u64 va, void *buf, size_t n)
{
	u32 tries;
	int ret;

	if (!a->force && !a->write && !is_readable(a->as, va))
		return aspace_find(a->as, va) ? -EFAULT : -EAGAIN;
	for (tries = 0; tries < TRIES; tries++) {
		if (try_copy(a, va, buf, n))
			return 0;
		ret = fault_locked(a->as, va, FAULT_PRESENT | (a->write ? FAULT_WRITE : FAULT_READ),
				   a->force);
		if (ret)
			return ret;
	}
	return -EFAULT;
}

static int access_page(const struct access *a, u64 va, void *buf, size_t n)
{
	int ret;

	for (;;) {
		rwsem_read_lock(&a->as->lock);
		ret = access_locked(a, va, buf, n);
		rwsem_read_unlock(&a->as->lock);
		if (ret != -EAGAIN)
			return ret;
		rwsem_write_lock(&a->as->lock);
		ret = region_grow_down(a->as, va);
		aspace_write_unlock(a->as);
		if (ret)
			return ret;
	}
}

s64 aspace_access(struct aspace *as, u64 va, void *buf, size_t n, bool write, bool force)
{
	const struct access a = { as, write, force };
	size_t done = 0;

	while (done < n) {
		size_t piece = MIN(n - done, (size_t)(PAGE_SIZE - (va & ~PAGE_MASK)));

		if (va >= USER_VA_END || access_page(&a, va, (u8 *)buf + done, piece))
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

	*pager = NULL;
	*pgoff = 0;
	rwsem_read_lock(&as->lock);
	r = aspace_find(as, va);
	if (!r || !(r->prot & (write ? PROT_WRITE : PROT_READ | PROT_WRITE | PROT_EXEC))) {
		ret = -EFAULT;
	} else if (r->pager && (r->flags & REGION_SHARED)) {
		*pager = r->pager;
		*pgoff = region_pgoff(r, va);
	}
	rwsem_read_unlock(&as->lock);
	return ret;
}
