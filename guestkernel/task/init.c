// SPDX-License-Identifier: Apache-2.0
/*
 * init - process 1: the container's program
 *
 * Role      main.c calls task_create_init() once; the task runs prepare() (mounts, descriptors), then executes the
 *           program found in PATH as a container runtime does.
 * Rules     The spec's memory is copied: nothing of it is used after the call.
 */
#include "arch/param.h"
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/exec.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"

static struct {
	struct arg_buf argv, env;
	char *path, *cwd;
	struct cred *cred;
	int (*prepare)(void *arg);
	void (*failed)(int err, const char *what);
	void *arg;
	char search[PATH_MAX];
} init;

static const char *env_get(const char *name)
{
	size_t len = strlen(name);
	const char *s;

	/* Environment strings of process 1 are looked at only where they lie within one page. */
	for (u32 i = 0; i < init.env.nr_chunks; i++) {
		const char *end = (const char *)init.env.chunk[i] + PAGE_SIZE;

		for (s = (const char *)init.env.chunk[i]; s < end && *s;
		     s += strnlen(s, (size_t)(end - s)) + 1) {
			if ((size_t)(end - s) <= len + 1 || strncmp(s, name, len) != 0 ||
			    s[len] != '=')
				continue;
			if (strnlen(s, (size_t)(end - s)) < (size_t)(end - s))
				return s + len + 1;
		}
	}
	return NULL;
}

static int try_exec(struct regs *r, const char *name)
{
	bool lost = false;
	int e;
	struct exec_req q = { .dirfd = AT_FDCWD,
			      .open_name = name,
			      .name = name,
			      .argv = &init.argv,
			      .env = &init.env };

	e = task_exec(r, &q, &lost);
	if (lost)
		task_exit_group(SIGSEGV);
	return e;
}

static int search_exec(struct regs *r)
{
	const char *dirs = env_get("PATH"), *p, *end;
	int best = -ENOENT;

	if (strchr(init.path, '/'))
		return try_exec(r, init.path);
	if (!dirs)
		dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (p = dirs;; p = end + 1) {
		int n, e;

		for (end = p; *end && *end != ':'; end++)
			;
		n = snprintf(init.search, sizeof init.search, "%.*s/%s", (int)(end - p), p,
			     init.path);
		if (n > 0 && (size_t)n < sizeof init.search) {
			e = try_exec(r, init.search);
			if (e == 0)
				return 0;
			if (e != -ENOENT && e != -ENOTDIR)
				best = e;
		}
		if (!*end)
			return best;
	}
}

static void start_failed(int err, const char *what)
{
	init.failed(err, what);
	panic("process 1 did not start: %s (%d)", what, err);
}

static void init_entry(void *arg)
{
	struct task *t = current();
	struct regs *r = arch_thread_regs(&t->thread);
	int e;

	sched_finish_switch();
	e = fdtable_create(&t->files);
	if (e == 0)
		e = fs_ctx_create(&t->fs);
	t->ns = ns_set_get(&ns_set_init);
	if (e < 0)
		start_failed(e, "descriptor table");
	if (init.prepare) {
		e = init.prepare(init.arg);
		if (e < 0)
			start_failed(e, "preparing the file system");
	}
	/* Only now the ids of the container: mounts are made as root. */
	cred_commit(init.cred);
	if (init.cwd) {
		e = exec_chdir(init.cwd);
		if (e < 0)
			start_failed(e, init.cwd);
	}
	e = search_exec(r);
	if (e < 0)
		start_failed(e, init.path);
	arg_buf_fini(&init.argv);
	arg_buf_fini(&init.env);
	while (trap_work_pending())
		trap_user_exit(r);
	arch_user_enter(r);
}

static int copy_strings(struct arg_buf *b, const char *const *v)
{
	int r = 0;

	for (; v && *v && r == 0; v++)
		r = arg_buf_add(b, *v);
	return r;
}

static int copy_spec(const struct init_spec *s)
{
	int r = copy_strings(&init.argv, s->argv);

	if (r == 0)
		r = copy_strings(&init.env, s->env);
	if (r < 0)
		return r;
	init.path = kstrdup(s->path);
	init.cwd = s->cwd ? kstrdup(s->cwd) : NULL;
	init.cred = cred_new();
	if (!init.path || (s->cwd && !init.cwd) || !init.cred)
		return -ENOMEM;
	r = cred_set_uid(init.cred, s->uid);
	if (r < 0)
		return r;
	init.cred->euid = init.cred->suid = init.cred->fsuid = s->uid;
	init.cred->gid = init.cred->egid = init.cred->sgid = init.cred->fsgid = s->gid;
	init.cred->cap_permitted = s->cap_permitted;
	init.cred->cap_effective = s->cap_effective;
	init.cred->cap_inheritable = s->cap_inheritable;
	init.cred->cap_bounding = s->cap_bounding;
	init.cred->cap_ambient = s->cap_ambient;
	init.prepare = s->prepare;
	init.failed = s->failed;
	init.arg = s->arg;
	return cred_set_groups(init.cred, s->groups, s->nr_groups);
}

/* Full powers until the container's own credentials are committed. */
static int set_root_cred(struct task *t)
{
	struct cred *c = cred_new();

	if (!c)
		return -ENOMEM;
	c->cap_permitted = c->cap_effective = c->cap_bounding = CAP_FULL_SET;
	t->cred = c;
	return charge(c->account, CHARGE_PROCESSES, 1, CHARGE_UNLIMITED);
}

static int make_group(struct task *t, const struct init_spec *s)
{
	struct tgroup *g;
	int r = tgroup_alloc(&g);

	if (r < 0)
		return r;
	t->group = g;
	g->sighand = sighand_alloc();
	if (!g->sighand)
		return -ENOMEM;
	memcpy(g->rlim, s->rlim, sizeof g->rlim);
	g->is_init = true;
	g->core_filter = 0x33;
	g->leader = t;
	g->nr_threads = 1;
	atomic_set(&g->live, 1);
	r = pid_alloc(1, &t->pid);
	if (r < 0)
		return r;
	refs_get(&t->pid->refs);
	t->tid = g->tgid = 1;
	spin_lock(&tasklist_lock);
	t->pid->task = t;
	task_get(t);
	g->pgrp = g->session = t->pid;
	list_add_tail(&t->pid->pgrp, &g->pgrp_link);
	t->pid->nr_session = 1;
	list_add_tail(&g->threads, &t->thread_link);
	spin_unlock(&tasklist_lock);
	init_group = g;
	return 0;
}

int task_create_init(const struct init_spec *spec)
{
	struct task *t;
	int r = copy_spec(spec);

	if (r < 0)
		return r;
	if (spec->hostname)
		utsname_set_host(spec->hostname, strlen(spec->hostname));
	r = task_alloc(&t);
	if (r == 0)
		r = set_root_cred(t);
	if (r == 0)
		r = make_group(t, spec);
	if (r < 0)
		return r;
	t->no_new_privs = spec->no_new_privs;
	strlcpy(t->comm, "init", sizeof t->comm);
	arch_thread_set_entry(&t->thread, init_entry, NULL);
	sched_start(t);
	return 0;
}
