// SPDX-License-Identifier: Apache-2.0
/*
 * sys_signal - signal calls
 *
 * See       task/signal.c, task/deliver.c
 */
#include "arch/thread.h"
#include "fs/procfs.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/job_int.h"
#include "guestkernel/task/pidfd.h"
#include "guestkernel/task/signal.h"
#include "syscalls_gen.h"

s64 sys_rt_sigaction(s32 sig, uaddr_t act, uaddr_t oldact, u64 size)
{
	struct sigaction new, old;
	s64 r;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (!uaddr_is_null(act) && get_user(&new, act))
		return -EFAULT;
	r = signal_action(sig, uaddr_is_null(act) ? NULL : &new, &old);
	if (r == 0 && !uaddr_is_null(oldact) && put_user(oldact, old))
		return -EFAULT;
	return r;
}

s64 sys_rt_sigprocmask(u32 how, uaddr_t set, uaddr_t oldset, u64 size)
{
	sigset_t old = current()->blocked, new = old, arg;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (!uaddr_is_null(set)) {
		if (get_user(&arg, set))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			new |= arg;
			break;
		case SIG_UNBLOCK:
			new &= ~arg;
			break;
		case SIG_SETMASK:
			new = arg;
			break;
		default:
			return -EINVAL;
		}
		signal_set_blocked(new);
	}
	if (!uaddr_is_null(oldset) && put_user(oldset, old))
		return -EFAULT;
	return 0;
}

s64 sys_rt_sigpending(uaddr_t set, u64 size)
{
	sigset_t pending = signal_pending_set(current()) & current()->blocked;

	if (size > sizeof pending)
		return -EINVAL;
	return copy_to_user(set, &pending, size);
}

s64 sys_rt_sigsuspend(uaddr_t set, u64 size)
{
	struct task *t = current();
	sigset_t mask;

	if (size != sizeof mask)
		return -EINVAL;
	if (get_user(&mask, set))
		return -EFAULT;
	t->saved_blocked = t->blocked;
	signal_set_blocked(mask);
	do
		wait_prepare();
	while (wait_sleep(NO_DEADLINE) == 0);
	fetch_or(&t->work, WORK_RESTORE_MASK);
	return -ERESTARTNOHAND;
}

s64 sys_pause(void)
{
	do
		wait_prepare();
	while (wait_sleep(NO_DEADLINE) == 0);
	return -ERESTARTNOHAND;
}

static void set_wait_set(sigset_t set)
{
	struct task *t = current();

	spin_lock(&t->group->lock);
	t->wait_set = set;
	spin_unlock(&t->group->lock);
}

/* WORK_SIGNAL is also how a signal that is blocked but waited for ends the sleep: it is recomputed by the dequeue. */
static s64 wait_for(sigset_t set, u64 deadline, siginfo_t *info)
{
	s32 sig = signal_dequeue(set, info);
	int r = 0;

	if (sig || deadline == 0)
		return sig ? sig : -EAGAIN;
	set_wait_set(set);
	while (!sig && r == 0) {
		wait_prepare();
		sig = signal_dequeue(set, info);
		if (sig)
			wait_finish();
		else
			r = wait_sleep(deadline);
	}
	set_wait_set(0);
	if (!sig)
		sig = signal_dequeue(set, info);
	if (sig)
		return sig;
	return r == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

s64 sys_rt_sigtimedwait(uaddr_t uset, uaddr_t uinfo, uaddr_t uts, u64 size)
{
	u64 deadline = NO_DEADLINE, ns;
	struct timespec ts;
	siginfo_t info;
	sigset_t set;
	s64 r;

	if (size != sizeof set)
		return -EINVAL;
	if (get_user(&set, uset))
		return -EFAULT;
	if (!uaddr_is_null(uts)) {
		if (get_user(&ts, uts))
			return -EFAULT;
		if (!timespec_to_ns(&ts, &ns))
			return -EINVAL;
		deadline = ns ? clock_monotonic_ns() + ns : 0;
	}
	r = wait_for(set & ~SIGSET_UNBLOCKABLE, deadline, &info);
	if (r > 0 && !uaddr_is_null(uinfo) && put_user(uinfo, info))
		return -EFAULT;
	return r;
}

/* To one thread or process found by number. */
static s64 send_to(struct task *t, const siginfo_t *info, s32 sig, enum signal_to to)
{
	s64 r;

	if (!t)
		return -ESRCH;
	r = signal_may_send(t, sig);
	if (r == 0 && sig)
		r = signal_send(t, info, to);
	task_put(t);
	return r;
}

static bool sig_ok(s32 sig)
{
	return sig >= 0 && sig <= _NSIG;
}

s64 sys_kill(s32 pid, s32 sig)
{
	siginfo_t info;

	if (!sig_ok(sig))
		return -EINVAL;
	if (pid == -1)
		return job_kill_all(sig);
	if (pid == (s32)0x80000000)
		return -ESRCH;
	if (pid <= 0)
		return job_kill_group(-pid, sig);
	siginfo_user(&info, sig, SI_USER);
	return send_to(task_find_get(pid), &info, sig, SIGNAL_TO_PROCESS);
}

static s64 thread_kill(s32 tgid, s32 tid, s32 sig, const siginfo_t *info)
{
	struct task *t = task_find_get(tid);

	if (t && tgid > 0 && t->group->tgid != tgid) {
		task_put(t);
		t = NULL;
	}
	return send_to(t, info, sig, SIGNAL_TO_THREAD);
}

s64 sys_tgkill(s32 tgid, s32 tid, s32 sig)
{
	siginfo_t info;

	if (tgid <= 0 || tid <= 0 || !sig_ok(sig))
		return -EINVAL;
	siginfo_user(&info, sig, SI_TKILL);
	return thread_kill(tgid, tid, sig, &info);
}

s64 sys_tkill(s32 tid, s32 sig)
{
	siginfo_t info;

	if (tid <= 0 || !sig_ok(sig))
		return -EINVAL;
	siginfo_user(&info, sig, SI_TKILL);
	return thread_kill(0, tid, sig, &info);
}

/* Only the kernel may say that a signal came from the kernel or from kill(2), except to oneself. */
/* exact: si_signo must be sig already; else it is made so. */
static s64 read_info(uaddr_t ua, s32 sig, s32 pid, bool exact, siginfo_t *info)
{
	if (!sig_ok(sig))
		return -EINVAL;
	if (get_user(info, ua))
		return -EFAULT;
	if (exact && info->si_signo != sig)
		return -EINVAL;
	info->si_signo = sig;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) && pid != current_tgid())
		return -EPERM;
	return 0;
}

s64 sys_rt_sigqueueinfo(s32 pid, s32 sig, uaddr_t uinfo)
{
	siginfo_t info;
	s64 r = read_info(uinfo, sig, pid, false, &info);

	return r < 0 ? r : send_to(task_find_get(pid), &info, sig, SIGNAL_TO_PROCESS);
}

s64 sys_rt_tgsigqueueinfo(s32 tgid, s32 tid, s32 sig, uaddr_t uinfo)
{
	siginfo_t info;
	s64 r;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	r = read_info(uinfo, sig, tgid, false, &info);
	return r < 0 ? r : thread_kill(tgid, tid, sig, &info);
}

/* A pidfd, or a descriptor of /proc/<pid>. */
static int signal_target(s32 fd, struct pid **out, u32 *flags)
{
	struct task *t;
	struct file *f;
	int r = pidfd_lookup(fd, out, flags);

	if (r != -EBADF || fd_lookup(fd, &f))
		return r;
	*flags = 0;
	t = procfs_process_of(f);
	if (t)
		r = task_pid_get(t, out);
	file_put(f);
	return r;
}

s64 sys_pidfd_send_signal(s32 fd, s32 sig, uaddr_t uinfo, u32 flags)
{
	enum signal_to to = SIGNAL_TO_PROCESS;
	siginfo_t info;
	struct task *t;
	struct pid *p;
	u32 ff;
	s64 r;

	if ((flags & (flags - 1)) || flags > PIDFD_SIGNAL_PROCESS_GROUP || !sig_ok(sig))
		return -EINVAL;
	r = signal_target(fd, &p, &ff);
	if (r < 0)
		return r;
	if (!uaddr_is_null(uinfo)) {
		r = read_info(uinfo, sig, p->nr, true, &info);
	} else {
		siginfo_user(&info, sig, SI_USER);
	}
	if (flags == PIDFD_SIGNAL_THREAD || (!flags && (ff & PIDFD_THREAD)))
		to = SIGNAL_TO_THREAD;
	if (r == 0 && flags == PIDFD_SIGNAL_PROCESS_GROUP)
		r = job_kill_group(p->nr, sig);
	else if (r == 0 && (r = pid_task_get(p, &t)) == 0)
		r = send_to(t, &info, sig, to);
	pid_put(p);
	return r;
}

s64 sys_sigaltstack(uaddr_t new, uaddr_t old)
{
	struct task *t = current();
	u64 sp = regs_sp(arch_thread_regs(&t->thread));
	bool on = signal_on_altstack(t, sp);
	stack_t ss, was;
	int r;

	memset(&was, 0, sizeof was);
	was.ss_sp = t->altstack_sp;
	was.ss_size = t->altstack_size;
	was.ss_flags =
		(s32)(t->altstack_size ? t->altstack_flags | (on ? SS_ONSTACK : 0) : SS_DISABLE);
	if (!uaddr_is_null(new)) {
		if (get_user(&ss, new))
			return -EFAULT;
		r = signal_set_altstack(&ss, sp);
		if (r < 0)
			return r;
	}
	if (!uaddr_is_null(old) && put_user(old, was))
		return -EFAULT;
	return 0;
}

s64 sys_rt_sigreturn(struct regs *r)
{
	struct sigreturn_result res = { .blocked = current()->blocked };
	stack_t ss = { 0 };
	int err = arch_signal_return(r, &res);

	regs_forget_syscall(r);
	signal_set_blocked(res.blocked);
	if (err < 0) {
		signal_force_simple(SIGSEGV);
		return regs_ret(r);
	}
	ss.ss_sp = res.altstack_sp;
	ss.ss_flags = (s32)res.altstack_flags;
	ss.ss_size = res.altstack_size;
	(void)!signal_set_altstack(&ss,
				   regs_sp(r)); /* a frame that asks for nonsense changes nothing */
	return regs_ret(r);
}

s64 sys_restart_syscall(void)
{
	struct restart_block *rb = &current()->restart;
	s64 (*fn)(struct restart_block *) = rb->fn;

	rb->fn = NULL;
	return fn ? fn(rb) : -EINTR;
}
