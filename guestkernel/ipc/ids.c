// SPDX-License-Identifier: Apache-2.0
/*
 * ids - numbers, keys and permissions of System V IPC objects
 *
 * See       ids.h
 */
#include "guestkernel/ipc/ids.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"

struct ipc_ns ipc_ns_init = {
	.ns = {.refs = { ATOMIC_INIT(REFS_SATURATED) }, .kind = NS_IPC, .ino = 4026531839ull},
};
/* Owns segments that outlived their namespace. */
static struct ipc_ns orphans;

static struct ipc_ns *current_ipc_ns(void)
{
	return container_of(current_ns(NS_IPC), struct ipc_ns, ns);
}

static void ipc_ns_free(struct ns *ns)
{
	struct ipc_ns *in = container_of(ns, struct ipc_ns, ns);

	msg_ns_gone(in);
	sem_ns_gone(in);
	shm_ns_gone(in);
	kfree(in);
}

int ipc_ns_create(struct ns *from, struct ns **out)
{
	struct ipc_ns *in = knew(struct ipc_ns);

	if (!in)
		return -ENOMEM;
	ns_init(&in->ns, NS_IPC, ipc_ns_free);
	*out = &in->ns;
	return 0;
}

struct ipc_usage *ipc_usage(const struct ipc_ids *ids)
{
	return &current_ipc_ns()->usage[ids->kind];
}

struct ipc_obj *ipc_first_of(struct ipc_ids *ids, const struct ipc_ns *ns)
{
	struct ipc_obj *o;
	u64 i;

	xa_for_each (&ids->slots, i, o)
		if (o->ns == ns)
			return o;
	return NULL;
}

void ipc_orphan(struct ipc_obj *o, u64 amount)
{
	ipc_usage_of(o)->nr--;
	ipc_usage_of(o)->amount -= amount;
	o->ns = &orphans;
	ipc_usage_of(o)->nr++;
	ipc_usage_of(o)->amount += amount;
}

int ipc_add(struct ipc_ids *ids, struct ipc_obj *o, s32 key, u32 mode)
{
	const struct cred *c = current_cred();
	u64 slot;
	int ret;

	if (ipc_usage(ids)->nr >= (u32)READ_ONCE(*ids->max))
		return -ENOSPC;
	ret = xa_alloc(&ids->slots, 0, IPC_SLOTS - 1, o, &slot);
	if (ret)
		return ret;
	o->perm = (struct ipc64_perm){
		.key = key,
		.uid = c->euid,
		.gid = c->egid,
		.cuid = c->euid,
		.cgid = c->egid,
		.mode = mode & 0777,
		.seq = (u16)ids->seq,
	};
	o->id = (s32)(ids->seq * IPC_SLOTS + (u32)slot);
	ids->seq = (ids->seq + 1) & 0xffff;
	o->kind = ids->kind;
	o->ns = current_ipc_ns();
	ipc_usage_of(o)->nr++;
	return 0;
}

void ipc_remove(struct ipc_ids *ids, struct ipc_obj *o)
{
	ipc_usage_of(o)->nr--;
	xa_erase(&ids->slots, (u32)o->id % IPC_SLOTS);
}

struct ipc_obj *ipc_find_key(struct ipc_ids *ids, s32 key)
{
	const struct ipc_ns *ns = current_ipc_ns();
	struct ipc_obj *o;
	u64 i;

	xa_for_each (&ids->slots, i, o)
		if (o->perm.key == key && o->ns == ns)
			return o;
	return NULL;
}

int ipc_find_slot(struct ipc_ids *ids, s32 slot, struct ipc_obj **out)
{
	*out = slot < 0 ? NULL : xa_load(&ids->slots, (u32)slot % IPC_SLOTS);
	return *out && (*out)->ns == current_ipc_ns() ? 0 : -EINVAL;
}

int ipc_find(struct ipc_ids *ids, s32 id, struct ipc_obj **out)
{
	int ret = ipc_find_slot(ids, id, out);

	return !ret && (*out)->id != id ? -EINVAL : ret;
}

s32 ipc_last_slot(struct ipc_ids *ids)
{
	const struct ipc_ns *ns = current_ipc_ns();
	struct ipc_obj *o;
	s32 last = 0;
	u64 i;

	xa_for_each (&ids->slots, i, o)
		if (o->ns == ns)
			last = (s32)i;
	return last;
}

int ipc_may_use(const struct ipc_obj *o, u32 mode)
{
	const struct cred *c = current_cred();
	u32 want = (mode >> 6) | (mode >> 3) | mode;
	u32 have = o->perm.mode;

	if (c->euid == o->perm.cuid || c->euid == o->perm.uid)
		have >>= 6;
	else if (cred_in_group(c, o->perm.cgid) || cred_in_group(c, o->perm.gid))
		have >>= 3;
	return (want & ~have & 7) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_may_change(const struct ipc_obj *o)
{
	u32 uid = current_cred()->euid;

	return uid == o->perm.cuid || uid == o->perm.uid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_find_to_stat(struct ipc_ids *ids, s32 id, bool by_number, u32 mode, struct ipc_obj **out)
{
	int ret = by_number ? ipc_find(ids, id, out) : ipc_find_slot(ids, id, out);

	return !ret && mode ? ipc_may_use(*out, mode) : ret;
}

int ipc_find_to_change(struct ipc_ids *ids, s32 id, struct ipc_obj **out)
{
	int ret = ipc_find(ids, id, out);

	return ret ? ret : ipc_may_change(*out);
}

int ipc_set_perm(struct ipc_obj *o, const struct ipc64_perm *p)
{
	if (p->uid == U32_MAX || p->gid == U32_MAX)
		return -EINVAL;
	o->perm.uid = p->uid;
	o->perm.gid = p->gid;
	o->perm.mode = (o->perm.mode & ~0777u) | (p->mode & 0777);
	return 0;
}
