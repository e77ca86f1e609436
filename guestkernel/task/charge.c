// SPDX-License-Identifier: Apache-2.0
/*
 * charge - the accounts of users
 *
 * Role      Implements kapi/charge.h: accounts by uid, their life, limits and errors.
 * Rules     The last reference is given up under the table's lock, so that nobody finds a dying account.
 *           The account of root is static: boot needs no memory for it, and it never goes away.
 * Locking   table_lock (RANK_LEAF). Memory is allocated outside.
 * Missing   user namespaces: the key becomes namespace and uid, and a charge goes up to the parents.
 */
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/uapi/capability.h"

#define BUCKETS	    64u
#define KMEM_PART   4 /* of all memory may be one user's kernel objects */
#define KMEM_MIN    (4ull << 20)
#define FRAME_SIZE  4096ull
#define SMALL_BYTES 192

static struct spinlock table_lock = SPINLOCK_INIT(RANK_LEAF);
static struct user_account root_account = { .refs = { ATOMIC_INIT(1) } };
static struct user_account *bucket[BUCKETS]; /* [table_lock] */
static u64 kmem_limit = CHARGE_UNLIMITED;    /* [I] */

static const struct {
	const char *name;
	int error;
} resource[CHARGE_NR] = {
	[CHARGE_PROCESSES] = {"processes",		    -EAGAIN	    },
	[CHARGE_SIGPENDING] = { "queued signals",	  -EAGAIN	  },
	[CHARGE_MSGQUEUE_BYTES] = { "message queue bytes",   -EMFILE	   },
	[CHARGE_INOTIFY_INSTANCES] = { "inotify instances",	    -EMFILE	    },
	[CHARGE_INOTIFY_WATCHES] = { "inotify watches",	-ENOSPC	},
	[CHARGE_EPOLL_WATCHES] = { "epoll watches",	    -ENOSPC	    },
	[CHARGE_PIPE_PAGES] = { "pipe pages",	      -EPERM	     },
	[CHARGE_INFLIGHT_FDS] = { "descriptors in flight", -ETOOMANYREFS},
	[CHARGE_LOCKS] = { "locks",		    -ENOLCK	    },
	[CHARGE_MLOCK_PAGES] = { "locked pages",		 -ENOMEM	 },
	[CHARGE_MOUNTS] = { "mounts",		      -ENOSPC      },
	[CHARGE_NAMESPACES] = { "namespaces",	      -ENOSPC      },
	[CHARGE_KMEM] = { "kernel memory",	   -ENOMEM	   },
};

/* Each of them takes about SMALL_BYTES. */
static const enum charge_what small_objects[] = {
	CHARGE_SIGPENDING,   CHARGE_INOTIFY_WATCHES, CHARGE_EPOLL_WATCHES,
	CHARGE_INFLIGHT_FDS, CHARGE_LOCKS,
};

void charge_init(u64 nr_frames)
{
	kmem_limit = MAX(nr_frames * FRAME_SIZE / KMEM_PART, KMEM_MIN);
}

int charge_errno(enum charge_what what)
{
	return resource[what].error;
}

void charge_underflow(struct user_account *a, enum charge_what what)
{
	log_err("uid %u: more %s given back than charged", a->uid, resource[what].name);
#ifdef DEBUG_LEAKS
	BUG();
#endif
	atomic64_set(&a->count[what], 0);
}

static struct user_account *find_locked(u32 uid)
{
	struct user_account *a = bucket[hash_u64(uid) & (BUCKETS - 1)];

	while (a && a->uid != uid)
		a = a->next;
	return account_get(a);
}

struct user_account *account_lookup(u32 uid)
{
	struct user_account *a, *fresh, **at;

	if (uid == 0)
		return account_get(&root_account);
	spin_lock(&table_lock);
	a = find_locked(uid);
	spin_unlock(&table_lock);
	if (a)
		return a;
	fresh = knew(struct user_account);
	if (!fresh)
		return NULL;
	refs_init(&fresh->refs, 1);
	fresh->uid = uid;
	spin_lock(&table_lock);
	a = find_locked(uid);
	if (!a) {
		at = &bucket[hash_u64(uid) & (BUCKETS - 1)];
		fresh->next = *at;
		*at = fresh;
	}
	spin_unlock(&table_lock);
	if (!a)
		return fresh;
	kfree(fresh);
	return a;
}

static void check_empty(const struct user_account *a)
{
	u32 i;

	for (i = 0; i < CHARGE_NR; i++) {
		if (!atomic64_read(&a->count[i]))
			continue;
		log_err("uid %u: %llu %s are never given back", a->uid,
			(unsigned long long)atomic64_read(&a->count[i]), resource[i].name);
#ifdef DEBUG_LEAKS
		BUG();
#endif
	}
}

/* Takes the account out of the table when this was its last reference. */
static bool drop_last(struct user_account *a)
{
	struct user_account **at = &bucket[hash_u64(a->uid) & (BUCKETS - 1)];
	bool last;

	spin_lock(&table_lock);
	last = refs_put(&a->refs);
	if (last) {
		while (*at != a)
			at = &(*at)->next;
		*at = a->next;
	}
	spin_unlock(&table_lock);
	return last;
}

void account_put(struct user_account *a)
{
	u32 n;

	if (!a)
		return;
	for (n = refs_read(&a->refs); n > 1; n = refs_read(&a->refs))
		if (n >= REFS_SATURATED || atomic_cmpxchg(&a->refs.n, n, n - 1))
			return;
	if (!drop_last(a))
		return;
	check_empty(a);
	kfree(a);
}

struct user_account *account_current(void)
{
	const struct cred *c = current_cred();

	return c ? c->account : NULL;
}

int charge_current(enum charge_what what, u64 n, u64 limit, struct user_account **payer)
{
	struct user_account *a = account_current();
	int ret = charge(a, what, n, limit);

	if (!ret)
		*payer = account_get(a);
	return ret;
}

void charge_release(struct user_account *payer, enum charge_what what, u64 n)
{
	uncharge(payer, what, n);
	account_put(payer);
}

bool charge_exempt(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

u64 charge_kmem_limit(void)
{
	return charge_is_bounded() ? kmem_limit : CHARGE_UNLIMITED;
}

bool charge_is_bounded(void)
{
	const struct user_account *a = account_current();

	return a && a->uid != 0 && !capable(CAP_SYS_RESOURCE);
}

u64 charge_frames_a_process(const struct user_account *a)
{
	u64 bytes, n;
	u32 i;

	if (!a)
		return 0;
	bytes = charge_read(a, CHARGE_KMEM) + charge_read(a, CHARGE_PIPE_PAGES) * FRAME_SIZE;
	for (i = 0; i < ARRAY_SIZE(small_objects); i++)
		bytes += charge_read(a, small_objects[i]) * SMALL_BYTES;
	n = charge_read(a, CHARGE_PROCESSES);
	return bytes / FRAME_SIZE / MAX(n, 1ull);
}

int charge_kmem(u64 bytes, struct user_account **payer)
{
	return charge_current(CHARGE_KMEM, bytes, charge_kmem_limit(), payer);
}

void charge_check_empty(void)
{
	check_empty(&root_account);
}
