// SPDX-License-Identifier: Apache-2.0
/*
 * arg_buf - argument and environment strings on their way into a new program
 *
 * Rules     Copied once from the old program, in pages, so that no allocation is larger than one. The total is
 *           limited by the caller as Linux does (a quarter of RLIMIT_STACK), one string by MAX_ARG_STRLEN.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/exec.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/limits.h"

void arg_buf_fini(struct arg_buf *b)
{
	for (u32 i = 0; i < b->nr_chunks; i++)
		kfree(b->chunk[i]);
	kfree(b->chunk);
	memset(b, 0, sizeof *b);
}

static int add_chunk(struct arg_buf *b)
{
	if (b->nr_chunks == b->cap_chunks) {
		u32 cap = b->cap_chunks ? b->cap_chunks * 2 : 4;
		u8 **c = krealloc(b->chunk, cap * sizeof *c);

		if (!c)
			return -ENOMEM;
		b->chunk = c;
		b->cap_chunks = cap;
	}
	b->chunk[b->nr_chunks] = kmalloc(PAGE_SIZE);
	if (!b->chunk[b->nr_chunks])
		return -ENOMEM;
	b->nr_chunks++;
	return 0;
}

/* Room at the end of the last page; never 0. */
static int room(struct arg_buf *b, u8 **at, size_t *n)
{
	size_t used = b->len & (PAGE_SIZE - 1);

	if (b->len == (u64)b->nr_chunks << PAGE_SHIFT) {
		int r = add_chunk(b);

		if (r < 0)
			return r;
	}
	*at = b->chunk[b->nr_chunks - 1] + used;
	*n = PAGE_SIZE - used;
	return 0;
}

int arg_buf_add(struct arg_buf *b, const char *s)
{
	size_t left = strlen(s) + 1;

	while (left) {
		size_t n;
		u8 *at;
		int r = room(b, &at, &n);

		if (r < 0)
			return r;
		n = MIN(n, left);
		memcpy(at, s, n);
		s += n;
		left -= n;
		b->len += n;
	}
	b->count++;
	return 0;
}

static int add_user_string(struct arg_buf *b, uaddr_t s, u64 *limit)
{
	u64 total = 0;

	for (;;) {
		size_t n;
		s64 got;
		u8 *at;
		int r = room(b, &at, &n);

		if (r < 0)
			return r;
		got = strncpy_from_user((char *)at, uaddr_add(s, total), n);
		if (got < 0)
			return (int)got;
		if ((size_t)got < n) {
			b->len += (u64)got + 1;
			total += (u64)got + 1;
			break;
		}
		b->len += n;
		total += n;
		if (total > MAX_ARG_STRLEN || total > *limit)
			return -E2BIG;
	}
	if (total > MAX_ARG_STRLEN || total > *limit)
		return -E2BIG;
	*limit -= total;
	b->count++;
	return 0;
}

int arg_buf_from_user(struct arg_buf *b, uaddr_t vec, u64 *limit)
{
	u64 ptr;
	int r;

	if (uaddr_is_null(vec))
		return 0;
	for (;; vec = uaddr_add(vec, sizeof ptr)) {
		if (get_user(&ptr, vec))
			return -EFAULT;
		if (!ptr)
			return 0;
		if (*limit < sizeof ptr)
			return -E2BIG;
		*limit -= sizeof ptr;
		r = add_user_string(b, UADDR(ptr), limit);
		if (r < 0)
			return r;
		if (signal_pending() && (READ_ONCE(current()->work) & WORK_KILLED))
			return signal_interrupted(-ERESTARTNOHAND);
	}
}
