// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_user - application memory and the I/O cursor for host tests
 *
 * Rules     Application addresses are host addresses; below 4096 and in the range of host_fault_range()
 *           every access fails at the exact byte, as a fault in the middle of a copy does.
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/uapi/uio.h"
#include "tests/lib/kapi_host.h"

static u64 fault_lo, fault_hi;

void host_fault_range(u64 lo, u64 hi)
{
	fault_lo = lo;
	fault_hi = hi;
}

/* How many of n bytes at va can be accessed. */
static size_t accessible(u64 va, size_t n)
{
	if (va < 4096 || (va >= fault_lo && va < fault_hi))
		return 0;
	return va < fault_lo && fault_lo - va < n ? fault_lo - va : n;
}

static void *host_ptr(uaddr_t a)
{
	return (void *)(uintptr_t)a.va;
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	size_t ok = accessible(src.va, n);

	memcpy(dst, host_ptr(src), ok);
	memset((u8 *)dst + ok, 0, n - ok);
	return ok == n ? 0 : -EFAULT;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	size_t ok = accessible(dst.va, n);

	memcpy(host_ptr(dst), src, ok);
	return ok == n ? 0 : -EFAULT;
}

int clear_user(uaddr_t dst, size_t n)
{
	size_t ok = accessible(dst.va, n);

	memset(host_ptr(dst), 0, ok);
	return ok == n ? 0 : -EFAULT;
}

s64 strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (copy_from_user(dst + i, uaddr_add(src, i), 1))
			return -EFAULT;
		if (!dst[i])
			return (s64)i;
	}
	return (s64)n;
}

int copy_struct_from_user(void *dst, size_t ksize, uaddr_t src, size_t usize)
{
	u8 byte;

	memset(dst, 0, ksize);
	for (size_t i = ksize; i < usize; i++) {
		if (copy_from_user(&byte, uaddr_add(src, i), 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(dst, src, MIN(ksize, usize));
}

int user_load_u32_nowait(uaddr_t ua, u32 *val)
{
	return copy_from_user(val, ua, sizeof *val);
}

int user_cmpxchg_u32_nowait(uaddr_t ua, u32 old, u32 new, u32 *seen)
{
	if (accessible(ua.va, sizeof old) != sizeof old)
		return -EFAULT;
	__atomic_compare_exchange_n((u32 *)host_ptr(ua), &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	*seen = old;
	return 0;
}

int user_fault_in(uaddr_t ua, bool write)
{
	return accessible(ua.va, 1) ? 0 : -EFAULT;
}

void iov_init_kernel(struct iov_cursor *c, void *buf, size_t n)
{
	*c = (struct iov_cursor){ .nr_segs = 1, .is_kernel = true, .left = n };
	c->one.kern = buf;
	c->one.len = n;
	c->seg = &c->one;
}

int iov_init_user(struct iov_cursor *c, uaddr_t buf, size_t n)
{
	iov_init_kernel(c, NULL, MIN(n, RW_MAX_BYTES));
	c->one.user = buf;
	c->is_kernel = false;
	return 0;
}

int iov_import(struct iov_import *im, uaddr_t iov, u64 nr)
{
	struct iovec v;
	struct iov_seg *seg = im->fast;
	u64 total = 0;

	im->heap = NULL;
	if (nr > IOV_MAX_SEGS)
		return -EINVAL;
	if (nr > IOV_FAST_SEGS) {
		seg = im->heap = kcalloc(nr, sizeof *seg);
		if (!seg)
			return -ENOMEM;
	}
	for (u64 i = 0; i < nr; i++) {
		if (copy_from_user(&v, uaddr_add(iov, i * sizeof v), sizeof v)) {
			iov_import_fini(im);
			return -EFAULT;
		}
		seg[i].user = UADDR(v.iov_base);
		seg[i].len = MIN(v.iov_len, RW_MAX_BYTES - total);
		total += seg[i].len;
	}
	im->cur = (struct iov_cursor){ .seg = seg, .nr_segs = (u32)nr, .left = total };
	return 0;
}

void iov_import_fini(struct iov_import *im)
{
	kfree(im->heap);
	im->heap = NULL;
}

void iov_skip(struct iov_cursor *c, u64 n)
{
	BUG_ON(n > c->left);
	c->left -= n;
	c->seg_off += n;
	while (c->nr_segs && c->seg_off >= c->seg->len && (c->left || c->seg_off > c->seg->len)) {
		c->seg_off -= c->seg->len;
		c->seg++;
		c->nr_segs--;
	}
}

void iov_truncate(struct iov_cursor *c, u64 n)
{
	c->left = MIN(c->left, n);
}

enum move { MOVE_PUT, MOVE_GET, MOVE_ZERO };

/* Moves within the current segment; bytes done. */
static size_t move_some(struct iov_cursor *c, enum move how, void *buf, size_t n)
{
	u8 *p = (u8 *)c->seg->kern + c->seg_off;

	if (!c->is_kernel) {
		p = (u8 *)host_ptr(c->seg->user) + c->seg_off;
		n = accessible((uintptr_t)p, n);
	}
	if (how == MOVE_PUT)
		memcpy(p, buf, n);
	else if (how == MOVE_GET)
		memcpy(buf, p, n);
	else
		memset(p, 0, n);
	return n;
}

static s64 move(struct iov_cursor *c, enum move how, void *buf, size_t n)
{
	size_t done = 0;

	n = MIN(n, c->left);
	while (done < n) {
		size_t m, want;

		while (c->seg_off == c->seg->len) {
			c->seg++;
			c->nr_segs--;
			c->seg_off = 0;
		}
		want = MIN(n - done, c->seg->len - c->seg_off);
		m = move_some(c, how, buf ? (u8 *)buf + done : NULL, want);
		done += m;
		iov_skip(c, m);
		if (m < want)
			return done ? (s64)done : -EFAULT;
	}
	return (s64)done;
}

s64 iov_put_some(struct iov_cursor *dst, const void *src, size_t n)
{
	return move(dst, MOVE_PUT, (void *)(uintptr_t)src, n);
}

s64 iov_get_some(struct iov_cursor *src, void *dst, size_t n)
{
	return move(src, MOVE_GET, dst, n);
}

s64 iov_zero_some(struct iov_cursor *dst, size_t n)
{
	return move(dst, MOVE_ZERO, NULL, n);
}

int iov_put(struct iov_cursor *dst, const void *src, size_t n)
{
	return iov_put_some(dst, src, n) == (s64)n ? 0 : -EFAULT;
}

int iov_get(struct iov_cursor *src, void *dst, size_t n)
{
	return iov_get_some(src, dst, n) == (s64)n ? 0 : -EFAULT;
}
