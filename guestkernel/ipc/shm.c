// SPDX-License-Identifier: Apache-2.0
/*
 * shm - System V shared memory segments
 *
 * Role      A segment is a pager of its own that counts who maps it and leaves pages to anonymous shared memory.
 * Rules     nattch counts the references of regions, and of attaches on their way. A removed segment stays, under
 *           its number, until the count is 0.
 * Locking   ids.lock (RANK_PAGECACHE) covers all segments: regions come and go with page table locks around.
 *           Memory is freed after it was dropped.
 * Missing   SHM_HUGETLB; SHM_LOCK only shows in the mode, as nothing is ever swapped out; shm_rss is 0.
 * See       shmget(2), shmop(2), shmctl(2)
 */
#include "guestkernel/ipc/shm.h"

#include "arch/param.h"
#include "guestkernel/ipc/ids.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mman.h"

struct shm_seg {
	struct ipc_obj obj;
	struct pager base;   /* what regions map */
	struct pager *pages; /* [I] where its pages are */
	u64 size;	     /* [I] bytes */
	struct user_account *payer;
	u64 nattch; /* [ids.lock] */
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
};

static struct ipc_ids ids = IPC_IDS_INIT(RANK_PAGECACHE, &ipc_limits.shm_mni, IPC_SHM);

static struct shm_seg *seg_of(struct pager *p)
{
	return container_of(p, struct shm_seg, base);
}

static u64 pages_of(const struct shm_seg *s)
{
	return ALIGN_UP(s->size, PAGE_SIZE) >> PAGE_SHIFT;
}

static s64 now_s(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

static void seg_free(struct shm_seg *s)
{
	s->pages->ops->put(s->pages);
	charge_release(s->payer, CHARGE_KMEM, sizeof *s);
	kfree(s);
}

/* [ids.lock] True: nobody has it any more, and the caller frees it after the lock. */
static bool seg_is_gone(struct shm_seg *s)
{
	if (s->nattch || !(s->obj.perm.mode & SHM_DEST))
		return false;
	ipc_usage_of(&s->obj)->amount -= pages_of(s);
	ipc_remove(&ids, &s->obj);
	return true;
}

static int seg_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	struct pager *pages = seg_of(p)->pages;

	return pages->ops->get_page(pages, pgoff, for_write, out);
}

static bool seg_is_resident(struct pager *p, u64 pgoff)
{
	struct pager *pages = seg_of(p)->pages;

	return pages->ops->is_resident(pages, pgoff);
}

static void seg_get(struct pager *p)
{
	struct shm_seg *s = seg_of(p);

	spin_lock(&ids.lock);
	s->nattch++;
	s->atime = now_s();
	s->lpid = current_tgid();
	spin_unlock(&ids.lock);
}

static void seg_put(struct pager *p)
{
	struct shm_seg *s = seg_of(p);
	bool gone;

	spin_lock(&ids.lock);
	s->nattch--;
	s->dtime = now_s();
	s->lpid = current_tgid();
	gone = seg_is_gone(s);
	spin_unlock(&ids.lock);
	if (gone)
		seg_free(s);
}

static void seg_describe(struct pager *p, struct pager_desc *out)
{
	struct shm_seg *s = seg_of(p);

	out->dev = 1;
	out->ino = (u64)s->obj.id;
	snprintf(out->path, sizeof out->path, "/SYSV%08x (deleted)", (u32)s->obj.perm.key);
}

static const struct pager_ops seg_ops = {
	.get_page = seg_get_page,
	.is_resident = seg_is_resident,
	.get = seg_get,
	.put = seg_put,
	.describe = seg_describe,
};

static int seg_create(u64 size, struct shm_seg **out)
{
	struct user_account *payer;
	struct shm_seg *s;
	int ret = charge_kmem(sizeof *s, &payer);

	if (ret)
		return ret;
	s = knew(struct shm_seg);
	ret = s ? pager_create_anon(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT, &s->pages) : -ENOMEM;
	if (ret) {
		kfree(s);
		charge_release(payer, CHARGE_KMEM, sizeof *s);
		return ret;
	}
	s->payer = payer;
	pager_init(&s->base, &seg_ops);
	s->size = size;
	s->cpid = current_tgid();
	s->ctime = now_s();
	*out = s;
	return 0;
}

/* [ids.lock] */
static s64 seg_add(struct shm_seg *s, s32 key, u32 flags)
{
	u64 most = charge_is_bounded() ? (page_end_pfn - page_first_pfn) / 2 : U64_MAX;
	int ret;

	/* segments stay when those who made them are gone: killing frees nothing */
	if (ipc_usage(&ids)->amount + pages_of(s) > MIN(READ_ONCE(ipc_limits.shm_all), most))
		return -ENOSPC;
	ret = ipc_add(&ids, &s->obj, key, flags);
	if (ret)
		return ret;
	ipc_usage_of(&s->obj)->amount += pages_of(s);
	return s->obj.id;
}

static s64 check_existing(const struct shm_seg *s, u64 size, u32 flags)
{
	int ret;

	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (s->size < size)
		return -EINVAL;
	ret = ipc_may_use(&s->obj, flags);
	return ret ? ret : s->obj.id;
}

s64 shm_get(s32 key, u64 size, u32 flags)
{
	struct shm_seg *fresh = NULL;
	struct ipc_obj *o = NULL;
	int made = size == 0 || size > READ_ONCE(ipc_limits.shm_max) ? -EINVAL : 0;
	s64 ret;

	if (flags & SHM_HUGETLB)
		return -ENOMEM;
	if (!made && (key == IPC_PRIVATE || (flags & IPC_CREAT)))
		made = seg_create(size, &fresh);
	spin_lock(&ids.lock);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&ids, key);
	if (o)
		ret = check_existing(container_of(o, struct shm_seg, obj), size, flags);
	else if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		ret = -ENOENT;
	else
		ret = made ? made : seg_add(fresh, key, flags);
	spin_unlock(&ids.lock);
	if (fresh && (o || ret < 0))
		seg_free(fresh);
	return ret;
}

/* A count for the attach on its way. */
static int seg_hold(s32 id, u32 mode, struct shm_seg **out)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find(&ids, id, &o);
	if (!ret)
		ret = ipc_may_use(o, mode);
	if (!ret) {
		*out = container_of(o, struct shm_seg, obj);
		(*out)->nattch++;
	}
	spin_unlock(&ids.lock);
	return ret;
}

static void seg_unhold(struct shm_seg *s)
{
	bool gone;

	spin_lock(&ids.lock);
	s->nattch--;
	gone = seg_is_gone(s);
	spin_unlock(&ids.lock);
	if (gone)
		seg_free(s);
}

static int place(struct map_req *req, u64 addr, u32 flags)
{
	req->flags = MAP_SHARED;
	if (addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
	}
	if (!addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (addr > USER_VA_END)
		return -EINVAL;
	if (addr < USER_VA_MIN)
		return -EPERM;
	req->addr = addr;
	req->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return 0;
}

int shm_attach(struct aspace *as, s32 id, u64 addr, u32 flags, u64 *va)
{
	struct map_req req = { .prot = PROT_READ, .max_prot = PROT_READ | PROT_EXEC };
	u32 mode = SHM_R;
	struct shm_seg *s;
	int ret = place(&req, addr, flags);

	if (ret)
		return ret;
	if (!(flags & SHM_RDONLY)) {
		req.prot |= PROT_WRITE;
		req.max_prot |= PROT_WRITE;
		mode |= SHM_W;
	}
	if (flags & SHM_EXEC) {
		req.prot |= PROT_EXEC;
		mode |= 0100;
	}
	ret = seg_hold(id, mode, &s);
	if (ret)
		return ret;
	req.len = ALIGN_UP(s->size, PAGE_SIZE);
	req.pager = &s->base;
	if (req.addr && (req.len > USER_VA_END || req.addr > USER_VA_END - req.len))
		ret = -EINVAL;
	else
		ret = aspace_map(as, &req, va);
	seg_unhold(s);
	return ret == -EEXIST ? -EINVAL : ret;
}

int shm_detach(struct aspace *as, u64 addr)
{
	struct pager *found = NULL;
	u64 end = U64_MAX;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	for (;;) {
		struct region *r;
		u64 va = 0, len = 0;
		int ret;

		rwsem_read_lock(&as->lock);
		for (r = aspace_find_first(as, addr); r && r->start < end;
		     r = aspace_find_first(as, r->end)) {
			if (!r->pager || r->pager->ops != &seg_ops || r->start < addr ||
			    (found && r->pager != found) ||
			    (r->start - addr) >> PAGE_SHIFT != r->pgoff)
				continue;
			va = r->start;
			len = r->end - r->start;
			found = r->pager;
			end = addr + (pages_of(seg_of(found)) << PAGE_SHIFT);
			break;
		}
		rwsem_read_unlock(&as->lock);
		if (!len)
			return found ? 0 : -EINVAL;
		ret = aspace_unmap(as, va, len);
		if (ret)
			return ret;
	}
}

static void fill(const struct shm_seg *s, struct shmid64_ds *out)
{
	*out = (struct shmid64_ds){
		.shm_perm = s->obj.perm,
		.shm_segsz = s->size,
		.shm_atime = s->atime,
		.shm_dtime = s->dtime,
		.shm_ctime = s->ctime,
		.shm_cpid = s->cpid,
		.shm_lpid = s->lpid,
		.shm_nattch = s->nattch,
	};
}

s64 shm_stat(s32 id, u32 cmd, struct shmid64_ds *out)
{
	struct ipc_obj *o;
	s64 ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_stat(&ids, id, cmd == IPC_STAT, cmd == SHM_STAT_ANY ? 0 : SHM_R, &o);
	if (!ret) {
		fill(container_of(o, struct shm_seg, obj), out);
		ret = cmd == IPC_STAT ? 0 : o->id;
	}
	spin_unlock(&ids.lock);
	return ret;
}

int shm_set(s32 id, const struct shmid64_ds *ds)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret)
		ret = ipc_set_perm(o, &ds->shm_perm);
	if (!ret)
		container_of(o, struct shm_seg, obj)->ctime = now_s();
	spin_unlock(&ids.lock);
	return ret;
}

int shm_remove(s32 id)
{
	struct ipc_obj *o;
	bool gone = false;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret) {
		o->perm.mode |= SHM_DEST;
		o->perm.key = IPC_PRIVATE; /* the key finds it no more */
		gone = seg_is_gone(container_of(o, struct shm_seg, obj));
	}
	spin_unlock(&ids.lock);
	if (gone)
		seg_free(container_of(o, struct shm_seg, obj));
	return ret;
}

void shm_ns_gone(struct ipc_ns *ns)
{
	struct ipc_obj *o;
	struct shm_seg *s;
	bool gone;

	for (;;) {
		spin_lock(&ids.lock);
		o = ipc_first_of(&ids, ns);
		if (!o)
			break;
		s = container_of(o, struct shm_seg, obj);
		ipc_orphan(o, pages_of(s));
		o->perm.mode |= SHM_DEST;
		gone = seg_is_gone(s);
		spin_unlock(&ids.lock);
		if (gone)
			seg_free(s);
	}
	spin_unlock(&ids.lock);
}

int shm_lock(s32 id, bool on)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find(&ids, id, &o);
	if (!ret && !capable(CAP_IPC_LOCK))
		ret = ipc_may_change(o);
	if (!ret)
		o->perm.mode = on ? o->perm.mode | SHM_LOCKED : o->perm.mode & ~(u32)SHM_LOCKED;
	spin_unlock(&ids.lock);
	return ret;
}

s32 shm_limits(struct shminfo64 *out)
{
	s32 last;

	*out = (struct shminfo64){
		.shmmax = ipc_limits.shm_max,
		.shmmin = 1,
		.shmmni = (u64)ipc_limits.shm_mni,
		.shmseg = (u64)ipc_limits.shm_mni,
		.shmall = ipc_limits.shm_all,
	};
	spin_lock(&ids.lock);
	last = ipc_last_slot(&ids);
	spin_unlock(&ids.lock);
	return last;
}

s32 shm_usage(struct shm_info *out)
{
	s32 last;

	memset(out, 0, sizeof *out);
	spin_lock(&ids.lock);
	out->used_ids = (s32)ipc_usage(&ids)->nr;
	out->shm_tot = ipc_usage(&ids)->amount;
	last = ipc_last_slot(&ids);
	spin_unlock(&ids.lock);
	return last;
}
