// SPDX-License-Identifier: Apache-2.0
/*
 * sys_misc - names, limits, usage, randomness and the calls that fit nowhere else
 *
 * Missing   the kernel log (syslog) is the monitor's; kcmp of epoll targets; reboot ends the sandbox.
 */
#include "arch/irq.h"
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/membarrier.h"
#include "guestkernel/task/rlimit.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/kcmp.h"
#include "guestkernel/uapi/membarrier.h"
#include "guestkernel/uapi/personality.h"
#include "guestkernel/uapi/random.h"
#include "guestkernel/uapi/reboot.h"
#include "guestkernel/uapi/rseq.h"
#include "guestkernel/uapi/sysinfo.h"
#include "syscalls_gen.h"

#ifndef ARCH_UTS_MACHINE32 /* an architecture without a 32-bit name */
#define ARCH_UTS_MACHINE32 ARCH_UTS_MACHINE
#endif

s64 sys_uname(uaddr_t out)
{
	struct new_utsname u;

	utsname_get(&u);
	if ((current_group()->personality & PER_MASK) == PER_LINUX32) {
		memset(u.machine, 0, sizeof u.machine);
		strlcpy(u.machine, ARCH_UTS_MACHINE32, sizeof u.machine);
	}
	return put_user(out, u);
}

static s64 set_name(uaddr_t name, u64 n, void (*set)(const char *, size_t))
{
	char buf[__NEW_UTS_LEN];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (n > sizeof buf)
		return -EINVAL;
	if (copy_from_user(buf, name, n))
		return -EFAULT;
	set(buf, n);
	return 0;
}

s64 sys_sethostname(uaddr_t name, u64 n)
{
	return set_name(name, n, utsname_set_host);
}

s64 sys_setdomainname(uaddr_t name, u64 n)
{
	return set_name(name, n, utsname_set_domain);
}

s64 sys_sysinfo(uaddr_t out)
{
	struct page_stats st;
	struct sysinfo si;
	u64 avg[3];

	memset(&si, 0, sizeof si);
	page_stats(&st);
	sched_loadavg(avg);
	for (u32 i = 0; i < 3; i++)
		si.loads[i] = avg[i] << (SI_LOAD_SHIFT - 11);
	si.uptime = (s64)(clock_monotonic_ns() / NSEC_PER_SEC);
	si.totalram = st.total * PAGE_SIZE;
	si.freeram = st.free * PAGE_SIZE;
	si.bufferram = 0;
	si.procs = (u16)MIN(task_count(), 0xffffu);
	si.mem_unit = 1;
	return put_user(out, si);
}

s64 sys_getrandom(uaddr_t out, u64 n, u32 flags)
{
	u8 buf[256];
	u64 done = 0;

	if ((flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	n = MIN(n, (u64)S32_MAX);
	while (done < n) {
		size_t part = MIN(n - done, sizeof buf);

		rand_bytes(buf, part);
		if (copy_to_user(uaddr_add(out, done), buf, part))
			return done ? (s64)done : -EFAULT;
		done += part;
		if (signal_pending() && done < n)
			break;
		cond_resched();
	}
	memset(buf, 0, sizeof buf);
	barrier();
	return (s64)done;
}

s64 sys_personality(u32 persona)
{
	struct tgroup *g = current_group();
	u32 old = g->personality;

	if (persona == 0xffffffffu)
		return old;
	if ((persona & PER_MASK) != PER_LINUX && (persona & PER_MASK) != PER_LINUX32)
		return -EINVAL;
	g->personality = persona;
	return old;
}

static s64 limit_of(s32 pid, u32 which, const struct rlimit *new, struct rlimit *old)
{
	const struct cred *me = current()->cred, *c;
	struct task *t = pid ? task_find_get(pid) : current();
	bool ok;
	s64 r;

	if (!t)
		return -ESRCH;
	if (!pid)
		task_get(t);
	c = task_cred_get(t);
	ok = t->group == current_group() || capable(CAP_SYS_RESOURCE) ||
	     (c && me->uid == c->euid && me->uid == c->suid && me->uid == c->uid &&
	      me->gid == c->egid && me->gid == c->sgid && me->gid == c->gid);
	if (c)
		cred_put(c);
	r = ok ? rlimit_change(t, which, new, old) : -EPERM;
	task_put(t);
	return r;
}

s64 sys_prlimit64(s32 pid, u32 which, uaddr_t unew, uaddr_t uold)
{
	struct rlimit new, old;
	s64 r;

	if (!uaddr_is_null(unew) && get_user(&new, unew))
		return -EFAULT;
	r = limit_of(pid, which, uaddr_is_null(unew) ? NULL : &new, &old);
	if (r == 0 && !uaddr_is_null(uold) && put_user(uold, old))
		r = -EFAULT;
	return r;
}

s64 sys_getrlimit(u32 which, uaddr_t out)
{
	struct rlimit old;
	s64 r = rlimit_change(current(), which, NULL, &old);

	return r < 0 ? r : put_user(out, old);
}

s64 sys_setrlimit(u32 which, uaddr_t in)
{
	struct rlimit new;

	if (get_user(&new, in))
		return -EFAULT;
	return rlimit_change(current(), which, &new, NULL);
}

s64 sys_getrusage(s32 who, uaddr_t out)
{
	struct rusage ru;
	s64 r = rusage_get(who, &ru);

	return r < 0 ? r : put_user(out, ru);
}

#define RSEQ_MIN_SIZE 32

s64 sys_rseq(uaddr_t ua, u32 len, u32 flags, u32 sig)
{
	struct rseq_state *rs = &current()->rseq;
	s32 none[2] = { RSEQ_CPU_ID_UNINITIALIZED, RSEQ_CPU_ID_UNINITIALIZED };

	if (flags & RSEQ_FLAG_UNREGISTER) {
		if (flags & ~(u32)RSEQ_FLAG_UNREGISTER || !rs->ua || rs->ua != ua.va ||
		    rs->len != len)
			return -EINVAL;
		if (rs->sig != sig)
			return -EPERM;
		none[0] = 0;
		if (copy_to_user(ua, none, sizeof none))
			return -EFAULT;
		*rs = (struct rseq_state){ 0 };
		return 0;
	}
	if (flags)
		return -EINVAL;
	if (rs->ua) {
		if (rs->ua != ua.va || rs->len != len)
			return -EINVAL;
		return rs->sig != sig ? -EPERM : -EBUSY;
	}
	if (len < RSEQ_MIN_SIZE || !IS_ALIGNED(ua.va, 32ull) || ua.va + len > USER_VA_END ||
	    ua.va + len < ua.va)
		return ua.va + len > USER_VA_END ? -EFAULT : -EINVAL;
	if (clear_user(ua, RSEQ_MIN_SIZE))
		return -EFAULT;
	*rs = (struct rseq_state){ .ua = ua.va, .len = len, .sig = sig };
	fetch_or(&current()->work, WORK_RSEQ);
	return 0;
}

#define MEMBARRIER_ALL                                                                            \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |            \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                    \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ | \
	 MEMBARRIER_CMD_GET_REGISTRATIONS)

s64 sys_membarrier(u32 cmd, u32 flags, s32 cpu)
{
	struct aspace *mm = current()->mm;
	u32 need = 0;

	if (flags &&
	    !(cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && flags == MEMBARRIER_CMD_FLAG_CPU))
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_ALL;
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return mm->membarrier_state;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		fetch_or(&mm->membarrier_state, cmd);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		need = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
		break;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		need = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
		break;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		need = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
		break;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		break;
	default:
		return -EINVAL;
	}
	if (need && !(mm->membarrier_state & need))
		return -EPERM;
	membarrier_others(cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
	return 0;
}

static struct file *file_of(struct task *t, u64 idx)
{
	struct fdtable *files = task_files_get(t);
	struct file *f = NULL;
	s32 fd = (s32)idx;
	bool cloexec;

	if (files && idx < S32_MAX) {
		f = fdtable_next(files, &fd, &cloexec);
		if (f && fd != (s32)idx) {
			file_put(f);
			f = NULL;
		}
	}
	if (files)
		fdtable_drop(files);
	return f;
}

/* Order without telling addresses: they are mixed with a secret. */
static s64 compare(const void *a, const void *b)
{
	u64 x = hash_u64((u64)a), y = hash_u64((u64)b);

	if (a == b)
		return 0;
	return x < y ? 1 : 2;
}

static s64 compare_files(struct task *a, struct task *b, u64 ia, u64 ib)
{
	struct file *fa = file_of(a, ia), *fb = file_of(b, ib);
	s64 r = fa && fb ? compare(fa, fb) : -EBADF;

	if (fa)
		file_put(fa);
	if (fb)
		file_put(fb);
	return r;
}

static s64 compare_tasks(struct task *a, struct task *b, u32 type, u64 ia, u64 ib)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, b, ia, ib);
	case KCMP_VM:
		return compare(a->mm, b->mm);
	case KCMP_FILES:
		return compare(a->files, b->files);
	case KCMP_FS:
		return compare(a->fs, b->fs);
	case KCMP_SIGHAND:
		return compare(a->group->sighand, b->group->sighand);
	case KCMP_IO:
	case KCMP_SYSVSEM:
		return compare(a->group, b->group);
	}
	return type == KCMP_EPOLL_TFD ? -EOPNOTSUPP : -EINVAL;
}

s64 sys_kcmp(s32 pid1, s32 pid2, u32 type, u64 idx1, u64 idx2)
{
	struct task *a = task_find_get(pid1), *b = task_find_get(pid2);
	s64 r = -ESRCH;

	if (a && b)
		r = task_may_access(a, ACCESS_REAL) && task_may_access(b, ACCESS_REAL)
			    ? compare_tasks(a, b, type, idx1, idx2)
			    : -EPERM;
	if (a)
		task_put(a);
	if (b)
		task_put(b);
	return r;
}

#define SYSLOG_ACTION_SIZE_UNREAD 9
#define SYSLOG_ACTION_SIZE_BUFFER 10
#define SYSLOG_BUFFER_SIZE	  4096

s64 sys_syslog(u32 type, uaddr_t buf, u32 len)
{
	if (type > SYSLOG_ACTION_SIZE_BUFFER)
		return -EINVAL;
	if (!capable(CAP_SYSLOG)) /* sys/kernel/dmesg_restrict */
		return -EPERM;
	return type == SYSLOG_ACTION_SIZE_BUFFER ? SYSLOG_BUFFER_SIZE : 0; /* the log is empty */
}

s64 sys_reboot(u32 magic, u32 magic2, u32 cmd, uaddr_t arg)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic != LINUX_REBOOT_MAGIC1 ||
	    (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
	     magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		init_exited(SIGHUP);
		return 0;
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		init_exited(SIGINT);
		return 0;
	}
	return -EINVAL;
}
