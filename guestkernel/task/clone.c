// SPDX-License-Identifier: Apache-2.0
/*
 * clone - fork, vfork, clone, clone3
 *
 * Role      The system calls decode into struct clone_req; task_clone() does the rest.
 * Rules     A call with a signal pending does not start. Everything that can fail happens before the child is
 *           linked; linking fails only when the caller is being killed: a signal that comes in between does not
 *           make the work void (a steady stream of them would starve fork), and one for a whole group
 *           of processes is passed on to the child.
 * Locking   Linking: tasklist_lock, then group->lock.
 * Missing   CLONE_INTO_CGROUP.
 * See       clone(2)
 */
#include "guestkernel/task/clone.h"
#include "arch/param.h"
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/semundo.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/futex.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/task/pidfd.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/ptrace.h"
#include "guestkernel/uapi/sched.h"

#define CLONE_NAMESPACES                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

struct vfork_done {
	struct refs refs;
	struct spinlock lock; /* RANK_OBJECT */
	struct waitq wait;
	bool done; /* [lock] */
};

#define STACKS_PART  8 /* of memory may be kernel stacks */
#define THREADS_MIN  128
#define FOR_ROOT     32u  /* of whichever limit is reached first, but no more than */
#define ROOT_PART    8u	  /* this part of it */
#define PIDS_DEFAULT 4096 /* --pids-limit */

u32 threads_max = THREADS_MIN;
static u32 pids_max = PIDS_DEFAULT;
static atomic_t nr_charged =
	ATOMIC_INIT(1); /* tasks from clone() until they are reaped, and process 1 */

static u64 nr_forks; /* blurred by races: a statistic */

u64 task_fork_count(void)
{
	return nr_forks;
}

static int check_flags(const struct clone_req *q)
{
	u64 f = q->flags;

	if ((f & CLONE_NEWNS) && (f & CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_NEWIPC) && (f & CLONE_SYSVSEM))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_CLEAR_SIGHAND) && (f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_DETACHED))
		return -EINVAL;
	if ((f & (CLONE_PARENT | CLONE_THREAD)) == CLONE_PARENT && current_group()->is_init)
		return -EINVAL;
	if (f & CLONE_INTO_CGROUP)
		return -EINVAL;
	return 0;
}

static int copy_resources(struct task *t, const struct clone_req *q)
{
	struct task *me = current();
	int r = 0;

	r = ns_set_clone(me->ns, q->flags & CLONE_NAMESPACES, &t->ns);
	if (r < 0)
		return r;
	if (q->flags & CLONE_SYSVSEM) {
		t->sem_undo = sem_undo_share(&me->sem_undo);
		if (!t->sem_undo)
			return -ENOMEM;
	}
	if (q->flags & CLONE_FILES)
		t->files = fdtable_get(me->files);
	else
		r = fdtable_clone(me->files, &t->files);
	if (r < 0)
		return r;
	if (q->flags & CLONE_FS)
		t->fs = fs_ctx_get(me->fs);
	else
		r = fs_ctx_clone(me->fs, &t->fs);
	if (r < 0)
		return r;
	if (q->flags & CLONE_NEWNS)
		mnt_ns_adopt(t->ns->of[NS_MNT], t->fs);
	if (q->flags & CLONE_VM)
		t->mm = aspace_get(me->mm);
	else
		r = aspace_clone(me->mm, &t->mm);
	return r;
}

static void drop_resources(struct task *t)
{
	if (t->mm)
		aspace_put(t->mm);
	if (t->fs)
		fs_ctx_put(t->fs);
	if (t->files)
		fdtable_put(t->files);
	t->mm = NULL;
	if (t->ns)
		ns_set_put(t->ns);
	t->fs = NULL;
	t->files = NULL;
	t->ns = NULL;
	if (t->sem_undo)
		sem_undo_put(t->sem_undo);
	t->sem_undo = NULL;
}

static int new_group(struct task *t, const struct clone_req *q)
{
	struct tgroup *me = current_group(), *g;
	int r = tgroup_alloc(&g);

	if (r < 0)
		return r;
	t->group = g;
	if (q->flags & CLONE_SIGHAND) {
		refs_get(&me->sighand->refs);
		g->sighand = me->sighand;
	} else {
		g->sighand = sighand_copy(me->sighand, q->flags & CLONE_CLEAR_SIGHAND);
		if (!g->sighand)
			return -ENOMEM;
	}
	memcpy(g->rlim, me->rlim, sizeof g->rlim);
	g->cpu_timers = g->rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY;
	g->oom_score_adj = me->oom_score_adj;
	g->core_filter = me->core_filter;
	g->personality = me->personality;
	g->has_subreaper = me->subreaper || me->has_subreaper;
	g->exit_signal = q->flags & CLONE_PARENT ? me->exit_signal : q->exit_signal;
	return 0;
}

static void copy_task(struct task *t, const struct clone_req *q)
{
	struct task *me = current();

	t->cred = cred_get(me->cred);
	memcpy(t->comm, me->comm, sizeof t->comm);
	t->blocked = me->blocked;
	t->affinity = me->affinity;
	t->nice = me->nice;
	t->policy = me->policy;
	t->rt_priority = me->rt_priority;
	if (me->reset_on_fork) {
		t->policy = SCHED_NORMAL;
		t->rt_priority = 0;
		t->nice = MAX(me->nice, (s8)0);
	}
	t->timer_slack_ns = me->timer_slack_ns;
	t->loginuid = me->loginuid;
	t->sessionid = me->sessionid;
	t->ioprio = me->ioprio;
	t->keep_caps = me->keep_caps;
	if (!(q->flags & CLONE_VM) || (q->flags & CLONE_VFORK)) {
		t->altstack_sp = me->altstack_sp;
		t->altstack_size = me->altstack_size;
		t->altstack_flags = me->altstack_flags;
	}
	if (!(q->flags & CLONE_VM))
		t->rseq = me->rseq;
	if (t->rseq.ua)
		t->work = WORK_RSEQ;
	if (q->flags & CLONE_CHILD_SETTID)
		t->set_child_tid = q->child_tid;
	if (q->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = q->child_tid;
}

static void link_process(struct task *t, const struct clone_req *q)
{
	struct tgroup *me = current_group(), *g = t->group;
	bool sibling = q->flags & CLONE_PARENT;

	g->tgid = t->tid;
	g->leader = t;
	g->parent = sibling ? me->parent : me;
	g->parent_tid = sibling ? me->parent_tid : current()->tid;
	g->ppid = g->parent->tgid;
	g->pgrp = me->pgrp;
	g->session = me->session;
	list_add_tail(&g->pgrp->pgrp, &g->pgrp_link);
	g->session->nr_session++;
	list_add_tail(&g->parent->children, &g->sibling);
	tgroup_get(g->parent);
	g->nr_threads = 1;
	atomic_set(&g->live, 1);
	list_add_tail(&g->threads, &t->thread_link);
}

static int fork_begin(void)
{
	struct tgroup *me = current_group();
	int r = 0;

	spin_lock(&me->lock);
	signal_recalc_locked(current());
	if (READ_ONCE(current()->work) & (WORK_SIGNAL | WORK_KILLED))
		r = signal_interrupted(-ERESTARTNOINTR);
	else
		me->nr_forking++;
	spin_unlock(&me->lock);
	return r;
}

static void fork_end(void)
{
	struct tgroup *me = current_group();

	spin_lock(&me->lock);
	if (--me->nr_forking == 0)
		me->fork_signals = 0;
	spin_unlock(&me->lock);
}

/* Signals that came during the call and are the child's as well. */
static void inherit_signals(struct task *t, struct tgroup *me, bool is_thread)
{
	if (!is_thread)
		t->group->shared.set |= me->fork_signals;
	if (is_thread ? me->stop_pending || (me->shared.set & ~t->blocked)
		      : t->group->shared.set != 0)
		t->work |= WORK_SIGNAL;
}

/* The point where the child comes into being. */
static int link_task(struct task *t, const struct clone_req *q, u32 event) NO_LOCK_ANALYSIS
{
	struct tgroup *me = current_group();
	int r = 0;

	spin_lock(&tasklist_lock);
	spin_lock(&me->lock);
	if ((READ_ONCE(current()->work) & WORK_KILLED) || me->exiting || me->exec_task) {
		r = signal_interrupted(-ERESTARTNOINTR);
		goto out;
	}
	inherit_signals(t, me, q->flags & CLONE_THREAD);
	seccomp_inherit_locked(t);
	t->pid->task = t;
	task_get(t); /* the number's reference; the other one is the scheduler's */
	if (q->flags & CLONE_THREAD) {
		me->nr_threads++;
		atomic_add(&me->live, 1);
		list_add_tail(&me->threads, &t->thread_link);
	} else {
		link_process(t, q);
	}
	ptrace_clone_locked(t, q, event);
	nr_forks++;
out:
	spin_unlock(&me->lock);
	spin_unlock(&tasklist_lock);
	return r;
}

static void fork_entry(void *arg)
{
	task_fork_return();
	arch_user_enter(arch_thread_regs(&current()->thread));
}

void task_fork_return(void)
{
	struct task *t = current();

	sched_finish_switch();
	if (!uaddr_is_null(t->set_child_tid))
		(void)!put_user(t->set_child_tid, t->tid);
	while (trap_work_pending())
		trap_user_exit(arch_thread_regs(&t->thread));
}

static int vfork_prepare(struct task *t)
{
	struct vfork_done *v = knew(struct vfork_done);

	if (!v)
		return -ENOMEM;
	refs_init(&v->refs, 2);
	spin_init(&v->lock, RANK_OBJECT);
	waitq_init(&v->wait);
	t->vfork = v;
	return 0;
}

static void vfork_put(struct vfork_done *v)
{
	if (refs_put(&v->refs))
		kfree(v);
}

static void vfork_wait(struct vfork_done *v)
{
	int r = 0;

	spin_lock(&v->lock);
	while (!v->done && r == 0)
		r = wait_on_killable(&v->wait, &v->lock);
	spin_unlock(&v->lock);
	vfork_put(v);
}

static void vfork_complete(struct task *t)
{
	struct vfork_done *v = t->vfork;

	if (!v)
		return;
	t->vfork = NULL;
	spin_lock(&v->lock);
	v->done = true;
	spin_unlock(&v->lock);
	wake_all(&v->wait);
	vfork_put(v);
}

void task_release_mm_users(struct task *t)
{
	u32 zero = 0;

	if (!uaddr_is_null(t->robust_list))
		futex_robust_exit(t);
	if (!uaddr_is_null(t->clear_child_tid) && refs_read(&t->mm->refs) > 1) {
		(void)!put_user(t->clear_child_tid, zero);
		futex_wake_user(t->clear_child_tid, 1);
	}
	t->clear_child_tid = UADDR_NULL;
	t->robust_list = UADDR_NULL;
	t->rseq = (struct rseq_state){ 0 };
	vfork_complete(t);
}

static int child_create(const struct regs *r, const struct clone_req *q, struct task **out)
{
	struct task *t;
	int ret = task_alloc(&t);

	if (ret < 0)
		return ret;
	copy_task(t, q);
	if (q->flags & CLONE_THREAD) {
		tgroup_get(current_group());
		t->group = current_group();
	} else {
		ret = new_group(t, q);
	}
	if (ret == 0)
		ret = pid_alloc(q->set_tid, &t->pid);
	if (ret < 0)
		goto out;
	refs_get(&t->pid->refs); /* one for the table, one for the task */
	t->tid = t->pid->nr;
	ret = arch_thread_clone(&t->thread, r, q->sp, q->flags & CLONE_SETTLS, q->tls);
	if (ret < 0)
		goto out_pid;
	arch_thread_set_entry(&t->thread, fork_entry, NULL);
	if (q->flags & CLONE_VFORK)
		ret = vfork_prepare(t);
	if (ret == 0)
		ret = copy_resources(t, q);
	if (ret < 0)
		goto out_res;
	*out = t;
	return 0;
out_res:
	drop_resources(t);
	if (t->vfork)
		kfree(t->vfork);
out_pid:
	spin_lock(&tasklist_lock);
	pid_release_if_unused(t->pid);
	spin_unlock(&tasklist_lock);
out:
	task_put(t);
	return ret;
}

static void child_destroy(struct task *t)
{
	drop_resources(t);
	if (t->vfork)
		kfree(t->vfork);
	spin_lock(&tasklist_lock);
	pid_release_if_unused(t->pid);
	spin_unlock(&tasklist_lock);
	task_put(t);
}

static int pidfd_prepare(struct task *t, const struct clone_req *q, s32 *fd, struct file **f)
{
	int r = pidfd_file_create(t->pid, q->flags & CLONE_THREAD ? PIDFD_THREAD : 0, f);

	if (r < 0)
		return r;
	*fd = fd_reserve(true);
	if (*fd < 0) {
		file_put(*f);
		return *fd;
	}
	if (put_user(q->pidfd, *fd)) {
		fd_unreserve(*fd);
		file_put(*f);
		return -EFAULT;
	}
	return 0;
}

void task_limits_init(u64 nr_frames, u64 pids_limit)
{
	u64 stacks = nr_frames / (KSTACK_SIZE / PAGE_SIZE) / STACKS_PART;

	threads_max = (u32)MIN(MAX(stacks, (u64)THREADS_MIN), (u64)(pid_max - PID_RESERVED));
	pids_max = (u32)MIN(pids_limit ? pids_limit : (u64)PIDS_DEFAULT, (u64)U32_MAX);
}

/* Root may go beyond RLIMIT_NPROC, by uid or by capability; the last places of all are his: without them nobody could
 * start the program that ends a user's who has taken every place. */
static int charge_task(void)
{
	bool exempt = current()->cred->uid == 0 || charge_exempt();
	u64 limit = exempt ? CHARGE_UNLIMITED : current_rlimit(RLIMIT_NPROC);
	u32 n = atomic_add(&nr_charged, 1), most = MIN(threads_max, pids_max);
	int ret;

	if (!exempt)
		most -= MIN(FOR_ROOT, most / ROOT_PART);
	ret = n > most ? -EAGAIN : charge(account_current(), CHARGE_PROCESSES, 1, limit);
	if (ret < 0)
		atomic_sub(&nr_charged, 1);
	return ret;
}

void task_uncharge(const struct cred *cred)
{
	uncharge(cred->account, CHARGE_PROCESSES, 1);
	atomic_sub(&nr_charged, 1);
}

s64 task_clone(const struct regs *r, const struct clone_req *q)
{
	struct vfork_done *vfork;
	struct file *pidfile = NULL;
	struct task *t;
	s32 pidfd = -1, tid;
	u32 event = ptrace_clone_event(q);
	int ret = check_flags(q);

	if (ret < 0)
		return ret;
	ret = charge_task();
	if (ret < 0)
		return ret;
	ret = fork_begin();
	if (ret < 0)
		goto out_charge;
	ret = child_create(r, q, &t);
	if (ret < 0) {
		fork_end();
		goto out_charge;
	}
	if (q->flags & CLONE_PIDFD) {
		ret = pidfd_prepare(t, q, &pidfd, &pidfile);
		if (ret < 0)
			goto out;
	}
	ret = link_task(t, q, event);
	if (ret < 0)
		goto out_pidfd;
	if (pidfile)
		fd_publish(pidfd, pidfile);
	fork_end();
	tid = t->tid;
	vfork = t->vfork;
	if (q->flags & CLONE_PARENT_SETTID)
		(void)!put_user(q->parent_tid, tid);
	if (!(q->flags & CLONE_THREAD) && t->group->cpu_timers)
		itimer_watch_cpu(t->group);
	sched_start(t);
	if (unlikely(event))
		ptrace_event(event, (u64)tid);
	if (vfork) {
		vfork_wait(vfork);
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (u64)tid);
	}
	return tid;
out_pidfd:
	if (pidfile) {
		fd_unreserve(pidfd);
		file_put(pidfile);
	}
out:
	fork_end();
	child_destroy(t);
out_charge:
	task_uncharge(current()->cred);
	return ret;
}

int task_unshare(u64 flags)
{
	struct task *t = current();
	struct fdtable *files = NULL, *old_files;
	struct fs_ctx *fs = NULL, *old_fs;
	struct ns_set *ns;
	int r = 0;

	if (flags & ~(u64)(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_NAMESPACES | CLONE_VM |
			   CLONE_THREAD | CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)) && t->group->nr_threads > 1)
		return -EINVAL;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	if (flags & CLONE_FILES)
		r = fdtable_clone(t->files, &files);
	if (r == 0 && (flags & CLONE_FS))
		r = fs_ctx_clone(t->fs, &fs);
	if (r == 0)
		r = ns_set_clone(t->ns, flags & CLONE_NAMESPACES, &ns);
	if (r < 0) {
		if (files)
			fdtable_put(files);
		if (fs)
			fs_ctx_put(fs);
		return r;
	}
	if (flags & CLONE_NEWNS)
		mnt_ns_adopt(ns->of[NS_MNT], fs);
	task_ns_replace(ns);
	if ((flags & (CLONE_SYSVSEM | CLONE_NEWIPC)) && t->sem_undo) {
		sem_undo_put(t->sem_undo);
		t->sem_undo = NULL;
	}
	spin_lock(&t->alloc_lock);
	old_files = t->files;
	old_fs = t->fs;
	if (files)
		t->files = files;
	if (fs)
		t->fs = fs;
	spin_unlock(&t->alloc_lock);
	if (files)
		fdtable_put(old_files);
	if (fs)
		fs_ctx_put(old_fs);
	return 0;
}
