// SPDX-License-Identifier: Apache-2.0
/*
 * sys_mm - the mmap family
 *
 * Role      Decode, check, call mm/. Rights of file mappings are decided here from the file's access mode.
 * Missing   Writing shared file pages back asynchronously (tmpfs has nothing behind it); see syscalls.tbl.
 * See       mmap(2), mremap(2), madvise(2), mlock(2), mincore(2)
 */
#include "arch/param.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/syscalls_gen.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define MAP_KNOWN                                                                                         \
	(MAP_SHARED | MAP_PRIVATE | MAP_SHARED_VALIDATE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | \
	 MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |  \
	 MAP_HUGETLB | MAP_SYNC | MAP_FIXED_NOREPLACE)

static bool range_bad(u64 va, u64 len)
{
	return va & (PAGE_SIZE - 1) || va >= USER_VA_END || len > USER_VA_END - va;
}

/* The pager, rights and name of a file mapping; *file is referenced. */
static int map_file(struct map_req *req, s32 fd, u64 off, struct file **file)
{
	struct mmap_req fr = { .off_bytes = off, .len_bytes = req->len, .prot = req->prot, .flags = req->flags };
	struct file *f;
	int ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = -EACCES;
	if (!file_can_read(f))
		goto put;
	fr.may_write = file_can_write(f);
	if ((req->flags & MAP_SHARED) && (req->prot & PROT_WRITE) && !fr.may_write)
		goto put;
	ret = f->ops->mmap ? f->ops->mmap(f, &fr) : -ENODEV;
	if (ret)
		goto put;
	req->pager = fr.pager;
	req->pgoff = off >> PAGE_SHIFT;
	req->file = f;
	if ((req->flags & MAP_SHARED) && !fr.may_write)
		req->max_prot = PROT_READ | PROT_EXEC;
	*file = f;
	return 0;
put:
	file_put(f);
	return ret;
}

static u32 region_flags(u32 flags)
{
	return (flags & MAP_GROWSDOWN ? REGION_GROWSDOWN : 0) | (flags & MAP_LOCKED ? REGION_LOCKED : 0) |
	       (flags & MAP_NORESERVE ? REGION_NORESERVE : 0);
}

static int check_mmap(const struct map_req *req, u64 off)
{
	u32 type = req->flags & MAP_TYPE;

	if (!req->len || off & (PAGE_SIZE - 1))
		return -EINVAL;
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (req->flags & ~(u32)MAP_KNOWN))
		return -EOPNOTSUPP;
	if (req->flags & MAP_HUGETLB)
		return -ENOMEM; /* no huge page pool, as on a host that configured none */
	if (req->len > USER_VA_END || off + req->len < off)
		return -ENOMEM;
	if (!(req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return 0;
	if (req->addr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (range_bad(req->addr, req->len))
		return -ENOMEM;
	return req->addr < USER_VA_MIN && !capable(CAP_SYS_RAWIO) ? -EPERM : 0;
}

static void populate(u64 va, const struct map_req *req)
{
	/* errors show at the first access, as on Linux */
	if (req->flags & (MAP_POPULATE | MAP_LOCKED) && !(req->flags & MAP_NONBLOCK))
		(void)!aspace_populate(current()->mm, va, req->len, (req->prot & PROT_WRITE) && !(req->flags & MAP_SHARED));
}

s64 sys_mmap(uaddr_t addr, u64 len, u32 prot, u32 flags, s32 fd, u64 off)
{
	struct map_req req = {
		.addr = addr.va,
		.len = ALIGN_UP(len, PAGE_SIZE),
		.prot = prot,
		.flags = flags,
		.region_flags = region_flags(flags),
	};
	struct file *file = NULL;
	u64 va;
	int ret;

	if (len && !req.len)
		return -ENOMEM;
	ret = check_mmap(&req, off);
	if (ret)
		return ret;
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		req.addr = ALIGN_DOWN(req.addr, PAGE_SIZE);
	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		req.flags = (flags & ~(u32)MAP_TYPE) | MAP_SHARED;
	if (!(flags & MAP_ANONYMOUS))
		ret = map_file(&req, fd, off, &file);
	else if (req.flags & MAP_SHARED)
		ret = pager_create_anon(req.len >> PAGE_SHIFT, &req.pager);
	if (ret)
		return ret;
	ret = aspace_map(current()->mm, &req, &va);
	if (req.pager)
		req.pager->ops->put(req.pager);
	if (file)
		file_put(file);
	if (ret)
		return ret;
	populate(va, &req);
	return (s64)va;
}

s64 sys_munmap(uaddr_t addr, u64 len)
{
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len || range_bad(addr.va, len))
		return -EINVAL;
	return aspace_unmap(current()->mm, addr.va, len);
}

s64 sys_mprotect(uaddr_t addr, u64 len, u32 prot)
{
	u64 rounded = ALIGN_UP(len, PAGE_SIZE);

	if (addr.va & (PAGE_SIZE - 1) || prot & ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (!len)
		return 0;
	if (!rounded || range_bad(addr.va, rounded))
		return -ENOMEM;
	return aspace_protect(current()->mm, addr.va, rounded, prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

s64 sys_brk(uaddr_t addr)
{
	u64 result;
	int ret = aspace_set_brk(current()->mm, addr.va, &result);

	(void)ret; /* failure is the old break */
	return (s64)result;
}

s64 sys_mremap(uaddr_t old, u64 old_len, u64 new_len, u32 flags, uaddr_t new_addr)
{
	u64 va;
	int ret;

	old_len = ALIGN_UP(old_len, PAGE_SIZE);
	new_len = ALIGN_UP(new_len, PAGE_SIZE);
	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || old.va & (PAGE_SIZE - 1) || !new_len)
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if (range_bad(old.va, old_len) || new_len > USER_VA_END)
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && range_bad(new_addr.va, new_len))
		return -EINVAL;
	ret = aspace_remap(current()->mm, old.va, old_len, new_len, flags, new_addr.va, &va);
	return ret ? ret : (s64)va;
}

s64 sys_madvise(uaddr_t addr, u64 len, u32 advice)
{
	u64 rounded = ALIGN_UP(len, PAGE_SIZE);

	if (addr.va & (PAGE_SIZE - 1) || (len && !rounded) || range_bad(addr.va, rounded))
		return -EINVAL;
	if (!len)
		return 0;
	return aspace_madvise(current()->mm, addr.va, rounded, (s32)advice);
}

static bool is_resident(struct aspace *as, u64 va)
{
	struct region *r;
	paddr_t pa;
	u32 flags;
	bool yes;

	spin_lock(&as->pt_lock);
	yes = arch_mmu_query(&as->arch, va, &pa, &flags);
	spin_unlock(&as->pt_lock);
	if (yes)
		return true;
	r = aspace_find(as, va);
	return r && r->pager && r->pager->ops->is_resident &&
	       r->pager->ops->is_resident(r->pager, r->pgoff + ((va - r->start) >> PAGE_SHIFT));
}

s64 sys_mincore(uaddr_t addr, u64 len, uaddr_t vec)
{
	struct aspace *as = current()->mm;
	u64 pages = ALIGN_UP(len, PAGE_SIZE) >> PAGE_SHIFT, i, n;
	u8 buf[64];

	if (addr.va & (PAGE_SIZE - 1))
		return -EINVAL;
	if (range_bad(addr.va, len) || !aspace_is_mapped(as, addr.va, len))
		return -ENOMEM;
	for (; pages; pages -= n) {
		n = MIN(pages, (u64)sizeof buf);
		rwsem_read_lock(&as->lock);
		for (i = 0; i < n; i++, addr.va += PAGE_SIZE)
			buf[i] = is_resident(as, addr.va);
		rwsem_read_unlock(&as->lock);
		if (copy_to_user(vec, buf, n))
			return -EFAULT;
		vec = uaddr_add(vec, n);
	}
	return 0;
}

s64 sys_msync(uaddr_t addr, u64 len, u32 flags)
{
	u64 rounded = ALIGN_UP(len, PAGE_SIZE);

	if (flags & ~(u32)(MS_ASYNC | MS_SYNC | MS_INVALIDATE) || (flags & MS_ASYNC && flags & MS_SYNC) ||
	    addr.va & (PAGE_SIZE - 1))
		return -EINVAL;
	if ((len && !rounded) || range_bad(addr.va, rounded))
		return -ENOMEM;
	/* every page cache we have is the file itself: there is nothing behind it to write to */
	return aspace_is_mapped(current()->mm, addr.va, rounded) ? 0 : -ENOMEM;
}

static s64 lock_range(u64 va, u64 len, bool lock, bool on_fault)
{
	struct aspace *as = current()->mm;
	u64 end = ALIGN_UP(va + len, PAGE_SIZE);
	int ret;

	va = ALIGN_DOWN(va, PAGE_SIZE);
	if (end < va || range_bad(va, end - va))
		return -EINVAL;
	len = end - va;
	if (!len)
		return 0;
	if (lock && !capable(CAP_IPC_LOCK)) {
		u64 limit = current_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

		if (!limit)
			return -EPERM;
		if (as->locked_pages + (len >> PAGE_SHIFT) > limit)
			return -ENOMEM;
	}
	if (!aspace_is_mapped(as, va, len))
		return -ENOMEM;
	ret = aspace_set_region_flags(as, va, len, lock ? REGION_LOCKED : 0, lock ? 0 : REGION_LOCKED);
	if (!ret && lock && !on_fault)
		ret = aspace_populate(as, va, len, false) ? -ENOMEM : 0;
	return ret;
}

s64 sys_mlock(uaddr_t addr, u64 len)
{
	return lock_range(addr.va, len, true, false);
}

s64 sys_mlock2(uaddr_t addr, u64 len, u32 flags)
{
	if (flags & ~1u) /* MLOCK_ONFAULT */
		return -EINVAL;
	return lock_range(addr.va, len, true, flags & 1);
}

s64 sys_munlock(uaddr_t addr, u64 len)
{
	return lock_range(addr.va, len, false, false);
}

s64 sys_mlockall(u32 flags)
{
	if (!flags || flags & ~7u || flags == 4)
		return -EINVAL;
	if (!capable(CAP_IPC_LOCK) && !current_rlimit(RLIMIT_MEMLOCK))
		return -EPERM;
	/* memory never leaves: there is no swap. MCL_FUTURE is therefore true by nature. */
	return flags & 1 ? aspace_set_region_flags(current()->mm, 0, USER_VA_END, REGION_LOCKED, 0) : 0;
}

s64 sys_munlockall(void)
{
	return aspace_set_region_flags(current()->mm, 0, USER_VA_END, 0, REGION_LOCKED);
}
