// SPDX-License-Identifier: Apache-2.0
/*
 * sys_seccomp - seccomp(2) and the requests of prctl(2) that do the same
 *
 * Missing   SECCOMP_FILTER_FLAG_NEW_LISTENER and SECCOMP_GET_NOTIF_SIZES: EINVAL, as on kernels without them.
 * See       seccomp(2)
 */
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/sys/sys_seccomp.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/filter.h"
#include "syscalls_gen.h"

/* SPEC_ALLOW: nothing is done about speculation that could be left out. */
#define FLAGS                                                                                   \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | \
	 SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

static s64 set_filter(u32 flags, uaddr_t args)
{
	struct seccomp_filter *f;
	struct sock_fprog prog;

	if (flags & ~(u32)FLAGS)
		return -EINVAL;
	if (get_user(&prog, args))
		return -EFAULT;
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	if (!current()->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	f = seccomp_filter_alloc(prog.len);
	if (!f)
		return -ENOMEM;
	if (copy_from_user(seccomp_filter_code(f), UADDR(prog.filter),
			   prog.len * sizeof(struct sock_filter))) {
		seccomp_filter_put(f);
		return -EFAULT;
	}
	return seccomp_add(f, flags);
}

static s64 action_available(uaddr_t args)
{
	u32 action;

	if (get_user(&action, args))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	}
	return -EOPNOTSUPP;
}

s64 sys_seccomp(u32 op, u32 flags, uaddr_t args)
{
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || !uaddr_is_null(args) ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(args);
	}
	return -EINVAL;
}

s64 seccomp_prctl(u64 mode, uaddr_t args)
{
	if (mode == SECCOMP_MODE_STRICT)
		return seccomp_set_strict();
	return mode == SECCOMP_MODE_FILTER ? set_filter(0, args) : -EINVAL;
}
