// SPDX-License-Identifier: Apache-2.0
/*
 * task - life of struct task and struct tgroup, access to their resources
 *
 * Rules     A task's memory goes away with its last reference, which may be dropped by the scheduler after
 *           its last switch; so nothing here sleeps. Kernel stacks are cached by mm/kmap.c.
 * Locking   See task.h.
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/mm/kmap.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/kapi/fsctx.h"

static struct kmem_cache *task_cache, *tgroup_cache;
static atomic_t nr_tasks;

struct tgroup *init_group;

void task_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct task), 64);
	tgroup_cache = kmem_cache_create("tgroup", sizeof(struct tgroup), 64);
	if (!task_cache || !tgroup_cache)
		panic("no memory for task caches");
	signal_init();
	signalfd_init();
	arch_thread_setup();
}

u32 task_count(void)
{
	return atomic_read(&nr_tasks);
}

int task_alloc(struct task **out)
{
	struct task *t = kmem_cache_zalloc(task_cache);
	int r;

	if (!t)
		return -ENOMEM;
	r = kstack_alloc(&t->kstack);
	if (r < 0)
		goto out_task;
	r = arch_thread_init(&t->thread, t->kstack);
	if (r < 0)
		goto out_stack;
	refs_init(&t->refs, 1);
	t->state = TASK_NEW;
	t->cpu = this_cpu()->id;
	t->affinity = U64_MAX;
	t->start_ns = clock_monotonic_ns();
	t->exec_start_ns = t->start_ns;
	t->timer_slack_ns = 50000;
	t->loginuid = t->sessionid = U32_MAX;
	spin_init(&t->alloc_lock, RANK_FSCTX);
	list_init(&t->rq_link);
	list_init(&t->thread_link);
	list_init(&t->trace.tracees);
	list_init(&t->trace.link);
	sigqueue_init(&t->pending);
	atomic_add(&nr_tasks, 1);
	*out = t;
	return 0;
out_stack:
	kstack_free(t->kstack);
out_task:
	kmem_cache_free(task_cache, t);
	return r;
}

void task_release_stack(struct task *t)
{
	if (!t->kstack)
		return;
	arch_thread_fini(&t->thread);
	kstack_free(t->kstack);
	t->kstack = NULL;
}

void task_put(struct task *t)
{
	if (!refs_put(&t->refs))
		return;
	task_release_stack(t);
	seccomp_exit(t);
	if (t->cred)
		cred_put(t->cred);
	if (t->pid)
		pid_put(t->pid);
	if (t->group)
		tgroup_put(t->group);
	atomic_sub(&nr_tasks, 1);
	kmem_cache_free(task_cache, t);
}

int tgroup_alloc(struct tgroup **out)
{
	struct tgroup *g = kmem_cache_zalloc(tgroup_cache);

	if (!g)
		return -ENOMEM;
	refs_init(&g->refs, 1);
	list_init(&g->threads);
	list_init(&g->children);
	list_init(&g->sibling);
	list_init(&g->pgrp_link);
	list_init(&g->posix_timers);
	waitq_init(&g->child_wait);
	waitq_init(&g->thread_wait);
	g->signal_wait = signalfd_queue(g);
	spin_init(&g->lock, RANK_SIGHAND);
	mutex_init(&g->timer_mutex, RANK_EXEC);
	sigqueue_init(&g->shared);
	g->start_ns = clock_monotonic_ns();
	g->exit_signal = SIGCHLD;
	itimer_init_group(g);
	*out = g;
	return 0;
}

void tgroup_put(struct tgroup *g)
{
	if (!refs_put(&g->refs))
		return;
	signal_free_queue(&g->shared);
	if (g->sighand)
		sighand_put(g->sighand);
	kmem_cache_free(tgroup_cache, g);
}

static void kthread_entry(void *arg)
{
	struct task *t = current();

	sched_finish_switch();
	((void (*)(void *))t->restart.arg[0])(arg);
	task_exit(0);
}

int kernel_thread_create(void (*fn)(void *arg), void *arg, const char *name, struct task **out)
{
	struct task *t;
	int r = task_alloc(&t);

	if (r < 0)
		return r;
	t->is_kthread = true;
	t->restart.arg[0] = (u64)fn;
	strlcpy(t->comm, name, sizeof t->comm);
	arch_thread_set_entry(&t->thread, kthread_entry, arg);
	if (out) {
		task_get(t);
		*out = t;
	}
	sched_start(t);
	return 0;
}

struct aspace *task_mm_get(struct task *t)
{
	struct aspace *mm;

	spin_lock(&t->alloc_lock);
	mm = t->mm ? aspace_get(t->mm) : NULL;
	spin_unlock(&t->alloc_lock);
	return mm;
}

struct fdtable *task_files_get(struct task *t)
{
	struct fdtable *files;

	spin_lock(&t->alloc_lock);
	files = t->files ? fdtable_hold(t->files) : NULL;
	spin_unlock(&t->alloc_lock);
	return files;
}

struct fs_ctx *task_fs_get(struct task *t)
{
	struct fs_ctx *fs;

	spin_lock(&t->alloc_lock);
	fs = t->fs;
	if (fs)
		fs_ctx_look(fs);
	spin_unlock(&t->alloc_lock);
	return fs;
}

const struct cred *task_cred_get(struct task *t)
{
	const struct cred *c;

	spin_lock(&t->alloc_lock);
	c = t->cred ? cred_get(t->cred) : NULL;
	spin_unlock(&t->alloc_lock);
	return c;
}

u32 task_uid(struct task *t)
{
	u32 uid;

	spin_lock(&t->alloc_lock);
	uid = t->cred ? t->cred->uid : 0;
	spin_unlock(&t->alloc_lock);
	return uid;
}

void task_comm_get(struct task *t, char comm[TASK_COMM_LEN])
{
	spin_lock(&t->alloc_lock);
	memcpy(comm, t->comm, TASK_COMM_LEN);
	spin_unlock(&t->alloc_lock);
}

void task_comm_set(struct task *t, const char *name)
{
	char comm[TASK_COMM_LEN] = { 0 };

	strlcpy(comm, name, sizeof comm);
	spin_lock(&t->alloc_lock);
	memcpy(t->comm, comm, sizeof comm);
	spin_unlock(&t->alloc_lock);
}

char task_state_char(struct task *t)
{
	if (READ_ONCE(t->exited))
		return 'Z';
	switch (READ_ONCE(t->state)) {
	case TASK_RUNNABLE:
		return 'R';
	case TASK_SLEEP:
	case TASK_NEW:
		return 'S';
	case TASK_SLEEP_KILL:
	case TASK_SLEEP_ALWAYS:
		return 'D';
	case TASK_STOPPED:
		return 'T';
	case TASK_TRACED:
		return 't';
	}
	return 'X';
}

/* [A] */
static bool may_access_locked(const struct task *t, enum access_creds how)
{
	const struct cred *me = current()->cred, *c = t->cred;
	u32 uid = how == ACCESS_REAL ? me->uid : me->fsuid;
	u32 gid = how == ACCESS_REAL ? me->gid : me->fsgid;
	u64 caps = how == ACCESS_REAL ? me->cap_permitted : me->cap_effective;

	if (t->group == current_group())
		return true;
	if (!c)
		return false;
	if (cred_capable(me, CAP_SYS_PTRACE))
		return true;
	return uid == c->euid && uid == c->suid && uid == c->uid && gid == c->egid &&
	       gid == c->sgid && gid == c->gid && !(c->cap_permitted & ~caps) &&
	       (!t->mm || t->mm->dumpable);
}

bool task_may_access(struct task *t, enum access_creds how)
{
	bool ok;

	spin_lock(&t->alloc_lock);
	ok = may_access_locked(t, how);
	spin_unlock(&t->alloc_lock);
	return ok;
}

bool task_access_mm(struct task *t, enum access_creds how, struct aspace **mm)
{
	bool ok;

	spin_lock(&t->alloc_lock);
	ok = may_access_locked(t, how);
	*mm = ok && t->mm ? aspace_get(t->mm) : NULL;
	spin_unlock(&t->alloc_lock);
	return ok;
}

void task_times(struct task *t, struct task_times *out)
{
	u64 total = task_runtime_now(t), stime = t->stime_ns;

	if (t == current() && t->kernel_since_ns)
		stime += arch_clock_ns() - t->kernel_since_ns;
	out->stime_ns = MIN(stime, total);
	out->utime_ns = total - out->stime_ns;
}

void tgroup_times(struct tgroup *g, struct task_times *out)
{
	struct task_times tt;
	struct task *t;

	spin_lock(&tasklist_lock);
	out->utime_ns = g->utime_ns;
	out->stime_ns = g->stime_ns;
	list_for_each_entry (t, &g->threads, thread_link) {
		if (t->exited)
			continue;
		task_times(t, &tt);
		out->utime_ns += tt.utime_ns;
		out->stime_ns += tt.stime_ns;
	}
	spin_unlock(&tasklist_lock);
}

u64 tgroup_runtime_now(struct tgroup *g)
{
	struct task_times tt;

	tgroup_times(g, &tt);
	return tt.utime_ns + tt.stime_ns;
}

/* kapi/current.h */

const struct cred *current_cred(void)
{
	return current()->cred;
}

struct fdtable *current_fds(void)
{
	return current()->files;
}

struct fs_ctx *current_fs(void)
{
	return current()->fs;
}

u64 current_rlimit(u32 which)
{
	struct tgroup *g = current_group();

	return g ? READ_ONCE(g->rlim[which].rlim_cur) : U64_MAX;
}

s32 current_tid(void)
{
	return current()->tid;
}

s32 current_tgid(void)
{
	return current_group() ? current_group()->tgid : 0;
}

bool current_is_killed(void)
{
	return signal_fatal_pending();
}

bool signal_pending(void)
{
	return READ_ONCE(current()->work) & (WORK_SIGNAL | WORK_KILLED);
}

void current_set_fds(struct fdtable *files)
{
	struct task *t = current();
	struct fdtable *old = t->files;

	spin_lock(&t->alloc_lock);
	t->files = files;
	spin_unlock(&t->alloc_lock);
	if (old)
		fdtable_put(old);
}
