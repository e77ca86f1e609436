// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_wait - mutexes, reader/writer locks and wait queues of the kernel over host threads
 *
 * Rules     A sleeping thread waits for its token (host_park); tokens may be stale, so everything loops.
 *           A sleeper is taken off its queue by whoever wakes it, so one wake_one() is one sleeper.
 */
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/wait.h"
#include "tests/lib/host_os.h"
#include "tests/lib/kapi_host.h"

struct lock_waiter {
	struct list link;
	struct task *task;
	bool writer;
	bool granted;
};

static __thread u32 *my_signal;
static u32 signal_flags[256]; /* by thread number */

static void unpark(struct task *t)
{
	host_unpark((struct host_thread *)t);
}

static u32 *signal_flag(void)
{
	if (!my_signal)
		my_signal = &signal_flags[host_thread_number() % 256];
	return my_signal;
}

bool current_is_killed(void)
{
	return false;
}

bool signal_pending(void)
{
	return __atomic_load_n(signal_flag(), __ATOMIC_SEQ_CST);
}

void host_signal_set(bool pending)
{
	__atomic_store_n(signal_flag(), pending, __ATOMIC_SEQ_CST);
}

/* Thread numbers are handed out in order of first use, so a test passes what current() gave it. */
void host_signal_thread(struct task *t)
{
	for (u32 i = 0; i < ARRAY_SIZE(signal_flags); i++)
		__atomic_store_n(&signal_flags[i], 1, __ATOMIC_SEQ_CST);
	unpark(t);
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	m->owner = NULL;
	spin_init(&m->guard, RANK_WAITQ);
	list_init(&m->waiters);
	m->rank = rank;
}

bool mutex_trylock(struct mutex *m) NO_LOCK_ANALYSIS
{
	bool got;

	spin_lock(&m->guard);
	got = !m->owner;
	if (got)
		m->owner = current();
	spin_unlock(&m->guard);
	return got;
}

void mutex_lock(struct mutex *m) NO_LOCK_ANALYSIS
{
	struct lock_waiter w = { .task = current() };

	BUG_ON(m->owner == current());
	spin_lock(&m->guard);
	if (!m->owner) {
		m->owner = current();
		spin_unlock(&m->guard);
		return;
	}
	list_add_tail(&m->waiters, &w.link);
	spin_unlock(&m->guard);
	while (!__atomic_load_n(&w.granted, __ATOMIC_ACQUIRE))
		host_park(UINT64_MAX);
	/* The granter may still be inside its critical section with a pointer to w. */
	spin_lock(&m->guard);
	spin_unlock(&m->guard);
}

void mutex_unlock(struct mutex *m) NO_LOCK_ANALYSIS
{
	struct lock_waiter *w;

	BUG_ON(m->owner != current());
	spin_lock(&m->guard);
	w = list_first(&m->waiters, struct lock_waiter, link);
	m->owner = w ? w->task : NULL;
	if (w) {
		struct task *t = w->task;

		list_del(&w->link);
		__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
		unpark(t);
	}
	spin_unlock(&m->guard);
}

bool mutex_is_mine(const struct mutex *m)
{
	return m->owner == current();
}

void mutex_lock_pair(struct mutex *a, struct mutex *b) NO_LOCK_ANALYSIS
{
	mutex_lock(a < b ? a : b);
	if (a != b)
		mutex_lock(a < b ? b : a);
}

void mutex_unlock_pair(struct mutex *a, struct mutex *b) NO_LOCK_ANALYSIS
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

static bool rwsem_take_locked(struct rwsem *s, bool writer)
{
	if (writer ? s->count != 0 : s->count < 0)
		return false;
	s->count = writer ? -1 : s->count + 1;
	return true;
}

/* Lets in as many from the front of the queue as can be. */
static void rwsem_grant_locked(struct rwsem *s)
{
	struct lock_waiter *w;

	while ((w = list_first(&s->waiters, struct lock_waiter, link)) &&
	       rwsem_take_locked(s, w->writer)) {
		struct task *t = w->task;

		list_del(&w->link);
		__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
		unpark(t);
	}
}

static void rwsem_lock(struct rwsem *s, bool writer)
{
	struct lock_waiter w = { .task = current(), .writer = writer };
	bool got;

	spin_lock(&s->guard);
	got = list_empty(&s->waiters) && rwsem_take_locked(s, writer);
	if (!got)
		list_add_tail(&s->waiters, &w.link);
	spin_unlock(&s->guard);
	if (got)
		return;
	while (!__atomic_load_n(&w.granted, __ATOMIC_ACQUIRE))
		host_park(UINT64_MAX);
	spin_lock(&s->guard);
	spin_unlock(&s->guard);
}

static void rwsem_unlock(struct rwsem *s, s32 new_count_if_writer)
{
	spin_lock(&s->guard);
	BUG_ON(s->count == 0);
	s->count = s->count < 0 ? new_count_if_writer : s->count - 1;
	rwsem_grant_locked(s);
	spin_unlock(&s->guard);
}

void rwsem_read_lock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	rwsem_lock(s, false);
}

bool rwsem_read_trylock(struct rwsem *s)
{
	bool got;

	spin_lock(&s->guard);
	got = list_empty(&s->waiters) && rwsem_take_locked(s, false);
	spin_unlock(&s->guard);
	return got;
}

void rwsem_read_unlock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	BUG_ON(s->count < 0);
	rwsem_unlock(s, 0);
}

void rwsem_write_lock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	rwsem_lock(s, true);
}

void rwsem_write_lock_child(struct rwsem *s) NO_LOCK_ANALYSIS
{
	rwsem_lock(s, true);
}

void rwsem_write_unlock(struct rwsem *s) NO_LOCK_ANALYSIS
{
	BUG_ON(s->count != -1);
	rwsem_unlock(s, 0);
}

void rwsem_downgrade(struct rwsem *s) NO_LOCK_ANALYSIS
{
	BUG_ON(s->count != -1);
	rwsem_unlock(s, 1);
}

void waitq_add(struct waitq *q, struct wait_entry *e)
{
	e->queue = q;
	spin_lock(&q->lock);
	if (e->exclusive)
		list_add_tail(&q->entries, &e->link);
	else
		list_add(&q->entries, &e->link);
	spin_unlock(&q->lock);
}

void waitq_remove(struct wait_entry *e)
{
	spin_lock(&e->queue->lock);
	list_del(&e->link);
	spin_unlock(&e->queue->lock);
}

bool wait_entry_wake_task(struct wait_entry *e, u32 events)
{
	unpark(e->task);
	return true;
}

static bool wake_sleeper(struct wait_entry *e, u32 events)
{
	list_del(&e->link);
	unpark(e->task);
	return true;
}

static void wake(struct waitq *q, u32 events, bool one)
{
	struct wait_entry *e, *tmp;

	spin_lock(&q->lock);
	list_for_each_entry_safe (e, tmp, &q->entries, link) {
		bool exclusive = e->exclusive;

		if (e->wake(e, events) && exclusive && one)
			break;
	}
	spin_unlock(&q->lock);
}

void wake_all(struct waitq *q)
{
	wake(q, 0, false);
}

void wake_one(struct waitq *q)
{
	wake(q, 0, true);
}

void wake_events(struct waitq *q, u32 events)
{
	wake(q, events, false);
}

void wake_one_events(struct waitq *q, u32 events)
{
	wake(q, events, true);
}

static int sleep_on(struct waitq *q, struct spinlock *lock, u64 deadline_ns,
		    bool exclusive) NO_LOCK_ANALYSIS
{
	struct wait_entry e = { .wake = wake_sleeper, .task = current(), .exclusive = exclusive };
	bool late;

	list_init(&e.link);
	waitq_add(q, &e);
	spin_unlock(lock);
	late = !signal_pending() && host_park(deadline_ns);
	waitq_remove(&e);
	spin_lock(lock);
	return signal_pending() ? -ERESTARTSYS : late ? -ETIMEDOUT : 0;
}

int wait_on(struct waitq *q, struct spinlock *lock)
{
	return sleep_on(q, lock, NO_DEADLINE, false);
}

int wait_on_until(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
{
	return sleep_on(q, lock, deadline_ns, false);
}

int wait_on_exclusive(struct waitq *q, struct spinlock *lock, u64 deadline_ns)
{
	return sleep_on(q, lock, deadline_ns, true);
}

int wait_on_killable(struct waitq *q, struct spinlock *lock)
{
	return sleep_on(q, lock, NO_DEADLINE, false) ? -ERESTARTNOINTR : 0;
}

void wait_on_always(struct waitq *q, struct spinlock *lock)
{
	if (sleep_on(q, lock, NO_DEADLINE, false))
		host_yield();
}

/* A wake-up between wait_prepare() and wait_sleep() leaves the token behind. */
void wait_prepare(void)
{
}

int wait_sleep(u64 deadline_ns)
{
	bool late = !signal_pending() && host_park(deadline_ns);

	return signal_pending() ? -ERESTARTSYS : late ? -ETIMEDOUT : 0;
}

void wait_finish(void)
{
}

void cond_resched(void)
{
}
