// SPDX-License-Identifier: Apache-2.0
/*
 * ns - the set of namespaces a task lives in
 *
 * Role      See ns.h.
 * Rules     Every kind has its first namespace, with the inode number it has on Linux, so that ns/ is complete
 *           and programs can compare. Only kinds with a copy function can be made anew.
 * Missing   user, pid, net, cgroup and time namespaces beside the first; a pidfd for setns(2)
 * See       namespaces(7), setns(2)
 */
#include "guestkernel/task/ns.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/semundo.h"
#include "guestkernel/task/task.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/sched.h"

#define FIRST_INO \
	4026532200ull /* of namespaces made later; Linux hands out numbers from here on too */

const char *const ns_names[NS_KINDS] = {
	"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"
};

/* What semaphores of the old namespace were to get back they get now. */
static int ipc_enter(struct ns *ns)
{
	struct task *t = current();

	if (t->sem_undo)
		sem_undo_put(t->sem_undo);
	t->sem_undo = NULL;
	return 0;
}

/* copy makes a new one for the caller; enter changes what else of the current task belongs to it. */
static const struct ns_kind_ops {
	u32 flag;
	int (*copy)(struct ns *from, struct ns **out);
	int (*enter)(struct ns *ns);
} kinds[NS_KINDS] = {
	{CLONE_NEWCGROUP, NULL,		 NULL	      },
	{ CLONE_NEWIPC,	ipc_ns_create, ipc_enter	 },
	{ CLONE_NEWNS,    mnt_ns_copy,   mnt_ns_enter},
	{ CLONE_NEWNET,	NULL,	      NULL	   },
	{ CLONE_NEWPID,	NULL,	      NULL	   },
	{ CLONE_NEWTIME,	 NULL,	       NULL	    },
	{ CLONE_NEWUSER,	 NULL,	       NULL	    },
	{ CLONE_NEWUTS,	uts_ns_copy,   NULL	  },
};

BUILD_BUG_ON(NS_IPC != 1 || NS_MNT != 2 || NS_UTS != 7); /* the order above */

#define FIRST(k, n)                                                              \
	{                                                                        \
		.refs = { ATOMIC_INIT(REFS_SATURATED) }, .kind = (k), .ino = (n) \
	}
static struct ns first[NS_KINDS] = {
	[NS_CGROUP] = FIRST(NS_CGROUP, 4026531835ull), [NS_NET] = FIRST(NS_NET, 4026531840ull),
	[NS_PID] = FIRST(NS_PID, 4026531836ull),       [NS_TIME] = FIRST(NS_TIME, 4026531834ull),
	[NS_USER] = FIRST(NS_USER, 4026531837ull),
};

struct ns_set ns_set_init = {
	.refs = { ATOMIC_INIT(REFS_SATURATED) },
	.of = {
		[NS_CGROUP] = &first[NS_CGROUP],
		[NS_IPC] = (struct ns *)&ipc_ns_init, /* its first member */
		[NS_MNT] = (struct ns *)&mount_ns_init, /* its first member */
		[NS_NET] = &first[NS_NET],
		[NS_PID] = &first[NS_PID],
		[NS_TIME] = &first[NS_TIME],
		[NS_USER] = &first[NS_USER],
		[NS_UTS] = &uts_ns_init.ns,
	},
};

void ns_init(struct ns *ns, enum ns_kind kind, void (*free)(struct ns *ns))
{
	static atomic64_t made;

	refs_init(&ns->refs, 1);
	ns->kind = kind;
	ns->ino = FIRST_INO + atomic64_add(&made, 1);
	ns->free = free;
}

static u64 all_flags(void)
{
	u64 flags = 0;

	for (u32 k = 0; k < NS_KINDS; k++)
		flags |= kinds[k].flag;
	return flags;
}

void ns_set_put(struct ns_set *s)
{
	if (!refs_put(&s->refs))
		return;
	for (u32 k = 0; k < NS_KINDS; k++)
		if (s->of[k])
			ns_put(s->of[k]);
	kfree(s);
}

int ns_set_clone(struct ns_set *src, u64 flags, struct ns_set **out)
{
	struct ns_set *s;
	int ret;

	flags &= all_flags();
	if (likely(!flags)) {
		*out = ns_set_get(src);
		return 0;
	}
	if (!(flags & CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	s = knew(struct ns_set);
	if (!s)
		return -ENOMEM;
	refs_init(&s->refs, 1);
	for (u32 k = 0; k < NS_KINDS; k++) {
		ret = 0;
		if (!(flags & kinds[k].flag))
			s->of[k] = ns_get(src->of[k]);
		else
			ret = kinds[k].copy ? kinds[k].copy(src->of[k], &s->of[k]) : -EINVAL;
		if (ret) {
			ns_set_put(s);
			return ret;
		}
	}
	*out = s;
	return 0;
}

struct ns *current_ns(enum ns_kind kind)
{
	struct ns_set *s = current()->ns;

	return (s ? s : &ns_set_init)->of[kind];
}

struct ns *task_ns_get(struct task *t, enum ns_kind kind)
{
	struct ns *ns = NULL;

	spin_lock(&t->alloc_lock);
	if (t->ns)
		ns = ns_get(t->ns->of[kind]);
	spin_unlock(&t->alloc_lock);
	return ns;
}

void task_ns_replace(struct ns_set *s)
{
	struct task *t = current();
	struct ns_set *old;

	spin_lock(&t->alloc_lock);
	old = t->ns;
	t->ns = s;
	spin_unlock(&t->alloc_lock);
	if (old)
		ns_set_put(old);
}

int ns_enter(struct ns *ns, u32 nstype)
{
	struct ns_set *s, *old = current()->ns;
	int err;

	if (nstype && nstype != kinds[ns->kind].flag)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (old->of[ns->kind] == ns && !kinds[ns->kind].enter)
		return ns->kind == NS_USER ? -EINVAL : 0;
	if (!kinds[ns->kind].copy)
		return -EINVAL;
	s = knew(struct ns_set);
	if (!s)
		return -ENOMEM;
	refs_init(&s->refs, 1);
	for (u32 k = 0; k < NS_KINDS; k++)
		s->of[k] = ns_get(k == ns->kind ? ns : old->of[k]);
	err = kinds[ns->kind].enter ? kinds[ns->kind].enter(ns) : 0;
	if (err) {
		ns_set_put(s);
		return err;
	}
	task_ns_replace(s);
	return 0;
}
