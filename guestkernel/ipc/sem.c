// SPDX-License-Identifier: Apache-2.0
/*
 * sem - System V semaphores
 *
 * Role      See sem.h.
 * Rules     The operations of one call happen all or not at all: they are tried in order on the values
 *           themselves and taken back when one of them cannot go on. A sleeper counts in ncnt or zcnt of the
 *           semaphore that stopped it, holds a reference on the set, and tries again whenever the set changed.
 *           An undo entry belongs to one set and one list of tasks; whichever goes first takes it along.
 * Locking   ids.lock (RANK_OBJECT) covers all sets, values and undo entries.
 * See       semop(2), semctl(2)
 */
#include "guestkernel/ipc/sem.h"

#include "guestkernel/ipc/ids.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/refs.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/wait.h"

#define SEM_TOTAL_MAX 1024000000
#define ADJUST_MAX    SEMVMX

struct sem {
	s32 value, pid;
	u32 ncnt, zcnt;
};

struct sem_set {
	struct ipc_obj obj;
	u32 refs; /* [ids.lock] the number and the sleepers */
	bool is_removed;
	u32 n; /* [I] */
	s64 otime, ctime;
	struct waitq changed;
	struct list undos; /* sem_undo.set_link */
	struct sem sem[];
};

struct sem_undo {
	struct list set_link, list_link;
	struct sem_set *set;
	s16 adjust[];
};

struct sem_undo_list {
	struct refs refs;
	struct list undos; /* [ids.lock] sem_undo.list_link */
};

static struct ipc_ids ids = IPC_IDS_INIT(RANK_OBJECT, SEMMNI, IPC_SEM);

static struct sem_set *set_of(struct ipc_obj *o)
{
	return container_of(o, struct sem_set, obj);
}

static s64 now_s(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

/* [ids.lock] */
static void set_put(struct sem_set *s)
{
	if (--s->refs == 0)
		kfree(s);
}

static int set_new(s32 n, struct sem_set **out)
{
	struct sem_set *s;

	if (n <= 0)
		return -EINVAL;
	s = kzalloc(sizeof *s + (size_t)n * sizeof s->sem[0]);
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->n = (u32)n;
	s->ctime = now_s();
	waitq_init(&s->changed);
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

	if (n < 0 || n > SEMMSL)
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
		ret = made ? made : ipc_add(&ids, &fresh->obj, key, flags);
	if (!ret && !o)
		ipc_usage_of(&fresh->obj)->amount += fresh->n;
	if (!ret)
		ret = o ? o->id : fresh->obj.id;
	if (fresh && (o || ret < 0))
		set_put(fresh);
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

/* [ids.lock] */
static void undo_free(struct sem_undo *u)
{
	list_del(&u->set_link);
	list_del(&u->list_link);
	kfree(u);
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
	wake_all(&s->changed);
	undo_free(u);
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

/* [ids.lock] The entry of this list for the set, made when there is none. */
static int undo_find(struct sem_set *s, struct sem_undo_list *l, struct sem_undo **out)
{
	struct sem_undo *u;

	list_for_each_entry (u, &l->undos, list_link)
		if (u->set == s) {
			*out = u;
			return 0;
		}
	u = kzalloc(sizeof *u + s->n * sizeof u->adjust[0]);
	if (!u)
		return -ENOMEM;
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

/* [ids.lock] All or nothing; *blocked: the operation that would wait. */
static int try_all(struct sem_set *s, const struct sembuf *op, u32 n, struct sem_undo *u,
		   const struct sembuf **blocked)
{
	u32 i, done;
	int ret = 0;

	for (done = 0; done < n; done++) {
		ret = try_one(s, &op[done], u);
		if (ret)
			break;
	}
	if (ret) {
		*blocked = &op[done];
		while (done)
			take_back(s, &op[--done], u);
		return ret;
	}
	for (i = 0; i < n; i++)
		s->sem[op[i].sem_num].pid = current_tgid();
	s->otime = now_s();
	return 0;
}

static int set_wait(struct sem_set *s, const struct sembuf *op, u64 deadline_ns) REQUIRES(ids.lock)
{
	struct sem *m = &s->sem[op->sem_num];
	u32 *count = op->sem_op ? &m->ncnt : &m->zcnt;
	int ret;

	if (op->sem_flg & IPC_NOWAIT)
		return -EAGAIN;
	s->refs++;
	(*count)++;
	ret = wait_on_until(&s->changed, &ids.lock, deadline_ns);
	(*count)--;
	if (s->is_removed)
		ret = -EIDRM;
	else if (ret)
		ret = ret == -ETIMEDOUT ? -EAGAIN : -EINTR;
	set_put(s);
	return ret;
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

int sem_operate(s32 id, const struct sembuf *op, u32 n, u64 deadline_ns,
		struct sem_undo_list **mine)
{
	bool alters = false, undoes = false;
	const struct sembuf *blocked;
	struct sem_undo_list *l = NULL;
	struct sem_undo *u = NULL;
	struct sem_set *s;
	int ret;
	u32 i;

	for (i = 0; i < n; i++) {
		alters |= op[i].sem_op != 0;
		undoes |= op[i].sem_op != 0 && (op[i].sem_flg & SEM_UNDO);
	}
	if (undoes) {
		l = sem_undo_share(mine);
		if (!l)
			return -ENOMEM;
	}
	spin_lock(&ids.lock);
	ret = find(id, 0, &s);
	if (!ret)
		ret = check_ops(s, op, n);
	if (!ret)
		ret = ipc_may_use(&s->obj, alters ? 0222 : 0444);
	while (!ret) {
		if (undoes)
			ret = undo_find(s, l, &u);
		if (!ret)
			ret = try_all(s, op, n, u, &blocked);
		if (ret <= 0)
			break;
		ret = set_wait(s, blocked, deadline_ns);
	}
	if (!ret && alters)
		wake_all(&s->changed);
	spin_unlock(&ids.lock);
	if (l)
		sem_undo_put(l);
	return ret;
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
		wake_all(&s->changed);
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
		wake_all(&s->changed);
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

	ipc_usage_of(o)->amount -= s->n;
	ipc_remove(&ids, o);
	while ((u = list_first(&s->undos, struct sem_undo, set_link)) != NULL)
		undo_free(u);
	s->is_removed = true;
	wake_all(&s->changed);
	set_put(s);
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
		.semmap = SEM_TOTAL_MAX,
		.semmni = SEMMNI,
		.semmns = SEM_TOTAL_MAX,
		.semmnu = SEM_TOTAL_MAX,
		.semmsl = SEMMSL,
		.semopm = SEMOPM,
		.semume = SEMOPM,
		.semvmx = SEMVMX,
	};
	spin_lock(&ids.lock);
	last = ipc_last_slot(&ids);
	out->semusz = usage ? (s32)ipc_usage(&ids)->nr : 20;
	out->semaem = usage ? (s32)ipc_usage(&ids)->amount : SEMVMX;
	spin_unlock(&ids.lock);
	return last;
}
