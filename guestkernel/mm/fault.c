// SPDX-License-Identifier: Apache-2.0
/*
 * fault - page faults: region to frame to page table
 *
 * Role      trap_page_fault() is called by the architecture, aspace_fault() by whoever wants a page present.
 * Rules     Three kinds of page: anonymous (zero on demand), private file (the pager's frame read-only, a private
 *           copy at the first write), shared (the pager's frame). A private frame with one reference is
 *           written in place; with more it is copied.
 *           The page table is looked at again under pt_lock before it is changed: two threads may fault on one
 *           page. A frame that another CPU may still reach is released only after the flush.
 * Locking   as->lock shared; pt_lock for the page table. Pagers may sleep: pt_lock is not held then.
 * Missing   Swap, NUMA, huge pages.
 */
#include "guestkernel/trap.h"

#include "arch/param.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"
#include "guestkernel/uapi/signal.h"

#define AROUND 16 /* pages mapped at once around a file fault */
#define STACK_GUARD_PAGES 256

static struct page *zero_page; /* one reference held forever */

static int get_zero_page(struct page **out)
{
	struct page *pg, *none = NULL;
	int ret = 0;

	if (!load_acquire(&zero_page)) {
		ret = page_alloc(PAGE_ZERO, &pg);
		if (ret)
			return ret;
		pg->flags |= PG_ANON;
		if (!__atomic_compare_exchange_n(&zero_page, &none, pg, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			page_put(pg);
	}
	*out = zero_page;
	page_get(*out);
	return 0;
}

/* What the page table holds for va, with a reference on its frame. */
static bool pte_get(struct aspace *as, u64 va, paddr_t *pa, struct page **pg, u32 *flags)
{
	bool found;

	spin_lock(&as->pt_lock);
	found = arch_mmu_query(&as->arch, va, pa, flags);
	*pg = found ? paddr_page(*pa) : NULL;
	if (*pg)
		page_get(*pg);
	spin_unlock(&as->pt_lock);
	return found;
}

/* Maps a frame where nothing is mapped; consumes the reference. A lost race is success. */
static int install(struct aspace *as, u64 va, paddr_t pa, struct page *pg, u32 prot)
{
	u32 flags;
	paddr_t old;
	int ret = 0;
	bool lost;

	spin_lock(&as->pt_lock);
	lost = arch_mmu_query(&as->arch, va, &old, &flags);
	if (!lost)
		ret = arch_mmu_map(&as->arch, va, pa, prot);
	if (!lost && !ret)
		rss_add(as, pg);
	spin_unlock(&as->pt_lock);
	if ((lost || ret) && pg)
		page_put(pg);
	return ret;
}

/* Replaces the mapping of old_pa by a new anonymous frame; consumes new's reference. A lost race is success. */
static int replace(struct aspace *as, u64 va, paddr_t old_pa, struct page *new, u32 prot)
{
	struct page *old = paddr_page(old_pa);
	u32 flags;
	paddr_t now;
	int ret = 0;
	bool lost;

	spin_lock(&as->pt_lock);
	lost = !arch_mmu_query(&as->arch, va, &now, &flags) || now.pa != old_pa.pa;
	if (!lost) {
		ret = arch_mmu_map(&as->arch, va, page_paddr(new), prot);
		if (!ret) {
			arch_mmu_flush(&as->arch, va, 1);
			rss_drop(as, old);
			rss_add(as, new);
		}
	}
	spin_unlock(&as->pt_lock);
	if (lost || ret)
		page_put(new);
	else if (old)
		page_put(old);
	return ret;
}

static int alloc_anon(u32 flags, struct page **out)
{
	int ret = page_alloc(flags | PAGE_USER, out);

	if (!ret)
		(*out)->flags |= PG_ANON;
	return ret;
}

/* Write to a private page that is mapped read-only: take it over or copy it. */
static int break_cow(struct aspace *as, struct region *r, u64 va, paddr_t pa, struct page *pg)
{
	u32 prot = region_mmu_prot(r, true) | (r->prot & PROT_WRITE ? MMU_WRITE : 0), flags;
	struct page *new;
	paddr_t now;
	int ret;

	/* ours and pte_get()'s reference: nobody else sees it */
	if (pg && (pg->flags & PG_ANON) && refs_read(&pg->refs) == 2) {
		spin_lock(&as->pt_lock);
		ret = 0;
		if (arch_mmu_query(&as->arch, va, &now, &flags) && now.pa == pa.pa) {
			ret = arch_mmu_map(&as->arch, va, pa, prot);
			arch_mmu_flush(&as->arch, va, 1);
		}
		spin_unlock(&as->pt_lock);
		return ret;
	}
	ret = alloc_anon(pg && pg == zero_page ? PAGE_ZERO : 0, &new);
	if (ret)
		return ret;
	if (!pg || pg != zero_page)
		memcpy(page_kaddr(new), arch_phys_to_virt(pa), PAGE_SIZE);
	return replace(as, va, pa, new, prot);
}

static int fault_anon(struct aspace *as, struct region *r, u64 va, bool is_write)
{
	struct page *pg;
	int ret = is_write ? alloc_anon(PAGE_ZERO, &pg) : get_zero_page(&pg);

	if (ret)
		return ret;
	return install(as, va, page_paddr(pg), pg, region_mmu_prot(r, is_write));
}

static u64 pgoff_of(const struct region *r, u64 va)
{
	return r->pgoff + ((va - r->start) >> PAGE_SHIFT);
}

/* Read faults of files: map what is at hand around va. True when va itself is mapped now. */
static bool map_around(struct aspace *as, struct region *r, u64 va)
{
	u64 start = MAX(r->start, ALIGN_DOWN(va, AROUND * PAGE_SIZE));
	u64 end = MIN(r->end, start + AROUND * PAGE_SIZE);
	u32 i, n, flags, prot = region_mmu_prot(r, false);
	struct pager_page got[AROUND];
	bool hit = false;
	paddr_t pa;

	if (!r->pager->ops->get_around || (r->flags & REGION_RANDOM_READ))
		return false;
	n = r->pager->ops->get_around(r->pager, pgoff_of(r, start), (u32)((end - start) >> PAGE_SHIFT), got);
	spin_lock(&as->pt_lock);
	for (i = 0; i < n; i++) {
		u64 at = start + i * PAGE_SIZE;

		if (!arch_mmu_query(&as->arch, at, &pa, &flags) && !arch_mmu_map(&as->arch, at, got[i].pa, prot)) {
			rss_add(as, got[i].page);
			got[i].page = NULL; /* the reference is the page table's now */
		}
		hit |= at == va;
	}
	spin_unlock(&as->pt_lock);
	for (i = 0; i < n; i++)
		if (got[i].page)
			page_put(got[i].page);
	return hit;
}

static int pager_error(int ret)
{
	return ret == -EINVAL ? -EIO : ret;
}

static int fault_shared(struct aspace *as, struct region *r, u64 va, bool is_write)
{
	struct pager_page got;
	int ret = r->pager->ops->get_page(r->pager, pgoff_of(r, va), is_write, &got);

	if (ret)
		return pager_error(ret);
	return install(as, va, got.pa, got.page, region_mmu_prot(r, is_write));
}

static int fault_private_file(struct aspace *as, struct region *r, u64 va, bool is_write)
{
	struct pager_page got;
	struct page *new;
	int ret = r->pager->ops->get_page(r->pager, pgoff_of(r, va), false, &got);

	if (ret)
		return pager_error(ret);
	if (!is_write)
		return install(as, va, got.pa, got.page, region_mmu_prot(r, false));
	ret = alloc_anon(0, &new);
	if (!ret)
		memcpy(page_kaddr(new), arch_phys_to_virt(got.pa), PAGE_SIZE);
	if (got.page)
		page_put(got.page);
	return ret ? ret : install(as, va, page_paddr(new), new, region_mmu_prot(r, true));
}

/* The page is mapped but the access was refused: copy-on-write, first write to a shared page, or a stale TLB. */
static int fault_present(struct aspace *as, struct region *r, u64 va, bool is_write, paddr_t pa, struct page *pg,
			 u32 flags)
{
	struct pager_page got;
	int ret;

	if (!is_write || (flags & MMU_Q_WRITE)) {
		spin_lock(&as->pt_lock);
		arch_mmu_flush(&as->arch, va, 1);
		spin_unlock(&as->pt_lock);
		return 0;
	}
	if (!(r->flags & REGION_SHARED))
		return break_cow(as, r, va, pa, pg);
	ret = r->pager->ops->get_page(r->pager, pgoff_of(r, va), true, &got);
	if (ret)
		return pager_error(ret);
	spin_lock(&as->pt_lock);
	if (arch_mmu_query(&as->arch, va, &pa, &flags) && pa.pa == got.pa.pa) {
		ret = arch_mmu_map(&as->arch, va, pa, region_mmu_prot(r, true));
		arch_mmu_flush(&as->arch, va, 1);
	}
	spin_unlock(&as->pt_lock);
	if (got.page)
		page_put(got.page);
	return ret;
}

static bool is_allowed(const struct region *r, u32 access, bool force)
{
	if (access & FAULT_WRITE)
		return (r->prot & PROT_WRITE) || (force && !(r->flags & REGION_SHARED));
	if (access & FAULT_EXEC)
		return r->prot & PROT_EXEC;
	return (r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) || force;
}

int fault_locked(struct aspace *as, u64 va, u32 access, bool force)
{
	struct region *r = aspace_find_first(as, va);
	bool is_write = access & FAULT_WRITE;
	struct page *pg;
	paddr_t pa;
	u32 flags;
	int ret;

	va = ALIGN_DOWN(va, PAGE_SIZE);
	if (!r || r->start > va)
		return r && (r->flags & REGION_GROWSDOWN) ? -EAGAIN : -EFAULT;
	if (!is_allowed(r, access, force))
		return -EACCES;
	if (pte_get(as, va, &pa, &pg, &flags)) {
		ret = fault_present(as, r, va, is_write, pa, pg, flags);
		if (pg)
			page_put(pg);
		return ret;
	}
	if (!r->pager)
		return fault_anon(as, r, va, is_write);
	if (!is_write && map_around(as, r, va))
		return 0;
	if (r->flags & REGION_SHARED)
		return fault_shared(as, r, va, is_write);
	return fault_private_file(as, r, va, is_write);
}

int region_grow_down(struct aspace *as, u64 va)
{
	struct region *r = aspace_find_first(as, va), *prev;
	u64 start = ALIGN_DOWN(va, PAGE_SIZE);
	s64 pages;

	if (!r)
		return -EFAULT;
	if (r->start <= va)
		return 0; /* another thread was faster */
	if (!(r->flags & REGION_GROWSDOWN) || r->end - start > current_rlimit(RLIMIT_STACK))
		return -EFAULT;
	prev = region_prev(r);
	if (start < USER_VA_MIN || (prev && start < prev->end + STACK_GUARD_PAGES * PAGE_SIZE && prev->prot != PROT_NONE))
		return -EFAULT;
	if (prev && start < prev->end)
		return -EFAULT;
	pages = (s64)((r->start - start) >> PAGE_SHIFT);
	if (as->total_pages + (u64)pages > current_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	r->pgoff -= (u64)pages;
	r->start = start;
	region_account(as, r, pages);
	return 0;
}

int aspace_fault(struct aspace *as, u64 va, u32 access)
{
	int ret;

	for (;;) {
		rwsem_read_lock(&as->lock);
		ret = fault_locked(as, va, access, false);
		rwsem_read_unlock(&as->lock);
		if (ret != -EAGAIN)
			return ret;
		rwsem_write_lock(&as->lock);
		ret = region_grow_down(as, va);
		rwsem_write_unlock(&as->lock);
		if (ret)
			return ret;
	}
}

static void fault_signal(int ret, u64 va, u32 access)
{
	switch (ret) {
	case -EACCES:
		task_fault_signal(SIGSEGV, SEGV_ACCERR, va, access);
		break;
	case -EIO:
		task_fault_signal(SIGBUS, BUS_ADRERR, va, access);
		break;
	case -ENOMEM:
		log_warn("out of memory: killing task %d", current_tgid());
		current_send_signal(SIGKILL);
		break;
	default:
		task_fault_signal(SIGSEGV, SEGV_MAPERR, va, access);
	}
}

bool trap_page_fault(u64 va, u32 access)
{
	struct task *t = current();
	int ret = -EFAULT;

	if (t->nofault)
		return false;
	if (va < USER_VA_END && t->mm) {
		t->min_flt++;
		ret = aspace_fault(t->mm, va, access);
	}
	if (!ret)
		return true;
	if (access & FAULT_KERNEL)
		return false;
	fault_signal(ret, va, access);
	return true;
}

int user_fault_in(uaddr_t ua, bool write)
{
	int ret;

	if (ua.va >= USER_VA_END || !current()->mm)
		return -EFAULT;
	ret = aspace_fault(current()->mm, ua.va, write ? FAULT_WRITE : FAULT_READ);
	return ret == -ENOMEM ? ret : ret ? -EFAULT : 0;
}
