// SPDX-License-Identifier: Apache-2.0
/*
 * mutex - sleeping locks: mutex and reader/writer semaphore
 *
 * Rules     Handed over in FIFO order: unlock makes the first waiter the owner, so nobody starves and a woken
 *           waiter has nothing to try again. Bit 0 of a mutex's owner word says that somebody waits;
 *           without it lock and unlock are one compare-and-swap each.
 *           Waiters live on the stack of the sleeper, who takes the guard once more before leaving, so the
 *           unlocker is done with the entry by then.
 * Locking   The guard (RANK_WAITQ), then run queue locks.
 */
#include "guestkernel/kapi/lock.h"
#include "guestkernel/task/sched.h"

struct lock_waiter {
	struct list link;
	struct task *task;
	bool granted, is_writer;
};

#define OWNER_WAITERS 1ull

static u64 *owner_word(struct mutex *m)
{
	return (u64 *)&m->owner;
}

static bool cas(u64 *p, u64 old, u64 new)
{
	return __atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static void wait_granted(struct lock_waiter *w, struct spinlock *guard) NO_LOCK_ANALYSIS
{
	for (;;) {
		WRITE_ONCE(current()->state, TASK_SLEEP_ALWAYS);
		spin_unlock(guard);
		schedule();
		spin_lock(guard);
		if (w->granted)
			break;
	}
	spin_unlock(guard);
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	m->owner = NULL;
	spin_init(&m->guard, RANK_WAITQ);
	list_init(&m->waiters);
	m->rank = rank;
}

static void mutex_lock_slow(struct mutex *m) NO_LOCK_ANALYSIS
{
	struct lock_waiter w = { .task = current() };
	u64 *owner = owner_word(m);

	spin_lock(&m->guard);
	for (;;) {
		u64 o = READ_ONCE(*owner);

		if (o == 0 && cas(owner, 0, (u64)w.task)) {
			spin_unlock(&m->guard);
			return;
		}
		if (o != 0 && ((o & OWNER_WAITERS) || cas(owner, o, o | OWNER_WAITERS)))
			break;
	}
	list_add_tail(&m->waiters, &w.link);
	wait_granted(&w, &m->guard);
}

void mutex_lock(struct mutex *m) NO_LOCK_ANALYSIS
{
	lock_rank_push(m->rank, m);
	if (unlikely(!cas(owner_word(m), 0, (u64)current())))
		mutex_lock_slow(m);
}

bool mutex_trylock(struct mutex *m) NO_LOCK_ANALYSIS
{
	if (!cas(owner_word(m), 0, (u64)current()))
		return false;
	lock_rank_push_tried(m->rank, m);
	return true;
}

static void mutex_unlock_slow(struct mutex *m) NO_LOCK_ANALYSIS
{
	struct lock_waiter *w;
	u64 new;

	spin_lock(&m->guard);
	w = list_first(&m->waiters, struct lock_waiter, link);
	BUG_ON(!w);
	list_del(&w->link);
	new = (u64)w->task;
	if (!list_empty(&m->waiters))
		new |= OWNER_WAITERS;
	store_release(owner_word(m), new);
	w->granted = true;
	wake_task(w->task, TASK_SLEEP_ALWAYS);
	spin_unlock(&m->guard);
}

void mutex_unlock(struct mutex *m) NO_LOCK_ANALYSIS
{
	lock_rank_pop(m->rank, m);
	if (unlikely(!cas(owner_word(m), (u64)current(), 0)))
		mutex_unlock_slow(m);
}

bool mutex_is_mine(const struct mutex *m)
{
	return ((u64)READ_ONCE(m->owner) & ~OWNER_WAITERS) == (u64)current();
}

void mutex_lock_pair(struct mutex *a, struct mutex *b)
{
	if (a == b) {
		mutex_lock(a);
		return;
	}
	mutex_lock(a < b ? a : b);
	mutex_lock(a < b ? b : a);
}

void mutex_unlock_pair(struct mutex *a, struct mutex *b)
{
	mutex_unlock(a);
	if (a != b)
		mutex_unlock(b);
}

void rwsem_init(struct rwsem *s, enum lock_rank rank)
{
	s->count = 0;
	spin_init(&s->guard, RANK_WAITQ);
	list_init(&s->waiters);
	s->rank = rank;
}

static void rwsem_wait(struct rwsem *s, bool is_writer) NO_LOCK_ANALYSIS
{
	struct lock_waiter w = { .task = current(), .is_writer = is_writer };

	list_add_tail(&s->waiters, &w.link);
	wait_granted(&w, &s->guard);
}

void rwsem_read_lock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	lock_rank_push(s->rank, s);
	spin_lock(&s->guard);
	if (unlikely(s->count < 0 || !list_empty(&s->waiters))) {
		rwsem_wait(s, false);
		return;
	}
	s->count++;
	spin_unlock(&s->guard);
}

bool rwsem_read_trylock(struct rwsem *s)
{
	bool ok;

	spin_lock(&s->guard);
	ok = s->count >= 0 && list_empty(&s->waiters);
	s->count += ok;
	spin_unlock(&s->guard);
	if (ok)
		lock_rank_push_tried(s->rank, s);
	return ok;
}

/* [guard] Lets in the first waiter, and further readers when it is one. */
static void rwsem_grant(struct rwsem *s)
{
	struct lock_waiter *w;

	while ((w = list_first(&s->waiters, struct lock_waiter, link)) != NULL) {
		if (w->is_writer ? s->count != 0 : s->count < 0)
			return;
		list_del(&w->link);
		s->count += w->is_writer ? -1 : 1;
		w->granted = true;
		wake_task(w->task, TASK_SLEEP_ALWAYS);
	}
}

void rwsem_read_unlock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	lock_rank_pop(s->rank, s);
	spin_lock(&s->guard);
	BUG_ON(s->count <= 0);
	if (--s->count == 0)
		rwsem_grant(s);
	spin_unlock(&s->guard);
}

static void write_lock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	spin_lock(&s->guard);
	if (unlikely(s->count != 0 || !list_empty(&s->waiters))) {
		rwsem_wait(s, true);
		return;
	}
	s->count = -1;
	spin_unlock(&s->guard);
}

void rwsem_write_lock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	lock_rank_push(s->rank, s);
	write_lock(s);
}

void rwsem_write_lock_child(struct rwsem *s) NO_LOCK_ANALYSIS
{
	lock_rank_push_child(s->rank, s);
	write_lock(s);
}

void rwsem_write_unlock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	lock_rank_pop(s->rank, s);
	spin_lock(&s->guard);
	BUG_ON(s->count != -1);
	s->count = 0;
	rwsem_grant(s);
	spin_unlock(&s->guard);
}

void rwsem_downgrade(struct rwsem *s)
{
	spin_lock(&s->guard);
	BUG_ON(s->count != -1);
	s->count = 1;
	rwsem_grant(s);
	spin_unlock(&s->guard);
}
