// SPDX-License-Identifier: Apache-2.0
/*
 * seccomp - see seccomp.h
 */
#include "guestkernel/task/seccomp.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/bpf.h"
#include "guestkernel/task/membarrier.h"

#define PATH_MAX_INSNS 32768
#define PATH_PENALTY   4 /* instructions each filter counts more */
#define DATA_WORDS     (sizeof(struct seccomp_data) / sizeof(u32))

struct seccomp_filter {
	struct refs refs;
	u32 len;
	u32 path; /* instructions from here to the oldest, with penalties */
	bool log;
	struct seccomp_filter *prev;
	struct user_account *payer;
	struct sock_filter code[];
};

static size_t filter_bytes(u32 len)
{
	return sizeof(struct seccomp_filter) + len * sizeof(struct sock_filter);
}

struct seccomp_filter *seccomp_filter_alloc(u32 len)
{
	struct user_account *payer;
	struct seccomp_filter *f;

	if (charge_kmem(filter_bytes(len), &payer) < 0)
		return NULL;
	f = kzalloc(filter_bytes(len));
	if (!f) {
		charge_release(payer, CHARGE_KMEM, filter_bytes(len));
		return NULL;
	}
	f->payer = payer;
	refs_init(&f->refs, 1);
	f->len = len;
	return f;
}

struct sock_filter *seccomp_filter_code(struct seccomp_filter *f)
{
	return f->code;
}

u32 seccomp_filter_len(const struct seccomp_filter *f)
{
	return f->len;
}

void seccomp_filter_put(struct seccomp_filter *f)
{
	while (f && refs_put(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		charge_release(f->payer, CHARGE_KMEM, filter_bytes(f->len));
		kfree(f);
		f = prev;
	}
}

static bool has_filter(const struct task *t, const struct seccomp_filter *wanted)
{
	const struct seccomp_filter *f = t->seccomp.filter;

	while (f && f != wanted)
		f = f->prev;
	return f == wanted;
}

/* [T S] Another thread whose filters are not among the current one's. */
static struct task *find_stranger_locked(struct tgroup *g)
{
	struct task *t, *me = current();

	list_for_each_entry (t, &g->threads, thread_link)
		if (t != me && !t->exited && t->seccomp.filter &&
		    !has_filter(me, t->seccomp.filter))
			return t;
	return NULL;
}

/* [T S] */
static void give_locked(struct task *t, struct seccomp_filter *f)
{
	struct seccomp_filter *old = t->seccomp.filter;

	refs_get(&f->refs);
	WRITE_ONCE(t->seccomp.filter, f);
	WRITE_ONCE(t->seccomp.mode, SECCOMP_MODE_FILTER);
	seccomp_filter_put(old); /* f leads to it, so that t may still be using it */
}

/* [T S] The others' calls are judged from the barrier on that follows. */
static void give_others_locked(struct tgroup *g)
{
	struct task *t, *me = current();

	list_for_each_entry (t, &g->threads, thread_link) {
		if (t == me || t->exited)
			continue;
		give_locked(t, me->seccomp.filter);
		if (me->no_new_privs)
			WRITE_ONCE(t->no_new_privs, true);
	}
}

/* Calls that are not looked at one by one: see trap_syscall(). */
static void stop_quick_calls(struct tgroup *g)
{
	struct task *t;

	membarrier_others(false);
	spin_lock(&tasklist_lock);
	list_for_each_entry (t, &g->threads, thread_link)
		WRITE_ONCE(t->quick_nr, 0);
	spin_unlock(&tasklist_lock);
}

static s64 add_locked(struct tgroup *g, struct seccomp_filter *f, u32 flags)
{
	struct seccomp *s = &current()->seccomp;
	struct task *stranger;

	if (s->mode == SECCOMP_MODE_STRICT)
		return -EINVAL;
	f->path = f->len + (s->filter ? s->filter->path + PATH_PENALTY : 0);
	if (f->path > PATH_MAX_INSNS)
		return -ENOMEM;
	stranger = flags & SECCOMP_FILTER_FLAG_TSYNC ? find_stranger_locked(g) : NULL;
	if (stranger)
		return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : stranger->tid;
	f->prev = s->filter;
	f->log = flags & SECCOMP_FILTER_FLAG_LOG;
	WRITE_ONCE(s->filter, f);
	WRITE_ONCE(s->mode, SECCOMP_MODE_FILTER);
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		give_others_locked(g);
	return 0;
}

s64 seccomp_add(struct seccomp_filter *f, u32 flags)
{
	struct tgroup *g = current_group();
	s64 r = bpf_check(f->code, f->len, DATA_WORDS);

	if (r == 0) {
		spin_lock(&tasklist_lock);
		spin_lock(&g->lock);
		r = add_locked(g, f, flags);
		spin_unlock(&g->lock);
		spin_unlock(&tasklist_lock);
	}
	if (r)
		seccomp_filter_put(f);
	else if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		stop_quick_calls(g);
	return r;
}

int seccomp_set_strict(void)
{
	struct task *t = current();

	if (t->seccomp.mode == SECCOMP_MODE_FILTER)
		return -EINVAL;
	spin_lock(&t->group->lock);
	WRITE_ONCE(t->seccomp.mode, SECCOMP_MODE_STRICT);
	spin_unlock(&t->group->lock);
	return 0;
}

void seccomp_inherit_locked(struct task *child)
{
	struct task *me = current();

	child->no_new_privs = me->no_new_privs;
	child->seccomp = me->seccomp;
	if (child->seccomp.filter)
		refs_get(&child->seccomp.filter->refs);
}

void seccomp_exit(struct task *t)
{
	seccomp_filter_put(t->seccomp.filter);
	t->seccomp.filter = NULL;
}

u32 seccomp_filter_count(struct task *t)
{
	const struct seccomp_filter *f;
	u32 n = 0;

	spin_lock(&t->group->lock);
	for (f = t->seccomp.filter; f; f = f->prev)
		n++;
	spin_unlock(&t->group->lock);
	return n;
}

struct seccomp_filter *seccomp_filter_get_locked(struct task *t, u64 index)
{
	struct seccomp_filter *f;
	u64 n = 0;

	for (f = t->seccomp.filter; f; f = f->prev)
		n++;
	if (index >= n)
		return NULL;
	for (f = t->seccomp.filter; n - index > 1; n--)
		f = f->prev;
	refs_get(&f->refs);
	return f;
}

u32 seccomp_run(const struct seccomp_data *data, bool *is_logged)
{
	const struct seccomp_filter *f;
	u32 words[DATA_WORDS], result = SECCOMP_RET_ALLOW;

	*is_logged = false;
	memcpy(words, data, sizeof *data);
	for (f = READ_ONCE(current()->seccomp.filter); f; f = f->prev) {
		u32 one = bpf_run(f->code, words, DATA_WORDS);

		/* KILL_PROCESS has the sign, and is the strictest */
		if ((s32)(one & SECCOMP_RET_ACTION_FULL) <
		    (s32)(result & SECCOMP_RET_ACTION_FULL)) {
			result = one;
			*is_logged = f->log;
		}
	}
	return result;
}
