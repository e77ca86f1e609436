// SPDX-License-Identifier: Apache-2.0
/*
 * sys_mm - mmap, munmap, mprotect, mremap, brk, madvise, mincore, msync, mlock
 *
 * Role      Decodes and checks what an application asks of its address space; mm/ does it.
 * Rules     Checks come in Linux's order, so that a call that is wrong twice fails the same way.
 * Missing   Huge pages (MAP_HUGETLB: no pages in the pool, -ENOMEM), MAP_SYNC, protection keys.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/advise.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/syscalls_gen.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/resource.h"

#define PROT_RWX   (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_KNOWN (PROT_RWX | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)
/* What MAP_SHARED_VALIDATE accepts. */
#define MAP_VALIDATED                                                                            \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | \
	 MAP_UNINITIALIZED | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK |          \
	 MAP_STACK | MAP_HUGETLB | MAP_32BIT | MAP_FIXED_NOREPLACE)

static u64 pages_up(u64 n)
{
	return ALIGN_UP(n, PAGE_SIZE);
}

static bool is_page_aligned(u64 n)
{
	return (n & ~PAGE_MASK) == 0;
}

static bool in_user_range(u64 va, u64 len)
{
	return len <= USER_VA_END && va <= USER_VA_END - len;
}

static bool may_mlock(void)
{
	return current_rlimit(RLIMIT_MEMLOCK) != 0 || capable(CAP_IPC_LOCK);
}

/* Place, length and offset; fills req->addr and req->len. */
static int check_place(struct map_req *req, u64 addr, u64 len, u64 off)
{
	bool fixed = req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

	if (len == 0)
		return -EINVAL;
	req->len = pages_up(len);
	if (req->len == 0 || req->len > USER_VA_END)
		return -ENOMEM;
	if ((off >> PAGE_SHIFT) + (req->len >> PAGE_SHIFT) < off >> PAGE_SHIFT)
		return -EOVERFLOW;
	req->pgoff = off >> PAGE_SHIFT;
	req->addr = fixed ? addr : addr & PAGE_MASK;
	if (!fixed) {
		if (req->addr && req->addr < USER_VA_MIN)
			req->addr = USER_VA_MIN;
		return 0;
	}
	if (!in_user_range(addr, req->len))
		return -ENOMEM;
	if (!is_page_aligned(addr))
		return -EINVAL;
	return addr < USER_VA_MIN ? -EPERM : 0;
}

static int check_file_rights(const struct file *f, const struct map_req *req)
{
	u32 type = req->flags & MAP_TYPE;

	if (type == MAP_SHARED_VALIDATE && (req->flags & ~(u32)MAP_VALIDATED))
		return -EOPNOTSUPP;
	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE && type != MAP_PRIVATE)
		return -EINVAL;
	if (type != MAP_PRIVATE && (req->prot & PROT_WRITE) && !file_can_write(f))
		return -EACCES;
	if (!file_can_read(f))
		return -EACCES;
	if (req->prot & PROT_EXEC && exec_file_denied(f))
		return -EPERM;
	if (!f->ops->mmap)
		return -ENODEV;
	return req->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

/* Asks the file for its pager. On success req->pager holds a reference of ours. */
static int prepare_file(struct file *f, struct map_req *req)
{
	bool is_private = (req->flags & MAP_TYPE) == MAP_PRIVATE;
	struct mmap_req mr = {
		.off_bytes = req->pgoff << PAGE_SHIFT,
		.len_bytes = req->len,
		.prot = req->prot,
		.flags = req->flags,
		.may_write = is_private || file_can_write(f),
	};
	int ret = check_file_rights(f, req);

	if (!ret)
		ret = f->ops->mmap(f, &mr);
	if (ret)
		return ret;
	req->pager = mr.pager;
	req->file = f;
	req->max_prot = is_private || mr.may_write ? PROT_RWX : PROT_READ | PROT_EXEC;
	if (exec_file_denied(f))
		req->max_prot &= ~(u32)PROT_EXEC;
	if (!is_private)
		req->flags |= MAP_SHARED;
	return 0;
}

static int prepare_anon(struct map_req *req)
{
	u32 type = req->flags & MAP_TYPE;

	req->pgoff = 0;
	if (type == MAP_PRIVATE)
		return 0;
	if (type != MAP_SHARED)
		return -EINVAL;
	if (req->flags & MAP_GROWSDOWN)
		return -EINVAL;
	return pager_create_anon(req->len >> PAGE_SHIFT, &req->pager);
}

static u32 region_flags_of(u32 map_flags)
{
	u32 f = 0;

	if (map_flags & MAP_GROWSDOWN)
		f |= REGION_GROWSDOWN;
	if (map_flags & MAP_LOCKED)
		f |= REGION_LOCKED;
	if (map_flags & MAP_NORESERVE)
		f |= REGION_NORESERVE;
	return f;
}

static s64 map(struct file *f, struct map_req *req)
{
	struct aspace *as = current()->mm;
	u64 va;
	int ret;

	if ((req->flags & MAP_LOCKED) && !may_mlock())
		return -EPERM;
	ret = f ? prepare_file(f, req) : prepare_anon(req);
	if (ret)
		return ret;
	req->region_flags = region_flags_of(req->flags);
	ret = aspace_map(as, req, &va);
	if (req->pager)
		req->pager->ops->put(req->pager);
	if (ret)
		return ret;
	if ((req->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE ||
	    (req->flags & MAP_LOCKED) || (READ_ONCE(as->default_flags) & REGION_LOCKED))
		aspace_populate(as, va, req->len);
	return (s64)va;
}

s64 sys_mmap(uaddr_t addr, u64 len, u32 prot, u32 flags, s32 fd, u64 off)
{
	struct map_req req = { .prot = prot & (PROT_RWX | arch_prot_extra), .flags = flags };
	struct file *f = NULL;
	s64 ret;

	if (!is_page_aligned(off))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		ret = fd_lookup(fd, &f);
		if (ret)
			return ret;
	}
	if (flags & MAP_HUGETLB) {
		ret = f ? -EINVAL : -ENOMEM;
		goto put;
	}
	ret = check_place(&req, addr.va, len, off);
	if (!ret)
		ret = map(f, &req);
put:
	if (f)
		file_put(f);
	return ret;
}

s64 sys_munmap(uaddr_t addr, u64 len)
{
	if (!is_page_aligned(addr.va) || !in_user_range(addr.va, len) || len == 0)
		return -EINVAL;
	return aspace_unmap(current()->mm, addr.va, pages_up(len));
}

/* PROT_GROWSDOWN extends the change to the start of the stack region. */
static int grow_protect_range(struct aspace *as, u64 *va, u64 *len)
{
	struct region *r;
	int ret = -ENOMEM;

	rwsem_read_lock(&as->lock);
	r = aspace_find_first(as, *va);
	if (r && r->start < *va + *len) {
		ret = r->flags & REGION_GROWSDOWN ? 0 : -EINVAL;
		if (!ret && r->start < *va) {
			*len += *va - r->start;
			*va = r->start;
		}
	}
	rwsem_read_unlock(&as->lock);
	return ret;
}

s64 sys_mprotect(uaddr_t addr, u64 len, u32 prot)
{
	struct aspace *as = current()->mm;
	u64 va = addr.va;
	int ret;

	if ((prot & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (!is_page_aligned(va))
		return -EINVAL;
	if (len == 0)
		return 0;
	len = pages_up(len);
	if (len == 0 || va + len < va)
		return -ENOMEM;
	if (prot & ~(PROT_KNOWN | arch_prot_extra))
		return -EINVAL;
	if (!in_user_range(va, len))
		return -ENOMEM;
	if (prot & PROT_GROWSUP)
		return -EINVAL;
	if (prot & PROT_GROWSDOWN) {
		ret = grow_protect_range(as, &va, &len);
		if (ret)
			return ret;
	}
	return aspace_protect(as, va, len, prot & (PROT_RWX | arch_prot_extra));
}

s64 sys_brk(uaddr_t addr)
{
	u64 now;
	int ret = aspace_set_brk(current()->mm, addr.va, &now);

	(void)ret; /* failure is the old end */
	return (s64)now;
}

s64 sys_mremap(uaddr_t old, u64 old_len, u64 new_len, u32 flags, uaddr_t new_addr)
{
	struct remap_req req;
	u64 va;
	int ret;

	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if (!is_page_aligned(old.va))
		return -EINVAL;
	old_len = pages_up(old_len);
	new_len = pages_up(new_len);
	if (new_len == 0 || new_len > USER_VA_END)
		return -EINVAL;
	if (!in_user_range(old.va, old_len))
		return -EFAULT;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		if (!is_page_aligned(new_addr.va) || !in_user_range(new_addr.va, new_len))
			return -EINVAL;
	}
	if ((flags & MREMAP_FIXED) && new_addr.va < USER_VA_MIN)
		return -EPERM;
	req = (struct remap_req){ old.va, old_len, new_len, flags,
				  flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? new_addr.va : 0 };
	ret = aspace_remap(current()->mm, &req, &va);
	return ret ? ret : (s64)va;
}

s64 sys_madvise(uaddr_t addr, u64 len, u32 advice)
{
	if (!is_page_aligned(addr.va))
		return -EINVAL;
	if (len && pages_up(len) == 0)
		return -EINVAL;
	len = pages_up(len);
	if (!in_user_range(addr.va, len))
		return addr.va + len < addr.va ? -EINVAL : -ENOMEM;
	return aspace_madvise(current()->mm, addr.va, len, (s32)advice);
}

s64 sys_mincore(uaddr_t addr, u64 len, uaddr_t vec)
{
	struct aspace *as = current()->mm;
	u64 va = addr.va, left;
	u8 out[256];

	if (!is_page_aligned(va))
		return -EINVAL;
	if (!in_user_range(va, len))
		return -ENOMEM;
	for (left = pages_up(len) >> PAGE_SHIFT; left;) {
		u64 n = MIN(left, sizeof out);
		int ret = aspace_mincore(as, va, n, out);

		if (ret)
			return ret;
		if (copy_to_user(vec, out, n))
			return -EFAULT;
		vec = uaddr_add(vec, n);
		va += n * PAGE_SIZE;
		left -= n;
	}
	return 0;
}

s64 sys_msync(uaddr_t addr, u64 len, u32 flags)
{
	if (flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if (!is_page_aligned(addr.va))
		return -EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return -EINVAL;
	if (len && pages_up(len) == 0)
		return -ENOMEM;
	len = pages_up(len);
	if (!in_user_range(addr.va, len))
		return -ENOMEM;
	return len ? aspace_msync(current()->mm, addr.va, len, flags) : 0;
}

static s64 lock_range(u64 va, u64 len, bool on)
{
	u64 start = va & PAGE_MASK;

	len = pages_up(len + (va - start));
	if (start + len < start)
		return -EINVAL;
	if (!in_user_range(start, len))
		return -ENOMEM;
	return len ? aspace_mlock(current()->mm, start, len, on) : 0;
}

static s64 mlock_and_populate(uaddr_t addr, u64 len, bool populate)
{
	u64 start = addr.va & PAGE_MASK;
	s64 ret;

	if (!may_mlock())
		return -EPERM;
	ret = lock_range(addr.va, len, true);
	if (ret || !populate)
		return ret;
	ret = aspace_populate(current()->mm, start, pages_up(len + (addr.va - start)));
	return ret == -EFAULT ? -ENOMEM : ret;
}

s64 sys_mlock(uaddr_t addr, u64 len)
{
	return mlock_and_populate(addr, len, true);
}

s64 sys_mlock2(uaddr_t addr, u64 len, u32 flags)
{
	if (flags & ~(u32)MLOCK_ONFAULT)
		return -EINVAL;
	return mlock_and_populate(addr, len, !(flags & MLOCK_ONFAULT));
}

s64 sys_munlock(uaddr_t addr, u64 len)
{
	return lock_range(addr.va, len, false);
}

s64 sys_mlockall(u32 flags)
{
	if (!flags || (flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	if (!may_mlock())
		return -EPERM;
	return aspace_mlockall(current()->mm, flags);
}

s64 sys_munlockall(void)
{
	return aspace_mlockall(current()->mm, 0);
}
