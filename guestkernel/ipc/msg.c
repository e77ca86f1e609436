// SPDX-License-Identifier: Apache-2.0
/*
 * msg - System V message queues
 *
 * Role      See msg.h. Text is copied from and to applications outside, in sys/sys_ipc.c.
 * Rules     A sleeper holds a reference; a removed queue has lost its number and its messages, and whoever
 *           wakes up in it gets EIDRM.
 * Locking   ids.lock (RANK_OBJECT) covers all queues.
 * Missing   MSG_COPY.
 * See       msgop(2), msgctl(2)
 */
#include "guestkernel/ipc/msg.h"

#include "guestkernel/ipc/ids.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/capability.h"

struct msg {
	size_t len;
	struct user_account *payer; /* the sender */
	struct msg_text body;
};

struct msg_queue {
	struct ipc_obj obj;
	u32 refs; /* [ids.lock] the number and the sleepers */
	bool is_removed;
	struct user_account *payer;
	struct list messages;
	u64 bytes, count, max_bytes;
	s64 stime, rtime, ctime;
	s32 last_sender, last_receiver;
	struct waitq senders, receivers;
};

static struct ipc_ids ids = IPC_IDS_INIT(RANK_OBJECT, &ipc_limits.msg_mni, IPC_MSG);

static struct msg *msg_of(struct msg_text *t)
{
	return container_of(t, struct msg, body);
}

static struct msg_queue *queue_of(struct ipc_obj *o)
{
	return container_of(o, struct msg_queue, obj);
}

static s64 now_s(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

static struct msg_queue *queue_new(void)
{
	struct user_account *payer;
	struct msg_queue *q;

	if (charge_kmem(sizeof *q, &payer) < 0)
		return NULL;
	q = knew(struct msg_queue);
	if (!q) {
		charge_release(payer, CHARGE_KMEM, sizeof *q);
		return NULL;
	}
	q->payer = payer;
	q->refs = 1;
	list_init(&q->messages);
	q->max_bytes = (u64)READ_ONCE(ipc_limits.msg_mnb);
	q->ctime = now_s();
	waitq_init(&q->senders);
	waitq_init(&q->receivers);
	return q;
}

/* [ids.lock] */
static void queue_put(struct msg_queue *q)
{
	if (--q->refs)
		return;
	charge_release(q->payer, CHARGE_KMEM, sizeof *q);
	kfree(q);
}

s64 msg_get(s32 key, u32 flags)
{
	struct msg_queue *fresh = queue_new();
	struct ipc_obj *o = NULL;
	s64 ret;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&ids.lock);
	if (key != IPC_PRIVATE)
		o = ipc_find_key(&ids, key);
	if (o && (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		ret = -EEXIST;
	else if (o)
		ret = ipc_may_use(o, flags);
	else if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		ret = -ENOENT;
	else
		ret = ipc_add(&ids, &fresh->obj, key, flags);
	if (!ret)
		ret = o ? o->id : fresh->obj.id;
	if (o || ret < 0)
		queue_put(fresh);
	spin_unlock(&ids.lock);
	return ret;
}

int msg_alloc(size_t n, struct msg_text **out)
{
	struct user_account *payer;
	struct msg *m;
	int ret;

	if (n > (size_t)READ_ONCE(ipc_limits.msg_max))
		return -EINVAL;
	ret = charge_kmem(sizeof *m + n, &payer);
	if (ret)
		return ret;
	m = kmalloc(sizeof *m + n);
	if (!m) {
		charge_release(payer, CHARGE_KMEM, sizeof *m + n);
		return -ENOMEM;
	}
	m->payer = payer;
	m->len = n;
	*out = &m->body;
	return 0;
}

/* [ids.lock] */
static int find(s32 id, u32 mode, struct msg_queue **out)
{
	struct ipc_obj *o;
	int ret = ipc_find(&ids, id, &o);

	if (!ret)
		ret = ipc_may_use(o, mode);
	if (!ret)
		*out = queue_of(o);
	return ret;
}

static int queue_wait(struct msg_queue *q, struct waitq *w) REQUIRES(ids.lock)
{
	int ret;

	q->refs++;
	ret = wait_on(w, &ids.lock);
	if (q->is_removed)
		ret = -EIDRM;
	else if (ret)
		ret = -ERESTARTNOHAND;
	queue_put(q);
	return ret;
}

int msg_send(s32 id, struct msg_text *m, size_t n, u32 flags)
{
	struct msg_queue *q = NULL;
	int ret;

	if (m->type < 1)
		return -EINVAL;
	spin_lock(&ids.lock);
	ret = find(id, 0222, &q);
	while (!ret && (q->bytes + n > q->max_bytes || q->count + 1 > q->max_bytes))
		ret = flags & IPC_NOWAIT ? -EAGAIN : queue_wait(q, &q->senders);
	if (!ret) {
		list_add_tail(&q->messages, &m->link);
		q->bytes += n;
		q->count++;
		ipc_usage_of(&q->obj)->amount += n;
		ipc_usage_of(&q->obj)->count++;
		q->stime = now_s();
		q->last_sender = current_tgid();
		wake_all(&q->receivers);
	}
	spin_unlock(&ids.lock);
	return ret;
}

/* [ids.lock] */
static struct msg_text *choose(struct msg_queue *q, s64 type, u32 flags)
{
	struct msg_text *m, *best = NULL;

	list_for_each_entry (m, &q->messages, link) {
		if (type == 0)
			return m;
		if (type > 0 && (m->type == type) == !(flags & MSG_EXCEPT))
			return m;
		if (type < 0 && (u64)m->type <= 0 - (u64)type && (!best || m->type < best->type))
			best = m;
	}
	return best;
}

int msg_receive(s32 id, size_t max, s64 type, u32 flags, struct msg_text **out, size_t *n)
{
	struct msg_text *m = NULL;
	struct msg_queue *q = NULL;
	int ret;

	if (flags & MSG_COPY)
		return -ENOSYS;
	spin_lock(&ids.lock);
	ret = find(id, 0444, &q);
	while (!ret && (m = choose(q, type, flags)) == NULL)
		ret = flags & IPC_NOWAIT ? -ENOMSG : queue_wait(q, &q->receivers);
	if (!ret && msg_of(m)->len > max && !(flags & MSG_NOERROR))
		ret = -E2BIG;
	if (!ret) {
		list_del(&m->link);
		*n = MIN(msg_of(m)->len, max);
		*out = m;
		q->bytes -= msg_of(m)->len;
		q->count--;
		ipc_usage_of(&q->obj)->amount -= msg_of(m)->len;
		ipc_usage_of(&q->obj)->count--;
		q->rtime = now_s();
		q->last_receiver = current_tgid();
		wake_all(&q->senders);
	}
	spin_unlock(&ids.lock);
	return ret;
}

void msg_free(struct msg_text *t)
{
	struct msg *m = msg_of(t);

	charge_release(m->payer, CHARGE_KMEM, sizeof *m + m->len);
	kfree(m);
}

static void fill(const struct msg_queue *q, struct msqid64_ds *out)
{
	*out = (struct msqid64_ds){
		.msg_perm = q->obj.perm,
		.msg_stime = q->stime,
		.msg_rtime = q->rtime,
		.msg_ctime = q->ctime,
		.msg_cbytes = q->bytes,
		.msg_qnum = q->count,
		.msg_qbytes = q->max_bytes,
		.msg_lspid = q->last_sender,
		.msg_lrpid = q->last_receiver,
	};
}

s64 msg_stat(s32 id, u32 cmd, struct msqid64_ds *out)
{
	struct ipc_obj *o;
	s64 ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_stat(&ids, id, cmd == IPC_STAT, cmd == MSG_STAT_ANY ? 0 : 0444, &o);
	if (!ret) {
		fill(queue_of(o), out);
		ret = cmd == IPC_STAT ? 0 : o->id;
	}
	spin_unlock(&ids.lock);
	return ret;
}

int msg_set(s32 id, const struct msqid64_ds *ds)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret && ds->msg_qbytes > (u64)READ_ONCE(ipc_limits.msg_mnb) &&
	    !capable(CAP_SYS_RESOURCE))
		ret = -EPERM;
	if (!ret)
		ret = ipc_set_perm(o, &ds->msg_perm);
	if (!ret) {
		queue_of(o)->max_bytes = ds->msg_qbytes;
		queue_of(o)->ctime = now_s();
		wake_all(&queue_of(o)->senders);
	}
	spin_unlock(&ids.lock);
	return ret;
}

/* [ids.lock] */
static void remove_queue(struct ipc_obj *o)
{
	struct msg_queue *q = queue_of(o);
	struct msg_text *m, *tmp;

	ipc_usage_of(o)->amount -= q->bytes;
	ipc_usage_of(o)->count -= q->count;
	ipc_remove(&ids, o);
	list_for_each_entry_safe (m, tmp, &q->messages, link)
		msg_free(m);
	list_init(&q->messages);
	q->is_removed = true;
	wake_all(&q->senders);
	wake_all(&q->receivers);
	queue_put(q);
}

int msg_remove(s32 id)
{
	struct ipc_obj *o;
	int ret;

	spin_lock(&ids.lock);
	ret = ipc_find_to_change(&ids, id, &o);
	if (!ret)
		remove_queue(o);
	spin_unlock(&ids.lock);
	return ret;
}

void msg_ns_gone(struct ipc_ns *ns)
{
	struct ipc_obj *o;

	spin_lock(&ids.lock);
	while ((o = ipc_first_of(&ids, ns)) != NULL)
		remove_queue(o);
	spin_unlock(&ids.lock);
}

s32 msg_info(struct msginfo *out, bool usage)
{
	s32 last;

	*out = (struct msginfo){
		.msgmax = ipc_limits.msg_max,
		.msgmnb = ipc_limits.msg_mnb,
		.msgmni = ipc_limits.msg_mni,
		.msgssz = 16,
		.msgseg = 0xffff,
	};
	spin_lock(&ids.lock);
	last = ipc_last_slot(&ids);
	out->msgpool = usage ? (s32)ipc_usage(&ids)->nr
			     : (s32)((s64)ipc_limits.msg_mni * ipc_limits.msg_mnb / 1024);
	out->msgmap = usage ? (s32)ipc_usage(&ids)->count : ipc_limits.msg_mnb;
	out->msgtql = usage ? (s32)ipc_usage(&ids)->amount : ipc_limits.msg_mnb;
	spin_unlock(&ids.lock);
	return last;
}
