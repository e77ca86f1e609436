// SPDX-License-Identifier: Apache-2.0
/*
 * task_proc - the rows of /proc/<pid> about a task, and how procfs finds tasks
 *
 * Rules     Text is in Linux's format to the blank: programs parse it.
 * Locking   tasklist_lock for relations, group->lock for signals; both short.
 * Missing   io counts bytes of nothing (zeros), sched has no statistics of waiting, wchan is a number.
 * See       proc(5)
 */
#include "guestkernel/task/task_proc.h"
#include "arch/param.h"
#include "guestkernel/kapi/fsctx.h"
#include "fs/mount.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/job.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/mm/mm_proc.h"
#include "guestkernel/task/cred.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/times.h"

#define NS_PER_TICK (NSEC_PER_SEC / USER_HZ)
typedef unsigned long long ull;

static int done(struct strbuf *sb)
{
	return sb->failed ? -ENOMEM : 0;
}

/* Numbers that change together, read under the locks once. */
struct snapshot {
	struct tgroup *g;
	s32 ppid, pgrp, session, tty_pgrp;
	u32 threads, tty_dev;
	sigset_t pending, shared, blocked, ignored, caught;
	u64 nr_queued;
	u64 queue_limit;
	struct task_times own, group;
	u64 min_flt, maj_flt, cmin_flt, cmaj_flt, cutime, cstime;
};

static void snapshot_signals(struct task *t, struct snapshot *s)
{
	struct tgroup *g = t->group;

	spin_lock(&g->lock);
	s->pending = t->pending.set;
	s->shared = g->shared.set;
	s->blocked = t->blocked;
	s->queue_limit = g->rlim[RLIMIT_SIGPENDING].rlim_cur;
	spin_lock(&g->sighand->lock);
	for (u32 i = 0; i < _NSIG; i++) {
		u64 h = g->sighand->action[i].sa_handler;

		if (h == SIG_IGN)
			s->ignored |= 1ull << i;
		else if (h != SIG_DFL)
			s->caught |= 1ull << i;
	}
	spin_unlock(&g->sighand->lock);
	spin_unlock(&g->lock);
}

static void snapshot_take(struct task *t, struct snapshot *s)
{
	struct tgroup *g = t->group;
	const struct cred *cred;
	struct task *it;

	memset(s, 0, sizeof *s);
	s->g = g;
	snapshot_signals(t, s);
	cred = task_cred_get(t);
	if (cred) {
		s->nr_queued = charge_read(cred->account, CHARGE_SIGPENDING);
		cred_put(cred);
	}
	task_times(t, &s->own);
	tgroup_times(g, &s->group);
	spin_lock(&tasklist_lock);
	s->ppid = g->ppid;
	s->pgrp = g->pgrp->nr;
	s->session = g->session->nr;
	s->tty_pgrp = -1;
	if (g->session->tty) {
		s->tty_pgrp = g->session->tty->pgrp;
		s->tty_dev = g->session->tty->dev;
	}
	s->threads = g->nr_threads + (g->leader->exited ? 1 : 0); /* it stays until it is reaped */
	s->min_flt = g->min_flt;
	s->maj_flt = g->maj_flt;
	list_for_each_entry (it, &g->threads, thread_link) {
		if (it->exited)
			continue;
		s->min_flt += it->min_flt;
		s->maj_flt += it->maj_flt;
	}
	s->cmin_flt = g->cmin_flt;
	s->cmaj_flt = g->cmaj_flt;
	s->cutime = g->cutime_ns;
	s->cstime = g->cstime_ns;
	spin_unlock(&tasklist_lock);
}

static int priority_of(const struct task *t)
{
	return t->policy == 1 || t->policy == 2 ? -1 - t->rt_priority : 20 + t->nice;
}

static void stat_mm(struct strbuf *sb, struct task *t, bool tail)
{
	struct aspace *mm = task_mm_get(t);
	bool show = mm && task_may_access(t, ACCESS_FS);

	if (!tail) {
		strbuf_printf(sb, " %llu %llu %llu", mm ? (ull)mm_total_bytes(mm) : 0,
			      mm ? (ull)mm_rss_pages(mm) : 0,
			      (ull)t->group->rlim[RLIMIT_RSS].rlim_cur);
		strbuf_printf(sb, " %llu %llu %llu 0 0", show ? (ull)mm->start_code : 1,
			      show ? (ull)mm->end_code : 1, show ? (ull)mm->stack_start : 0);
	} else if (show) {
		strbuf_printf(sb, " %llu %llu %llu %llu %llu %llu %llu", (ull)mm->start_data,
			      (ull)mm->end_data, (ull)mm->brk_start, (ull)mm->arg_start,
			      (ull)mm->arg_end, (ull)mm->env_start, (ull)mm->env_end);
	} else {
		strbuf_printf(sb, " 0 0 0 0 0 0 0");
	}
	if (mm)
		aspace_put(mm);
}

static int show_stat(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;
	bool leader = t->group->leader == t;
	char comm[TASK_COMM_LEN];
	struct task_times tt;
	struct snapshot s;

	task_comm_get(t, comm);
	snapshot_take(t, &s);
	tt = leader ? s.group : s.own;
	strbuf_printf(sb, "%d (%s) %c %d %d %d %u %d %u", t->tid, comm, task_state_char(t), s.ppid,
		      s.pgrp, s.session, s.tty_dev, s.tty_pgrp,
		      s.g->did_exec ? 0x400000 : 0x400040);
	strbuf_printf(sb, " %llu %llu %llu %llu", (ull)s.min_flt, (ull)s.cmin_flt, (ull)s.maj_flt,
		      (ull)s.cmaj_flt);
	strbuf_printf(sb, " %llu %llu %llu %llu", (ull)(tt.utime_ns / NS_PER_TICK),
		      (ull)(tt.stime_ns / NS_PER_TICK), (ull)(s.cutime / NS_PER_TICK),
		      (ull)(s.cstime / NS_PER_TICK));
	strbuf_printf(sb, " %d %d %u 0 %llu", priority_of(t), t->nice, s.threads,
		      (ull)(t->start_ns / NS_PER_TICK));
	stat_mm(sb, t, false);
	strbuf_printf(sb, " %llu %llu %llu %llu", (ull)(s.pending & 0x7fffffff),
		      (ull)(s.blocked & 0x7fffffff), (ull)(s.ignored & 0x7fffffff),
		      (ull)(s.caught & 0x7fffffff));
	strbuf_printf(sb, " %d 0 0 %d %u %u %u 0 0 0", t->wait_chan != 0, s.g->exit_signal, t->cpu,
		      t->rt_priority, t->policy);
	stat_mm(sb, t, true);
	strbuf_printf(sb, " %d\n", t->exited && task_may_access(t, ACCESS_FS) ? s.g->exit_code : 0);
	return done(sb);
}

static const char *state_name(char c)
{
	switch (c) {
	case 'R':
		return "R (running)";
	case 'D':
		return "D (disk sleep)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	case 'X':
		return "X (dead)";
	}
	return "S (sleeping)";
}

static void status_cred(struct strbuf *sb, struct task *t)
{
	const struct cred *c = task_cred_get(t);

	if (!c)
		return;
	strbuf_printf(sb, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid,
		      c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	strbuf_printf(sb, "FDSize:\t%u\nGroups:\t", 64);
	for (u32 i = 0; i < c->nr_groups; i++)
		strbuf_printf(sb, "%u ", c->groups[i]);
	strbuf_printf(sb, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", t->group->tgid,
		      t->tid, t->group->pgrp->nr, t->group->session->nr);
	cred_put(c);
}

static void status_caps(struct strbuf *sb, struct task *t)
{
	const struct cred *c = task_cred_get(t);

	if (!c)
		return;
	strbuf_printf(
		sb,
		"CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		(ull)c->cap_inheritable, (ull)c->cap_permitted, (ull)c->cap_effective,
		(ull)c->cap_bounding, (ull)c->cap_ambient);
	strbuf_printf(sb, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
		      READ_ONCE(t->no_new_privs), READ_ONCE(t->seccomp.mode),
		      seccomp_filter_count(t));
	cred_put(c);
}

/* "0-3" and "f" for the CPUs of a mask without holes; holes are written out. */
static void show_cpu_list(struct strbuf *sb, u64 mask)
{
	bool first = true;

	for (u32 i = 0; i < 64; i++) {
		u32 j = i;

		if (!(mask >> i & 1))
			continue;
		while (j < 63 && (mask >> (j + 1) & 1))
			j++;
		strbuf_printf(sb, first ? "%u" : ",%u", i);
		if (j > i)
			strbuf_printf(sb, "-%u", j);
		first = false;
		i = j;
	}
}

/* A program chooses its name; it must not be able to add lines. */
static void add_escaped(struct strbuf *sb, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n' || *s == '\\')
			strbuf_addc(sb, '\\');
		strbuf_addc(sb, *s == '\n' ? 'n' : *s);
	}
}

static int show_status(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;
	struct aspace *mm = task_mm_get(t);
	u64 cpus_allowed = t->affinity & sched_cpu_mask();
	struct fs_ctx *fs = task_fs_get(t);
	char comm[TASK_COMM_LEN];
	struct snapshot s;

	task_comm_get(t, comm);
	snapshot_take(t, &s);
	strbuf_printf(sb, "Name:\t");
	add_escaped(sb, comm);
	strbuf_addc(sb, '\n');
	if (fs)
		strbuf_printf(sb, "Umask:\t%04o\n", fs_ctx_umask(fs));
	strbuf_printf(sb, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		      state_name(task_state_char(t)), s.g->tgid, t->tid, s.ppid,
		      ptrace_tracer_tid(t));
	status_cred(sb, t);
	if (mm)
		mm_show_status(sb, mm);
	strbuf_printf(sb, "Threads:\t%u\nSigQ:\t%llu/%llu\n", s.threads, (ull)s.nr_queued,
		      (ull)s.queue_limit);
	strbuf_printf(
		sb,
		"SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		(ull)s.pending, (ull)s.shared, (ull)s.blocked, (ull)s.ignored, (ull)s.caught);
	status_caps(sb, t);
	strbuf_printf(
		sb,
		"Speculation_Store_Bypass:\tnot vulnerable\nCpus_allowed:\t%llx\nCpus_allowed_list:\t",
		(ull)cpus_allowed);
	show_cpu_list(sb, cpus_allowed);
	strbuf_printf(sb, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
	strbuf_printf(sb, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		      (ull)t->nvcsw, (ull)t->nivcsw);
	if (mm)
		aspace_put(mm);
	if (fs)
		fs_ctx_unlook(fs);
	return done(sb);
}

static int show_range(struct strbuf *sb, struct aspace *mm, u64 start, u64 end)
{
	u8 buf[256];

	while (start < end) {
		size_t n = MIN(sizeof buf, end - start);
		s64 got = aspace_access(mm, start, buf, n, false, true);

		if (got <= 0)
			break;
		strbuf_add(sb, buf, (size_t)got);
		start += (u64)got;
	}
	return done(sb);
}

#define ARGS_SHOWN_MAX (1ull << 20)

static int show_cmdline(struct strbuf *sb, void *ctx)
{
	struct aspace *mm = task_mm_get(ctx);
	int r;

	if (!mm)
		return 0;
	r = show_range(sb, mm, mm->arg_start, MIN(mm->arg_end, mm->arg_start + ARGS_SHOWN_MAX));
	/* A program that wrote over its arguments (setproctitle) may go on into the environment. */
	if (r == 0 && sb->len && sb->data[sb->len - 1] != 0 && mm->env_start == mm->arg_end) {
		size_t n;

		r = show_range(sb, mm, mm->env_start, MIN(mm->env_end, mm->env_start + PAGE_SIZE));
		n = strnlen(sb->data, sb->len);
		sb->len = n;
	}
	aspace_put(mm);
	return r;
}

/* mm: of mm_row_open(), as for auxv. */
static int show_environ(struct strbuf *sb, void *bound)
{
	struct aspace *mm = bound;
	int r;

	if (!mm || !aspace_get_live(mm))
		return 0;
	r = show_range(sb, mm, mm->env_start, MIN(mm->env_end, mm->env_start + ARGS_SHOWN_MAX));
	aspace_put(mm);
	return r;
}

static int show_auxv(struct strbuf *sb, void *bound)
{
	struct aspace *mm = bound;

	if (mm)
		strbuf_add(sb, mm->auxv, mm->nr_auxv * sizeof(u64));
	return done(sb);
}

static int show_comm(struct strbuf *sb, void *ctx)
{
	char comm[TASK_COMM_LEN];

	task_comm_get(ctx, comm);
	strbuf_printf(sb, "%s\n", comm);
	return done(sb);
}

static int store_comm(const char *text, size_t n, void *ctx)
{
	struct task *t = ctx;
	char comm[TASK_COMM_LEN];

	if (t->group != current_group())
		return -EINVAL;
	n = MIN(n, sizeof comm - 1);
	memcpy(comm, text, n);
	comm[n] = 0;
	if (n && comm[n - 1] == '\n')
		comm[n - 1] = 0;
	task_comm_set(t, comm);
	return 0;
}

static const struct {
	const char *name, *unit;
} limit_names[RLIM_NLIMITS] = {
	{"Max cpu time",		  "seconds"  },
	   { "Max file size",	      "bytes"    },
	{ "Max data size",	   "bytes"	   },
	   { "Max stack size",	       "bytes"    },
	{ "Max core file size",	"bytes"	},
	   { "Max resident set",	 "bytes"	 },
	{ "Max processes",	   "processes"},
	   { "Max open files",	       "files"    },
	{ "Max locked memory",     "bytes"    },
	   { "Max address space",	  "bytes"	  },
	{ "Max file locks",	    "locks"    },
	   { "Max pending signals",   "signals"  },
	{ "Max msgqueue size",     "bytes"    },
	   { "Max nice priority",	  ""	     },
	{ "Max realtime priority", ""	      },
	   { "Max realtime timeout",  "us"	  },
};

static void show_limit(struct strbuf *sb, u64 v)
{
	if (v == RLIM_INFINITY)
		strbuf_printf(sb, "%-20s ", "unlimited");
	else
		strbuf_printf(sb, "%-20llu ", (ull)v);
}

static int show_limits(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	strbuf_printf(sb, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
		      "Units");
	for (u32 i = 0; i < RLIM_NLIMITS; i++) {
		strbuf_printf(sb, "%-25s ", limit_names[i].name);
		show_limit(sb, t->group->rlim[i].rlim_cur);
		show_limit(sb, t->group->rlim[i].rlim_max);
		strbuf_printf(sb, *limit_names[i].unit ? "%-10s\n" : "%s\n", limit_names[i].unit);
	}
	return done(sb);
}

static int show_io(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	if (!task_may_access(t, ACCESS_FS))
		return -EACCES;
	strbuf_printf(sb, "rchar: 0\nwchar: 0\nsyscr: %llu\nsyscw: %llu\n", (ull)t->syscr,
		      (ull)t->syscw);
	strbuf_printf(sb, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	return done(sb);
}

static int show_wchan(struct strbuf *sb, void *ctx)
{
	strbuf_addc(sb, '0');
	return done(sb);
}

static int show_cgroup(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "0::/\n");
	return done(sb);
}

static int show_oom_score(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	strbuf_printf(sb, "%d\n", MAX(666 + t->group->oom_score_adj * 2 / 3, 0));
	return done(sb);
}

static int show_oom_score_adj(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	strbuf_printf(sb, "%d\n", t->group->oom_score_adj);
	return done(sb);
}

static int store_oom_score_adj(const char *text, size_t n, void *ctx)
{
	bool negative = n && text[0] == '-';
	struct task *t = ctx;
	char buf[16];
	u64 v;
	s32 adj;

	if (n >= sizeof buf)
		return -EINVAL;
	memcpy(buf, text + negative, n - negative);
	buf[n - negative] = 0;
	if (n - negative && buf[n - negative - 1] == '\n')
		buf[n - negative - 1] = 0;
	if (!parse_u64(buf, 10, &v) || v > 1000)
		return -EINVAL;
	adj = negative ? -(s32)v : (s32)v;
	if (adj < t->group->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	t->group->oom_score_adj = adj;
	return 0;
}

static int show_sched(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;
	u64 run = task_runtime_now(t);

	strbuf_printf(sb, "%s (%d, #threads: %u)\n", t->comm, t->tid, t->group->nr_threads);
	strbuf_printf(sb, "-------------------------------------------------------------------\n");
	strbuf_printf(sb, "%-45s:%21llu.%06llu\n", "se.sum_exec_runtime",
		      (ull)(run / NSEC_PER_MSEC), (ull)(run % NSEC_PER_MSEC));
	strbuf_printf(sb, "%-45s:%21llu\n%-45s:%21llu\n%-45s:%21llu\n", "nr_switches",
		      (ull)(t->nvcsw + t->nivcsw), "nr_voluntary_switches", (ull)t->nvcsw,
		      "nr_involuntary_switches", (ull)t->nivcsw);
	strbuf_printf(sb, "%-45s:%21d\n%-45s:%21d\n", "policy", t->policy, "prio",
		      100 + priority_of(t));
	return done(sb);
}

static int show_schedstat(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	strbuf_printf(sb, "%llu 0 %llu\n", (ull)task_runtime_now(t), (ull)(t->nvcsw + t->nivcsw));
	return done(sb);
}

static int show_personality(struct strbuf *sb, void *ctx)
{
	if (!task_may_access(ctx, ACCESS_FS))
		return -EPERM;
	strbuf_printf(sb, "%08x\n", ((struct task *)ctx)->group->personality);
	return done(sb);
}

static int show_id_map(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%10u %10u %10u\n", 0, 0, 0xffffffffu);
	return done(sb);
}

static int show_setgroups(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "allow\n");
	return done(sb);
}

#define ROW(name, mode, show, store)    \
	{                               \
		name, mode, show, store \
	}
static const struct proc_row process_rows[] = {
	ROW("stat", 0444, show_stat, NULL),
	ROW("status", 0444, show_status, NULL),
	ROW("cmdline", 0444, show_cmdline, NULL),
	MM_ROW("environ", 0400, show_environ),
	MM_ROW("auxv", 0400, show_auxv),
	ROW("comm", 0644, show_comm, store_comm),
	ROW("limits", 0444, show_limits, NULL),
	ROW("io", 0400, show_io, NULL),
	ROW("wchan", 0444, show_wchan, NULL),
	ROW("cgroup", 0444, show_cgroup, NULL),
	ROW("oom_score", 0444, show_oom_score, NULL),
	ROW("oom_score_adj", 0644, show_oom_score_adj, store_oom_score_adj),
	ROW("sched", 0444, show_sched, NULL),
	ROW("schedstat", 0444, show_schedstat, NULL),
	ROW("personality", 0400, show_personality, NULL),
	ROW("uid_map", 0444, show_id_map, NULL),
	ROW("gid_map", 0444, show_id_map, NULL),
	ROW("setgroups", 0444, show_setgroups, NULL),
};
const struct proc_table task_proc_process = { process_rows, ARRAY_SIZE(process_rows), NULL };

/* struct proc_task_ops */

static struct task *op_get_thread(struct task *leader, s32 tid)
{
	struct task *t = task_find_get(tid);

	if (t && t->group != leader->group) {
		task_put(t);
		t = NULL;
	}
	return t;
}

static s32 op_next_process(s32 after)
{
	s32 nr = after + 1;
	struct task *t = task_next(&nr);

	if (!t)
		return 0;
	task_put(t);
	return nr;
}

static s32 op_next_thread(struct task *leader, s32 after)
{
	s32 nr = after + 1;
	struct task *t = task_next_thread(leader->group, &nr);

	if (!t)
		return 0;
	task_put(t);
	return nr;
}

static s32 op_tid(struct task *t)
{
	return t->tid;
}

static s32 op_tgid(struct task *t)
{
	return t->group->tgid;
}

static void op_owner(struct task *t, u32 *uid, u32 *gid)
{
	*uid = *gid = 0;
	spin_lock(&t->alloc_lock);
	if (t->cred && t->mm && t->mm->dumpable) { /* nor a zombie */
		*uid = t->cred->euid;
		*gid = t->cred->egid;
	}
	spin_unlock(&t->alloc_lock);
}

static int op_may_read(struct task *t)
{
	return task_may_access(t, ACCESS_FS) ? 0 : -EACCES;
}

static int op_exe(struct task *t, struct path *out)
{
	struct aspace *mm = task_mm_get(t);
	int r = -ENOENT;

	if (!mm)
		return r;
	if (mm->exe_file) {
		*out = mm->exe_file->path;
		path_get(out);
		r = 0;
	}
	aspace_put(mm);
	return r;
}

static int fs_path(struct task *t, struct path *out, void (*get)(struct fs_ctx *, struct path *))
{
	struct fs_ctx *fs = task_fs_get(t);

	if (!fs)
		return -ENOENT;
	get(fs, out);
	fs_ctx_unlook(fs);
	return 0;
}

static int op_cwd(struct task *t, struct path *out)
{
	return fs_path(t, out, fs_ctx_cwd);
}

static int op_root(struct task *t, struct path *out)
{
	return fs_path(t, out, fs_ctx_root);
}

static int op_mem_open(struct task *t, void **mem)
{
	return mm_row_open(t, mem);
}

static s64 op_mem(void *mem, u64 va, void *buf, size_t n, bool write)
{
	struct aspace *mm = mem;
	s64 done;

	if (!mm || !aspace_get_live(mm))
		return 0;
	done = aspace_access(mm, va, buf, n, write, true);
	aspace_put(mm);
	return done;
}

const struct proc_task_ops task_proc_ops = {
	.get_process = task_find_get, /* of a thread too, which the list does not show */
	.get_thread = op_get_thread,
	.get = task_get,
	.put = task_put,
	.next_process = op_next_process,
	.next_thread = op_next_thread,
	.tid = op_tid,
	.tgid = op_tgid,
	.cred = task_cred_get,
	.owner = op_owner,
	.may_read = op_may_read,
	.fds = task_files_get,
	.exe = op_exe,
	.cwd = op_cwd,
	.root = op_root,
	.ns = task_ns_get,
	.mem_open = op_mem_open,
	.mem_close = mm_row_close,
	.mem = op_mem,
	.pagemap = mm_pagemap,
	.map_next = mm_map_next,
};
