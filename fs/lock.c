// SPDX-License-Identifier: Apache-2.0
/*
 * lock - advisory locks
 *
 * Role      See lock.h.
 * Rules     One list per inode for record locks (POSIX and OFD), one for flock. Record locks of one owner never
 *           overlap; setting one replaces, splits and joins the owner's own. A waiter registers what it waits
 *           for; a POSIX owner that would close a circle of waiting owners gets EDEADLK (as Linux: only POSIX
 *           locks, up to a bounded number of steps).
 *
 *           INVARIANTS
 *           Order     An owner's record locks stand together, ascending; owners in the order of their first lock. The
 *                     first conflict found is the one F_GETLK reports.
 *           Who adds  Only a call that holds a reference on the file it locks through.
 *           Who frees What belongs to an open file (flock, OFD) goes with its last reference, which is after every
 *                     such call. What belongs to a descriptor table goes with each close of a descriptor of
 *                     the inode there. A call may still be asleep then and get its lock after that close: so
 *                     whoever has set a POSIX lock looks whether his descriptor still names the file and
 *                     takes the lock back when not (sys/sys_fd.c). Closing first empties the descriptor,
 *                     then looks for locks; locking first adds the lock, then looks at the descriptor: one of
 *                     the two sees the other. So an inode that dies has no locks.
 * Locking   lock_list.lock (RANK_OBJECT) for the lists of one inode: nobody else's locks make it slower. Nothing
 *           sleeps under it but wait_on(). waits_lock (RANK_OBJECT_INNER) for who waits for whom in the whole
 *           system. Spare structures are allocated before they are taken.
 * Missing   leases; /proc/locks
 * See       fcntl(2), flock(2); tests/unit/lock_test.c
 */
#include "fs/lock.h"

#include "fs/namei.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/wait.h"

#define DEADLOCK_STEPS 64
/* Of one user: every call on a file goes through all the locks of the file. Linux has given up its own limit. */
#define LOCKS_MAX (1u << 17)

struct flk {
	struct list link;
	const void *owner; /* descriptor table, or open file */
	u64 start, end;	   /* inclusive */
	s32 pid;
	u8 type; /* F_RDLCK, F_WRLCK; LOCK_SH/LOCK_EX use the same two */
	bool ofd;
	struct user_account *payer; /* of this structure, whoever the lock belongs to */
};

struct lock_list {
	struct spinlock lock;
	struct list records, flocks; /* [lock] */
	struct waitq changed;
};

/* Somebody asleep: owner waits for another owner's lock. */
struct lock_wait {
	struct list link;
	const void *owner, *blocker;
};

static struct spinlock waits_lock = SPINLOCK_INIT(RANK_OBJECT_INNER);
static struct list waits = LIST_INIT(waits); /* [waits_lock] */

static int lock_list_get(struct inode *inode, struct lock_list **out)
{
	struct lock_list *ll = load_acquire(&inode->locks), *none = NULL;

	if (!ll) {
		ll = knew(struct lock_list);
		if (!ll)
			return -ENOLCK;
		spin_init(&ll->lock, RANK_OBJECT);
		list_init(&ll->records);
		list_init(&ll->flocks);
		waitq_init(&ll->changed);
		if (!__atomic_compare_exchange_n(&inode->locks, &none, ll, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST)) {
			kfree(ll);
			ll = none;
		}
	}
	*out = ll;
	return 0;
}

static struct flk *flk_new(void)
{
	struct user_account *payer;
	struct flk *l;

	if (charge_current(CHARGE_LOCKS, 1, charge_limit(LOCKS_MAX), &payer))
		return NULL;
	l = knew(struct flk);
	if (l)
		l->payer = payer;
	else
		charge_release(payer, CHARGE_LOCKS, 1);
	return l;
}

static void flk_free(struct flk *l)
{
	if (!l)
		return;
	charge_release(l->payer, CHARGE_LOCKS, 1);
	kfree(l);
}

static void flk_copy(struct flk *to, const struct flk *from)
{
	struct user_account *payer = to->payer;

	*to = *from;
	to->payer = payer;
	list_init(&to->link);
}

static bool overlaps(const struct flk *a, const struct flk *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static struct flk *find_conflict(struct list *head, const struct flk *want)
{
	struct flk *l;

	list_for_each_entry (l, head, link)
		if (l->owner != want->owner && overlaps(l, want) &&
		    (l->type == F_WRLCK || want->type == F_WRLCK))
			return l;
	return NULL;
}

static bool splits(const struct list *head, const struct flk *want)
{
	struct flk *l;

	list_for_each_entry (l, head, link)
		if (l->owner == want->owner && l->start < want->start && l->end > want->end)
			return true;
	return false;
}

/* Removes [want] from the owner's locks. *spare is used when one must be split. */
static void cut_range(struct list *head, const struct flk *want, struct flk **spare,
		      struct list *freed)
{
	struct flk *l, *tmp;

	list_for_each_entry_safe (l, tmp, head, link) {
		if (l->owner != want->owner || !overlaps(l, want))
			continue;
		if (l->start < want->start && l->end > want->end) {
			struct flk *right = *spare;

			*spare = NULL;
			flk_copy(right, l);
			right->start = want->end + 1;
			l->end = want->start - 1;
			list_add(&l->link, &right->link);
		} else if (l->start < want->start) {
			l->end = want->start - 1;
		} else if (l->end > want->end) {
			l->start = want->end + 1;
		} else {
			list_del(&l->link);
			list_add_tail(freed, &l->link);
		}
	}
}

/* Joins neighbours of the same owner and type, and goes to its place. */
static void add_range(struct list *head, struct flk *n, struct list *freed)
{
	bool among_mine = false;
	struct flk *l, *tmp;
	struct list *at;

	list_for_each_entry_safe (l, tmp, head, link) {
		if (l->owner != n->owner || l->type != n->type)
			continue;
		if ((l->end != (u64)S64_MAX && l->end + 1 == n->start) ||
		    (n->end != (u64)S64_MAX && n->end + 1 == l->start)) {
			n->start = MIN(n->start, l->start);
			n->end = MAX(n->end, l->end);
			list_del(&l->link);
			list_add_tail(freed, &l->link);
		}
	}
	at = head;
	list_for_each_entry (l, head, link) {
		bool mine = l->owner == n->owner;

		if (mine ? l->start > n->start : among_mine) {
			at = &l->link;
			break;
		}
		among_mine = mine;
	}
	list_add_tail(at, &n->link);
}

static void free_locks(struct list *freed)
{
	struct flk *l;

	while ((l = list_first(freed, struct flk, link))) {
		list_del(&l->link);
		flk_free(l);
	}
}

static bool would_deadlock(const void *owner, const void *blocker) REQUIRES(&waits_lock)
{
	struct lock_wait *w;
	bool found;

	for (u32 i = 0; i < DEADLOCK_STEPS; i++) {
		if (blocker == owner)
			return true;
		found = false;
		list_for_each_entry (w, &waits, link) {
			if (w->owner == blocker) {
				blocker = w->blocker;
				found = true;
				break;
			}
		}
		if (!found)
			return false;
	}
	return false;
}

/* From now on w waits for owner; -EDEADLK. detect: for a lock of POSIX, which others may wait for in turn. */
static int wait_register(struct lock_wait *w, const struct flk *c, bool detect)
{
	int err = 0;

	spin_lock(&waits_lock);
	if (detect && !c->ofd && would_deadlock(w->owner, c->owner)) {
		err = -EDEADLK;
	} else {
		w->blocker = detect ? c->owner : NULL;
		list_add_tail(&waits, &w->link);
	}
	spin_unlock(&waits_lock);
	return err;
}

static void wait_unregister(struct lock_wait *w)
{
	spin_lock(&waits_lock);
	list_del(&w->link);
	spin_unlock(&waits_lock);
}

/* Waits until nothing in head conflicts with want. */
static int wait_for(struct lock_list *ll, struct list *head, const struct flk *want, bool detect)
	REQUIRES(&ll->lock)
{
	struct lock_wait w = { .owner = want->owner };
	struct flk *c;
	int err;

	while ((c = find_conflict(head, want))) {
		err = wait_register(&w, c, detect);
		if (err)
			return err;
		err = wait_on(&ll->changed, &ll->lock);
		wait_unregister(&w);
		if (err)
			return err;
	}
	return 0;
}

/* Sets or clears want in head. block: wait for conflicting owners. */
static int lock_apply(struct lock_list *ll, struct list *head, const struct flk *want, bool block)
{
	struct flk *n = want->type == F_UNLCK ? NULL : flk_new(), *spare = flk_new();
	struct list freed = LIST_INIT(freed);
	int err = 0;

	/* Without a spare what must not be split can still be unlocked: who is at his limit gets below it. */
	if (want->type != F_UNLCK && (!n || !spare)) {
		err = -ENOLCK;
		goto free;
	}
	spin_lock(&ll->lock);
	if (n) {
		flk_copy(n, want);
		if (block)
			err = wait_for(ll, head, want, !want->ofd && head == &ll->records);
		else if (find_conflict(head, want))
			err = -EAGAIN;
	}
	if (!err && !spare && splits(head, want))
		err = -ENOLCK;
	if (!err) {
		cut_range(head, want, &spare, &freed);
		if (n)
			add_range(head, n, &freed);
		n = NULL;
	}
	spin_unlock(&ll->lock);
	if (!err)
		wake_all(&ll->changed);
	free_locks(&freed);
free:
	flk_free(n);
	flk_free(spare);
	return err;
}

int lock_flock(struct file *f, u32 op)
{
	struct flk want = { .owner = f, .start = 0, .end = (u64)S64_MAX, .pid = current_tgid() };
	struct lock_list *ll;
	int err;

	switch (op & ~(u32)LOCK_NB) {
	case LOCK_SH:
		want.type = F_RDLCK;
		break;
	case LOCK_EX:
		want.type = F_WRLCK;
		break;
	case LOCK_UN:
		want.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	err = lock_list_get(f->inode, &ll);
	if (err)
		return err;
	/* Conversion is not atomic: the old lock goes first, others may slip in (flock(2)). */
	if (want.type != F_UNLCK && !(op & LOCK_NB)) {
		err = lock_apply(ll, &ll->flocks, &want, false);
		if (err != -EAGAIN)
			return err;
		struct flk un = want;

		un.type = F_UNLCK;
		err = lock_apply(ll, &ll->flocks, &un, false);
		if (err)
			return err;
	}
	return lock_apply(ll, &ll->flocks, &want, !(op & LOCK_NB));
}

static int range_from_user(struct file *f, const struct flock *fl, struct flk *out)
{
	struct kstat st;
	s64 base = 0, start, end;
	int err;

	switch (fl->l_whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		err = vfs_getattr(&f->path, &st);
		if (err)
			return err;
		base = (s64)st.size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = S64_MAX;
	if (fl->l_len > 0) {
		if (__builtin_add_overflow(start, fl->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (fl->l_len < 0) {
		if (start + fl->l_len < 0)
			return -EINVAL;
		end = start - 1;
		start += fl->l_len;
	}
	out->start = (u64)start;
	out->end = (u64)end;
	return 0;
}

static s64 range_len(const struct flk *l)
{
	return l->end == (u64)S64_MAX ? 0 : (s64)(l->end - l->start + 1);
}

static void lock_get(struct lock_list *ll, const struct flk *want, struct flock *fl)
{
	struct flk *c;

	spin_lock(&ll->lock);
	c = find_conflict(&ll->records, want);
	if (c) {
		fl->l_type = c->type;
		fl->l_whence = SEEK_SET;
		fl->l_start = (s64)c->start;
		fl->l_len = range_len(c);
		fl->l_pid = c->ofd ? -1 : c->pid;
	} else {
		fl->l_type = F_UNLCK;
	}
	spin_unlock(&ll->lock);
}

int lock_fcntl(struct file *f, u32 cmd, struct flock *fl, const void *owner)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	bool get = cmd == F_GETLK || cmd == F_OFD_GETLK;
	struct flk want = {
		.owner = ofd ? (const void *)f : owner,
		.pid = ofd ? -1 : current_tgid(),
		.ofd = ofd,
	};
	struct lock_list *ll;
	int err;

	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK && (get || fl->l_type != F_UNLCK))
		return -EINVAL;
	if (ofd && fl->l_pid)
		return -EINVAL;
	want.type = (u8)fl->l_type;
	err = range_from_user(f, fl, &want);
	if (!err && !get) {
		if ((want.type == F_RDLCK && !file_can_read(f)) ||
		    (want.type == F_WRLCK && !file_can_write(f)))
			err = -EBADF;
	}
	if (!err)
		err = lock_list_get(f->inode, &ll);
	if (err)
		return err;
	if (get) {
		lock_get(ll, &want, fl);
		return 0;
	}
	/* Whoever undoes this must mean the same bytes, wherever position and size are by then. */
	fl->l_whence = SEEK_SET;
	fl->l_start = (s64)want.start;
	fl->l_len = range_len(&want);
	return lock_apply(ll, &ll->records, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

static void drop_owner(struct inode *inode, const void *owner)
{
	struct lock_list *ll = inode->locks;
	struct list freed = LIST_INIT(freed);
	struct list *heads[2];
	struct flk *l, *tmp;

	if (!ll)
		return;
	heads[0] = &ll->records;
	heads[1] = &ll->flocks;
	spin_lock(&ll->lock);
	for (u32 i = 0; i < 2; i++) {
		list_for_each_entry_safe (l, tmp, heads[i], link) {
			if (l->owner != owner)
				continue;
			list_del(&l->link);
			list_add_tail(&freed, &l->link);
		}
	}
	spin_unlock(&ll->lock);
	if (!list_empty(&freed))
		wake_all(&ll->changed);
	free_locks(&freed);
}

void lock_posix_close(struct file *f, const void *owner)
{
	drop_owner(f->inode, owner);
}

void lock_file_gone(struct file *f)
{
	drop_owner(f->inode, f);
}

void lock_inode_gone(struct inode *inode)
{
	struct lock_list *ll = inode->locks;

	/* Every owner had the inode open, so nothing is left. */
	BUG_ON(!list_empty(&ll->records) || !list_empty(&ll->flocks));
	kfree(ll);
}
