// SPDX-License-Identifier: Apache-2.0
/*
 * sys_cred - ids, groups, capabilities
 *
 * Rules     -1 as an id means "leave". Each call makes one new set of credentials or none.
 * Missing   user namespaces.
 * See       credentials(7), capabilities(7), task/cred.c
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/capability.h"
#include "syscalls_gen.h"

#define KEEP 0xffffffffu

s64 sys_getuid(void)
{
	return current()->cred->uid;
}

s64 sys_geteuid(void)
{
	return current()->cred->euid;
}

s64 sys_getgid(void)
{
	return current()->cred->gid;
}

s64 sys_getegid(void)
{
	return current()->cred->egid;
}

static s64 put_three(uaddr_t a, uaddr_t b, uaddr_t c, const u32 v[3])
{
	return put_user(a, v[0]) || put_user(b, v[1]) || put_user(c, v[2]) ? -EFAULT : 0;
}

s64 sys_getresuid(uaddr_t r, uaddr_t e, uaddr_t s)
{
	const struct cred *c = current()->cred;

	return put_three(r, e, s, (const u32[3]){ c->uid, c->euid, c->suid });
}

s64 sys_getresgid(uaddr_t r, uaddr_t e, uaddr_t s)
{
	const struct cred *c = current()->cred;

	return put_three(r, e, s, (const u32[3]){ c->gid, c->egid, c->sgid });
}

static bool is_one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == KEEP || id == a || id == b || id == c;
}

/* saved: KEEP leaves it, and fs ids follow the effective ones. */
static s64 change_uids(u32 real, u32 effective, u32 saved)
{
	const struct cred *old = current()->cred;
	struct cred *c = cred_copy(old);

	if (!c)
		return -ENOMEM;
	if (real != KEEP && cred_set_uid(c, real)) {
		cred_put(c);
		return -EAGAIN;
	}
	if (effective != KEEP)
		c->euid = effective;
	if (saved != KEEP)
		c->suid = saved;
	c->fsuid = c->euid;
	cred_fixup_after_setuid(c, old);
	cred_commit(c);
	return 0;
}

static s64 change_gids(u32 real, u32 effective, u32 saved)
{
	struct cred *c = cred_copy(current()->cred);

	if (!c)
		return -ENOMEM;
	if (real != KEEP)
		c->gid = real;
	if (effective != KEEP)
		c->egid = effective;
	if (saved != KEEP)
		c->sgid = saved;
	c->fsgid = c->egid;
	cred_commit(c);
	return 0;
}

s64 sys_setuid(u32 id)
{
	const struct cred *c = current()->cred;

	if (id == KEEP)
		return -EINVAL;
	if (capable(CAP_SETUID))
		return change_uids(id, id, id);
	return id == c->uid || id == c->suid ? change_uids(KEEP, id, KEEP) : -EPERM;
}

s64 sys_setgid(u32 id)
{
	const struct cred *c = current()->cred;

	if (id == KEEP)
		return -EINVAL;
	if (capable(CAP_SETGID))
		return change_gids(id, id, id);
	return id == c->gid || id == c->sgid ? change_gids(KEEP, id, KEEP) : -EPERM;
}

s64 sys_setreuid(u32 real, u32 effective)
{
	const struct cred *c = current()->cred;
	u32 saved = KEEP;

	if (!capable(CAP_SETUID) && (!is_one_of(real, c->uid, c->euid, c->uid) ||
				     !is_one_of(effective, c->uid, c->euid, c->suid)))
		return -EPERM;
	if (real != KEEP || (effective != KEEP && effective != c->uid))
		saved = effective != KEEP ? effective : c->euid;
	return change_uids(real, effective, saved);
}

s64 sys_setregid(u32 real, u32 effective)
{
	const struct cred *c = current()->cred;
	u32 saved = KEEP;

	if (!capable(CAP_SETGID) && (!is_one_of(real, c->gid, c->egid, c->gid) ||
				     !is_one_of(effective, c->gid, c->egid, c->sgid)))
		return -EPERM;
	if (real != KEEP || (effective != KEEP && effective != c->gid))
		saved = effective != KEEP ? effective : c->egid;
	return change_gids(real, effective, saved);
}

s64 sys_setresuid(u32 real, u32 effective, u32 saved)
{
	const struct cred *c = current()->cred;

	if (!capable(CAP_SETUID) && (!is_one_of(real, c->uid, c->euid, c->suid) ||
				     !is_one_of(effective, c->uid, c->euid, c->suid) ||
				     !is_one_of(saved, c->uid, c->euid, c->suid)))
		return -EPERM;
	return change_uids(real, effective, saved);
}

s64 sys_setresgid(u32 real, u32 effective, u32 saved)
{
	const struct cred *c = current()->cred;

	if (!capable(CAP_SETGID) && (!is_one_of(real, c->gid, c->egid, c->sgid) ||
				     !is_one_of(effective, c->gid, c->egid, c->sgid) ||
				     !is_one_of(saved, c->gid, c->egid, c->sgid)))
		return -EPERM;
	return change_gids(real, effective, saved);
}

s64 sys_setfsuid(u32 id)
{
	const struct cred *old = current()->cred;
	u32 was = old->fsuid;
	struct cred *c;

	if (id == was || !(is_one_of(id, old->uid, old->euid, old->suid) || capable(CAP_SETUID)) ||
	    id == KEEP)
		return was;
	c = cred_copy(old);
	if (!c)
		return was;
	c->fsuid = id;
	cred_fixup_after_setuid(c, old);
	cred_commit(c);
	return was;
}

s64 sys_setfsgid(u32 id)
{
	const struct cred *old = current()->cred;
	u32 was = old->fsgid;
	struct cred *c;

	if (id == was || !(is_one_of(id, old->gid, old->egid, old->sgid) || capable(CAP_SETGID)) ||
	    id == KEEP)
		return was;
	c = cred_copy(old);
	if (!c)
		return was;
	c->fsgid = id;
	cred_commit(c);
	return was;
}

s64 sys_getgroups(s32 size, uaddr_t list)
{
	const struct cred *c = current()->cred;

	if (size < 0)
		return -EINVAL;
	if (size == 0)
		return c->nr_groups;
	if ((u32)size < c->nr_groups)
		return -EINVAL;
	if (c->nr_groups && copy_to_user(list, c->groups, c->nr_groups * sizeof(u32)))
		return -EFAULT;
	return c->nr_groups;
}

s64 sys_setgroups(s32 size, uaddr_t list)
{
	struct cred *c;
	u32 *ids;
	s64 r = 0;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (size < 0 || size > NGROUPS_MAX_KERNEL)
		return -EINVAL;
	ids = kmalloc((size_t)size * sizeof *ids + 4);
	c = cred_copy(current()->cred);
	if (!ids || !c)
		r = -ENOMEM;
	else if (size && copy_from_user(ids, list, (size_t)size * sizeof *ids))
		r = -EFAULT;
	if (r == 0)
		r = cred_set_groups(c, ids, (u32)size);
	kfree(ids);
	if (r == 0)
		cred_commit(c);
	else if (c)
		cred_put(c);
	return r;
}

/* Words of 32 bits that the version has; 0: unknown, the header was told ours. */
static s64 cap_words(uaddr_t uheader, struct __user_cap_header_struct *h)
{
	u32 version = _LINUX_CAPABILITY_VERSION_3;

	if (get_user(h, uheader))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		return 1;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		return 2;
	}
	return put_user(uheader, version) ? -EFAULT : 0;
}

s64 sys_capget(uaddr_t uheader, uaddr_t udata)
{
	struct __user_cap_data_struct d[2];
	struct __user_cap_header_struct h;
	const struct cred *c;
	struct task *t;
	s64 words = cap_words(uheader, &h);

	if (words <= 0)
		return words == 0 && !uaddr_is_null(udata) ? -EINVAL : words;
	if (h.pid < 0)
		return -EINVAL;
	t = task_find_get(h.pid ? h.pid : current_tid());
	if (!t)
		return -ESRCH;
	c = task_cred_get(t);
	task_put(t);
	for (u32 i = 0; i < 2; i++) {
		d[i].effective = (u32)(c->cap_effective >> (32 * i));
		d[i].permitted = (u32)(c->cap_permitted >> (32 * i));
		d[i].inheritable = (u32)(c->cap_inheritable >> (32 * i));
	}
	cred_put(c);
	if (uaddr_is_null(udata))
		return 0;
	return copy_to_user(udata, d, (size_t)words * sizeof d[0]);
}

s64 sys_capset(uaddr_t uheader, uaddr_t udata)
{
	const struct cred *old = current()->cred;
	struct __user_cap_data_struct d[2] = { 0 };
	struct __user_cap_header_struct h;
	u64 effective, permitted, inheritable;
	struct cred *c;
	s64 words = cap_words(uheader, &h);

	if (words <= 0)
		return words == 0 ? -EINVAL : words;
	if (h.pid != 0 && h.pid != current_tid())
		return -EPERM;
	if (copy_from_user(d, udata, (size_t)words * sizeof d[0]))
		return -EFAULT;
	effective = (d[0].effective | (u64)d[1].effective << 32) & CAP_FULL_SET;
	permitted = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_FULL_SET;
	inheritable = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_FULL_SET;
	if ((permitted & ~old->cap_permitted) || (effective & ~permitted))
		return -EPERM;
	if (inheritable & ~(old->cap_inheritable | old->cap_permitted) && !capable(CAP_SETPCAP))
		return -EPERM;
	if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	c->cap_effective = effective;
	c->cap_permitted = permitted;
	c->cap_inheritable = inheritable;
	c->cap_ambient &= permitted & inheritable;
	cred_commit(c);
	return 0;
}
