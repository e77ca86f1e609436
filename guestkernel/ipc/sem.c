// SPDX-License-Identifier: Apache-2.0
/*
 * sem - System V semaphores
 *
 * Role      See sem.h.
 * Rules     The operations of one call happen all or not at all: they are tried in order on the values
 *           themselves and taken back when one of them cannot go on. Whoever changes a set completes the operations
 *           of its sleepers, first come first served (update()): a sleeper is told its result and tries nothing
 *           itself, so a value that comes and goes before it runs is not missed, nor is the end of the set.
 *           An undo entry belongs to one set and one list of tasks; whichever goes first takes it along.
 * Locking   ids.lock (RANK_OBJECT) covers all sets, values and undo entries.
 * See       semop(2), semctl(2)
 */
#include "guestkernel/ipc/sem.h"

#include "guestkernel/ipc/ids.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/wait.h"

#define ADJUST_MAX SEMVMX

struct sem {
	s32 value, pid;
	u32 ncnt, zcnt; /* sleepers that are stopped here */
};

/* INVARIANTS (ids.lock)
 * While the lock is free no sleeper's operations could be done: whoever changes a value calls update() before it lets
 * go. A sleeper on the list counts in ncnt or zcnt of the semaphore of its blocked operation; a sleeper that is
 * off the list has its result, and never looks at the set again, which may be gone. A set goes only when its number
 * goes, with all sleepers told and all undo entries freed. */
struct sem_set {
	struct ipc_obj obj;
	u32 n; /* [I] */
	s64 otime, ctime;
	struct list sleepers; /* struct sleeper, first come first */
	struct list undos;    /* sem_undo.set_link */
	struct user_account *payer;
	struct sem sem[];
};

struct sem_undo {
	struct list set_link, list_link;
	struct sem_set *set;
	struct user_account *payer;
	s16 adjust[];
};

/* What one call of semop() wants, and who calls. */
struct batch {
	const struct sembuf *op;
	u32 n;
	s32 tgid;
	bool alters, raises;
	struct sem_undo *undo;	      /* NULL: none of the operations has SEM_UNDO */
	const struct sembuf *blocked; /* of op[]: would wait */
};

#define SLEEPING 1 /* no result yet */

/* On the stack of the task that sleeps. */
struct sleeper {
	struct list link;
	struct waitq wait;
	struct batch batch;
	int result; /* SLEEPING, 0 or -errno */
};

struct sem_undo_list {
	struct refs refs;
	struct list undos; /* [ids.lock] sem_undo.list_link */
};

static struct ipc_ids ids = IPC_IDS_INIT(RANK_OBJECT, &ipc_limits.sem[3], IPC_SEM);

static struct sem_set *set_of(struct ipc_obj *o)
{
	return container_of(o, struct sem_set, obj);
}

static s64 now_s(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

static size_t set_bytes(u32 n)
{
	return sizeof(struct sem_set) + n * sizeof(struct sem);
}

static void set_free(struct sem_set *s)
{
	charge_release(s->payer, CHARGE_KMEM, set_bytes(s->n));
	kfree(s);
}

static int set_new(s32 n, struct sem_set **out)
{
	struct user_account *payer;
	struct sem_set *s;
	int ret;

	if (n <= 0)
		return -EINVAL;
	ret = charge_kmem(set_bytes((u32)n), &payer);
	if (ret)
		return ret;
	s = kzalloc(set_bytes((u32)n));
	if (!s) {
		charge_release(payer, CHARGE_KMEM, set_bytes((u32)n));
		return -ENOMEM;
	}
	s->payer = payer;
	s->n = (u32)n;
	s->ctime = now_s();
	list_init(&s->sleepers);
	list_init(&s->undos);
	*out = s;
	return 0;
}

static int check_existing(const struct ipc_obj *o, u32 have, s32 n, u32 flags)
{
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if ((u32)n > have)
		return -EINVAL;
	return ipc_may_use(o, flags);
}

s64 sem_get(s32 key, s32 n, u32 flags)
{
	struct sem_set *fresh = NULL;
	struct ipc_obj *o = NULL;
	int made = 0;
	s64 ret;

	if (n < 0 || (u32)n > IPC_SEM_MSL)
		return -EINVAL;
	if (key == IPC_PRIVATE || (flags & IPC_CREAT))
		made = set_new(n, &fresh);
	spin_lock(&ids.lock);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&ids, key);
	if (o)
		ret = check_existing(o, set_of(o)->n, n, flags);
	else if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		ret = -ENOENT;
	else
		ret = made ? made
		      : ipc_usage(&ids)->amount + fresh->n > IPC_SEM_MNS
			      ? -ENOSPC
			      : ipc_add(&ids, &fresh->obj, key, flags);
	if (!ret && !o)
		ipc_usage_of(&fresh->obj)->amount += fresh->n;
	if (!ret)
		ret = o ? o->id : fresh->obj.id;
	if (fresh && (o || ret < 0))
		set_free(fresh);
	spin_unlock(&ids.lock);
	return ret;
}

/* [ids.lock] */
static int find(s32 id, u32 mode, struct sem_set **out)
{
	struct ipc_obj *o;
	int ret = ipc_find(&ids, id, &o);

	if (!ret)
		ret = ipc_may_use(o, mode);
	if (!ret)
		*out = set_of(o);
	return ret;
}

/* SEM_UNDO. */

struct sem_undo_list *sem_undo_share(struct sem_undo_list **mine)
{
	struct sem_undo_list *l = *mine;

	if (!l) {
		l = knew(struct sem_undo_list);
		if (!l)
			return NULL;
		refs_init(&l->refs, 1);
		list_init(&l->undos);
		*mine = l;
	}
	refs_get(&l->refs);
	return l;
}

static size_t undo_bytes(const struct sem_set *s)
{
	return sizeof(struct sem_undo) + s->n * sizeof(s16);
}

/* [ids.lock] */
static void undo_free(struct sem_undo *u)
{
	list_del(&u->set_link);
	list_del(&u->list_link);
	charge_release(u->payer, CHARGE_KMEM, undo_bytes(u->set));
	kfree(u);
}

/* [ids.lock] The entry of this list for the set, made when there is none. */
static int undo_find(struct sem_set *s, struct sem_undo_list *l, struct sem_undo **out)
{
	struct user_account *payer;
	struct sem_undo *u;
	int ret;

	list_for_each_entry (u, &l->undos, list_link)
		if (u->set == s) {
			*out = u;
			return 0;
		}
	ret = charge_kmem(undo_bytes(s), &payer);
	if (ret)
		return ret;
	u = kzalloc(undo_bytes(s));
	if (!u) {
		charge_release(payer, CHARGE_KMEM, undo_bytes(s));
		return -ENOMEM;
	}
	u->payer = payer;
	u->set = s;
	list_add(&s->undos, &u->set_link);
	list_add(&l->undos, &u->list_link);
	*out = u;
	return 0;
}

/* [ids.lock] The values were set from outside: nothing to undo any more. */
static void undo_clear(struct sem_set *s, u32 from, u32 n)
{
	struct sem_undo *u;

	list_for_each_entry (u, &s->undos, set_link)
		memset(u->adjust + from, 0, n * sizeof u->adjust[0]);
}

/* Operations. */

/* [ids.lock] One operation: 0, 1 when it would have to wait, -ERANGE. */
static int try_one(struct sem_set *s, const struct sembuf *op, struct sem_undo *u)
{
	struct sem *m = &s->sem[op->sem_num];
	s32 v = m->value + op->sem_op;

	if (op->sem_op == 0)
		return m->value != 0;
	if (v < 0)
		return 1;
	if (v > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		s32 a = u->adjust[op->sem_num] - op->sem_op;

		if (a < -ADJUST_MAX - 1 || a > ADJUST_MAX)
			return -ERANGE;
		u->adjust[op->sem_num] = (s16)a;
	}
	m->value = v;
	return 0;
}

static void take_back(struct sem_set *s, const struct sembuf *op, struct sem_undo *u)
{
	s->sem[op->sem_num].value -= op->sem_op;
	if (op->sem_op && (op->sem_flg & SEM_UNDO))
		u->adjust[op->sem_num] = (s16)(u->adjust[op->sem_num] + op->sem_op);
}

/* [ids.lock] All or nothing; b->blocked: the operation that would wait. */
static int try_all(struct sem_set *s, struct batch *b)
{
	u32 i, done;
	int ret = 0;

	for (done = 0; done < b->n; done++) {
		ret = try_one(s, &b->op[done], b->undo);
		if (ret)
			break;
	}
	if (ret) {
		b->blocked = &b->op[done];
		if (ret == SLEEPING && (b->blocked->sem_flg & IPC_NOWAIT))
			ret = -EAGAIN;
		while (done)
			take_back(s, &b->op[--done], b->undo);
		return ret;
	}
	for (i = 0; i < b->n; i++)
		s->sem[b->op[i].sem_num].pid = b->tgid;
	s->otime = now_s();
	return 0;
}

/* Where a sleeper that is stopped by this operation counts. */
static u32 *stopped_at(struct sem_set *s, const struct sembuf *op)
{
	return op->sem_op ? &s->sem[op->sem_num].ncnt : &s->sem[op->sem_num].zcnt;
}

/* [ids.lock] */
static void tell(struct sem_set *s, struct sleeper *w, int result)
{
	(*stopped_at(s, w->batch.blocked))--;
	list_del(&w->link);
	w->result = result;
	wake_all(&w->wait);
}

/* The operation alone could be done: cheaper than to try them all. */
static bool is_open(const struct sem_set *s, const struct sembuf *op)
{
	s32 value = s->sem[op->sem_num].value;

	return op->sem_op ? value + op->sem_op >= 0 : value == 0;
}

/* [ids.lock] False: it goes on sleeping. */
static bool complete(struct sem_set *s, struct sleeper *w)
{
	const struct sembuf *was = w->batch.blocked;
	int ret;

	if (!is_open(s, was))
		return false;
	ret = try_all(s, &w->batch);
	if (ret == SLEEPING) {
		(*stopped_at(s, was))--;
		(*stopped_at(s, w->batch.blocked))++;
		return false;
	}
	w->batch.blocked = was;
	tell(s, w, ret);
	return true;
}

/* [ids.lock] Values have changed: completes what can be done now. Those that change nothing come first, as on Linux. After
 * one that only lowers values, sleepers before it can have been waiting for zero only: one more round at the end. */
static void update(struct sem_set *s)
{
	struct sleeper *w, *tmp;
	bool again, raises;

	do {
		again = false;
		list_for_each_entry_safe (w, tmp, &s->sleepers, link)
			if (!w->batch.alters)
				complete(s, w);
		list_for_each_entry_safe (w, tmp, &s->sleepers, link) {
			raises = w->batch.raises;
			if (!w->batch.alters || !complete(s, w))
				continue;
			again = true;
			if (raises)
				break;
		}
	} while (again);
}

/* The batch would wait at b->blocked. */
static int sleep(struct sem_set *s, const struct batch *b, u64 deadline_ns) REQUIRES(ids.lock)
{
	struct sleeper w = { .batch = *b, .result = SLEEPING };
	int ret = 0;

	waitq_init(&w.wait);
	list_add_tail(&s->sleepers, &w.link);
	(*stopped_at(s, b->blocked))++;
	while (w.result == SLEEPING && !ret)
		ret = wait_on_until(&w.wait, &ids.lock, deadline_ns);
	if (w.result == SLEEPING) /* so it is on the list, and the set is there */
		tell(s, &w, ret == -ETIMEDOUT ? -EAGAIN : -EINTR);
	return w.result;
}

/* [ids.lock] */
static int check_ops(const struct sem_set *s, const struct sembuf *op, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (op[i].sem_num >= s->n)
			return -EFBIG;
	return 0;
}

static int operate(s32 id, struct batch *b, struct sem_undo_list *undos, u64 deadline_ns)
	REQUIRES(ids.lock)
{
	struct sem_set *s = NULL;
	int ret = find(id, 0, &s);

	if (!ret)
		ret = check_ops(s, b->op, b->n);
	if (!ret)
		ret = ipc_may_use(&s->obj, b->alters ? 0222 : 0444);
	if (!ret && undos)
		ret = undo_find(s, undos, &b->undo);
	if (!ret)
		ret = try_all(s, b);
	if (ret == SLEEPING)
		return sleep(s, b, deadline_ns);
	if (!ret && b->alters)
		update(s);
	return ret;
}

int sem_operate(s32 id, const struct sembuf *op, u32 n, u64 deadline_ns,
		struct sem_undo_list **mine)
{
	struct batch b = { .op = op, .n = n, .tgid = current_tgid() };
	struct sem_undo_list *l = NULL;
	bool undoes = false;
	int ret;
	u32 i;

	for (i = 0; i < n; i++) {
		b.alters |= op[i].sem_op != 0;
		b.raises |= op[i].sem_op > 0;
		undoes |= op[i].sem_op != 0 && (op[i].sem_flg & SEM_UNDO);
	}
	if (undoes) {
		l = sem_undo_share(mine);
		if (!l)
			return -ENOMEM;
	}
	spin_lock(&ids.lock);
	ret = operate(id, &b, l, deadline_ns);
	spin_unlock(&ids.lock);
	if (l)
		sem_undo_put(l);
	return ret;
}

/* [ids.lock] */
static void undo_apply(struct sem_undo *u)
{
	struct sem_set *s = u->set;
	u32 i;

	for (i = 0; i < s->n; i++) {
		s32 v = s->sem[i].value + u->adjust[i];

		if (!u->adjust[i])
			continue;
		s->sem[i].value = v < 0 ? 0 : MIN(v, SEMVMX);
		s->sem[i].pid = current_tgid();
	}
	s->otime = now_s();
	undo_free(u);
	update(s);
}

void sem_undo_put(struct sem_undo_list *l)
{
	struct sem_undo *u;

	if (!refs_put(&l->refs))
		return;
	spin_lock(&ids.lock);
	while ((u = list_first(&l->undos, struct sem_undo, list_link)) != NULL)
		undo_apply(u);
	spin_unlock(&ids.lock);
	kfree(l);
}

/* semctl(2). */

s64 sem_read(s32 id, u32 index, u32 cmd)
{
	struct sem_set *s;
	s64 ret;

	spin_lock(&ids.lock);
	ret = find(id, 0444, &s);
	if (!ret && index >= s->n)
		ret = -EINVAL;
	if (!ret) {
		const struct sem *m = &s->sem[index];

		ret = cmd == GETVAL    ? m->value
		      : cmd == GETPID  ? m->pid
		      : cmd == GETNCNT ? (s64)m->ncnt
				       : (s64)m->zcnt;
	}
	spin_unlock(&ids.lock);
	return ret;
}

int sem_set_value(s32 id, s32 index, s32 value)
{
	struct sem_set *s;
	int ret;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	spin_lock(&ids.lock);
	ret = find(id, 0222, &s);
	if (!ret && (u32)index >= s->n)
		ret = -EINVAL;
	if (!ret) {
		s->sem[index].value = value;
		s->sem[index].pid = current_tgid();
		undo_clear(s, (u32)index, 1);
		s->ctime = now_s();
		update(s);
	}
	spin_unlock(&ids.lock);
	return ret;
}

s64 sem_count(s32 id, u32 mode)
{
	struct sem_set *s;
	s64 ret;

	spin_lock(&ids.lock);
	ret = find(id, mode, &s);
	if (!ret)
		ret = s->n;
	spin_unlock(&ids.lock);
	return ret;
}

int sem_get_all(s32 id, u16 *values, u32 n)
{
	struct sem_set *s;
	int ret;
	u32 i;

	spin_lock(&ids.lock);
	ret = find(id, 0444, &s);
	if (!ret && s->n != n)
		ret = -EIDRM;
	for (i = 0; !ret && i < n; i++)
		values[i] = (u16)s->sem[i].value;
	spin_unlock(&ids.lock);
	return ret;
}

int sem_set_all(s32 id, const u16 *values, u32 n)
{
	struct sem_set *s;
	int ret;
	u32 i;

	for (i = 0; i < n; i++)
		if (values[i] > SEMVMX)
			return -ERANGE;
	spin_lock(&ids.lock);
	ret = find(id, 0222, &s);
	if (!ret && s->n != n)
		ret = -EIDRM;
	if (!ret) {
		for (i = 0; i < n; i++) {
			s->sem[i].value = values[i];
			s->sem[i].pid = current_tgid();
		}
		undo_clear(s, 0, n);
		s->ctime = now_s();
		update(s);
	}
	spin_unlock(&ids.lock);
	return ret;
}

s64 sem_stat(s32 id, u32 cmd, struct semid64_ds *out)
{
	struct ipc_obj *o;
	s64 ret;

	memset(out, 0, sizeof *out);
	spin_lock(&ids.lock);
	ret = ipc_find_to_stat(&ids, id, cmd == IPC_STAT, cmd == SEM_STAT_ANY ? 0 : 0444, &o);
	if (!ret) {
		out->sem_perm = o->perm;
		out->sem_otime = set_of(o)->otime;
		out->sem_ctime = set_of(o)->ctime;
		out->sem_nsems = set_of(o)->n;
		ret = cmd == IPC_STAT ? 0 : o->id;
	}
	spin_unlock(&ids.lock);
	return ret;
}

int sem_set(s32 id, const struct semid64_ds *ds)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret)
		ret = ipc_set_perm(o, &ds->sem_perm);
	if (!ret)
		set_of(o)->ctime = now_s();
	spin_unlock(&ids.lock);
	return ret;
}

/* [ids.lock] */
static void remove_set(struct ipc_obj *o)
{
	struct sem_set *s = set_of(o);
	struct sem_undo *u;
	struct sleeper *w;

	ipc_usage_of(o)->amount -= s->n;
	ipc_remove(&ids, o);
	while ((u = list_first(&s->undos, struct sem_undo, set_link)) != NULL)
		undo_free(u);
	while ((w = list_first(&s->sleepers, struct sleeper, link)) != NULL)
		tell(s, w, -EIDRM);
	set_free(s);
}

int sem_remove(s32 id)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret)
		remove_set(o);
	spin_unlock(&ids.lock);
	return ret;
}

void sem_ns_gone(struct ipc_ns *ns)
{
	struct ipc_obj *o;

	spin_lock(&ids.lock);
	while ((o = ipc_first_of(&ids, ns)) != NULL)
		remove_set(o);
	spin_unlock(&ids.lock);
}

s32 sem_info(struct seminfo *out, bool usage)
{
	s32 last;

	*out = (struct seminfo){
		.semmap = (s32)IPC_SEM_MNS,
		.semmni = (s32)IPC_SEM_MNI,
		.semmns = (s32)IPC_SEM_MNS,
		.semmnu = (s32)IPC_SEM_MNS,
		.semmsl = (s32)IPC_SEM_MSL,
		.semopm = (s32)IPC_SEM_OPM,
		.semume = (s32)IPC_SEM_OPM,
		.semvmx = SEMVMX,
	};
	spin_lock(&ids.lock);
	last = ipc_last_slot(&ids);
	out->semusz = usage ? (s32)ipc_usage(&ids)->nr : 20;
	out->semaem = usage ? (s32)ipc_usage(&ids)->amount : SEMVMX;
	spin_unlock(&ids.lock);
	return last;
}
