// SPDX-License-Identifier: Apache-2.0
/*
 * sys_prctl - prctl(2)
 *
 * Missing   options about machine checks, performance counters, core scheduling, tagged addresses and
 *           speculation beyond "not affected"; PR_SET_MM beyond reading.
 * See       prctl(2)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/sys/sys_seccomp.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/signal.h"
#include "syscalls_gen.h"

static s64 set_name(u64 ua)
{
	char name[TASK_COMM_LEN];
	s64 n = strncpy_from_user(name, UADDR(ua), sizeof name - 1);

	if (n < 0)
		return n;
	name[MIN((size_t)n, sizeof name - 1)] = 0;
	task_comm_set(current(), name);
	return 0;
}

static s64 get_name(u64 ua)
{
	char name[TASK_COMM_LEN];

	task_comm_get(current(), name);
	return copy_to_user(UADDR(ua), name, sizeof name);
}

static s64 drop_bounding(u64 cap)
{
	struct cred *c;

	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	if (!capable(CAP_SETPCAP))
		return -EPERM;
	c = cred_copy(current()->cred);
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~(1ull << cap);
	cred_commit(c);
	return 0;
}

static s64 set_securebits(u64 bits)
{
	const struct cred *old = current()->cred;
	u32 locked = (old->securebits & SECURE_ALL_LOCKS) >> 1;
	struct cred *c;

	if (bits & ~(u64)(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return -EPERM;
	if ((locked & (old->securebits ^ (u32)bits)) ||
	    (old->securebits & SECURE_ALL_LOCKS & ~(u32)bits) || !capable(CAP_SETPCAP))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	c->securebits = (u32)bits;
	current()->keep_caps = bits & SECBIT_KEEP_CAPS;
	cred_commit(c);
	return 0;
}

static s64 change_ambient(u64 cap, bool raise)
{
	const struct cred *old = current()->cred;
	u64 bit = 1ull << cap;
	struct cred *c;

	if (raise && (!(old->cap_permitted & bit) || !(old->cap_inheritable & bit) ||
		      (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (raise)
		c->cap_ambient |= bit;
	else
		c->cap_ambient &= ~bit;
	cred_commit(c);
	return 0;
}

static s64 ambient(u64 op, u64 cap, u64 a4, u64 a5)
{
	struct cred *c;

	if (a4 || a5)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (cap)
			return -EINVAL;
		c = cred_copy(current()->cred);
		if (!c)
			return -ENOMEM;
		c->cap_ambient = 0;
		cred_commit(c);
		return 0;
	}
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return current()->cred->cap_ambient >> cap & 1;
	case PR_CAP_AMBIENT_RAISE:
		return change_ambient(cap, true);
	case PR_CAP_AMBIENT_LOWER:
		return change_ambient(cap, false);
	}
	return -EINVAL;
}

static s64 set_no_new_privs(u64 a2, u64 a3, u64 a4, u64 a5)
{
	if (a2 != 1 || a3 || a4 || a5)
		return -EINVAL;
	WRITE_ONCE(current()->no_new_privs, true);
	return 0;
}

static s64 set_keepcaps(u64 on)
{
	if (on > 1)
		return -EINVAL;
	if (current()->cred->securebits & SECBIT_KEEP_CAPS << 1)
		return -EPERM;
	current()->keep_caps = on;
	return 0;
}

static s64 get_auxv(u64 ua, u64 len)
{
	struct aspace *mm = current()->mm;
	u64 size = mm->nr_auxv * sizeof(u64);

	if (copy_to_user(UADDR(ua), mm->auxv, MIN(size, len)))
		return -EFAULT;
	return (s64)size;
}

/* Options about credentials and capabilities; -ENOSYS: not one of these. */
static s64 prctl_cred(s32 option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	switch (option) {
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST_CAP ? -EINVAL : (s64)(current()->cred->cap_bounding >> a2 & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(a2);
	case PR_CAP_AMBIENT:
		return ambient(a2, a3, a4, a5);
	case PR_GET_SECUREBITS:
		return current()->cred->securebits | (current()->keep_caps ? SECBIT_KEEP_CAPS : 0);
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	case PR_GET_KEEPCAPS:
		return current()->keep_caps;
	case PR_SET_KEEPCAPS:
		return set_keepcaps(a2);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(a2, a3, a4, a5);
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || a4 || a5 ? -EINVAL : current()->no_new_privs;
	}
	return -ENOSYS;
}

static s64 prctl_process(s32 option, u64 a2, u64 a3)
{
	struct tgroup *g = current_group();

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a2 > _NSIG)
			return -EINVAL;
		g->pdeath_signal = (s32)a2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user(UADDR(a2), g->pdeath_signal);
	case PR_SET_CHILD_SUBREAPER:
		spin_lock(&tasklist_lock);
		g->subreaper = a2 != 0;
		if (a2)
			g->has_subreaper = true;
		spin_unlock(&tasklist_lock);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user(UADDR(a2), (s32)g->subreaper);
	case PR_GET_DUMPABLE:
		return current()->mm->dumpable;
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		current()->mm->dumpable = a2;
		return 0;
	case PR_SET_TIMERSLACK:
		current()->timer_slack_ns = a2 ? a2 : 50000;
		return 0;
	case PR_GET_TIMERSLACK:
		return (s64)current()->timer_slack_ns;
	case PR_GET_TID_ADDRESS:
		return put_user(UADDR(a2), current()->clear_child_tid.va);
	case PR_GET_AUXV:
		return get_auxv(a2, a3);
	}
	return -ENOSYS;
}

s64 sys_prctl(s32 option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	s64 r = prctl_process(option, a2, a3);

	if (r == -ENOSYS)
		r = prctl_cred(option, a2, a3, a4, a5);
	if (r != -ENOSYS)
		return r;
	switch (option) {
	case PR_SET_NAME:
		return set_name(a2);
	case PR_GET_NAME:
		return get_name(a2);
	case PR_GET_TIMING:
	case PR_GET_IO_FLUSHER:
	case PR_GET_MDWE:
	case PR_GET_MEMORY_MERGE:
	case PR_GET_THP_DISABLE:
		return 0;
	case PR_SET_THP_DISABLE: /* there are no huge pages to refuse */
		return a3 || a4 || a5 ? -EINVAL : 0;
	case PR_SET_TIMING:
		return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_TSC:
		return put_user(UADDR(a2), (s32)PR_TSC_ENABLE);
	case PR_SET_TSC:
		return a2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_SPECULATION_CTRL:
		return a2 > PR_SPEC_L1D_FLUSH ? -ENODEV : PR_SPEC_NOT_AFFECTED;
	case PR_SET_VMA: /* a name for /proc/<pid>/maps: accepted, not shown */
		return a2 == PR_SET_VMA_ANON_NAME ? 0 : -EINVAL;
	case PR_MCE_KILL_GET:
		return PR_MCE_KILL_DEFAULT;
	case PR_GET_SECCOMP:
		return current()->seccomp.mode;
	case PR_SET_MM:
		return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
	case PR_SET_SECCOMP:
		return seccomp_prctl(a2, UADDR(a3));
	}
	return arch_thread_option((s32)option, a2, a3, a4, a5);
}
