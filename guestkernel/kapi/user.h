// SPDX-License-Identifier: Apache-2.0
/*
 * user - application memory, seen from the kernel, and the I/O cursor
 *
 * Role      The only doors to application memory (mm/user.c). File operations take a cursor, so kernel
 *           buffers and user vectors look the same to them.
 * Rules     May fault and sleep: never under a spinlock, never under RANK_ASPACE or greater. Copy whole
 *           structures once. Addresses above the user range give -EFAULT.
 */
#pragma once

#include "guestkernel/kapi/types.h"

int must_check copy_from_user(void *dst, uaddr_t src, size_t n);
int must_check copy_to_user(uaddr_t dst, const void *src, size_t n);
int must_check clear_user(uaddr_t dst, size_t n);
/* Length without the NUL; n when no NUL was found within n bytes (dst is then not terminated); -EFAULT. */
s64 must_check strncpy_from_user(char *dst, uaddr_t src, size_t n);
/* copy_from_user of a struct whose size the caller's program states (clone3, openat2 style): short input
 * is zero-extended, longer input must be zero beyond ksize (-E2BIG). */
int must_check copy_struct_from_user(void *dst, size_t ksize, uaddr_t src, size_t usize);

#define get_user(ptr, ua) copy_from_user((ptr), (ua), sizeof *(ptr))
#define put_user(ua, val)                                   \
	({                                                  \
		__typeof__(val) put_v_ = (val);             \
		copy_to_user((ua), &put_v_, sizeof put_v_); \
	})

/* Futex words: aligned 32-bit access that never sleeps; -EFAULT when the page is not present, after which
 * the caller drops its locks, calls user_fault_in() and retries. */
int must_check user_load_u32_nowait(uaddr_t ua, u32 *val);
int must_check user_cmpxchg_u32_nowait(uaddr_t ua, u32 old, u32 new, u32 *seen);
/* Brings the page in (write: breaks copy-on-write); -EFAULT when the access is not allowed. */
int must_check user_fault_in(uaddr_t ua, bool write);

#define IOV_MAX_SEGS  1024
#define IOV_FAST_SEGS 8
#define RW_MAX_BYTES  0x7ffff000ull /* MAX_RW_COUNT of Linux */

struct iov_seg {
	union {
		uaddr_t user;
		void *kern;
	};
	u64 len;
};

struct iov_cursor {
	const struct iov_seg *seg; /* current */
	u32 nr_segs;		   /* including the current */
	bool is_kernel;
	u64 seg_off;
	u64 left;	    /* bytes over all segments */
	struct iov_seg one; /* storage for single-buffer cursors */
};

/* A cursor over an application's iovec array, checked and limited like Linux import_iovec(). */
struct iov_import {
	struct iov_cursor cur;
	struct iov_seg fast[IOV_FAST_SEGS];
	struct iov_seg *heap;
};

void iov_init_kernel(struct iov_cursor *c, void *buf, size_t n);
/* Clamps to RW_MAX_BYTES; -EFAULT when the range leaves the user address space. */
int must_check iov_init_user(struct iov_cursor *c, uaddr_t buf, size_t n);
int must_check iov_import(struct iov_import *im, uaddr_t iov, u64 nr);
void iov_import_fini(struct iov_import *im);

static inline u64 iov_left(const struct iov_cursor *c)
{
	return c->left;
}
/* All n bytes or -EFAULT (-EFAULT also when the cursor is shorter). The cursor advances by what was done. */
int must_check iov_put(struct iov_cursor *dst, const void *src, size_t n);
int must_check iov_get(struct iov_cursor *src, void *dst, size_t n);
/* As much as fits or can be accessed: bytes done, or -EFAULT when not even one. */
s64 must_check iov_put_some(struct iov_cursor *dst, const void *src, size_t n);
s64 must_check iov_get_some(struct iov_cursor *src, void *dst, size_t n);
s64 must_check iov_zero_some(struct iov_cursor *dst, size_t n);
void iov_skip(struct iov_cursor *c, u64 n);
/* Limits the cursor to n bytes. */
void iov_truncate(struct iov_cursor *c, u64 n);
