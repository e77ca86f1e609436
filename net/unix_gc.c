// SPDX-License-Identifier: Apache-2.0
/*
 * unix_gc - descriptors in flight, and the cycles they can form
 *
 * Role      A socket whose file lies only in queues of sockets whose files lie only in queues ... can never be
 *           reached again. unix_gc() finds such sets and empties their queues.
 * Rules     inflight counts how often a socket's file lies in queues. A file with more references than that is held
 *           by somebody; everything in the queues of a held socket is held too. What is left is garbage:
 *           1. candidates: references == inflight; gc_seen = inflight
 *           2. for each candidate, each candidate in its queues: gc_seen - 1
 *           3. gc_seen > 0: in the queue of a non-candidate, so held; its queues' content is held (work list)
 *           4. the rest: take their queues away, drop the content
 *           Each socket in flight is visited a constant number of times, each queue twice.
 *
 *           A pass is made only when it can find something and is due:
 *           - The last piece that closes a cycle goes into a queue of a socket that is in flight itself (or is
 *             not accepted, so that its listener may be). Without such a piece maybe_cyclic stays false.
 *           - A pass costs as much as there are sockets in flight, so it takes a share of as many closes: whoever
 *             closes sockets does not pay for others' descriptors more than a constant each time.
 *           - What became garbage without such closes (the last descriptors of sockets in flight are no last
 *             references) is found by a timer, which runs while maybe_cyclic and comes ever later.
 * Invariants
 *           - Nobody gets a new reference to a candidate during a pass: it would have to be received or peeked at
 *             from a queue of a socket he holds, and both take gc_lock for scms with files.
 *           - inflight > 0 exactly while gc_link is in inflight_socks; the socket lives, its file is referenced.
 *           - A file counts as in flight before its sockbuf is queued and until after it was taken off. What counts
 *             and is found in no queue looks held, never like garbage.
 * Locking   gc_lock (RANK_SOCKET_GC) sleeps: the marks are made with other tasks running. It covers all counts and
 *           marks; sk.lock inside it to walk queues, that of a listener (RANK_OBJECT_OUTER) around those of
 *           its connections. Content is dropped with no lock held.
 * See       unix(7), "SCM_RIGHTS"; tests/unit/unix_test.c, tests/syscalls/inflight.c
 */
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/defer.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/timer.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/resource.h"
#include "net/unix_impl.h"

#define HELD		U32_MAX
#define BREATHE		64u /* sockets visited between two chances for other tasks */
#define CLOSES_PER_PASS 8u  /* a pass is due after one close for so many sockets in flight */

#define LATE_MIN_NS NSEC_PER_SEC
#define LATE_MAX_NS (32 * NSEC_PER_SEC)
#define LATE_EACH_NS \
	1000u /* more for each descriptor in flight: a pass takes a small part of the time */

static struct mutex gc_lock = MUTEX_INIT(gc_lock, RANK_SOCKET_GC);
static struct list inflight_socks = LIST_INIT(inflight_socks); /* [gc_lock] by gc_link */
static u32 nr_inflight;					       /* [gc_lock] */
static bool maybe_cyclic;				       /* [gc_lock] */
static bool running;					       /* [gc_lock] */
static atomic_t nr_closes;				       /* since the last pass */

static void late_fired(struct ktimer *t);
static void late_pass(struct deferred *d);

/* The pass nobody else makes. is_armed: from the timer's start until late_pass() has run; always while maybe_cyclic. */
static struct {
	struct ktimer timer;
	struct deferred pass;
	bool is_armed;
	u64 wait_ns; /* blurred by races */
} late = { .timer = { .fn = late_fired }, .pass = { .run = late_pass }, .wait_ns = LATE_MIN_NS };

static void late_arm(void)
{
	if (!READ_ONCE(late.is_armed) && !xchg(&late.is_armed, true))
		ktimer_arm(&late.timer, clock_monotonic_ns() + READ_ONCE(late.wait_ns) +
						(u64)READ_ONCE(nr_inflight) * LATE_EACH_NS);
}

static void late_fired(struct ktimer *t)
{
	defer_add(&late.pass);
}

static void late_pass(struct deferred *d)
{
	unix_gc();
	WRITE_ONCE(late.wait_ns, MIN(2 * READ_ONCE(late.wait_ns), LATE_MAX_NS));
	(void)xchg(&late.is_armed,
		   false); /* before the look: who sets it now either sees that, or is seen */
	if (READ_ONCE(maybe_cyclic))
		late_arm();
}

static struct unix_sock *unix_of_file(const struct file *f)
{
	struct socket *sk = file_socket(f);

	return sk && sk->family == AF_UNIX ? unix_sk(sk) : NULL;
}

static void count_locked(struct scm *s, bool launch) REQUIRES(&gc_lock)
{
	for (u32 i = 0; i < s->nr_files; i++) {
		struct unix_sock *u = unix_of_file(s->files[i]);

		if (!u)
			continue;
		nr_inflight += launch ? 1 : -1u;
		u->inflight += launch ? 1 : -1u;
		if (!u->inflight)
			list_del(&u->gc_link);
		else if (list_empty(&u->gc_link))
			list_add_tail(&inflight_socks, &u->gc_link);
	}
}

/* As in Linux: refused is who has more in flight already than he may have open; all descriptors count, not only
 * sockets. The sender pays until the message leaves its queue, whoever receives. */
static int charge_sender(struct scm *s)
{
	u64 limit = charge_limit(current_rlimit(RLIMIT_NOFILE));

	if (charge_read(account_current(), CHARGE_INFLIGHT_FDS) > limit)
		return -ETOOMANYREFS;
	return charge_current(CHARGE_INFLIGHT_FDS, s->nr_files, CHARGE_UNLIMITED, &s->payer);
}

static void uncharge_sender(struct scm *s, u32 nr)
{
	charge_release(s->payer, CHARGE_INFLIGHT_FDS, nr);
	s->payer = NULL;
}

int unix_scm_launch(struct scm *s, struct unix_sock *to)
{
	bool cyclic;
	int ret;

	if (!s->nr_files)
		return 0;
	ret = charge_sender(s);
	if (ret) {
		/* The limit may be reached by what nobody can receive any more. */
		unix_gc();
		ret = charge_sender(s);
	}
	if (ret)
		return ret;
	mutex_lock(&gc_lock);
	count_locked(s, true);
	cyclic = to->inflight || !READ_ONCE(to->sk.file);
	if (cyclic)
		WRITE_ONCE(maybe_cyclic, true);
	mutex_unlock(&gc_lock);
	if (cyclic) {
		WRITE_ONCE(late.wait_ns, LATE_MIN_NS);
		late_arm();
	}
	return 0;
}

void unix_scm_landed(struct scm *s)
{
	if (!s->nr_files)
		return;
	mutex_lock(&gc_lock);
	count_locked(s, false);
	mutex_unlock(&gc_lock);
	uncharge_sender(s, s->nr_files);
}

void unix_scm_take(struct scm *dst, struct scm *src)
{
	mutex_lock(&gc_lock);
	count_locked(src, false);
	dst->files = src->files;
	dst->nr_files = src->nr_files;
	src->files = NULL;
	src->nr_files = 0;
	mutex_unlock(&gc_lock);
	uncharge_sender(src, dst->nr_files);
}

int unix_scm_peek(struct scm *dst, const struct scm *src)
{
	int ret;

	if (!src->nr_files)
		return scm_copy(dst, src);
	mutex_lock(&gc_lock);
	ret = scm_copy(dst, src);
	mutex_unlock(&gc_lock);
	return ret;
}

/* One pass */

typedef void (*visit_fn)(struct unix_sock *child, struct list *work);

static void breathe(u32 *n)
{
	if (++*n % BREATHE == 0)
		cond_resched();
}

static void visit_queue(struct unix_sock *u, visit_fn visit, struct list *work)
{
	struct unix_sock *child;
	struct sockbuf *b;

	if (!u->queued_scms)
		return;
	list_for_each_entry (b, &u->queue, link)
		for (u32 i = 0; i < b->scm.nr_files; i++) {
			child = unix_of_file(b->scm.files[i]);
			if (child && child->gc_seen != HELD)
				visit(child, work);
		}
}

/* Everything in u's queue, and in those of connections it has not accepted. */
static void visit_children(struct unix_sock *u, visit_fn visit, struct list *work)
{
	struct unix_sock *v;

	spin_lock(&u->sk.lock);
	visit_queue(u, visit, work);
	list_for_each_entry (v, &u->accept_queue, accept_link) {
		spin_lock(&v->sk.lock);
		visit_queue(v, visit, work);
		spin_unlock(&v->sk.lock);
	}
	spin_unlock(&u->sk.lock);
}

static void visit_discount(struct unix_sock *child, struct list *work)
{
	child->gc_seen--;
}

static void visit_hold(struct unix_sock *child, struct list *work)
{
	child->gc_seen = HELD;
	list_add_tail(work, &child->gc_work);
}

static void mark_candidates(void) REQUIRES(&gc_lock)
{
	struct unix_sock *u;
	u32 n = 0;

	list_for_each_entry (u, &inflight_socks, gc_link) {
		struct file *f = READ_ONCE(u->sk.file);

		u->gc_seen = f && refs_read(&f->refs) == u->inflight ? u->inflight : HELD;
		breathe(&n);
	}
	list_for_each_entry (u, &inflight_socks, gc_link) {
		if (u->gc_seen != HELD)
			visit_children(u, visit_discount, NULL);
		breathe(&n);
	}
}

static void mark_held(void) REQUIRES(&gc_lock)
{
	struct list work;
	struct unix_sock *u;
	u32 n = 0;

	list_init(&work);
	list_for_each_entry (u, &inflight_socks, gc_link)
		if (u->gc_seen != 0 && u->gc_seen != HELD)
			visit_hold(u, &work);
	while ((u = list_first(&work, struct unix_sock, gc_work)) != NULL) {
		list_del(&u->gc_work);
		visit_children(u, visit_hold, &work);
		breathe(&n);
	}
}

static void take_one_locked(struct unix_sock *u, struct list *garbage)
{
	list_splice_tail(garbage, &u->queue);
	u->oob = NULL;
	u->queued_bytes = 0;
	u->queued_nr = 0;
	u->queued_scms = 0;
}

static void take_queue(struct unix_sock *u, struct list *garbage)
{
	struct unix_sock *v;

	spin_lock(&u->sk.lock);
	take_one_locked(u, garbage);
	list_for_each_entry (v, &u->accept_queue, accept_link) {
		spin_lock(&v->sk.lock);
		take_one_locked(v, garbage);
		spin_unlock(&v->sk.lock);
	}
	spin_unlock(&u->sk.lock);
}

static bool has_content(struct unix_sock *u)
{
	return READ_ONCE(u->queued_scms) || !list_empty(&u->accept_queue);
}

static void collect(struct list *garbage) REQUIRES(&gc_lock)
{
	struct unix_sock *u;
	u32 n = 0;

	atomic_set(&nr_closes, 0);
	WRITE_ONCE(maybe_cyclic, false);
	mark_candidates();
	mark_held();
	list_for_each_entry (u, &inflight_socks, gc_link) {
		if (u->gc_seen == 0)
			take_queue(u, garbage);
		else if (has_content(u))
			WRITE_ONCE(maybe_cyclic, true);
		breathe(&n);
	}
}

void unix_gc(void)
{
	struct list garbage;
	struct sockbuf *b;

	list_init(&garbage);
	mutex_lock(&gc_lock);
	if (running || !maybe_cyclic) {
		mutex_unlock(&gc_lock);
		return;
	}
	running = true;
	collect(&garbage);
	mutex_unlock(&gc_lock);

	/* Drops the last references of the files, whose releases find `running` when they come here. */
	while ((b = list_first(&garbage, struct sockbuf, link)) != NULL) {
		list_del(&b->link);
		sockbuf_free(b);
		cond_resched();
	}
	mutex_lock(&gc_lock);
	running = false;
	mutex_unlock(&gc_lock);
}

void unix_gc_closed(void)
{
	u32 closes;

	if (likely(!READ_ONCE(maybe_cyclic)))
		return;
	closes = (u32)atomic_add(&nr_closes, 1);
	if ((u64)closes * CLOSES_PER_PASS >= READ_ONCE(nr_inflight))
		unix_gc();
}
