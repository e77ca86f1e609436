// SPDX-License-Identifier: Apache-2.0
/*
 * unix_inflight - how many descriptors a user has in flight
 *
 * Role      A descriptor in a queue is in nobody's table, so RLIMIT_NOFILE would not count it: here is who put it
 *           there, and how many he has there already.
 * Rules     As in Linux: one who has more in flight than his RLIMIT_NOFILE gets ETOOMANYREFS, unless he has
 *           CAP_SYS_RESOURCE or CAP_SYS_ADMIN. All descriptors count, not only sockets. The charge stays with
 *           the user who sent, whoever receives; it is taken back when the message leaves its queue.
 *           A user's account exists while its count is not zero.
 * Locking   users_lock (RANK_LEAF) covers the table and all counts.
 * See       unix(7), "ETOOMANYREFS"
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/resource.h"
#include "net/unix_impl.h"

#define USER_BUCKETS 64u

struct inflight_user {
	struct inflight_user *next; /* [users_lock] same bucket */
	u32 uid;		    /* [I] */
	u32 count;		    /* [users_lock] descriptors in flight */
};

static struct spinlock users_lock = SPINLOCK_INIT(RANK_LEAF);
static struct inflight_user *users[USER_BUCKETS]; /* [users_lock] */

static struct inflight_user **slot_locked(u32 uid) REQUIRES(&users_lock)
{
	struct inflight_user **at = &users[hash_u64(uid) % USER_BUCKETS];

	while (*at && (*at)->uid != uid)
		at = &(*at)->next;
	return at;
}

static bool is_exempt(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

int unix_inflight_charge(struct scm *s)
{
	struct inflight_user *fresh = knew(struct inflight_user), **at;
	u64 limit = current_rlimit(RLIMIT_NOFILE);
	u32 uid = current_cred()->uid;
	bool over;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&users_lock);
	at = slot_locked(uid);
	if (!*at) {
		fresh->uid = uid;
		*at = fresh;
		fresh = NULL;
	}
	over = (*at)->count > limit;
	if (!over || is_exempt()) {
		(*at)->count += s->nr_files;
		s->charged_uid = uid;
		s->charged = s->nr_files;
		over = false;
	}
	spin_unlock(&users_lock);
	kfree(fresh);
	return over ? -ETOOMANYREFS : 0;
}

void unix_inflight_uncharge(struct scm *s)
{
	struct inflight_user **at, *gone = NULL;

	spin_lock(&users_lock);
	at = slot_locked(s->charged_uid);
	if (*at) {
		(*at)->count -= s->charged;
		if (!(*at)->count) {
			gone = *at;
			*at = gone->next;
		}
	}
	spin_unlock(&users_lock);
	s->charged = 0;
	kfree(gone);
}
