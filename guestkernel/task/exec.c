// SPDX-License-Identifier: Apache-2.0
/*
 * exec - execve: replacing the program of a process
 *
 * Role      sys_execve(at) and the start of process 1 (init.c).
 * Rules     While prepare() looks nothing changes, and errors go back to the caller. From the moment the other threads
 *           have been told to go an error kills the process, because the old program is gone, or half of it.
 *           A caller that is not the leader takes over the leader's number.
 *           What a program may do is decided in commit(), under the locks that keep a tracer, a sharer of the file
 *           system context and the lookers (task_may_access()) away; nothing before it may depend on the outcome, nor
 *           anything be laid out that a caller of a set-id program could choose (choose_layout() comes after).
 *           Stack, from its top down: eight zero bytes, file name, environment, arguments,
 *           platform name, random bytes, then (16-byte aligned) auxiliary vector, envp, argv, argc.
 * Locking   None of its own: after the other threads are gone the process belongs to the caller.
 * Missing   binfmt_misc.
 * See       execve(2), getauxval(3)
 */
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/exec.h"
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/binfmt.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/auxv.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/personality.h"
#include "guestkernel/uapi/rseq.h"

#define STACK_INITIAL	   (128ull << 10)
#define STACK_SECURE_MAX   (8ull << 20) /* nobody tells a set-id program where its memory lies */
#define STACK_RANDOM_PAGES (1ull << 22)
#define MMAP_RANDOM_PAGES  (1ull << 28)
#define BRK_RANDOM_PAGES   (1ull << 13)
#define AUXV_PAIRS	   24

struct exec {
	const struct exec_req *req;
	struct file *file;
	struct elf_program elf;
	struct exec_file_info info;
	struct arg_buf prefix; /* interpreter and its argument, script name */
	bool skip_argv0;
	bool randomise, readable, committed;
	struct exec_creds creds;
	struct aspace *mm;
	char comm[TASK_COMM_LEN];
	u8 head[BINFMT_HEAD];
	struct script_head script;
	/* stack */
	u64 sp; /* moves down */
	u64 stack_top, execfn_va, env_va, arg_va, platform_va, random_va;
	u64 auxv[AUXV_PAIRS * 2];
	u32 nr_auxv;
};

static int read_head(struct exec *x)
{
	struct iov_cursor c;
	s64 pos = 0, n;

	memset(x->head, 0, sizeof x->head);
	iov_init_kernel(&c, x->head, sizeof x->head);
	n = file_read(x->file, &c, &pos);
	return n < 0 ? (int)n : 0;
}

/* Script: its interpreter becomes the program. Builds "interp [arg] script" in front of what was there. */
static int take_interpreter(struct exec *x, const char *script_name)
{
	struct arg_buf b = { 0 };
	int r = binfmt_script_parse(x->head, &x->script);

	if (r < 0)
		return r;
	r = arg_buf_add(&b, x->script.interp);
	if (r == 0 && x->script.has_arg)
		r = arg_buf_add(&b, x->script.arg);
	if (r == 0)
		r = arg_buf_add(&b, script_name);
	/* Of a nested script's own prefix the first string (its name) has just been added again. */
	if (r == 0 && x->prefix.count) {
		const char *s = (const char *)x->prefix.chunk[0];

		for (u32 i = 1; r == 0 && i < x->prefix.count; i++) {
			s += strlen(s) + 1;
			r = arg_buf_add(&b, s);
		}
	}
	if (r == 0 && b.nr_chunks > 1)
		r = -E2BIG;
	arg_buf_fini(&x->prefix);
	x->prefix = b;
	x->skip_argv0 = true;
	if (r < 0)
		return r;
	file_put(x->file);
	x->file = NULL;
	return exec_open(AT_FDCWD, x->script.interp, 0, &x->file);
}

static const char *base_name(const char *path)
{
	const char *s = strrchr(path, '/');

	return s ? s + 1 : path;
}

/* What the program is called: as its path says, or, without one, its file. */
static void name_program(struct exec *x)
{
	if (*x->req->open_name)
		strlcpy(x->comm, base_name(x->req->name), sizeof x->comm);
	else
		exec_file_name(x->file, x->comm, sizeof x->comm);
}

/* A script is named to its interpreter by a descriptor that will be closed. */
static bool name_goes(const struct exec_req *q)
{
	bool cloexec = false;
	s32 fd = q->dirfd;
	struct file *f;

	if (q->name == q->open_name)
		return false;
	f = fdtable_next(current()->files, &fd, &cloexec);
	if (f)
		file_put(f);
	return f && fd == q->dirfd && cloexec;
}

static int find_program(struct exec *x)
{
	char *name = kstrdup(x->req->name);
	int r;

	if (!name)
		return -ENOMEM;
	r = exec_open(x->req->dirfd, x->req->open_name, x->req->at_flags, &x->file);
	if (r == 0)
		name_program(x);
	for (u32 depth = 0; r == 0; depth++) {
		if (depth > BINFMT_DEPTH_MAX) {
			r = -ELOOP;
			break;
		}
		r = read_head(x);
		if (r < 0 || x->head[0] != '#' || x->head[1] != '!')
			break;
		if (depth == 0 && name_goes(x->req)) {
			r = -ENOENT;
			break;
		}
		r = take_interpreter(x, name);
		kfree(name);
		name = r == 0 ? kstrdup(x->script.interp) : NULL;
		if (r == 0 && !name)
			r = -ENOMEM;
	}
	kfree(name);
	if (r == 0)
		r = exec_file_info(x->file, &x->info);
	return r;
}

/* Ends all other threads; the caller becomes the leader. */
static int remove_other_threads(void) NO_LOCK_ANALYSIS
{
	struct task *me = current(), *leader;
	struct tgroup *g = me->group;
	struct pid *pid;

	if (READ_ONCE(g->nr_threads) == 1 && g->leader == me)
		return 0;
	spin_lock(&g->lock);
	if (g->exiting || g->exec_task) {
		spin_unlock(&g->lock);
		return -EAGAIN;
	}
	g->exec_task = me;
	signal_kill_others_locked(g, me);
	spin_unlock(&g->lock);
	spin_lock(&tasklist_lock);
	while (g->nr_threads > 1)
		if (wait_on_killable(&g->thread_wait, &tasklist_lock) < 0)
			break;
	if (g->nr_threads > 1) {
		spin_unlock(&tasklist_lock);
		g->exec_task = NULL;
		return -EAGAIN;
	}
	leader = g->leader;
	if (leader != me) {
		pid = me->pid;
		me->pid = leader->pid;
		leader->pid = pid;
		me->pid->task = me;
		pid->task = NULL;
		me->tid = me->pid->nr;
		leader->tid = pid->nr;
		g->leader = me;
		pid_release_if_unused(pid);
		ptrace_unlink(leader);
		spin_lock(&g->lock);
		list_del(&leader->thread_link);
		signal_free_queue(&leader->pending);
		spin_unlock(&g->lock);
		task_uncharge(leader->cred);
		task_put(leader);
	}
	g->exec_task = NULL;
	spin_unlock(&tasklist_lock);
	return 0;
}

static int private_sighand(void)
{
	struct tgroup *g = current_group();
	struct sighand *s, *old = g->sighand;

	if (refs_read(&old->refs) > 1) {
		s = sighand_copy(old, false);
		if (!s)
			return -ENOMEM;
		spin_lock(&g->lock);
		g->sighand = s;
		spin_unlock(&g->lock);
		sighand_put(old);
	}
	return 0;
}

static void choose_layout(struct exec *x)
{
	struct aspace *mm = x->mm;
	u64 stack = current_rlimit(RLIMIT_STACK), gap;

	x->randomise = sysctl_randomize_va && !(current_group()->personality & ADDR_NO_RANDOMIZE);
	x->stack_top = STACK_TOP_MAX;
	gap = MIN(stack, STACK_TOP_MAX / 6 * 5);
	gap = MAX(gap, MMAP_BASE_GAP);
	if (x->randomise) {
		x->stack_top -= rand_below(STACK_RANDOM_PAGES) << PAGE_SHIFT;
		gap += (STACK_RANDOM_PAGES + rand_below(MMAP_RANDOM_PAGES)) << PAGE_SHIFT;
	}
	mm->mmap_base = ALIGN_DOWN(STACK_TOP_MAX - gap, PAGE_SIZE);
	mm->gap_top = mm->mmap_base;
}

/* [S] enum exec_unsafe */
static u32 unsafe_locked(const struct task *t)
{
	return (fs_ctx_is_shared(t->fs) ? UNSAFE_SHARED_FS : 0) |
	       (ptrace_allows_privileges_locked() ? 0 : UNSAFE_TRACED) |
	       (t->no_new_privs ? UNSAFE_NO_NEW_PRIVS : 0);
}

/* [S A] What Linux does in two steps: an exec leaves a process open to its user's debuggers only if the old program was,
 * this one may be read, and no right is new. */
static bool stays_dumpable(const struct exec *x, const struct cred *old)
{
	return x->readable && old->euid == old->uid && old->egid == old->gid &&
	       !cred_gains(x->creds.cred, old);
}

/*
 * The new address space and the new credentials become the current ones, together: whoever asks by task_may_access()
 * sees the old memory with the old rights or the new with the new. Under the group's lock no tracer comes or goes.
 */
static void commit(struct exec *x) NO_LOCK_ANALYSIS
{
	struct task *t = current();
	const struct cred *old_cred = t->cred;
	struct aspace *old = t->mm;

	if (old)
		task_release_mm_users(t);
	spin_lock(&t->group->lock);
	spin_lock(&t->alloc_lock);
	cred_exec_finish(&x->creds, unsafe_locked(t));
	x->mm->dumpable = stays_dumpable(x, old_cred);
	t->mm = x->mm;
	t->cred = x->creds.cred;
	spin_unlock(&t->alloc_lock);
	spin_unlock(&t->group->lock);
	x->creds.cred = NULL;
	x->committed = true;
	aspace_activate(x->mm);
	cred_put(old_cred);
	if (old) {
		u64 rss = MAX(old->hiwater_rss,
			      atomic64_read(&old->rss_anon) + atomic64_read(&old->rss_file)) *
			  4;

		if (t->group->maxrss_kb < rss)
			t->group->maxrss_kb = rss;
		aspace_put(old);
	}
}

static void reset_signals(struct task *t)
{
	sighand_flush(t->group->sighand);
	t->altstack_sp = t->altstack_size = 0;
	t->altstack_flags = 0;
	t->restart.fn = NULL;
}

/* Signals that children made by the old program were to send at their ends are not for the new one. */
static void tame_children(struct tgroup *g)
{
	struct tgroup *child;

	if (list_empty(&g->children))
		return;
	spin_lock(&tasklist_lock);
	list_for_each_entry (child, &g->children, sibling)
		child->exit_signal = SIGCHLD;
	spin_unlock(&tasklist_lock);
}

static void become(struct exec *x)
{
	struct task *t = current();
	struct tgroup *g = t->group;

	reset_signals(t);
	posix_timer_exit_group(g);
	fdtable_close_on_exec(t->files);
	task_comm_set(t, x->comm);
	g->did_exec = true;
	g->exit_signal = SIGCHLD;
	tame_children(g);
	t->keep_caps = false;
	t->set_child_tid = UADDR_NULL;
	if (x->creds.secure) {
		g->pdeath_signal = 0;
		g->personality &= ~(u32)(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | MMAP_PAGE_ZERO);
		spin_lock(&g->lock);
		g->rlim[RLIMIT_STACK].rlim_cur =
			MIN(g->rlim[RLIMIT_STACK].rlim_cur, STACK_SECURE_MAX);
		spin_unlock(&g->lock);
	}
}

static int map_stack(struct exec *x)
{
	u64 strings = x->prefix.len + x->req->argv->len + x->req->env->len + strlen(x->req->name);
	u64 size =
		ALIGN_UP(strings + (x->req->argv->count + x->req->env->count) * 8ull, PAGE_SIZE) +
		STACK_INITIAL;
	struct map_req req = {
		.addr = x->stack_top - size,
		.len = size,
		.prot = PROT_READ | PROT_WRITE | (x->elf.exec_stack ? PROT_EXEC : 0),
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		.region_flags = REGION_GROWSDOWN,
		.label = "[stack]",
	};
	u64 va;

	x->sp = x->stack_top;
	return aspace_map(x->mm, &req, &va);
}

static int push(struct exec *x, const void *p, size_t n)
{
	x->sp -= n;
	return copy_to_user(UADDR(x->sp), p, n);
}

/* Copies the strings so that they end at sp; skip: bytes at the beginning that are left out. */
static int push_strings(struct exec *x, const struct arg_buf *b, u64 skip)
{
	u64 off = skip, va;

	x->sp -= b->len - skip;
	for (va = x->sp; off < b->len;) {
		u64 in = off & (PAGE_SIZE - 1), n = MIN(PAGE_SIZE - in, b->len - off);

		if (copy_to_user(UADDR(va), b->chunk[off >> PAGE_SHIFT] + in, n))
			return -EFAULT;
		va += n;
		off += n;
	}
	return 0;
}

static u64 first_string_len(const struct arg_buf *b)
{
	u64 off;

	for (off = 0; off < b->len; off++)
		if (b->chunk[off >> PAGE_SHIFT][off & (PAGE_SIZE - 1)] == 0)
			return off + 1;
	return 0;
}

static int push_all_strings(struct exec *x)
{
	const struct arg_buf *argv = x->req->argv;
	u64 zero = 0, skip = x->skip_argv0 && argv->count ? first_string_len(argv) : 0;
	u8 random[16];
	int r;

	rand_bytes(random, sizeof random);
	r = push(x, &zero, sizeof zero);
	if (r == 0)
		r = push(x, x->req->name, strlen(x->req->name) + 1);
	x->execfn_va = x->sp;
	x->mm->env_end = x->sp;
	if (r == 0)
		r = push_strings(x, x->req->env, 0);
	x->env_va = x->mm->env_start = x->mm->arg_end = x->sp;
	if (r == 0)
		r = push_strings(x, argv, skip);
	if (r == 0)
		r = push_strings(x, &x->prefix, 0);
	x->arg_va = x->mm->arg_start = x->sp;
	x->sp = ALIGN_DOWN(x->sp, 16ull);
	if (x->randomise)
		x->sp -= rand_below(512) << 4;
	if (r == 0)
		r = push(x, ARCH_PLATFORM, sizeof ARCH_PLATFORM);
	x->platform_va = x->sp;
	if (r == 0)
		r = push(x, random, sizeof random);
	x->random_va = x->sp;
	return r;
}

static void aux(struct exec *x, u64 tag, u64 val)
{
	x->auxv[x->nr_auxv++] = tag;
	x->auxv[x->nr_auxv++] = val;
}

static void fill_auxv(struct exec *x, u64 vdso)
{
	const struct cred *c = current()->cred;

	x->nr_auxv = 0;
	if (vdso)
		aux(x, AT_SYSINFO_EHDR, vdso);
	aux(x, AT_MINSIGSTKSZ, arch_min_sigstack());
	aux(x, AT_HWCAP, arch_hwcap());
	aux(x, AT_PAGESZ, PAGE_SIZE);
	aux(x, AT_CLKTCK, 100);
	aux(x, AT_PHDR, x->elf.phdr_va);
	aux(x, AT_PHENT, sizeof(Elf64_Phdr));
	aux(x, AT_PHNUM, x->elf.main.nr_phdrs);
	aux(x, AT_BASE, x->elf.has_interp ? x->elf.interp_bias + x->elf.interp.lo : 0);
	aux(x, AT_FLAGS, 0);
	aux(x, AT_ENTRY, x->elf.main.entry + x->elf.main_bias);
	aux(x, AT_UID, c->uid);
	aux(x, AT_EUID, c->euid);
	aux(x, AT_GID, c->gid);
	aux(x, AT_EGID, c->egid);
	aux(x, AT_SECURE, x->creds.secure);
	aux(x, AT_RANDOM, x->random_va);
	aux(x, AT_HWCAP2, arch_hwcap2());
	aux(x, AT_EXECFN, x->execfn_va);
	aux(x, AT_PLATFORM, x->platform_va);
	aux(x, AT_RSEQ_FEATURE_SIZE, offsetof(struct rseq, mm_cid) + sizeof(u32));
	aux(x, AT_RSEQ_ALIGN, 32);
	aux(x, AT_NULL, 0);
	memcpy(x->mm->auxv, x->auxv, MIN(sizeof x->mm->auxv, x->nr_auxv * sizeof(u64)));
	x->mm->nr_auxv = x->nr_auxv;
}

/* Offset of the string behind the one at off. */
static u64 next_string(const struct arg_buf *b, u64 off)
{
	u64 at, left, n;

	do {
		at = off & (PAGE_SIZE - 1);
		left = PAGE_SIZE - at;
		n = strnlen((const char *)b->chunk[off >> PAGE_SHIFT] + at, left);
		off += n;
	} while (n == left);
	return off + 1;
}

/* Pointers to n strings that lie one after the other from *va on; written at *at. Both move on. */
static int put_pointers(const struct arg_buf *b, u64 skip, u32 n, u64 *va, u64 *at)
{
	u64 off = skip, next;

	for (u32 i = 0; i < n; i++) {
		if (put_user(UADDR(*at), *va))
			return -EFAULT;
		*at += 8;
		next = next_string(b, off);
		*va += next - off;
		off = next;
	}
	return 0;
}

static int push_vectors(struct exec *x)
{
	const struct arg_buf *argv = x->req->argv, *env = x->req->env;
	bool skip_first = x->skip_argv0 && argv->count;
	u32 nr_user = argv->count - skip_first;
	u64 argc = x->prefix.count + nr_user, zero = 0, va = x->arg_va, at;
	u64 words = 1 + argc + 1 + env->count + 1 + x->nr_auxv;
	int r;

	x->sp = ALIGN_DOWN(x->sp - words * 8, 16ull);
	at = x->sp;
	r = put_user(UADDR(at), argc);
	at += 8;
	if (r == 0)
		r = put_pointers(&x->prefix, 0, x->prefix.count, &va, &at);
	if (r == 0)
		r = put_pointers(argv, skip_first ? first_string_len(argv) : 0, nr_user, &va, &at);
	if (r == 0)
		r = put_user(UADDR(at), zero);
	at += 8;
	va = x->env_va;
	if (r == 0)
		r = put_pointers(env, 0, env->count, &va, &at);
	if (r == 0)
		r = put_user(UADDR(at), zero);
	at += 8;
	if (r == 0)
		r = copy_to_user(UADDR(at), x->auxv, x->nr_auxv * sizeof(u64));
	x->mm->stack_start = x->sp;
	return r;
}

static void note_in_mm(struct exec *x)
{
	struct aspace *mm = x->mm;

	mm->start_code = x->elf.start_code;
	mm->end_code = x->elf.end_code;
	mm->start_data = x->elf.start_data;
	mm->end_data = x->elf.end_data;
	mm->brk_start = x->elf.brk;
	if (x->randomise)
		mm->brk_start += rand_below(BRK_RANDOM_PAGES) << PAGE_SHIFT;
	mm->brk_end = mm->brk_start;
	file_get(x->elf.main.file);
	mm->exe_file = x->elf.main.file;
}

/* The old program is gone: build the new one. */
static int build(struct exec *x, struct regs *r)
{
	u64 vdso;
	int e = binfmt_elf_load(&x->elf, x->mm, x->randomise);

	if (e == 0)
		e = map_stack(x);
	if (e == 0)
		e = vdso_map(x->mm, &vdso);
	if (e < 0)
		return e;
	note_in_mm(x);
	e = push_all_strings(x);
	if (e < 0)
		return e;
	fill_auxv(x, vdso);
	e = push_vectors(x);
	if (e < 0)
		return e;
	arch_thread_exec(&current()->thread, r, x->elf.entry, x->sp);
	return 0;
}

static void exec_fini(struct exec *x)
{
	binfmt_elf_fini(&x->elf);
	arg_buf_fini(&x->prefix);
	if (x->file)
		file_put(x->file);
	if (x->creds.cred)
		cred_put(x->creds.cred);
	if (x->mm && !x->committed)
		aspace_put(x->mm);
	kfree(x);
}

/* Of a CLONE_FILES child: its close-on-exec descriptors are not its parent's. The other threads are gone, so who shares
 * the table is another process. Record locks stay with the old table, as on Linux. */
static int private_files(void)
{
	struct fdtable *files;
	int r;

	if (!fdtable_is_shared(current()->files))
		return 0;
	r = fdtable_clone(current()->files, &files);
	if (r == 0)
		current_set_fds(files);
	return r;
}

/* Everything that can be refused. */
static int prepare(struct exec *x)
{
	int r = find_program(x);

	if (r == 0)
		r = binfmt_elf_check(x->file, x->head, &x->elf);
	if (r == 0)
		r = cred_exec_begin(&x->info, &x->creds);
	if (r == 0)
		r = aspace_create(&x->mm);
	x->readable = r == 0 && exec_file_readable(x->file) &&
		      (!x->elf.has_interp || exec_file_readable(x->elf.interp.file));
	return r;
}

static int replace(struct exec *x, struct regs *r)
{
	int e = private_sighand();

	if (e == 0)
		e = private_files();
	if (e < 0)
		return e;
	commit(x);
	become(x);
	choose_layout(x);
	return build(x, r);
}

int task_exec(struct regs *r, const struct exec_req *q, bool *lost)
{
	struct exec *x = knew(struct exec);
	s32 old_tid = current()->tid;
	int e;

	if (!x)
		return -ENOMEM;
	x->req = q;
	current()->in_execve = true;
	e = prepare(x);
	/* Fails only for a thread that is itself made to go. */
	if (e == 0)
		e = remove_other_threads();
	if (e < 0)
		goto out;
	e = replace(x, r);
	*lost = e < 0;
out:
	current()->in_execve = false;
	exec_fini(x);
	if (e == 0)
		ptrace_exec(old_tid);
	return e;
}
