// SPDX-License-Identifier: Apache-2.0
/*
 * sys_process_vm - process_vm_readv, process_vm_writev
 *
 * Rules     Bytes go through one frame of the kernel: no lock of one address space is held while the other's is
 *           taken. As on Linux a failure after some bytes reports those bytes.
 * See       process_vm_readv(2)
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/syscalls_gen.h"
#include "guestkernel/task/task.h"

struct remote_seg {
	u64 va, len;
};

struct transfer {
	struct aspace *as;
	struct iov_cursor *local;
	void *buf; /* one frame */
	bool write;
};

static int read_remote_vector(uaddr_t ua, u64 nr, struct remote_seg **out)
{
	struct remote_seg *seg;
	u64 i;

	*out = NULL;
	if (nr > IOV_MAX_SEGS)
		return -EINVAL;
	if (nr == 0)
		return 0;
	seg = kmalloc(nr * sizeof *seg);
	if (!seg)
		return -ENOMEM;
	if (copy_from_user(seg, ua, nr * sizeof *seg)) {
		kfree(seg);
		return -EFAULT;
	}
	for (i = 0; i < nr; i++) {
		if ((s64)seg[i].len < 0) {
			kfree(seg);
			return -EINVAL;
		}
	}
	*out = seg;
	return 0;
}

/* One piece inside a remote page; bytes done or -EFAULT. */
static s64 move_piece(struct transfer *t, u64 va, size_t n)
{
	s64 done;

	if (t->write) {
		done = iov_get_some(t->local, t->buf, n);
		return done <= 0 ? done
				 : aspace_access(t->as, va, t->buf, (size_t)done, true, false);
	}
	done = aspace_access(t->as, va, t->buf, n, false, false);
	return done <= 0 ? done : iov_put_some(t->local, t->buf, (size_t)done);
}

/* Bytes done; *err says why there were not more. */
static s64 move_segment(struct transfer *t, const struct remote_seg *seg, s64 *err)
{
	u64 done = 0, left = MIN(seg->len, iov_left(t->local));

	while (done < left) {
		u64 va = seg->va + done;
		size_t n = (size_t)MIN(left - done, PAGE_SIZE - (va & ~PAGE_MASK));
		s64 ret = va < seg->va ? -EFAULT : move_piece(t, va, n);

		if (ret < (s64)n) {
			*err = ret < 0 ? ret : -EFAULT;
			return (s64)done + MAX(ret, (s64)0);
		}
		done += n;
	}
	return (s64)done;
}

static s64 move_all(struct transfer *t, const struct remote_seg *seg, u64 nr)
{
	s64 total = 0, err = 0;
	u64 i;

	for (i = 0; i < nr && !err && iov_left(t->local); i++)
		total += move_segment(t, &seg[i], &err);
	return total ? total : err;
}

static int remote_aspace(s32 pid, struct aspace **out)
{
	struct task *t = task_find_get(pid);
	int ret = 0;

	if (!t)
		return -ESRCH;
	if (!task_access_mm(t, ACCESS_REAL, out))
		ret = -EPERM;
	else if (!*out)
		ret = -ESRCH;
	task_put(t);
	return ret;
}

static s64 transfer(s32 pid, struct iov_cursor *local, const struct remote_seg *seg, u64 nr,
		    bool write)
{
	struct transfer t = { .local = local, .write = write };
	struct page *pg;
	s64 ret;

	ret = remote_aspace(pid, &t.as);
	if (ret)
		return ret;
	ret = page_alloc(0, &pg);
	if (!ret) {
		t.buf = page_kaddr(pg);
		ret = move_all(&t, seg, nr);
		page_put(pg);
	}
	aspace_put(t.as);
	return ret;
}

static s64 process_vm_rw(s32 pid, uaddr_t lvec, u64 nr_l, uaddr_t rvec, u64 nr_r, bool write)
{
	struct remote_seg *seg;
	struct iov_import im;
	s64 ret = iov_import(&im, lvec, nr_l);

	if (ret)
		return ret;
	if (iov_left(&im.cur)) {
		ret = read_remote_vector(rvec, nr_r, &seg);
		if (!ret) {
			ret = transfer(pid, &im.cur, seg, nr_r, write);
			kfree(seg);
		}
	}
	iov_import_fini(&im);
	return ret;
}

s64 sys_process_vm_readv(s32 pid, uaddr_t lvec, u64 nr_l, uaddr_t rvec, u64 nr_r, u64 flags)
{
	return flags ? -EINVAL : process_vm_rw(pid, lvec, nr_l, rvec, nr_r, false);
}

s64 sys_process_vm_writev(s32 pid, uaddr_t lvec, u64 nr_l, uaddr_t rvec, u64 nr_r, u64 flags)
{
	return flags ? -EINVAL : process_vm_rw(pid, lvec, nr_l, rvec, nr_r, true);
}
