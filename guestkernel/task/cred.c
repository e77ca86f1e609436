// SPDX-License-Identifier: Apache-2.0
/*
 * cred - credentials: copying, replacing, what exec and set*uid make of capabilities
 *
 * Rules     Immutable once committed. A task's own pointer changes only in its own context; others borrow it
 *           with task_cred_get().
 *           Credentials of an exec are made in two steps. cred_exec_begin() may refuse, before anything has changed.
 *           cred_exec_finish() is given what makes more rights unsafe at the moment they are taken (exec.c holds the
 *           locks under which that could change), and takes them away again.
 * Missing   user namespaces; capabilities of setuid scripts follow the interpreter, as on Linux.
 * See       capabilities(7)
 */
#include "guestkernel/task/cred.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/capability.h"

#define S_ISUID_BIT 04000u
#define S_ISGID_BIT 02000u
#define S_IXGRP_BIT 0010u

struct cred *cred_new(void)
{
	struct cred *c = knew(struct cred);

	if (!c)
		return NULL;
	refs_init(&c->refs, 1);
	c->account = account_lookup(0);
	return c;
}

struct cred *cred_copy(const struct cred *from)
{
	struct cred *c = kmemdup(from, sizeof *from);

	if (!c)
		return NULL;
	refs_init(&c->refs, 1);
	if (from->nr_groups) {
		c->groups = kmemdup(from->groups, from->nr_groups * sizeof(u32));
		if (!c->groups) {
			kfree(c);
			return NULL;
		}
	}
	account_get(c->account);
	return c;
}

int cred_set_uid(struct cred *c, u32 uid)
{
	struct user_account *a;

	if (c->uid == uid)
		return 0;
	a = account_lookup(uid);
	if (!a)
		return -EAGAIN;
	account_put(c->account);
	c->account = a;
	c->uid = uid;
	return 0;
}

void cred_put(const struct cred *cc)
{
	struct cred *c = (struct cred *)(u64)cc;

	if (!refs_put(&c->refs))
		return;
	if (c->nr_groups)
		kfree(c->groups);
	account_put(c->account);
	kfree(c);
}

void cred_commit(struct cred *c)
{
	struct task *t = current();
	const struct cred *old = t->cred;

	if (old && c->account != old->account) {
		(void)!charge(c->account, CHARGE_PROCESSES, 1, CHARGE_UNLIMITED);
		uncharge(old->account, CHARGE_PROCESSES, 1);
	}
	spin_lock(&t->alloc_lock);
	if (old && t->mm && cred_gains(c, old)) {
		t->mm->dumpable = false;
		t->group->pdeath_signal = 0;
	}
	t->cred = c;
	spin_unlock(&t->alloc_lock);
	if (old)
		cred_put(old);
}

static void sort_groups(u32 *g, u32 n)
{
	for (u32 gap = n / 2; gap; gap /= 2)
		for (u32 i = gap; i < n; i++) {
			u32 v = g[i], j = i;

			for (; j >= gap && g[j - gap] > v; j -= gap)
				g[j] = g[j - gap];
			g[j] = v;
		}
}

int cred_set_groups(struct cred *c, const u32 *groups, u32 nr)
{
	u32 *copy = NULL;

	if (nr) {
		copy = kmemdup(groups, nr * sizeof *groups);
		if (!copy)
			return -ENOMEM;
		sort_groups(copy, nr);
	}
	if (c->nr_groups)
		kfree(c->groups);
	c->groups = copy;
	c->nr_groups = nr;
	return 0;
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	u32 lo = 0, hi = c->nr_groups;

	if (c->fsgid == gid)
		return true;
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool cred_capable(const struct cred *c, u32 cap)
{
	return cap <= CAP_LAST_CAP && (c->cap_effective >> cap & 1);
}

bool capable(u32 cap)
{
	const struct cred *c = current()->cred;

	return !c || cred_capable(c, cap);
}

static u64 bits(const u32 *caps, u32 n)
{
	u64 set = 0;

	for (u32 i = 0; i < n; i++)
		set |= 1ull << caps[i];
	return set;
}

void cred_fixup_after_setuid(struct cred *c, const struct cred *old)
{
	static const u32 fs_caps[] = { CAP_CHOWN,	    CAP_MKNOD,	     CAP_DAC_OVERRIDE,
				       CAP_DAC_READ_SEARCH, CAP_FOWNER,	     CAP_FSETID,
				       CAP_LINUX_IMMUTABLE, CAP_MAC_OVERRIDE };
	u64 fs_set = bits(fs_caps, ARRAY_SIZE(fs_caps));
	bool had_root = !old->uid || !old->euid || !old->suid,
	     has_root = !c->uid || !c->euid || !c->suid;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (had_root && !has_root) {
		if (!current()->keep_caps && !(c->securebits & SECBIT_KEEP_CAPS)) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (!old->euid && c->euid)
		c->cap_effective = 0;
	if (old->euid && !c->euid)
		c->cap_effective = c->cap_permitted;
	if (!old->fsuid && c->fsuid)
		c->cap_effective &= ~fs_set;
	if (old->fsuid && !c->fsuid)
		c->cap_effective |= c->cap_permitted & fs_set;
}

/* The set-id bits of the file. */
static void take_file_ids(struct cred *c, const struct exec_file_info *info)
{
	if (info->nosuid || current()->no_new_privs)
		return;
	if (info->mode & S_ISUID_BIT)
		c->euid = info->uid;
	if ((info->mode & (S_ISGID_BIT | S_IXGRP_BIT)) == (S_ISGID_BIT | S_IXGRP_BIT))
		c->egid = info->gid;
}

/* What the file's capabilities, or being root, make of the permitted set; before the ambient ones. */
static int take_file_caps(struct exec_creds *x, const struct exec_file_info *info)
{
	struct cred *c = x->cred;
	u64 inheritable = c->cap_inheritable;

	x->has_file_caps = info->has_caps && !info->nosuid;
	x->effective = x->has_file_caps && info->caps_effective;
	c->cap_permitted = 0;
	if (x->has_file_caps) {
		c->cap_permitted = (info->cap_permitted & c->cap_bounding) |
				   (info->cap_inheritable & inheritable);
		if (x->effective && (info->cap_permitted & ~c->cap_permitted))
			return -EPERM;
	}
	/* A set-user-ID root program with capabilities of its own has those, not all. */
	if (c->securebits & SECBIT_NOROOT || (x->has_file_caps && c->uid && !c->euid))
		return 0;
	if (!c->euid || !c->uid)
		c->cap_permitted = c->cap_bounding | inheritable;
	if (!c->euid)
		x->effective = true;
	return 0;
}

int cred_exec_begin(const struct exec_file_info *info, struct exec_creds *x)
{
	*x = (struct exec_creds){ .cred = cred_copy(current()->cred) };
	if (!x->cred)
		return -ENOMEM;
	take_file_ids(x->cred, info);
	return take_file_caps(x, info);
}

void cred_exec_finish(struct exec_creds *x, u32 unsafe)
{
	const struct cred *old = current()->cred;
	struct cred *c = x->cred;
	bool ids_changed = c->euid != old->euid || !cred_in_group(old, c->egid);

	if (unsafe && (ids_changed || (c->cap_permitted & ~old->cap_permitted))) {
		if (!capable(CAP_SETUID) || unsafe & UNSAFE_NO_NEW_PRIVS) {
			c->euid = old->euid;
			c->egid = old->egid;
		}
		c->cap_permitted &= old->cap_permitted;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	if (x->has_file_caps || ids_changed)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = x->effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~SECBIT_KEEP_CAPS;
	x->secure = ids_changed || c->euid != old->uid || c->egid != old->gid ||
		    (c->uid && (x->effective || (c->cap_permitted & ~c->cap_ambient)));
}

bool cred_gains(const struct cred *c, const struct cred *old)
{
	return c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
	       c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted);
}
