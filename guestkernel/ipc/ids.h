// SPDX-License-Identifier: Apache-2.0
/*
 * ids - numbers, keys and permissions of System V IPC objects
 *
 * Role      What the kinds of objects (shm.c) share. An object embeds struct ipc_obj.
 * Rules     A number is sequence * IPC_SLOTS + slot, so that a reused slot has another number. Every object belongs
 *           to an IPC namespace and is found by tasks in it only; limits and usage count per namespace.
 * Locking   The lock of the table covers everything in it.
 * Missing   Namespaces share the numbers: the first object of one need not have number 0, and all together have at
 *           most IPC_SLOTS objects of a kind.
 * See       sysvipc(7), ipc_namespaces(7)
 */
#pragma once

#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/ns.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/uapi/ipc.h"

#define IPC_SLOTS 32768u

/* kernel.shm*, msg*, sem of /proc/sys. For all namespaces alike. */
extern struct ipc_limits {
	u64 shm_max, shm_all; /* bytes of a segment, pages of all */
	s32 shm_mni;
	s32 msg_max, msg_mnb, msg_mni; /* bytes of a message, of a queue; queues */
	s32 sem[4];		       /* of a set, of all, operations of a call, sets */
} ipc_limits;
#define IPC_SEM_MSL ((u32)READ_ONCE(ipc_limits.sem[0]))
#define IPC_SEM_MNS ((u32)READ_ONCE(ipc_limits.sem[1]))
#define IPC_SEM_OPM ((u32)READ_ONCE(ipc_limits.sem[2]))
#define IPC_SEM_MNI ((u32)READ_ONCE(ipc_limits.sem[3]))

enum ipc_kind { IPC_MSG, IPC_SEM, IPC_SHM, IPC_KINDS };

struct ipc_usage {
	u32 nr;	    /* objects */
	u64 amount; /* bytes of messages, semaphores, pages */
	u64 count;  /* messages */
};

struct ipc_ns {
	struct ns ns;
	struct ipc_usage usage[IPC_KINDS]; /* [lock of the kind's table] */
};

struct ipc_obj {
	struct ipc64_perm perm;
	s32 id;
	enum ipc_kind kind; /* [I] */
	struct ipc_ns *ns;  /* [lock of the table] weak: the end of a namespace ends its objects */
};

struct ipc_ids {
	struct spinlock lock;
	struct xarray slots; /* [lock] of struct ipc_obj */
	u32 seq;	     /* [lock] of the next object */
	const s32 *max;	     /* objects at a time in a namespace: in ipc_limits */
	enum ipc_kind kind;  /* [I] */
};

#define IPC_IDS_INIT(rank, limit, kind)                              \
	{                                                            \
		SPINLOCK_INIT(rank), XARRAY_INIT, 0, (limit), (kind) \
	}

/* All below: ids->lock held. */

/* Of the current task's namespace, and of the one an object belongs to. */
struct ipc_usage *ipc_usage(const struct ipc_ids *ids);
static inline struct ipc_usage *ipc_usage_of(const struct ipc_obj *o)
{
	return &o->ns->usage[o->kind];
}
/* Any object of the namespace, NULL at the end: for its end. */
struct ipc_obj *ipc_first_of(struct ipc_ids *ids, const struct ipc_ns *ns);
/* The namespace ends, o stays for those who use it. amount: its part of the usage. */
void ipc_orphan(struct ipc_obj *o, u64 amount);

/* Numbers a new object, which belongs to the caller. -ENOSPC at the limit. */
int must_check ipc_add(struct ipc_ids *ids, struct ipc_obj *o, s32 key, u32 mode);
void ipc_remove(struct ipc_ids *ids, struct ipc_obj *o);
struct ipc_obj *ipc_find_key(struct ipc_ids *ids, s32 key);
/* -EINVAL when there is none of this number. */
int must_check ipc_find(struct ipc_ids *ids, s32 id, struct ipc_obj **out);
/* Of the slot, as the *_STAT commands count. */
int must_check ipc_find_slot(struct ipc_ids *ids, s32 slot, struct ipc_obj **out);
/* For the *_STAT commands: by number, or by slot; mode: permission bits the caller needs, 0: none. */
int must_check ipc_find_to_stat(struct ipc_ids *ids, s32 id, bool by_number, u32 mode,
				struct ipc_obj **out);
/* For IPC_SET and IPC_RMID: -EPERM when it is not the caller's. */
int must_check ipc_find_to_change(struct ipc_ids *ids, s32 id, struct ipc_obj **out);
/* Highest slot in use; 0 when there is none. */
s32 ipc_last_slot(struct ipc_ids *ids);

/* May the caller use o with these permission bits: 0 or -EACCES. */
int must_check ipc_may_use(const struct ipc_obj *o, u32 mode);
/* Is the caller its owner, for IPC_SET and IPC_RMID: 0 or -EPERM. */
int must_check ipc_may_change(const struct ipc_obj *o);
/* IPC_SET. */
int must_check ipc_set_perm(struct ipc_obj *o, const struct ipc64_perm *p);

/* ids->lock not held: what each kind does at the end of a namespace. */
void msg_ns_gone(struct ipc_ns *ns);
void sem_ns_gone(struct ipc_ns *ns);
void shm_ns_gone(struct ipc_ns *ns);
