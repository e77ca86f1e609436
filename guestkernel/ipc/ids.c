// SPDX-License-Identifier: Apache-2.0
/*
 * ids - numbers, keys and permissions of System V IPC objects
 *
 * See       ids.h
 */
#include "guestkernel/ipc/ids.h"

#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/capability.h"

int ipc_add(struct ipc_ids *ids, struct ipc_obj *o, s32 key, u32 mode)
{
	const struct cred *c = current_cred();
	u64 slot;
	int ret;

	if (ids->slots.count >= ids->max)
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
	return 0;
}

void ipc_remove(struct ipc_ids *ids, struct ipc_obj *o)
{
	xa_erase(&ids->slots, (u32)o->id % IPC_SLOTS);
}

struct ipc_obj *ipc_find_key(struct ipc_ids *ids, s32 key)
{
	struct ipc_obj *o;
	u64 i;

	xa_for_each (&ids->slots, i, o)
		if (o->perm.key == key)
			return o;
	return NULL;
}

int ipc_find_slot(struct ipc_ids *ids, s32 slot, struct ipc_obj **out)
{
	*out = slot < 0 ? NULL : xa_load(&ids->slots, (u32)slot % IPC_SLOTS);
	return *out ? 0 : -EINVAL;
}

int ipc_find(struct ipc_ids *ids, s32 id, struct ipc_obj **out)
{
	int ret = ipc_find_slot(ids, id, out);

	return !ret && (*out)->id != id ? -EINVAL : ret;
}

s32 ipc_last_slot(struct ipc_ids *ids)
{
	struct ipc_obj *o;
	s32 last = 0;
	u64 i;

	xa_for_each (&ids->slots, i, o)
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

int ipc_set_perm(struct ipc_obj *o, const struct ipc64_perm *p)
{
	if (p->uid == U32_MAX || p->gid == U32_MAX)
		return -EINVAL;
	o->perm.uid = p->uid;
	o->perm.gid = p->gid;
	o->perm.mode = (o->perm.mode & ~0777u) | (p->mode & 0777);
	return 0;
}
