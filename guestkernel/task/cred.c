// SPDX-License-Identifier: Apache-2.0
/*
 * cred - credentials: copying, replacing, what exec and set*uid make of capabilities
 *
 * Rules     Immutable once committed. A task's own pointer changes only in its own context; others borrow it
 *           with task_cred_get().
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

	if (old && t->mm &&
	    (c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
	     c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted)))
		t->mm->dumpable = false;
	if (old && c->account != old->account) {
		(void)!charge(c->account, CHARGE_PROCESSES, 1, CHARGE_UNLIMITED);
		uncharge(old->account, CHARGE_PROCESSES, 1);
	}
	spin_lock(&t->alloc_lock);
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

/* P'(permitted), P'(effective) and P'(ambient) as capabilities(7) writes them. */
static int transform_caps(struct cred *c, const struct cred *old, const struct exec_file_info *info,
			  bool ids_changed)
{
	u64 f_perm = 0, f_inh = 0;
	bool f_eff = false,
	     has_file_caps = info->has_caps && !info->nosuid && !current()->no_new_privs;

	if (has_file_caps) {
		f_perm = info->cap_permitted;
		f_inh = info->cap_inheritable;
		f_eff = info->caps_effective;
		if (f_eff && (f_perm & ~c->cap_bounding))
			return -EPERM;
	}
	if (!(c->securebits & SECBIT_NOROOT) && (!c->euid || !c->uid)) {
		f_perm = CAP_FULL_SET;
		f_inh = CAP_FULL_SET;
		f_eff = f_eff || !c->euid;
	}
	if (ids_changed || has_file_caps)
		c->cap_ambient = 0;
	c->cap_permitted =
		(old->cap_inheritable & f_inh) | (f_perm & c->cap_bounding) | c->cap_ambient;
	c->cap_effective = f_eff ? c->cap_permitted : c->cap_ambient;
	return 0;
}

int cred_for_exec(const struct exec_file_info *info, struct cred **out, bool *secure)
{
	const struct cred *old = current()->cred;
	struct cred *c = cred_copy(old);
	bool ids_changed;
	int r;

	if (!c)
		return -ENOMEM;
	take_file_ids(c, info);
	ids_changed = c->euid != old->uid || c->egid != old->gid;
	r = transform_caps(c, old, info, c->euid != old->euid || c->egid != old->egid);
	if (r < 0) {
		cred_put(c);
		return r;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~SECBIT_KEEP_CAPS;
	*secure = ids_changed || (c->uid && (c->cap_effective & ~c->cap_ambient));
	*out = c;
	return 0;
}
