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
 *           3. gc_seen > 0: in the queue of a non-candidate, so held; its queues' content is held (repeat)
 *           4. the rest: take their queues away, drop the content
 *           Nobody can get a new reference to a candidate meanwhile: it would have to be received from a queue of
 *           a socket he holds, and leaving a queue (unix_scm_landed) takes gc_lock.
 * Locking   gc_lock (RANK_SOCKET_GC) for all counts and marks; sk.lock inside it to walk queues, that of a listener
 *           (RANK_OBJECT_OUTER) around those of its connections. Content is dropped with no lock held.
 * See       unix(7), "SCM_RIGHTS"; tests/unit/unix_test.c
 */
#include "net/unix_impl.h"

#define HELD U32_MAX

static struct spinlock gc_lock = SPINLOCK_INIT(RANK_SOCKET_GC);
static struct list inflight_socks = LIST_INIT(inflight_socks); /* [gc_lock] by gc_link */
static u32 nr_inflight;					       /* [gc_lock] */
static bool running;					       /* [gc_lock] */

static struct unix_sock *unix_of_file(const struct file *f)
{
	struct socket *sk = file_socket(f);

	return sk && sk->family == AF_UNIX ? unix_sk(sk) : NULL;
}

static void count_files(struct scm *s, bool launch)
{
	if (!s->nr_files)
		return;
	spin_lock(&gc_lock);
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
	spin_unlock(&gc_lock);
}

void unix_scm_launch(struct scm *s)
{
	count_files(s, true);
}

void unix_scm_landed(struct scm *s)
{
	count_files(s, false);
}

bool unix_gc_wanted(void)
{
	return READ_ONCE(nr_inflight) != 0;
}

typedef void (*visit_fn)(struct unix_sock *child);

static void visit_queue(struct list *queue, visit_fn visit)
{
	struct unix_sock *child;
	struct sockbuf *b;

	list_for_each_entry (b, queue, link)
		for (u32 i = 0; i < b->scm.nr_files; i++) {
			child = unix_of_file(b->scm.files[i]);
			if (child && child->gc_seen != HELD)
				visit(child);
		}
}

/* Everything in u's queue, and in those of connections it has not accepted. */
static void visit_children(struct unix_sock *u, visit_fn visit)
{
	struct unix_sock *v;

	spin_lock(&u->sk.lock);
	visit_queue(&u->queue, visit);
	list_for_each_entry (v, &u->accept_queue, accept_link) {
		spin_lock(&v->sk.lock);
		visit_queue(&v->queue, visit);
		spin_unlock(&v->sk.lock);
	}
	spin_unlock(&u->sk.lock);
}

static void visit_discount(struct unix_sock *child)
{
	child->gc_seen--;
}

static void visit_hold(struct unix_sock *child)
{
	if (child->gc_seen == 0)
		child->gc_seen = 1; /* its own queue is still to be visited */
}

static void mark_candidates(void)
{
	struct unix_sock *u;

	list_for_each_entry (u, &inflight_socks, gc_link) {
		struct file *f = READ_ONCE(u->sk.file);

		u->gc_seen = f && refs_read(&f->refs) == u->inflight ? u->inflight : HELD;
	}
	list_for_each_entry (u, &inflight_socks, gc_link)
		if (u->gc_seen != HELD)
			visit_children(u, visit_discount);
}

static void mark_held(void)
{
	struct unix_sock *u;
	bool found;

	do {
		found = false;
		list_for_each_entry (u, &inflight_socks, gc_link) {
			if (u->gc_seen == 0 || u->gc_seen == HELD)
				continue;
			u->gc_seen = HELD;
			visit_children(u, visit_hold);
			found = true;
		}
	} while (found);
}

static void take_one_locked(struct unix_sock *u, struct list *garbage)
{
	list_splice_tail(garbage, &u->queue);
	u->queued_bytes = 0;
	u->queued_nr = 0;
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

void unix_gc(void)
{
	struct unix_sock *u;
	struct list garbage;
	struct sockbuf *b;

	list_init(&garbage);
	spin_lock(&gc_lock);
	if (running) {
		spin_unlock(&gc_lock);
		return;
	}
	running = true;
	mark_candidates();
	mark_held();
	list_for_each_entry (u, &inflight_socks, gc_link)
		if (u->gc_seen == 0)
			take_queue(u, &garbage);
	spin_unlock(&gc_lock);

	/* Drops the last references of the files, whose release comes back here and finds `running`. */
	while ((b = list_first(&garbage, struct sockbuf, link)) != NULL) {
		list_del(&b->link);
		sockbuf_free(b);
	}
	spin_lock(&gc_lock);
	running = false;
	spin_unlock(&gc_lock);
}
