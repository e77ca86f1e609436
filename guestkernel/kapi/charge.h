// SPDX-License-Identifier: Apache-2.0
/*
 * charge - who pays for what a program can create
 *
 * Role      Each real uid has an account with one counter a resource. Whatever a program can make more of than a
 *           fixed number a process is charged to the account of its maker, against the limit Linux has for
 *           it, and given back by whoever frees it. The table of all objects is in guestkernel/README.md.
 * Rules     An object that is charged holds a reference on the account that paid (charge_current() hands it
 *           out) and gives it back with charge_release(): a later setuid() does not change who pays.
 *           Charge first, allocate then; when the allocation fails, release. What is charged is what it
 *           really takes, so that the cost to release is bounded by the limit.
 *           A NULL account is the kernel itself: nobody pays, nothing is refused.
 *           Credentials point at the account of their real uid (cred->account). Processes alone move to
 *           the new account when a task changes its real uid, as on Linux.
 * Locking   None on the way: the counters are atomic. A charge that would pass the limit is taken back; for that
 *           moment another one at the limit may be refused too, as on Linux. charge.c's own lock is RANK_LEAF.
 * See       task/charge.c; getrlimit(2), inotify(7), epoll(7), pipe(7), unix(7)
 */
#pragma once

#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/refs.h"

/* Resource: unit; who charges it; the limit. The errno of a refusal is in task/charge.c. */
enum charge_what {
	CHARGE_PROCESSES,  /* tasks until they are reaped; task/clone.c; RLIMIT_NPROC */
	CHARGE_SIGPENDING, /* queued signals and POSIX timers; task/signal.c; RLIMIT_SIGPENDING */
	CHARGE_MSGQUEUE_BYTES,	  /* POSIX message queues (none yet); RLIMIT_MSGQUEUE */
	CHARGE_INOTIFY_INSTANCES, /* fs/notify.c; fs.inotify.max_user_instances */
	CHARGE_INOTIFY_WATCHES,	  /* fs/notify.c; fs.inotify.max_user_watches */
	CHARGE_EPOLL_WATCHES,	  /* fs/epoll.c; fs.epoll.max_user_watches */
	CHARGE_PIPE_PAGES,	  /* capacity in pages; fs/pipe.c; fs.pipe-user-pages-soft, -hard */
	CHARGE_INFLIGHT_FDS, /* descriptors in AF_UNIX queues; net/; RLIMIT_NOFILE of the sender */
	CHARGE_LOCKS,	     /* record locks and flocks; fs/lock.c; CHARGE_KMEM's as well */
	CHARGE_MLOCK_PAGES,  /* locked System V segments; ipc/shm.c; RLIMIT_MEMLOCK */
	CHARGE_MOUNTS,	     /* fs/mount*.c; fs.mount-max a namespace */
	CHARGE_NAMESPACES,   /* of all kinds; task/ns.c; user.max_*_namespaces */
	/* Bytes of kernel memory nothing above bounds: xattrs, lock records, group lists, filters, names,
	 * System V objects, undo lists. Limit: charge_kmem_limit(). */
	CHARGE_KMEM,
	CHARGE_NR,
};

#define CHARGE_UNLIMITED U64_MAX

/* INVARIANTS
 * Found by its uid in charge.c's table from the first to the last reference; the one of uid 0 is static.
 * Whoever raises a counter holds a reference until it has lowered it again: with the last reference all counters
 * are 0 (the debug kernel panics when they are not). */
struct user_account {
	struct refs refs;
	u32 uid;		   /* immutable */
	struct user_account *next; /* [charge.c's lock] of the bucket */
	atomic64_t count[CHARGE_NR];
};

/* Never sleeps. The account of a uid, referenced; NULL: no memory. */
struct user_account *must_check account_lookup(u32 uid);
void account_put(struct user_account *a); /* NULL is allowed */

static inline struct user_account *account_get(struct user_account *a)
{
	if (a)
		refs_get(&a->refs);
	return a;
}

/* The account of the current task's real uid, borrowed; NULL in kernel threads. */
struct user_account *account_current(void);

/* The errno that Linux has for a refusal, negative. */
int charge_errno(enum charge_what what);
/* The counter is below what is taken from it: a bug. Says so; panics in the debug kernel. */
void charge_underflow(struct user_account *a, enum charge_what what);

/* 0, or charge_errno(what) when more than limit would be charged. n == 0 is fine. */
static inline int must_check charge(struct user_account *a, enum charge_what what, u64 n, u64 limit)
{
	u64 now;

	if (!a)
		return 0;
	if (unlikely(n > MIN(limit, CHARGE_UNLIMITED / 2))) /* and the sum does not wrap */
		return charge_errno(what);
	now = atomic64_add(&a->count[what], n);
	if (likely(now <= limit))
		return 0;
	atomic64_sub(&a->count[what], n);
	return charge_errno(what);
}

static inline void uncharge(struct user_account *a, enum charge_what what, u64 n)
{
	if (a && unlikely(atomic64_sub(&a->count[what], n) > U64_MAX / 2))
		charge_underflow(a, what);
}

static inline u64 charge_read(const struct user_account *a, enum charge_what what)
{
	return a ? atomic64_read(&a->count[what]) : 0;
}

/* Charges the current user. *payer gets a reference for the object to keep; untouched on failure. */
int must_check charge_current(enum charge_what what, u64 n, u64 limit, struct user_account **payer);
/* The object is gone: gives back n and the reference. */
void charge_release(struct user_account *payer, enum charge_what what, u64 n);

/* The current task may go beyond the limits on pipes, descriptors in flight and processes: CAP_SYS_RESOURCE or
 * CAP_SYS_ADMIN, as on Linux. */
bool charge_exempt(void);
/* limit, or none when charge_exempt(). */
static inline u64 charge_limit(u64 limit)
{
	return charge_exempt() ? CHARGE_UNLIMITED : limit;
}
/* For CHARGE_KMEM: a part of all memory; none for uid 0 and CAP_SYS_RESOURCE. */
u64 charge_kmem_limit(void);

/* charge_current() of CHARGE_KMEM against that limit. */
int must_check charge_kmem(u64 bytes, struct user_account **payer);

/* The current task is an ordinary user's: the last memory is not for what the kernel allocates for him. */
bool charge_is_bounded(void);
/* About how many frames the kernel holds for a process of this user, for the choice of whom to kill. */
u64 charge_frames_a_process(const struct user_account *a);

/* Boot: how much memory there is. */
void charge_init(u64 nr_frames);
/* The debug kernel, when everything is gone: panics when root's account is not empty. */
void charge_check_empty(void);
