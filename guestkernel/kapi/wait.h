// SPDX-License-Identifier: Apache-2.0
/*
 * wait - wait queues: the only way to sleep in the kernel
 *
 * Role      Objects embed a waitq; readers sleep with wait_on(), whoever changes the state wakes.
 *           Implementation in task/waitq.c.
 * Rules     The condition is covered by the spinlock handed to wait_on(): it is dropped while asleep
 *           and held again on return, whatever the result. Callers loop on their condition.
 *           Wake after dropping the object's lock.
 */
#pragma once

#include "guestkernel/kapi/lock.h"

struct waitq {
	struct spinlock lock; /* RANK_WAITQ */
	struct list entries;  /* [lock] of wait_entry */
};

struct wait_entry {
	struct list link; /* [queue's lock] */
	struct waitq *queue;
	/* Called under the queue's lock with the poll events that became true (0: unknown, treat as
	 * all). True: this entry consumed a wake_one(). Must not sleep or touch the queue. */
	bool (*wake)(struct wait_entry *e, u32 events);
	struct task *task; /* for sleeping tasks */
	bool exclusive;	   /* queued at the tail, wake_one() stops after it */
};

#define WAITQ_INIT(name)                                             \
	{                                                            \
		SPINLOCK_INIT(RANK_WAITQ), LIST_INIT((name).entries) \
	}
#define NO_DEADLINE U64_MAX

static inline void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, RANK_WAITQ);
	list_init(&q->entries);
}

/* Sleep until woken. 0, or -ERESTARTSYS when a signal is pending. Spurious wake-ups happen. */
int must_check wait_on(struct waitq *q, struct spinlock *lock) REQUIRES(lock);
/* Same with an absolute CLOCK_MONOTONIC deadline in ns; -ETIMEDOUT when it passed. */
int must_check wait_on_until(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
	REQUIRES(lock);
/* Queued exclusively: wake_one() wakes just one of these (accept, pipe readers, futex-like uses). */
int must_check wait_on_exclusive(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
	REQUIRES(lock);
/* Only a fatal signal interrupts (returns -ERESTARTNOINTR). */
int must_check wait_on_killable(struct waitq *q, struct spinlock *lock) REQUIRES(lock);
/* Nothing interrupts; for short waits on the kernel itself. */
void wait_on_always(struct waitq *q, struct spinlock *lock) REQUIRES(lock);
/* Sleep on no queue (nanosleep, pause, poll after registering its entries): until a wake of this
 * task, a signal (-ERESTARTSYS) or the deadline (-ETIMEDOUT). The caller has called
 * wait_prepare() before it checked its condition. */
void wait_prepare(void);
int must_check wait_sleep(u64 deadline_ns);
void wait_finish(void);

/* Between the parts of a long operation: serves timers and events, and lets another task run. No spinlock is held. */
void cond_resched(void);

void wake_all(struct waitq *q);
void wake_one(struct waitq *q);
/* Wakes everybody with the poll events that became true (EPOLLIN ...), for epoll's sake. */
void wake_events(struct waitq *q, u32 events);
/* Like wake_events, but only one exclusive waiter. */
void wake_one_events(struct waitq *q, u32 events);
static inline bool waitq_is_idle(const struct waitq *q)
{
	return list_empty(&q->entries);
}

/* Callback entries (poll, epoll). The entry's wake/task/exclusive are set by the caller. */
void waitq_add(struct waitq *q, struct wait_entry *e);
void waitq_remove(struct wait_entry *e);
/* A wake function that wakes e->task. */
bool wait_entry_wake_task(struct wait_entry *e, u32 events);
