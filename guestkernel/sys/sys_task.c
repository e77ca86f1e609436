// SPDX-License-Identifier: Apache-2.0
/*
 * sys_task - processes and threads: clone, exec, exit, wait, numbers, groups, sessions, pidfds
 *
 * Role      Decodes and rejects; task/ does the work.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/exec.h"
#include "guestkernel/task/job_int.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/pidfd.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/wait.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/sched.h"
#include "syscalls_gen.h"

s64 sys_fork(struct regs *r)
{
	struct clone_req q = { .exit_signal = SIGCHLD };

	return task_clone(r, &q);
}

s64 sys_vfork(struct regs *r)
{
	struct clone_req q = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return task_clone(r, &q);
}

s64 sys_clone(struct regs *r, u64 flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t child_tid,
	      u64 tls)
{
	struct clone_req q = {
		.flags = flags & 0xffffff00u,
		.exit_signal = (s32)(flags & CSIGNAL),
		.sp = stack.va,
		.tls = tls,
		.pidfd = parent_tid,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
	};

	if ((q.flags & CLONE_PIDFD) && (q.flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(r, &q);
}

static s64 read_set_tid(const struct clone_args *a, s32 *tid)
{
	*tid = 0;
	if (!a->set_tid != !a->set_tid_size || a->set_tid_size > SET_TID_MAX)
		return -EINVAL;
	if (!a->set_tid)
		return 0;
	if (a->set_tid_size > 1)
		return -EINVAL; /* one level of pid namespaces */
	if (get_user(tid, UADDR(a->set_tid)))
		return -EFAULT;
	if (*tid < 1)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

s64 sys_clone3(struct regs *r, uaddr_t ua, u64 size)
{
	struct clone_args a;
	struct clone_req q;
	s32 set_tid;
	s64 e;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	e = copy_struct_from_user(&a, sizeof a, ua, size);
	if (e == 0)
		e = read_set_tid(&a, &set_tid);
	if (e < 0)
		return e;
	if ((a.flags & (CLONE_DETACHED | CSIGNAL)) || a.flags >> 34 ||
	    (a.exit_signal & ~(u64)CSIGNAL) || (s32)a.exit_signal > _NSIG)
		return -EINVAL;
	if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal)
		return -EINVAL;
	if (!a.stack != !a.stack_size || a.stack + a.stack_size < a.stack ||
	    a.stack + a.stack_size > USER_VA_END)
		return -EINVAL;
	q = (struct clone_req){
		.flags = a.flags,
		.exit_signal = (s32)a.exit_signal,
		.sp = a.stack + a.stack_size,
		.tls = a.tls,
		.pidfd = UADDR(a.pidfd),
		.child_tid = UADDR(a.child_tid),
		.parent_tid = UADDR(a.parent_tid),
		.set_tid = set_tid,
	};
	return task_clone(r, &q);
}

s64 sys_unshare(u64 flags)
{
	return task_unshare(flags);
}

s64 sys_setns(s32 fd, u32 nstype)
{
	struct file *f;
	struct ns *ns;
	int ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ns = nsfs_file_ns(f);
	ret = ns ? ns_enter(ns, nstype) : -EINVAL;
	file_put(f);
	return ret;
}

/* Bytes that arguments and environment may take: a quarter of the stack limit, at most 6 MiB, at least 128 KiB. */
static u64 arg_limit(void)
{
	u64 limit = current_rlimit(RLIMIT_STACK) / 4;

	limit = MIN(limit, 6ull << 20);
	return MAX(limit, 32ull * PAGE_SIZE);
}

/* Frees name when it does not return. */
static s64 exec_with_name(struct regs *r, s32 dirfd, const char *name, uaddr_t argv, uaddr_t envp,
			  u32 flags)
{
	struct arg_buf args = { 0 }, env = { 0 };
	struct exec_req q = {
		.dirfd = dirfd,
		.at_flags = flags,
		.open_name = name,
		.name = name,
		.argv = &args,
		.env = &env,
	};
	u64 limit = arg_limit();
	char *shown = NULL;
	bool lost = false;
	s64 e = arg_buf_from_user(&args, argv, &limit);

	if (e == 0 && args.count == 0)
		e = arg_buf_add(&args, "");
	if (e == 0)
		e = arg_buf_from_user(&env, envp, &limit);
	if (e == 0 && dirfd != AT_FDCWD && *name != '/') {
		shown = kmalloc(strlen(name) + 32);
		if (shown)
			snprintf(shown, strlen(name) + 32, *name ? "/dev/fd/%d/%s" : "/dev/fd/%d",
				 dirfd, name);
		q.name = shown;
		e = shown ? 0 : -ENOMEM;
	}
	if (e == 0)
		e = task_exec(r, &q, &lost);
	kfree(shown);
	arg_buf_fini(&args);
	arg_buf_fini(&env);
	if (unlikely(lost)) {
		kfree((void *)(u64)name);
		task_exit_group(SIGSEGV);
	}
	return e;
}

static s64 do_exec(struct regs *r, s32 dirfd, uaddr_t path, uaddr_t argv, uaddr_t envp, u32 flags)
{
	char *name = kmalloc(PATH_MAX);
	s64 n;

	if (!name)
		return -ENOMEM;
	n = strncpy_from_user(name, path, PATH_MAX);
	if (n >= PATH_MAX)
		n = -ENAMETOOLONG;
	if (n == 0 && !(flags & AT_EMPTY_PATH))
		n = -ENOENT;
	if (n >= 0)
		n = exec_with_name(r, dirfd, name, argv, envp, flags);
	kfree(name);
	return n;
}

s64 sys_execve(struct regs *r, uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	return do_exec(r, AT_FDCWD, path, argv, envp, 0);
}

s64 sys_execveat(struct regs *r, s32 dirfd, uaddr_t path, uaddr_t argv, uaddr_t envp, u32 flags)
{
	if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return do_exec(r, dirfd, path, argv, envp, flags);
}

s64 sys_exit(s32 status)
{
	task_exit((status & 0xff) << 8);
}

s64 sys_exit_group(s32 status)
{
	task_exit_group((status & 0xff) << 8);
}

s64 sys_wait4(s32 pid, uaddr_t status, u32 options, uaddr_t usage)
{
	struct wait_req q = { .type = P_ALL, .options = options | WEXITED };
	struct wait_result res;
	s64 r;

	if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == (s32)0x80000000)
		return -ESRCH;
	if (pid > 0) {
		q.type = P_PID;
		q.id = pid;
	} else if (pid != -1) {
		q.type = P_PGID;
		q.id = pid ? -pid : job_current_pgrp();
	}
	r = task_wait(&q, &res);
	if (r <= 0)
		return r;
	if (!uaddr_is_null(status) && put_user(status, res.status))
		return -EFAULT;
	if (!uaddr_is_null(usage) && put_user(usage, res.usage))
		return -EFAULT;
	return r;
}

/* waitid's id of type P_PIDFD becomes P_PID. */
static s64 resolve_pidfd(struct wait_req *q)
{
	struct pid *p;
	u32 flags;
	s64 r;

	if (q->id < 0)
		return -EINVAL;
	r = pidfd_lookup(q->id, &p, &flags);
	if (r < 0)
		return r;
	if (flags & O_NONBLOCK)
		q->options |= WNOHANG;
	q->type = P_PID;
	q->id = p->nr;
	pid_put(p);
	return flags & O_NONBLOCK ? 1 : 0;
}

s64 sys_waitid(u32 type, s32 id, uaddr_t info, u32 options, uaddr_t usage)
{
	struct wait_req q = { .type = type, .id = id, .options = options };
	struct wait_result res;
	bool nonblock_fd = false;
	siginfo_t si;
	s64 r = 0;

	if ((options & ~(u32)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			      __WCLONE | __WALL)) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (type > P_PIDFD || (type == P_PID && id <= 0) || (type == P_PGID && id < 0))
		return -EINVAL;
	if (type == P_PGID && id == 0)
		q.id = job_current_pgrp();
	if (type == P_PIDFD) {
		r = resolve_pidfd(&q);
		if (r < 0)
			return r;
		nonblock_fd = r == 1 && !(options & WNOHANG);
	}
	r = task_wait(&q, &res);
	if (r < 0)
		return r;
	if (r == 0 && nonblock_fd)
		return -EAGAIN;
	memset(&si, 0, sizeof si);
	if (r > 0) {
		si.si_signo = SIGCHLD;
		si.si_code = res.code;
		si.child.si_pid = res.pid;
		si.child.si_uid = res.uid;
		si.child.si_status = res.code == CLD_EXITED	 ? res.status >> 8 & 0xff
				     : res.code == CLD_CONTINUED ? SIGCONT
				     : res.code == CLD_STOPPED	 ? res.status >> 8 & 0xff
								 : res.status & 0x7f;
		if (!uaddr_is_null(usage) && put_user(usage, res.usage))
			return -EFAULT;
	}
	if (!uaddr_is_null(info) && copy_to_user(info, &si, sizeof si))
		return -EFAULT;
	return 0;
}

s64 sys_getpid(void)
{
	return current()->group->tgid;
}

s64 sys_gettid(void)
{
	return current()->tid;
}

s64 sys_getppid(void)
{
	return READ_ONCE(current()->group->ppid);
}

s64 sys_getpgrp(void)
{
	return job_current_pgrp();
}

s64 sys_getpgid(s32 pid)
{
	return job_getpgid(pid);
}

s64 sys_setpgid(s32 pid, s32 pgid)
{
	return pid < 0 ? -EINVAL : job_setpgid(pid, pgid);
}

s64 sys_getsid(s32 pid)
{
	return job_getsid(pid);
}

s64 sys_setsid(void)
{
	return job_setsid();
}

s64 sys_set_tid_address(uaddr_t ua)
{
	current()->clear_child_tid = ua;
	return current()->tid;
}

s64 sys_arch_prctl(u32 code, u64 addr)
{
	return arch_thread_prctl(current(), (s32)code, addr);
}

s64 sys_pidfd_open(s32 nr, u32 flags)
{
	struct file *f;
	struct task *t;
	int r;

	if ((flags & ~(u32)(PIDFD_NONBLOCK | PIDFD_THREAD)) || nr <= 0)
		return -EINVAL;
	t = task_find_get(nr);
	if (!t)
		return -ESRCH;
	if (!(flags & PIDFD_THREAD) && t->group->leader != t) {
		task_put(t);
		return -EINVAL;
	}
	r = pidfd_file_create(t->pid, flags, &f);
	task_put(t);
	if (r < 0)
		return r;
	r = fd_install(f, true);
	if (r < 0)
		file_put(f);
	return r;
}

static struct file *nth_file(struct fdtable *files, s32 want)
{
	s32 fd = want;
	bool cloexec;
	struct file *f = fdtable_next(files, &fd, &cloexec);

	if (f && fd != want) {
		file_put(f);
		f = NULL;
	}
	return f;
}

s64 sys_pidfd_getfd(s32 pidfd, s32 target, u32 flags)
{
	struct fdtable *files;
	struct file *f = NULL;
	struct task *t;
	struct pid *p;
	u32 pf;
	s64 r;

	if (flags)
		return -EINVAL;
	r = pidfd_lookup(pidfd, &p, &pf);
	if (r < 0)
		return r;
	r = pid_task_get(p, &t);
	pid_put(p);
	if (r < 0)
		return r;
	files = task_files_get(t);
	f = files && target >= 0 ? nth_file(files, target) : NULL;
	/* Asked with the file in hand: what a more privileged program opens after the answer is not meant by it. */
	r = !task_may_access(t, ACCESS_REAL) ? -EPERM : !files ? -ESRCH : f ? 0 : -EBADF;
	task_put(t);
	if (files)
		fdtable_drop(files);
	if (r < 0) {
		if (f)
			file_put(f);
		return r;
	}
	r = fd_install(f, true);
	if (r < 0)
		file_put(f);
	return r;
}
