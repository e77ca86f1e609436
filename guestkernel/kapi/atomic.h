// SPDX-License-Identifier: Apache-2.0
/*
 * atomic - integer atomics over the compiler's builtins
 *
 * Rules     Read-modify-write operations are sequentially consistent unless the name says otherwise.
 */
#pragma once

#include "guestkernel/kapi/types.h"

typedef struct {
	u32 v;
} atomic_t;

typedef struct {
	u64 v;
} atomic64_t;

#define ATOMIC_INIT(n) \
	{              \
		(n)    \
	}

static inline u32 atomic_read(const atomic_t *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_RELAXED);
}

static inline void atomic_set(atomic_t *a, u32 n)
{
	__atomic_store_n(&a->v, n, __ATOMIC_RELAXED);
}

/* Return the new value. */
static inline u32 atomic_add(atomic_t *a, u32 n)
{
	return __atomic_add_fetch(&a->v, n, __ATOMIC_SEQ_CST);
}

static inline u32 atomic_sub(atomic_t *a, u32 n)
{
	return __atomic_sub_fetch(&a->v, n, __ATOMIC_SEQ_CST);
}

static inline bool atomic_cmpxchg(atomic_t *a, u32 old, u32 new)
{
	return __atomic_compare_exchange_n(&a->v, &old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static inline u64 atomic64_read(const atomic64_t *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_RELAXED);
}

static inline void atomic64_set(atomic64_t *a, u64 n)
{
	__atomic_store_n(&a->v, n, __ATOMIC_RELAXED);
}

static inline u64 atomic64_add(atomic64_t *a, u64 n)
{
	return __atomic_add_fetch(&a->v, n, __ATOMIC_SEQ_CST);
}

static inline u64 atomic64_sub(atomic64_t *a, u64 n)
{
	return __atomic_sub_fetch(&a->v, n, __ATOMIC_SEQ_CST);
}

#define load_acquire(p)	    __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define xchg(p, v)	    __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define fetch_or(p, v)	    __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define fetch_and(p, v)	    __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define smp_mb()	    __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define barrier()	    __asm__ volatile("" ::: "memory")
