// SPDX-License-Identifier: Apache-2.0
/*
 * ids - numbers, keys and permissions of System V IPC objects
 *
 * Role      What the kinds of objects (shm.c) share. An object embeds struct ipc_obj.
 * Rules     A number is sequence * IPC_SLOTS + slot, so that a reused slot has another number.
 * Locking   The lock of the table covers everything in it.
 * See       sysvipc(7)
 */
#pragma once

#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/uapi/ipc.h"

#define IPC_SLOTS 32768u

struct ipc_obj {
	struct ipc64_perm perm;
	s32 id;
};

struct ipc_ids {
	struct spinlock lock;
	struct xarray slots; /* [lock] of struct ipc_obj */
	u32 seq;	     /* [lock] of the next object */
	u32 max;	     /* [I] objects at a time */
};

#define IPC_IDS_INIT(rank, limit)                            \
	{                                                    \
		SPINLOCK_INIT(rank), XARRAY_INIT, 0, (limit) \
	}

/* All below: ids->lock held. */

/* Numbers a new object, which belongs to the caller. -ENOSPC at the limit. */
int must_check ipc_add(struct ipc_ids *ids, struct ipc_obj *o, s32 key, u32 mode);
void ipc_remove(struct ipc_ids *ids, struct ipc_obj *o);
struct ipc_obj *ipc_find_key(struct ipc_ids *ids, s32 key);
/* -EINVAL when there is none of this number. */
int must_check ipc_find(struct ipc_ids *ids, s32 id, struct ipc_obj **out);
/* Of the slot, as the *_STAT commands count. */
int must_check ipc_find_slot(struct ipc_ids *ids, s32 slot, struct ipc_obj **out);
/* Highest slot in use; 0 when there is none. */
s32 ipc_last_slot(struct ipc_ids *ids);

/* May the caller use o with these permission bits: 0 or -EACCES. */
int must_check ipc_may_use(const struct ipc_obj *o, u32 mode);
/* Is the caller its owner, for IPC_SET and IPC_RMID: 0 or -EPERM. */
int must_check ipc_may_change(const struct ipc_obj *o);
/* IPC_SET. */
int must_check ipc_set_perm(struct ipc_obj *o, const struct ipc64_perm *p);
