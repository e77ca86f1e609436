// SPDX-License-Identifier: Apache-2.0
/*
 * poll - waiting for several files at once: the common part of poll(2) and select(2)
 *
 * Role      Registers one wait entry on each queue a file names, sleeps, and asks the files again.
 * Rules     Files are asked with a poll table only in the first round; entries stay registered until the end.
 *           Entries ignore wake-ups whose events nobody asked for.
 * Locking   None of its own: entries are touched by this task, and by wakers under their queue's lock.
 * See       poll(2), select(2)
 */
#include "fs/poll.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"

#define POLL_INLINE 6
#define POLL_CHUNK  32

struct poll_waiter;

struct poll_entry {
	struct wait_entry wait;
	struct poll_waiter *owner;
	u32 want;
};

struct poll_chunk {
	struct poll_chunk *next;
	u32 used;
	struct poll_entry entries[POLL_CHUNK];
};

struct poll_waiter {
	struct poll_table table;
	u32 want;	/* of the file that is being asked */
	bool triggered; /* set by wakers: asking a file may sleep and so swallow the wake-up itself */
	bool failed;
	u32 used;
	struct poll_entry inl[POLL_INLINE];
	struct poll_chunk *chunks;
};

static bool poll_wake(struct wait_entry *w, u32 events)
{
	struct poll_entry *e = container_of(w, struct poll_entry, wait);

	if (events && !(events & e->want))
		return false;
	store_release(&e->owner->triggered, true);
	return wait_entry_wake_task(w, events);
}

static struct poll_entry *poll_entry_new(struct poll_waiter *pw)
{
	struct poll_chunk *c = pw->chunks;

	if (pw->used < POLL_INLINE)
		return &pw->inl[pw->used++];
	if (!c || c->used == POLL_CHUNK) {
		c = knew(struct poll_chunk);
		if (!c)
			return NULL;
		c->next = pw->chunks;
		pw->chunks = c;
	}
	return &c->entries[c->used++];
}

static void poll_add(struct poll_table *pt, struct waitq *q)
{
	struct poll_waiter *pw = container_of(pt, struct poll_waiter, table);
	struct poll_entry *e = poll_entry_new(pw);

	if (!e) {
		pw->failed = true;
		return;
	}
	e->owner = pw;
	e->want = pw->want;
	e->wait.wake = poll_wake;
	e->wait.task = current();
	e->wait.exclusive = false;
	waitq_add(q, &e->wait);
}

static void poll_unregister(struct poll_waiter *pw)
{
	struct poll_chunk *c;

	for (u32 i = 0; i < pw->used; i++)
		waitq_remove(&pw->inl[i].wait);
	while ((c = pw->chunks) != NULL) {
		for (u32 i = 0; i < c->used; i++)
			waitq_remove(&c->entries[i].wait);
		pw->chunks = c->next;
		kfree(c);
	}
}

/* Asks every file; registers in the first round as long as nothing is ready. */
static u32 poll_ask(struct poll_slot *slots, u32 nr, struct poll_waiter *pw)
{
	u32 ready = 0;

	for (u32 i = 0; i < nr; i++) {
		struct poll_slot *s = &slots[i];

		if (!s->file) {
			ready += s->revents != 0;
			continue;
		}
		if (pw)
			pw->want = s->want;
		s->revents = file_poll(s->file, pw && !ready ? &pw->table : NULL) & s->want;
		ready += s->revents != 0;
	}
	return ready;
}

s64 poll_files(struct poll_slot *slots, u32 nr, u64 deadline_ns)
{
	struct poll_waiter pw;
	u32 ready;
	int err = 0;

	if (deadline_ns == 0)
		return poll_ask(slots, nr, NULL);
	pw.table.add = poll_add;
	pw.failed = false;
	pw.used = 0;
	pw.chunks = NULL;
	pw.triggered = false;
	ready = poll_ask(slots, nr, &pw);
	while (!ready && !err && !pw.failed) {
		wait_prepare();
		err = load_acquire(&pw.triggered) ? 0 : wait_sleep(deadline_ns);
		wait_finish();
		WRITE_ONCE(pw.triggered, false);
		smp_mb();
		ready = poll_ask(slots, nr, NULL);
	}
	poll_unregister(&pw);
	if (ready)
		return ready;
	if (pw.failed)
		return -ENOMEM;
	return err == -ETIMEDOUT ? 0 : err;
}
