// SPDX-License-Identifier: Apache-2.0
/*
 * advise - madvise, mlock, mincore, msync, populate
 *
 * Rules     As on Linux, advice for a range with holes is carried out where there are mappings and then
 *           -ENOMEM. Memory is never swapped, so locking only means: fault in, and refuse MADV_DONTNEED.
 *           MADV_FREE gives the pages up at once, which its contract allows.
 * Locking   as->lock exclusively where region flags change, else shared.
 * Missing   Read-ahead (MADV_WILLNEED), huge pages, KSM, page poisoning: accepted or refused as said in advice_kind.
 */
#include "guestkernel/mm/advise.h"

#include "arch/param.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Sets and clears region flags in the range; -ENOMEM when it has holes. */
static int change_flags(struct aspace *as, u64 va, u64 end, u32 set, u32 clear)
{
	struct region *r = aspace_find_first(as, va);
	u64 at = va;
	bool hole = false;

	for (; r && r->start < end; r = region_next(r)) {
		u32 flags = (r->flags & ~clear) | set;
		s64 pages;
		int ret;

		hole |= r->start > at;
		at = MIN(r->end, end);
		if (flags == r->flags || (r->flags & REGION_SPECIAL))
			continue;
		ret = region_clip(as, &r, va, end);
		if (ret)
			return ret;
		pages = (s64)((r->end - r->start) >> PAGE_SHIFT);
		region_account(as, r, -pages);
		r->flags = flags;
		region_account(as, r, pages);
		r = region_merge(as, r);
	}
	return hole || at < end ? -ENOMEM : 0;
}

static bool is_present(struct aspace *as, u64 va, bool for_write)
{
	u32 flags;
	paddr_t pa;
	bool yes;

	spin_lock(&as->pt_lock);
	yes = arch_mmu_query(&as->arch, va, &pa, &flags) && (!for_write || (flags & MMU_Q_WRITE));
	spin_unlock(&as->pt_lock);
	return yes;
}

/* How much of [va, end) has the rights of the region at va, and what access brings its pages in (0: none does). */
static int plan_populate(struct aspace *as, u64 va, u64 end, u32 want, u64 *stop, u32 *access)
{
	struct region *r;
	int ret = 0;

	rwsem_read_lock(&as->lock);
	r = aspace_find(as, va);
	if (!r) {
		ret = -ENOMEM;
	} else {
		*stop = MIN(r->end, end);
		*access = want;
		if (!want && (r->prot & PROT_RWX))
			*access = (r->prot & PROT_WRITE) && !(r->flags & REGION_SHARED)
					  ? FAULT_WRITE
					  : FAULT_READ;
		if ((want & FAULT_WRITE && !(r->prot & PROT_WRITE)) ||
		    (want && !(r->prot & PROT_RWX)))
			ret = -EINVAL;
	}
	rwsem_read_unlock(&as->lock);
	return ret;
}

/* want: FAULT_READ, FAULT_WRITE, or 0 for what suits each region. */
static int populate(struct aspace *as, u64 va, u64 end, u32 want)
{
	u64 stop;
	u32 access;
	int ret;

	while (va < end) {
		ret = plan_populate(as, va, end, want, &stop, &access);
		if (ret)
			return ret;
		for (; access && va < stop; va += PAGE_SIZE) {
			if (is_present(as, va, access & FAULT_WRITE))
				continue;
			ret = aspace_fault(as, va, access | FAULT_PRESENT);
			if (ret)
				return ret == -ENOMEM ? ret : -EFAULT;
			if (signal_pending())
				return -EINTR;
			cond_resched();
		}
		va = stop;
	}
	return 0;
}

int aspace_populate(struct aspace *as, u64 va, u64 len)
{
	return populate(as, va, va + len, 0);
}

static u64 memlock_limit(void)
{
	return capable(CAP_IPC_LOCK) ? U64_MAX : current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

static u64 locked_in(struct aspace *as, u64 va, u64 end)
{
	struct region *r = aspace_find_first(as, va);
	u64 n = 0;

	for (; r && r->start < end; r = region_next(r))
		if (r->flags & REGION_LOCKED)
			n += (MIN(r->end, end) - MAX(r->start, va)) >> PAGE_SHIFT;
	return n;
}

int aspace_mlock(struct aspace *as, u64 va, u64 len, bool on)
{
	u64 end = va + len;
	int ret = 0;

	rwsem_write_lock(&as->lock);
	if (on && as->locked_pages - locked_in(as, va, end) + (len >> PAGE_SHIFT) > memlock_limit())
		ret = -ENOMEM;
	if (!ret)
		ret = change_flags(as, va, end, on ? REGION_LOCKED : 0, on ? 0 : REGION_LOCKED);
	aspace_write_unlock(as);
	return ret;
}

static void populate_locked(struct aspace *as)
{
	u64 va = 0, end;

	for (;;) {
		struct region *r;

		rwsem_read_lock(&as->lock);
		r = aspace_find_first(as, va);
		if (r) {
			va = r->start;
			end = r->end;
		}
		rwsem_read_unlock(&as->lock);
		if (!r || signal_pending())
			return;
		populate(as, va, end, 0); /* as far as it goes: the call succeeds all the same */
		va = end;
	}
}

int aspace_mlockall(struct aspace *as, u32 flags)
{
	bool now = !flags || (flags & MCL_CURRENT);
	int ret = 0;

	rwsem_write_lock(&as->lock);
	if ((flags & MCL_CURRENT) && as->total_pages > memlock_limit())
		ret = -ENOMEM;
	if (!ret) {
		as->default_flags = flags & MCL_FUTURE ? REGION_LOCKED : 0;
		if (now && change_flags(as, 0, USER_VA_END, flags ? REGION_LOCKED : 0,
					flags ? 0 : REGION_LOCKED))
			ret = 0; /* holes are expected */
	}
	aspace_write_unlock(as);
	if (!ret && (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
		populate_locked(as);
	return ret;
}

static u8 residency(struct aspace *as, struct region *r, u64 va)
{
	if (is_present(as, va, false))
		return 1;
	if (!r->pager || !r->pager->ops->is_resident)
		return 0;
	return r->pager->ops->is_resident(r->pager, r->pgoff + ((va - r->start) >> PAGE_SHIFT));
}

int aspace_mincore(struct aspace *as, u64 va, u64 npages, u8 *out)
{
	struct region *r;
	int ret = 0;

	rwsem_read_lock(&as->lock);
	r = aspace_find_first(as, va);
	for (; npages; npages--, va += PAGE_SIZE) {
		if (r && va >= r->end)
			r = region_next(r);
		if (!r || r->start > va) {
			ret = -ENOMEM;
			break;
		}
		*out++ = residency(as, r, va);
	}
	rwsem_read_unlock(&as->lock);
	return ret;
}

/* The next shared file mapping at or after *va, referenced; *va moves behind it. */
static struct file *next_synced(struct aspace *as, u64 *va, u64 end, u32 flags, int *err)
{
	struct file *f = NULL;
	struct region *r;

	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, *va); r && r->start < end && !f; r = region_next(r)) {
		if (r->start > *va)
			*err = -ENOMEM;
		*va = r->end;
		if ((flags & MS_INVALIDATE) && (r->flags & REGION_LOCKED)) {
			*err = -EBUSY;
			*va = end;
			break;
		}
		if ((flags & MS_SYNC) && r->file && (r->flags & REGION_SHARED)) {
			f = r->file;
			file_get(f);
		}
	}
	if (!f && *va < end && *err != -EBUSY)
		*err = -ENOMEM;
	rwsem_read_unlock(&as->lock);
	return f;
}

int aspace_msync(struct aspace *as, u64 va, u64 len, u32 flags)
{
	u64 end = va + len;
	struct file *f;
	int err = 0, ret;

	while ((f = next_synced(as, &va, end, flags, &err)) != NULL) {
		ret = f->ops->fsync ? f->ops->fsync(f, true) : 0;
		file_put(f);
		if (ret)
			return ret;
		if (va >= end)
			break;
	}
	return err;
}

enum advice_kind {
	ADVICE_UNKNOWN,
	ADVICE_ACCEPTED, /* a hint that has no effect here */
	ADVICE_FLAGS,
	ADVICE_ZAP,
	ADVICE_REMOVE,
	ADVICE_POPULATE,
	ADVICE_ADMIN,
};

struct advice {
	u8 kind;
	bool anon_only; /* private anonymous memory only */
	bool locked_ok;
	u16 set, clear; /* region flags */
};

#define READ_FLAGS (REGION_SEQ_READ | REGION_RANDOM_READ)

static const struct advice advices[] = {
	[MADV_NORMAL] = {.kind = ADVICE_FLAGS,	.clear = READ_FLAGS },
	[MADV_RANDOM] = { .kind = ADVICE_FLAGS,				.set = REGION_RANDOM_READ, .clear = READ_FLAGS },
	[MADV_SEQUENTIAL] = { .kind = ADVICE_FLAGS,.set = REGION_SEQ_READ, .clear = READ_FLAGS },
	[MADV_WILLNEED] = { .kind = ADVICE_ACCEPTED			    },
	[MADV_DONTNEED] = { .kind = ADVICE_ZAP			       },
	[MADV_FREE] = { .kind = ADVICE_ZAP,			    .anon_only = true, .locked_ok = true },
	[MADV_REMOVE] = { .kind = ADVICE_REMOVE },
	[MADV_DONTFORK] = { .kind = ADVICE_FLAGS,.set = REGION_DONTFORK },
	[MADV_DOFORK] = { .kind = ADVICE_FLAGS,.clear = REGION_DONTFORK },
	[MADV_MERGEABLE] = { .kind = ADVICE_ACCEPTED			     },
	[MADV_UNMERGEABLE] = { .kind = ADVICE_ACCEPTED			       },
	[MADV_HUGEPAGE] = { .kind = ADVICE_ACCEPTED	    },
	[MADV_NOHUGEPAGE] = { .kind = ADVICE_ACCEPTED      },
	[MADV_DONTDUMP] = { .kind = ADVICE_ACCEPTED			    },
	[MADV_DODUMP] = { .kind = ADVICE_ACCEPTED },
	[MADV_WIPEONFORK] = { .kind = ADVICE_FLAGS,  .anon_only = true, .set = REGION_WIPEONFORK },
	[MADV_KEEPONFORK] = { .kind = ADVICE_FLAGS,			    .clear = REGION_WIPEONFORK },
	[MADV_COLD] = { .kind = ADVICE_ACCEPTED			},
	[MADV_PAGEOUT] = { .kind = ADVICE_ACCEPTED },
	[MADV_POPULATE_READ] = { .kind = ADVICE_POPULATE			 },
	[MADV_POPULATE_WRITE] = { .kind = ADVICE_POPULATE	  },
	[MADV_DONTNEED_LOCKED] = { .kind = ADVICE_ZAP,			       .locked_ok = true },
	[MADV_HWPOISON] = { .kind = ADVICE_ADMIN},
	[MADV_SOFT_OFFLINE] = { .kind = ADVICE_ADMIN   },
};

static bool suits(const struct advice *a, const struct region *r)
{
	if (a->anon_only && r->pager)
		return false;
	if (a->kind == ADVICE_ZAP && !a->locked_ok && (r->flags & REGION_LOCKED))
		return false;
	return !(a->kind == ADVICE_ZAP && (r->flags & REGION_SPECIAL));
}

/* -EINVAL when a mapping of the range does not suit; -ENOMEM for holes. */
static int check_range(struct aspace *as, const struct advice *a, u64 va, u64 end)
{
	struct region *r = aspace_find_first(as, va);
	int ret = 0;

	for (; r && r->start < end; r = region_next(r)) {
		if (r->start > va)
			ret = -ENOMEM;
		if (!suits(a, r))
			return -EINVAL;
		va = MIN(r->end, end);
	}
	return va < end ? -ENOMEM : ret;
}

static int advise_zap(struct aspace *as, const struct advice *a, u64 va, u64 end)
{
	struct region *r;
	int ret;

	rwsem_read_lock(&as->lock);
	ret = check_range(as, a, va, end);
	if (ret != -EINVAL)
		for (r = aspace_find_first(as, va); r && r->start < end; r = region_next(r))
			region_zap(r, MAX(r->start, va), MIN(r->end, end));
	rwsem_read_unlock(&as->lock);
	return ret;
}

static int advise_flags(struct aspace *as, const struct advice *a, u64 va, u64 end)
{
	int ret;

	rwsem_write_lock(&as->lock);
	ret = check_range(as, a, va, end);
	if (ret != -EINVAL)
		ret = change_flags(as, va, end, a->set, a->clear & ~(u32)a->set);
	aspace_write_unlock(as);
	return ret;
}

/* MADV_REMOVE: a hole in the file behind one shared writable mapping. */
static int advise_remove(struct aspace *as, u64 va, u64 end)
{
	struct file *f = NULL;
	struct region *r;
	u64 off = 0;
	int ret = 0;

	rwsem_read_lock(&as->lock);
	r = aspace_find(as, va);
	if (!r || r->end < end) {
		ret = -ENOMEM;
	} else if (!(r->flags & REGION_SHARED) || !(r->prot & PROT_WRITE) || !r->file ||
		   (r->flags & REGION_LOCKED)) {
		ret = -EINVAL;
	} else {
		f = r->file;
		file_get(f);
		off = (r->pgoff << PAGE_SHIFT) + (va - r->start);
	}
	rwsem_read_unlock(&as->lock);
	if (!f)
		return ret;
	ret = file_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (s64)off,
			     (s64)(end - va));
	file_put(f);
	return ret;
}

static int advise_accepted(struct aspace *as, const struct advice *a, u64 va, u64 end)
{
	int ret;

	rwsem_read_lock(&as->lock);
	ret = check_range(as, a, va, end);
	rwsem_read_unlock(&as->lock);
	return ret;
}

int aspace_madvise(struct aspace *as, u64 va, u64 len, s32 advice)
{
	const struct advice *a = (u32)advice < ARRAY_SIZE(advices) ? &advices[advice] : NULL;

	if (!a || a->kind == ADVICE_UNKNOWN)
		return -EINVAL;
	if (a->kind == ADVICE_ADMIN)
		return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	if (len == 0)
		return 0;
	switch (a->kind) {
	case ADVICE_FLAGS:
		return advise_flags(as, a, va, va + len);
	case ADVICE_ZAP:
		return advise_zap(as, a, va, va + len);
	case ADVICE_REMOVE:
		return advise_remove(as, va, va + len);
	case ADVICE_POPULATE:
		return populate(as, va, va + len,
				advice == MADV_POPULATE_WRITE ? FAULT_WRITE : FAULT_READ);
	default:
		return advise_accepted(as, a, va, va + len);
	}
}
