// SPDX-License-Identifier: Apache-2.0
/*
 * lock - spinlock, mutex and reader/writer semaphore
 *
 * Role      The only locks of the kernel. Spinlocks are inline; sleeping locks are in task/mutex.c.
 * Rules     The kernel runs with interrupts off and is not preempted, so a spinlock needs no interrupt
 *           variant. A spinner answers TLB shootdowns through arch_spin_relax(). Under a spinlock: no
 *           sleeping, no user access, bounded work (kmalloc is allowed: it never sleeps).
 * Locking   See lockrank.h. ACQUIRES/RELEASES/REQUIRES are checked by clang -Wthread-safety.
 */
#pragma once

#include "arch/cpu.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/lockrank.h"

#if defined(__clang__)
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif
#define CAPABILITY(n)	     TSA(capability(n))
#define ACQUIRES(...)	     TSA(acquire_capability(__VA_ARGS__))
#define ACQUIRES_SHARED(...) TSA(acquire_shared_capability(__VA_ARGS__))
#define RELEASES(...)	     TSA(release_capability(__VA_ARGS__))
#define RELEASES_SHARED(...) TSA(release_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...)    TSA(try_acquire_capability(__VA_ARGS__))
#define REQUIRES(...)	     TSA(requires_capability(__VA_ARGS__))
/* For functions that take a lock on a condition, or return with the lock of what they return. */
#define NO_LOCK_ANALYSIS TSA(no_thread_safety_analysis)

struct task;

struct CAPABILITY("spinlock") spinlock {
	u32 locked;
	u32 rank;
};

#define SPINLOCK_INIT(r) \
	{                \
		0, (r)   \
	}

/* The rank checker of debug kernels, task/lockcheck.c: before a lock is taken, after a try got it, before it
 * is released; _child: the caller vouches for the order among locks of this rank. */
#ifdef DEBUG_LOCKS
void lock_rank_push(u32 rank, const void *lock);
void lock_rank_push_child(u32 rank, const void *lock);
void lock_rank_push_tried(u32 rank, const void *lock);
void lock_rank_pop(u32 rank, const void *lock);
void lock_check_may_sleep(void);
void lock_check_user_access(void);
void lock_check_none_held(void);
void lock_check_host_wait(void);
#else
static inline void lock_rank_push(u32 rank, const void *lock)
{
}
static inline void lock_rank_push_child(u32 rank, const void *lock)
{
}
static inline void lock_rank_push_tried(u32 rank, const void *lock)
{
}
static inline void lock_rank_pop(u32 rank, const void *lock)
{
}
static inline void lock_check_may_sleep(void)
{
}
static inline void lock_check_user_access(void)
{
}
static inline void lock_check_none_held(void)
{
}
static inline void lock_check_host_wait(void)
{
}
#endif

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	l->locked = 0;
	l->rank = rank;
}

static inline void spin_lock(struct spinlock *l) ACQUIRES(l) NO_LOCK_ANALYSIS
{
	lock_rank_push(l->rank, l);
	while (unlikely(xchg(&l->locked, 1)))
		while (READ_ONCE(l->locked))
			arch_spin_relax();
}

static inline bool spin_trylock(struct spinlock *l) TRY_ACQUIRES(true, l) NO_LOCK_ANALYSIS
{
	if (READ_ONCE(l->locked) || xchg(&l->locked, 1))
		return false;
	lock_rank_push_tried(l->rank, l);
	return true;
}

static inline void spin_unlock(struct spinlock *l) RELEASES(l) NO_LOCK_ANALYSIS
{
	lock_rank_pop(l->rank, l);
	store_release(&l->locked, 0);
}

static inline bool spin_is_locked(const struct spinlock *l)
{
	return READ_ONCE(l->locked);
}

/* Two locks of one rank, in address order; a == b locks once. */
static inline void spin_lock_pair(struct spinlock *a, struct spinlock *b) NO_LOCK_ANALYSIS
{
	if (a == b) {
		spin_lock(a);
		return;
	}
	spin_lock(a < b ? a : b);
	spin_lock(a < b ? b : a);
}

static inline void spin_unlock_pair(struct spinlock *a, struct spinlock *b) NO_LOCK_ANALYSIS
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}

/* A sleeping lock; uninterruptible. Handed over in FIFO order. */
struct CAPABILITY("mutex") mutex {
	struct task *owner; /* NULL: free */
	struct spinlock guard;
	struct list waiters;
	u32 rank;
};

#define MUTEX_INIT(name, r)                                                               \
	{                                                                                 \
		.guard = SPINLOCK_INIT(RANK_WAITQ), .waiters = LIST_INIT((name).waiters), \
		.rank = (r)                                                               \
	}
void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m) ACQUIRES(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, m);
void mutex_unlock(struct mutex *m) RELEASES(m);
bool mutex_is_mine(const struct mutex *m);
void mutex_lock_pair(struct mutex *a, struct mutex *b) NO_LOCK_ANALYSIS;
void mutex_unlock_pair(struct mutex *a, struct mutex *b) NO_LOCK_ANALYSIS;

/* Many readers or one writer, FIFO, uninterruptible. Readers may not nest. */
struct CAPABILITY("rwsem") rwsem {
	s32 count; /* -1 writer, n readers */
	struct spinlock guard;
	struct list waiters;
	u32 rank;
};

void rwsem_init(struct rwsem *s, enum lock_rank rank);
void rwsem_read_lock(struct rwsem *s) ACQUIRES_SHARED(s);
bool rwsem_read_trylock(struct rwsem *s);
void rwsem_read_unlock(struct rwsem *s) RELEASES_SHARED(s);
void rwsem_write_lock(struct rwsem *s) ACQUIRES(s);
/* The same below another lock of its rank that by the caller's word comes first (parent directory). */
void rwsem_write_lock_child(struct rwsem *s) ACQUIRES(s);
void rwsem_write_unlock(struct rwsem *s) RELEASES(s);
void rwsem_downgrade(struct rwsem *s) NO_LOCK_ANALYSIS;
