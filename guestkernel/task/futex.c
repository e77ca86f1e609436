// SPDX-License-Identifier: Apache-2.0
/*
 * futex - waiting on a word of application memory
 *
 * Rules     The key of a word is (address space, address) for private memory, (pager, offset) for shared
 *           memory; callers that say "private" skip the lookup. The key holds no reference: a key that outlives its
 *           pager can at worst cause a spurious wake, which callers must expect anyway.
 *           The word is compared under the bucket lock with an access that never sleeps; when its page is not
 *           there the lock is dropped, the page brought in and everything starts again. A waker that finds
 *           the bucket empty does not take its lock: so the waiter (1) joins the bucket, a full barrier, (2) looks at
 *           the word, and the waker (1) has changed the word, a full barrier, (2) looks at the bucket. Either
 *           the waiter sees the new value or the waker sees the waiter, and waits for the lock.
 *           A sleeper leaves only with its bucket lock held, so a waker is done with the entry by then.
 * Locking   Bucket locks (RANK_FUTEX), two in address order; then run queue locks.
 * Missing   priority inheritance proper (PI futexes hand over in FIFO order and boost nobody),
 *           WAIT_REQUEUE_PI, CMP_REQUEUE_PI; a PI owner that dies without a robust list strands its waiters.
 * See       futex(2), set_robust_list(2), tests/syscalls
 */
#include "guestkernel/task/futex.h"
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/futex.h"

#define BUCKETS 256

struct futex_key {
	u64 object, offset;
};

struct bucket {
	struct spinlock lock; /* RANK_FUTEX */
	struct list waiters;  /* [lock] */
} cacheline_aligned;

struct futex_waiter {
	struct list link;      /* [bucket lock] */
	struct bucket *bucket; /* changes under both bucket locks (requeue) */
	struct futex_key key;  /* [bucket lock] */
	struct task *task;
	u32 bitset;
	bool pi;
	bool woken; /* [bucket lock] */
};

static struct bucket buckets[BUCKETS];

void futex_init(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}

static int get_key(uaddr_t ua, bool is_private, struct futex_key *k)
{
	struct pager *pager = NULL;
	u64 pgoff = 0;
	int r;

	if (ua.va & 3)
		return -EINVAL;
	if (ua.va >= USER_VA_END)
		return -EFAULT;
	if (!is_private) {
		r = aspace_futex_key(current()->mm, ua.va, false, &pager, &pgoff);
		if (r < 0)
			return -EFAULT;
	}
	k->object = pager ? (u64)pager : (u64)current()->mm;
	k->offset = pager ? pgoff << PAGE_SHIFT | (ua.va & (PAGE_SIZE - 1)) : ua.va;
	return 0;
}

static struct bucket *bucket_of(const struct futex_key *k)
{
	return &buckets[hash_u64(k->object + k->offset * 31) % BUCKETS];
}

static bool key_eq(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

static struct bucket *lock_waiter(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct bucket *b = READ_ONCE(w->bucket);

		spin_lock(&b->lock);
		if (b == w->bucket)
			return b;
		spin_unlock(&b->lock);
	}
}

/* Queues w if the word still has val. See Rules. */
static int enqueue_if(struct futex_waiter *w, uaddr_t ua, bool is_private, u32 val)
{
	u32 seen;
	int r;

	for (;;) {
		struct bucket *b;

		r = get_key(ua, is_private, &w->key);
		if (r < 0)
			return r;
		b = bucket_of(&w->key);
		w->bucket = b;
		spin_lock(&b->lock);
		list_add_tail(&b->waiters, &w->link);
		smp_mb();
		r = user_load_u32_nowait(ua, &seen);
		if (r == 0 && seen != val)
			r = -EAGAIN;
		if (r < 0)
			list_del(&w->link);
		spin_unlock(&b->lock);
		if (r != -EFAULT)
			return r;
		r = user_fault_in(ua, false);
		if (r < 0)
			return -EFAULT;
	}
}

/* Takes w out; true when it had been woken. */
static bool dequeue(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	struct bucket *b = lock_waiter(w);
	bool woken = w->woken;

	if (!woken)
		list_del(&w->link);
	spin_unlock(&b->lock);
	return woken;
}

static bool is_woken(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	struct bucket *b = lock_waiter(w);
	bool woken = w->woken;

	spin_unlock(&b->lock);
	return woken;
}

/* Sleeps until woken: 0, -ETIMEDOUT, -ERESTARTSYS; w is out of the queue afterwards. */
static int sleep_on(struct futex_waiter *w, u64 deadline_ns)
{
	for (;;) {
		int r;

		wait_prepare();
		if (is_woken(w)) {
			wait_finish();
			return 0;
		}
		r = wait_sleep(deadline_ns);
		if (r < 0)
			return dequeue(w) ? 0 : r;
	}
}

s64 futex_wait(const struct futex_call *c, u32 bitset)
{
	struct futex_waiter w = { .task = current(), .bitset = bitset };
	int r;

	if (!bitset)
		return -EINVAL;
	r = enqueue_if(&w, c->ua, c->is_private, c->val);
	return r < 0 ? r : sleep_on(&w, c->deadline_ns);
}

/* [bucket lock] */
static void wake_waiter(struct futex_waiter *w)
{
	list_del(&w->link);
	w->woken = true;
	wake_task(w->task, TASK_WAKE_NORMAL);
}

static u32 wake_key(struct bucket *b, const struct futex_key *k, u32 nr, u32 bitset)
{
	struct futex_waiter *w, *tmp;
	u32 n = 0;

	list_for_each_entry_safe (w, tmp, &b->waiters, link) {
		if (n >= nr)
			break;
		if (!key_eq(&w->key, k) || !(w->bitset & bitset) || w->pi)
			continue;
		wake_waiter(w);
		n++;
	}
	return n;
}

s64 futex_wake(uaddr_t ua, bool is_private, u32 nr, u32 bitset)
{
	struct futex_key k;
	struct bucket *b;
	s64 r;

	if (!bitset)
		return -EINVAL;
	r = get_key(ua, is_private, &k);
	if (r < 0)
		return r;
	b = bucket_of(&k);
	smp_mb();
	if (list_empty(&b->waiters))
		return 0;
	spin_lock(&b->lock);
	r = wake_key(b, &k, nr, bitset);
	spin_unlock(&b->lock);
	return r;
}

void futex_wake_user(uaddr_t ua, u32 nr)
{
	(void)!futex_wake(ua, false, nr, FUTEX_BITSET_MATCH_ANY);
}

static u32 requeue_key(struct bucket *from, struct bucket *to, const struct futex_key *k,
		       const struct futex_key *k2, u32 nr)
{
	struct futex_waiter *w, *tmp;
	bool same = key_eq(k, k2);
	u32 n = 0;

	/* those that went to the end of the same list have another key now */
	list_for_each_entry_safe (w, tmp, &from->waiters, link) {
		if (n >= nr)
			break;
		if (!key_eq(&w->key, k) || w->pi)
			continue;
		if (!same) {
			list_del(&w->link);
			w->key = *k2;
			WRITE_ONCE(w->bucket, to);
			list_add_tail(&to->waiters, &w->link);
		}
		n++;
	}
	return n;
}

static int two_keys(const struct futex_call *c, struct futex_key *k, struct futex_key *k2)
{
	int r = get_key(c->ua, c->is_private, k);

	return r < 0 ? r : get_key(c->ua2, c->is_private, k2);
}

s64 futex_requeue(const struct futex_call *c, bool cmp)
{
	struct futex_key k, k2;
	struct bucket *b, *b2;
	u32 seen;
	s64 r;

	if ((s32)c->val < 0 || (s32)c->val2 < 0)
		return -EINVAL;
	for (;;) {
		r = two_keys(c, &k, &k2);
		if (r < 0)
			return r;
		b = bucket_of(&k);
		b2 = bucket_of(&k2);
		spin_lock_pair(&b->lock, &b2->lock);
		r = cmp ? user_load_u32_nowait(c->ua, &seen) : 0;
		if (r == 0)
			break;
		spin_unlock_pair(&b->lock, &b2->lock);
		if (user_fault_in(c->ua, false) < 0)
			return -EFAULT;
	}
	if (cmp && seen != c->val3) {
		r = -EAGAIN;
	} else {
		r = wake_key(b, &k, c->val, FUTEX_BITSET_MATCH_ANY);
		r += requeue_key(b, b2, &k, &k2, c->val2);
	}
	spin_unlock_pair(&b->lock, &b2->lock);
	return r;
}

static bool apply_op(u32 op, u32 old, u32 *new)
{
	s32 arg = (s32)(op << 8) >> 20;

	if (op >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = (s32)(1u << (arg & 31));
	switch (op >> 28 & 7) {
	case FUTEX_OP_SET:
		*new = (u32)arg;
		return true;
	case FUTEX_OP_ADD:
		*new = old + (u32)arg;
		return true;
	case FUTEX_OP_OR:
		*new = old | (u32)arg;
		return true;
	case FUTEX_OP_ANDN:
		*new = old & ~(u32)arg;
		return true;
	case FUTEX_OP_XOR:
		*new = old ^ (u32)arg;
		return true;
	}
	return false;
}

static s32 compare_op(u32 op, u32 old)
{
	s32 arg = (s32)(op << 20) >> 20, v = (s32)old;

	switch (op >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return v == arg;
	case FUTEX_OP_CMP_NE:
		return v != arg;
	case FUTEX_OP_CMP_LT:
		return v < arg;
	case FUTEX_OP_CMP_GE:
		return v >= arg;
	case FUTEX_OP_CMP_LE:
		return v <= arg;
	case FUTEX_OP_CMP_GT:
		return v > arg;
	}
	return -ENOSYS;
}

/* Changes the second word; no sleeping: -EFAULT asks the caller to bring the page in. */
static int change_word(uaddr_t ua, u32 op, u32 *old)
{
	u32 new, seen;
	int r = user_load_u32_nowait(ua, old);

	while (r == 0) {
		if (!apply_op(op, *old, &new))
			return -ENOSYS;
		r = user_cmpxchg_u32_nowait(ua, *old, new, &seen);
		if (r == 0 && seen == *old)
			return 0;
		*old = seen;
	}
	return r;
}

s64 futex_wake_op(const struct futex_call *c)
{
	struct futex_key k, k2;
	struct bucket *b, *b2;
	u32 old;
	s64 r;

	for (;;) {
		r = two_keys(c, &k, &k2);
		if (r < 0)
			return r;
		b = bucket_of(&k);
		b2 = bucket_of(&k2);
		spin_lock_pair(&b->lock, &b2->lock);
		r = change_word(c->ua2, c->val3, &old);
		if (r != -EFAULT)
			break;
		spin_unlock_pair(&b->lock, &b2->lock);
		if (user_fault_in(c->ua2, true) < 0)
			return -EFAULT;
	}
	if (r == 0) {
		s32 also = compare_op(c->val3, old);

		if (also < 0) {
			r = also;
		} else {
			r = wake_key(b, &k, c->val, FUTEX_BITSET_MATCH_ANY);
			if (also)
				r += wake_key(b2, &k2, c->val2, FUTEX_BITSET_MATCH_ANY);
		}
	}
	spin_unlock_pair(&b->lock, &b2->lock);
	return r;
}

static struct futex_waiter *first_pi(struct bucket *b, const struct futex_key *k, bool *more)
{
	struct futex_waiter *w, *first = NULL;

	*more = false;
	list_for_each_entry (w, &b->waiters, link) {
		if (!w->pi || !key_eq(&w->key, k))
			continue;
		if (first) {
			*more = true;
			break;
		}
		first = w;
	}
	return first;
}

static bool thread_exists(s32 tid)
{
	struct task *t = task_find_get(tid);
	bool ok = t && !t->exited;

	if (t)
		task_put(t);
	return ok;
}

/* [bucket lock] 1: the lock is ours; 0: FUTEX_WAITERS is set, wait; -errno. */
static int pi_try(uaddr_t ua, bool try_only)
{
	u32 tid = (u32)current_tid(), v, new, seen;
	int r = user_load_u32_nowait(ua, &v);

	while (r == 0) {
		if ((v & FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (!(v & FUTEX_TID_MASK))
			new = tid | (v & (FUTEX_WAITERS | FUTEX_OWNER_DIED));
		else if (try_only)
			return -EAGAIN;
		else
			new = v | FUTEX_WAITERS;
		r = user_cmpxchg_u32_nowait(ua, v, new, &seen);
		if (r == 0 && seen == v)
			return (v & FUTEX_TID_MASK) ? 0 : 1;
		v = seen;
	}
	return r;
}

s64 futex_lock_pi(const struct futex_call *c, bool try_only)
{
	struct futex_waiter w = { .task = current(), .bitset = FUTEX_BITSET_MATCH_ANY, .pi = true };
	struct bucket *b;
	u32 owner = 0;
	int r;

	for (;;) {
		r = get_key(c->ua, c->is_private, &w.key);
		if (r < 0)
			return r;
		b = bucket_of(&w.key);
		w.bucket = b;
		spin_lock(&b->lock);
		r = pi_try(c->ua, try_only);
		if (r == 0) {
			(void)!user_load_u32_nowait(c->ua, &owner);
			list_add_tail(&b->waiters, &w.link);
		}
		spin_unlock(&b->lock);
		if (r == -EFAULT && user_fault_in(c->ua, true) == 0)
			continue;
		break;
	}
	if (r != 0)
		return r == 1 ? 0 : r;
	if (!thread_exists((s32)(owner & FUTEX_TID_MASK)))
		return dequeue(&w) ? 0 : -ESRCH;
	r = sleep_on(&w, c->deadline_ns);
	return r == -ERESTARTSYS ? -ERESTARTNOINTR : r;
}

s64 futex_unlock_pi(const struct futex_call *c)
{
	u32 tid = (u32)current_tid(), v, new, seen;
	struct futex_waiter *w;
	struct futex_key k;
	struct bucket *b;
	bool more;
	int r;

	for (;;) {
		r = get_key(c->ua, c->is_private, &k);
		if (r < 0)
			return r;
		b = bucket_of(&k);
		spin_lock(&b->lock);
		r = user_load_u32_nowait(c->ua, &v);
		if (r == 0 && (v & FUTEX_TID_MASK) != tid)
			r = -EPERM;
		if (r == 0) {
			w = first_pi(b, &k, &more);
			new = w ? (u32)w->task->tid | (more ? FUTEX_WAITERS : 0) : 0;
			r = user_cmpxchg_u32_nowait(c->ua, v, new, &seen);
			if (r == 0 && seen == v && w)
				wake_waiter(w);
			if (r == 0 && seen != v)
				r = -EAGAIN;
		}
		spin_unlock(&b->lock);
		if (r == -EFAULT && user_fault_in(c->ua, true) == 0)
			continue;
		if (r != -EAGAIN)
			return r;
	}
}

s64 futex_wait_many(const struct futex_wait_item *items, u32 nr, u64 deadline_ns)
{
	struct futex_waiter *w = kcalloc(nr, sizeof *w);
	s64 r = 0, hit = -1;
	u32 queued = 0;

	if (!w)
		return -ENOMEM;
	for (; queued < nr && r == 0; queued += r == 0) {
		w[queued].task = current();
		w[queued].bitset = FUTEX_BITSET_MATCH_ANY;
		r = enqueue_if(&w[queued], items[queued].ua, items[queued].is_private,
			       items[queued].val);
	}
	while (r == 0 && hit < 0) {
		wait_prepare();
		for (u32 i = 0; i < nr && hit < 0; i++)
			if (is_woken(&w[i]))
				hit = i;
		if (hit < 0)
			r = wait_sleep(deadline_ns);
		else
			wait_finish();
	}
	for (u32 i = 0; i < queued; i++)
		if (dequeue(&w[i]) && hit < 0)
			hit = i;
	kfree(w);
	return hit >= 0 ? hit : r;
}

/* A lock with priority inheritance goes to its first waiter, unless somebody took it in between (it is not dead any
 * more). */
static void hand_over_dead(uaddr_t ua, u32 dead)
{
	struct futex_waiter *w;
	struct futex_key k;
	struct bucket *b;
	bool more;
	u32 seen = 0;
	int r;

	do {
		if (get_key(ua, false, &k) < 0)
			return;
		b = bucket_of(&k);
		spin_lock(&b->lock);
		w = first_pi(b, &k, &more);
		r = w ? user_cmpxchg_u32_nowait(ua, dead,
						(u32)w->task->tid | FUTEX_OWNER_DIED |
							(more ? FUTEX_WAITERS : 0),
						&seen)
		      : 0;
		if (w && r == 0 && seen == dead)
			wake_waiter(w);
		spin_unlock(&b->lock);
	} while (r < 0 && user_fault_in(ua, true) == 0);
}

/* One lock of a thread that dies. */
static void owner_died(struct task *t, u64 va, bool pi, bool is_pending)
{
	uaddr_t ua = UADDR(va);
	u32 v, seen;

	if ((va & 3) || va >= USER_VA_END)
		return;
	for (;;) {
		if (user_load_u32_nowait(ua, &v) < 0) {
			if (user_fault_in(ua, true) < 0)
				return;
			continue;
		}
		if (is_pending && !pi && !v) {
			futex_wake_user(ua, 1);
			return;
		}
		if ((v & FUTEX_TID_MASK) != (u32)t->tid)
			return;
		if (user_cmpxchg_u32_nowait(ua, v, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen) <
		    0) {
			if (user_fault_in(ua, true) < 0)
				return;
			continue;
		}
		if (seen == v)
			break;
	}
	if (!(v & FUTEX_WAITERS))
		return;
	if (!pi)
		futex_wake_user(ua, 1);
	else
		hand_over_dead(ua, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
}

void futex_robust_exit(struct task *t)
{
	struct robust_list_head head;
	u64 entry, next;

	if (get_user(&head, t->robust_list))
		return;
	entry = head.list.next;
	for (u32 i = 0; i < ROBUST_LIST_LIMIT && (entry & ~1ull) != t->robust_list.va; i++) {
		if (get_user(&next, UADDR(entry & ~1ull)))
			break;
		if (entry != head.list_op_pending)
			owner_died(t, (entry & ~1ull) + (u64)head.futex_offset, entry & 1, false);
		entry = next;
	}
	if (head.list_op_pending)
		owner_died(t, (head.list_op_pending & ~1ull) + (u64)head.futex_offset,
			   head.list_op_pending & 1, true);
}
