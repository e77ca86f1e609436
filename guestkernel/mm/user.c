// SPDX-License-Identifier: Apache-2.0
/*
 * user - copies to and from application memory, and the I/O cursor
 *
 * Role      Implements kapi/user.h over arch/uaccess.h: the only file that turns a uaddr_t into an access.
 * Rules     A range is checked against the user range before the architecture touches it; faults inside are
 *           resolved or end the copy.
 */
#include "guestkernel/kapi/user.h"

#include "arch/param.h"
#include "arch/uaccess.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/uio.h"

/* Bytes between two looks at whether something else is due. */
#define COPY_AT_ONCE ((size_t)16 * PAGE_SIZE)

static bool range_ok(u64 va, u64 n)
{
	return va < USER_VA_END && n <= USER_VA_END - va;
}

static bool may_access(u64 va, u64 n)
{
	lock_check_user_access();
	return range_ok(va, n);
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	if (unlikely(!may_access(src.va, n)))
		return n ? -EFAULT : 0;
	return unlikely(arch_copy_from_user(dst, src.va, n)) ? -EFAULT : 0;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	if (unlikely(!may_access(dst.va, n)))
		return n ? -EFAULT : 0;
	return unlikely(arch_copy_to_user(dst.va, src, n)) ? -EFAULT : 0;
}

int clear_user(uaddr_t dst, size_t n)
{
	if (!may_access(dst.va, n))
		return n ? -EFAULT : 0;
	return arch_clear_user(dst.va, n) ? -EFAULT : 0;
}

s64 strncpy_from_user(char *dst, uaddr_t src, size_t n)
{
	size_t done = 0;
	int ret;

	lock_check_user_access();
	if (src.va >= USER_VA_END)
		return -EFAULT;
	ret = arch_strncpy_from_user(dst, src.va, MIN(n, (size_t)(USER_VA_END - src.va)), &done);
	return ret < 0 ? ret : (s64)done;
}

static int rest_is_zero(uaddr_t src, size_t n)
{
	u8 buf[64];
	size_t i, chunk;

	for (; n; n -= chunk, src = uaddr_add(src, chunk)) {
		chunk = MIN(n, sizeof buf);
		if (copy_from_user(buf, src, chunk))
			return -EFAULT;
		for (i = 0; i < chunk; i++)
			if (buf[i])
				return -E2BIG;
	}
	return 0;
}

int copy_struct_from_user(void *dst, size_t ksize, uaddr_t src, size_t usize)
{
	int ret;

	if (usize > PAGE_SIZE)
		return -E2BIG;
	if (usize > ksize) {
		ret = rest_is_zero(uaddr_add(src, ksize), usize - ksize);
		if (ret)
			return ret;
	}
	memset(dst, 0, ksize);
	return copy_from_user(dst, src, MIN(ksize, usize));
}

int user_load_u32_nowait(uaddr_t ua, u32 *val)
{
	int ret;

	if ((ua.va & 3) || !range_ok(ua.va, 4))
		return -EFAULT;
	task_nofault_begin();
	ret = arch_user_load_u32(ua.va, val);
	task_nofault_end();
	return ret;
}

int user_cmpxchg_u32_nowait(uaddr_t ua, u32 old, u32 new, u32 *seen)
{
	int ret;

	if ((ua.va & 3) || !range_ok(ua.va, 4))
		return -EFAULT;
	task_nofault_begin();
	ret = arch_user_cmpxchg_u32(ua.va, old, new, seen);
	task_nofault_end();
	return ret;
}

void iov_init_kernel(struct iov_cursor *c, void *buf, size_t n)
{
	c->one.kern = buf;
	c->one.len = n;
	c->seg = &c->one;
	c->nr_segs = 1;
	c->is_kernel = true;
	c->seg_off = 0;
	c->left = n;
}

int iov_init_user(struct iov_cursor *c, uaddr_t buf, size_t n)
{
	if (!range_ok(buf.va, n) && n)
		return -EFAULT;
	c->one.user = buf;
	c->one.len = MIN((u64)n, RW_MAX_BYTES);
	c->seg = &c->one;
	c->nr_segs = 1;
	c->is_kernel = false;
	c->seg_off = 0;
	c->left = c->one.len;
	return 0;
}

/* A length that is negative anywhere counts before an address that is wrong anywhere, as on Linux. */
static int import_segments(struct iov_seg *seg, uaddr_t iov, u64 nr, u64 *total)
{
	u64 i, sum = 0;

	for (i = 0; i < nr; i++) {
		struct {
			u64 base, len;
		} u;

		if (copy_from_user(&u, uaddr_add(iov, i * sizeof u), sizeof u))
			return -EFAULT;
		if ((s64)u.len < 0)
			return -EINVAL;
		seg[i].user = UADDR(u.base);
		seg[i].len = u.len;
	}
	for (i = 0; i < nr; i++) {
		if (seg[i].len && !range_ok(seg[i].user.va, seg[i].len))
			return -EFAULT;
		seg[i].len = MIN(seg[i].len, RW_MAX_BYTES - sum);
		sum += seg[i].len;
	}
	*total = sum;
	return 0;
}

int iov_import(struct iov_import *im, uaddr_t iov, u64 nr)
{
	struct iov_seg *seg = im->fast;
	int ret;

	im->heap = NULL;
	if (nr > IOV_MAX_SEGS)
		return -EINVAL;
	if (nr > IOV_FAST_SEGS) {
		im->heap = kmalloc(nr * sizeof *seg);
		if (!im->heap)
			return -ENOMEM;
		seg = im->heap;
	}
	ret = import_segments(seg, iov, nr, &im->cur.left);
	if (ret) {
		iov_import_fini(im);
		return ret;
	}
	im->cur.seg = seg;
	im->cur.nr_segs = (u32)nr;
	im->cur.is_kernel = false;
	im->cur.seg_off = 0;
	return 0;
}

void iov_import_fini(struct iov_import *im)
{
	kfree(im->heap);
	im->heap = NULL;
}

/* Moves past empty and finished segments. */
static void settle(struct iov_cursor *c)
{
	while (c->nr_segs && c->seg_off == c->seg->len) {
		c->seg++;
		c->nr_segs--;
		c->seg_off = 0;
	}
}

enum iov_op { IOV_PUT, IOV_GET, IOV_ZERO };

/* One piece within one segment; bytes done. */
static size_t move_piece(struct iov_cursor *c, enum iov_op op, void *buf, size_t n)
{
	if (c->is_kernel) {
		u8 *p = (u8 *)c->seg->kern + c->seg_off;

		if (op == IOV_PUT)
			memcpy(p, buf, n);
		else if (op == IOV_GET)
			memcpy(buf, p, n);
		else
			memset(p, 0, n);
		return n;
	}
	lock_check_user_access();
	if (op == IOV_PUT)
		return n - arch_copy_to_user(c->seg->user.va + c->seg_off, buf, n);
	if (op == IOV_GET)
		return n - arch_copy_from_user(buf, c->seg->user.va + c->seg_off, n);
	return n - arch_clear_user(c->seg->user.va + c->seg_off, n);
}

static s64 move(struct iov_cursor *c, enum iov_op op, void *buf, size_t n)
{
	size_t done = 0;

	n = MIN((u64)n, c->left);
	while (done < n) {
		size_t piece, did;

		settle(c);
		piece = MIN(n - done, (size_t)(c->seg->len - c->seg_off));
		if (!c->is_kernel) {
			piece = MIN(piece, COPY_AT_ONCE);
			cond_resched();
		}
		did = move_piece(c, op, buf ? (u8 *)buf + done : NULL, piece);
		c->seg_off += did;
		c->left -= did;
		done += did;
		if (did < piece)
			break;
	}
	return done || !n ? (s64)done : -EFAULT;
}

s64 iov_put_some(struct iov_cursor *dst, const void *src, size_t n)
{
	return move(dst, IOV_PUT, (void *)(u64)src, n);
}

s64 iov_get_some(struct iov_cursor *src, void *dst, size_t n)
{
	return move(src, IOV_GET, dst, n);
}

s64 iov_zero_some(struct iov_cursor *dst, size_t n)
{
	return move(dst, IOV_ZERO, NULL, n);
}

int iov_put(struct iov_cursor *dst, const void *src, size_t n)
{
	return iov_put_some(dst, src, n) == (s64)n ? 0 : -EFAULT;
}

int iov_get(struct iov_cursor *src, void *dst, size_t n)
{
	return iov_get_some(src, dst, n) == (s64)n ? 0 : -EFAULT;
}

void iov_skip(struct iov_cursor *c, u64 n)
{
	n = MIN(n, c->left);
	while (n) {
		u64 piece;

		settle(c);
		piece = MIN(n, c->seg->len - c->seg_off);
		c->seg_off += piece;
		c->left -= piece;
		n -= piece;
	}
}

void iov_truncate(struct iov_cursor *c, u64 n)
{
	c->left = MIN(c->left, n);
}
