// SPDX-License-Identifier: Apache-2.0
/*
 * sys_sched - scheduling policy, priority, affinity
 *
 * Rules     FIFO and RR run before all others and are allowed with CAP_SYS_NICE or within RLIMIT_RTPRIO.
 * Missing   SCHED_DEADLINE, utilisation clamps; io priorities are remembered only.
 * See       sched(7)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/sched.h"
#include "syscalls_gen.h"

#define RR_INTERVAL_NS	 100000000ull
#define FAIR_INTERVAL_NS 3000000ull

static struct task *find(s32 pid)
{
	if (pid < 0)
		return NULL;
	if (pid == 0) {
		task_get(current());
		return current();
	}
	return task_find_get(pid);
}

static bool may_change(struct task *t)
{
	const struct cred *me = current()->cred, *c = task_cred_get(t);
	/* A set-id child is its caller's by its real id, but has more rights than he. */
	bool ok = c && (me->euid == c->euid || me->euid == c->uid) &&
		  !(c->cap_permitted & ~me->cap_permitted);

	if (c)
		cred_put(c);
	return ok || capable(CAP_SYS_NICE);
}

s64 sys_sched_yield(void)
{
	sched_yield_current();
	return 0;
}

/* RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20). */
static bool may_have_nice(struct task *t, s32 nice)
{
	return nice >= t->nice ||
	       (u64)(20 - nice) <= READ_ONCE(t->group->rlim[RLIMIT_NICE].rlim_cur) ||
	       capable(CAP_SYS_NICE);
}

static s64 set_nice(struct task *t, s32 nice)
{
	if (!may_change(t))
		return -EPERM;
	if (!may_have_nice(t, nice))
		return -EACCES;
	sched_set_nice(t, nice);
	return 0;
}

/* Runs over the tasks getpriority and setpriority mean; get: lowest nice value, else sets. */
static s64 for_each_prio(u32 which, s32 who, bool set, s32 nice)
{
	s64 r = -ESRCH, best = 20;
	struct task *t;
	s32 nr = 1;

	if (which > PRIO_USER)
		return -EINVAL;
	if (which == PRIO_PROCESS) {
		t = find(who);
		if (!t)
			return -ESRCH;
		r = set ? set_nice(t, nice) : 20 - t->nice;
		task_put(t);
		return r;
	}
	if (who == 0)
		who = which == PRIO_PGRP ? current_group()->pgrp->nr : (s32)current()->cred->uid;
	for (; (t = task_next(&nr)) != NULL; nr++) {
		bool match =
			which == PRIO_PGRP ? t->group->pgrp->nr == who : task_uid(t) == (u32)who;

		if (match && set) {
			s64 e = set_nice(t, nice);

			r = e < 0 || r == -ESRCH ? e : r;
		} else if (match) {
			best = MIN(best, (s64)t->nice);
			r = 20 - best;
		}
		task_put(t);
	}
	return r;
}

s64 sys_getpriority(u32 which, s32 who)
{
	return for_each_prio(which, who, false, 0);
}

s64 sys_setpriority(u32 which, s32 who, s32 nice)
{
	nice = nice < PRIO_MIN ? PRIO_MIN : nice > PRIO_MAX - 1 ? PRIO_MAX - 1 : nice;
	return for_each_prio(which, who, true, nice);
}

static bool is_rt_policy(s32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static s64 set_policy(struct task *t, s32 policy, s32 prio, bool reset_on_fork)
{
	if (policy < 0)
		policy = t->policy;
	if (policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE &&
	    !is_rt_policy(policy))
		return -EINVAL;
	if (is_rt_policy(policy) ? prio < 1 || prio > 99 : prio != 0)
		return -EINVAL;
	if (!may_change(t))
		return -EPERM;
	if (is_rt_policy(policy) && !capable(CAP_SYS_NICE) &&
	    (u64)prio > READ_ONCE(t->group->rlim[RLIMIT_RTPRIO].rlim_cur))
		return -EPERM;
	sched_set_policy(t, (u32)policy, (u32)prio);
	t->reset_on_fork = reset_on_fork;
	return 0;
}

static s64 set_param(s32 pid, s32 policy, uaddr_t uparam)
{
	struct sched_param p;
	bool reset = policy >= 0 && (policy & SCHED_RESET_ON_FORK);
	struct task *t;
	s64 r;

	if (uaddr_is_null(uparam) || pid < 0)
		return -EINVAL;
	if (get_user(&p, uparam))
		return -EFAULT;
	t = find(pid);
	if (!t)
		return -ESRCH;
	if (policy >= 0)
		policy &= ~SCHED_RESET_ON_FORK;
	else
		reset = t->reset_on_fork;
	r = set_policy(t, policy, p.sched_priority, reset);
	task_put(t);
	return r;
}

s64 sys_sched_setscheduler(s32 pid, s32 policy, uaddr_t param)
{
	return policy < 0 ? -EINVAL : set_param(pid, policy, param);
}

s64 sys_sched_setparam(s32 pid, uaddr_t param)
{
	return set_param(pid, -1, param);
}

s64 sys_sched_getscheduler(s32 pid)
{
	struct task *t = find(pid);
	s64 r;

	if (!t)
		return pid < 0 ? -EINVAL : -ESRCH;
	r = t->policy | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(t);
	return r;
}

s64 sys_sched_getparam(s32 pid, uaddr_t out)
{
	struct sched_param p;
	struct task *t;

	if (pid < 0 || uaddr_is_null(out))
		return -EINVAL;
	t = find(pid);
	if (!t)
		return -ESRCH;
	p.sched_priority = t->rt_priority;
	task_put(t);
	return put_user(out, p);
}

s64 sys_sched_get_priority_max(s32 policy)
{
	if (is_rt_policy(policy))
		return 99;
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
			       policy == SCHED_DEADLINE
		       ? 0
		       : -EINVAL;
}

s64 sys_sched_get_priority_min(s32 policy)
{
	return is_rt_policy(policy) ? 1 : sys_sched_get_priority_max(policy);
}

s64 sys_sched_rr_get_interval(s32 pid, uaddr_t out)
{
	struct task *t = find(pid);
	u64 ns;

	if (!t)
		return pid < 0 ? -EINVAL : -ESRCH;
	ns = t->policy == SCHED_FIFO ? 0
	     : t->policy == SCHED_RR ? RR_INTERVAL_NS
				     : FAIR_INTERVAL_NS;
	task_put(t);
	return put_user(out, ns_to_timespec(ns));
}

s64 sys_sched_setattr(s32 pid, uaddr_t ua, u32 flags)
{
	struct sched_attr a;
	struct task *t;
	u32 size;
	s64 r;

	if (pid < 0 || flags || uaddr_is_null(ua))
		return -EINVAL;
	if (get_user(&size, ua))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > 4096)
		return -E2BIG;
	r = copy_struct_from_user(&a, sizeof a, ua, size);
	if (r < 0)
		return r;
	if (a.sched_flags & ~(u64)SCHED_FLAG_ALL)
		return -EINVAL;
	if (a.sched_flags & ~(u64)(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_ALL))
		return -EOPNOTSUPP;
	t = find(pid);
	if (!t)
		return -ESRCH;
	if (a.sched_flags & SCHED_FLAG_KEEP_POLICY)
		a.sched_policy = t->policy;
	if (a.sched_policy == SCHED_NORMAL || a.sched_policy == SCHED_BATCH)
		r = a.sched_flags & SCHED_FLAG_KEEP_PARAMS
			    ? 0
			    : set_nice(t, a.sched_nice < PRIO_MIN ? PRIO_MIN
					  : a.sched_nice > 19	  ? 19
								  : a.sched_nice);
	if (r == 0)
		r = set_policy(t, (s32)a.sched_policy, (s32)a.sched_priority,
			       a.sched_flags & SCHED_FLAG_RESET_ON_FORK);
	task_put(t);
	return r;
}

s64 sys_sched_getattr(s32 pid, uaddr_t ua, u32 size, u32 flags)
{
	struct sched_attr a;
	struct task *t;

	if (pid < 0 || flags || size < SCHED_ATTR_SIZE_VER0 || size > 4096 || uaddr_is_null(ua))
		return -EINVAL;
	t = find(pid);
	if (!t)
		return -ESRCH;
	memset(&a, 0, sizeof a);
	a.size = MIN(size, (u32)sizeof a);
	a.sched_policy = t->policy;
	a.sched_flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	a.sched_nice = is_rt_policy(t->policy) ? 0 : t->nice;
	a.sched_priority = t->rt_priority;
	a.sched_util_max = 1024;
	task_put(t);
	return copy_to_user(ua, &a, a.size);
}

s64 sys_sched_setaffinity(s32 pid, u32 len, uaddr_t umask)
{
	struct task *t;
	u64 mask = 0;
	s64 r;

	if (copy_from_user(&mask, umask, MIN(len, (u32)sizeof mask)))
		return -EFAULT;
	t = find(pid);
	if (!t)
		return -ESRCH;
	r = may_change(t) ? sched_set_affinity(t, mask) : -EPERM;
	task_put(t);
	return r;
}

s64 sys_sched_getaffinity(s32 pid, u32 len, uaddr_t umask)
{
	struct task *t;
	u64 mask;

	if (len * 8 < nr_cpus || (len & 7))
		return -EINVAL;
	t = find(pid);
	if (!t)
		return -ESRCH;
	mask = t->affinity & sched_cpu_mask();
	task_put(t);
	return put_user(umask, mask) ? -EFAULT : (s64)sizeof mask;
}

s64 sys_getcpu(uaddr_t cpu, uaddr_t node, uaddr_t cache)
{
	u32 id = this_cpu()->id, zero = 0;

	if (!uaddr_is_null(cpu) && put_user(cpu, id))
		return -EFAULT;
	if (!uaddr_is_null(node) && put_user(node, zero))
		return -EFAULT;
	return 0;
}

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_USER	   3

s64 sys_ioprio_set(u32 which, s32 who, s32 prio)
{
	struct task *t;
	u32 class = (u32)prio >> 13;
	s64 r = 0;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER || class > 3 ||
	    (prio & 7) != (prio & 0x1fff))
		return -EINVAL;
	if (which != IOPRIO_WHO_PROCESS)
		return 0;
	if (class == 1 && !capable(CAP_SYS_NICE))
		return -EPERM;
	t = find(who);
	if (!t)
		return -ESRCH;
	if (may_change(t))
		t->ioprio = (u32)prio;
	else
		r = -EPERM;
	task_put(t);
	return r;
}

s64 sys_ioprio_get(u32 which, s32 who)
{
	struct task *t;
	s64 r;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (which != IOPRIO_WHO_PROCESS)
		return current()->ioprio;
	t = find(who);
	if (!t)
		return -ESRCH;
	r = t->ioprio;
	task_put(t);
	return r;
}
