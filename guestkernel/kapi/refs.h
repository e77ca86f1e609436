// SPDX-License-Identifier: Apache-2.0
/*
 * refs - reference counts that saturate
 *
 * Rules     A count starts at 1. One that would overflow sticks at REFS_SATURATED and the object is
 *           leaked rather than freed early. Taking a reference on 0 is a kernel bug.
 */
#pragma once

#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/bug.h"

#define REFS_SATURATED 0xc0000000u

struct refs {
	atomic_t n;
};

static inline void refs_init(struct refs *r, u32 n)
{
	atomic_set(&r->n, n);
}

static inline u32 refs_read(const struct refs *r)
{
	return atomic_read(&r->n);
}

static inline void refs_get(struct refs *r)
{
	u32 n = atomic_add(&r->n, 1);

	BUG_ON(n == 1);
	if (unlikely(n >= REFS_SATURATED))
		atomic_set(&r->n, REFS_SATURATED);
}

/* Takes a reference unless the count is already 0 (the object is dying). */
static inline bool must_check refs_get_unless_zero(struct refs *r)
{
	u32 n = atomic_read(&r->n);

	while (n != 0) {
		if (unlikely(n >= REFS_SATURATED))
			return true;
		if (atomic_cmpxchg(&r->n, n, n + 1))
			return true;
		n = atomic_read(&r->n);
	}
	return false;
}

/* True when the last reference went away and the caller must free. */
static inline bool must_check refs_put(struct refs *r)
{
	u32 n;

	if (unlikely(atomic_read(&r->n) >= REFS_SATURATED))
		return false;
	n = atomic_sub(&r->n, 1);
	BUG_ON(n == U32_MAX);
	return n == 0;
}
