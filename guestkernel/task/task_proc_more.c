// SPDX-License-Identifier: Apache-2.0
/*
 * task_proc_more - rows of /proc/<pid> about sessions, limits and kinds of kernels this one is not
 *
 * Role      What login programs, debuggers and monitors look for besides task_proc.c: audit's login user, out-of-memory
 *           marks, timers, and files whose truth here is that there is nothing.
 * Rules     Writes are checked as Linux checks them, in its order. What a security module would answer is EINVAL, as on a
 *           Linux without one.
 * Missing   stack shows no frames. docs/proc.md lists what is left out altogether.
 * See       proc(5), tests/syscalls/proc_files.c
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/task/task.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/uapi/capability.h"

#define LOGIN_UNSET	   0xffffffffu
#define CORE_FILTER_BITS   0x1ffu
#define OOM_ADJ_NEVER	   (-17)
#define OOM_ADJ_MAX	   15
#define OOM_SCORE_ADJ_MAX  1000
#define TIMER_SLACK_NORMAL 50000

typedef unsigned long long ull;

static int done(struct strbuf *sb)
{
	return sb->failed ? -ENOMEM : 0;
}

static int say(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
	return done(sb);
}

/* A number and at most a newline. base 0: as in C. */
static int parse_number(const char *text, size_t n, u32 base, u64 *out)
{
	char buf[32];

	while (n && (text[n - 1] == '\n' || text[n - 1] == 0))
		n--;
	if (!n || n >= sizeof buf)
		return -EINVAL;
	memcpy(buf, text, n);
	buf[n] = 0;
	if (base == 0 && n > 2 && buf[0] == '0' && (buf[1] | 32) == 'x')
		return parse_u64(buf + 2, 16, out) ? 0 : -EINVAL;
	if (base == 0)
		base = buf[0] == '0' && n > 1 ? 8 : 10;
	return parse_u64(buf, base, out) ? 0 : -EINVAL;
}

/* Audit's login user: written once by login programs, inherited, never taken back. */

static int show_loginuid(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u", READ_ONCE(((struct task *)ctx)->loginuid));
	return done(sb);
}

static int show_sessionid(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u", READ_ONCE(((struct task *)ctx)->sessionid));
	return done(sb);
}

static int store_loginuid(const char *text, size_t n, void *ctx)
{
	static atomic_t last_session;
	struct task *t = ctx;
	u64 uid;

	if (t != current())
		return -EPERM;
	if (parse_number(text, n, 10, &uid) || uid > LOGIN_UNSET)
		return -EINVAL;
	if (t->loginuid != LOGIN_UNSET && !capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	WRITE_ONCE(t->sessionid, uid == LOGIN_UNSET ? LOGIN_UNSET : atomic_add(&last_session, 1));
	WRITE_ONCE(t->loginuid, (u32)uid);
	return 0;
}

static int show_coredump_filter(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	if (!t->exited)
		strbuf_printf(sb, "%08x\n", READ_ONCE(t->group->core_filter));
	return done(sb);
}

static int store_coredump_filter(const char *text, size_t n, void *ctx)
{
	struct task *t = ctx;
	u64 v;

	if (parse_number(text, n, 0, &v) || v > 0xffffffffu)
		return -EINVAL;
	if (t->exited)
		return -ESRCH;
	WRITE_ONCE(t->group->core_filter, (u32)v & CORE_FILTER_BITS);
	return 0;
}

static int show_timerslack(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;

	if (t != current() && !capable(CAP_SYS_NICE))
		return -EPERM;
	strbuf_printf(sb, "%llu\n", (ull)READ_ONCE(t->timer_slack_ns));
	return done(sb);
}

static int store_timerslack(const char *text, size_t n, void *ctx)
{
	struct task *t = ctx;
	u64 v;

	if (parse_number(text, n, 10, &v))
		return -EINVAL;
	if (t != current() && !capable(CAP_SYS_NICE))
		return -EPERM;
	WRITE_ONCE(t->timer_slack_ns, v ? v : TIMER_SLACK_NORMAL);
	return 0;
}

static int show_oom_adj(struct strbuf *sb, void *ctx)
{
	s32 adj = READ_ONCE(((struct task *)ctx)->group->oom_score_adj);

	strbuf_printf(sb, "%d\n",
		      adj == OOM_SCORE_ADJ_MAX ? OOM_ADJ_MAX
					       : adj * -OOM_ADJ_NEVER / OOM_SCORE_ADJ_MAX);
	return done(sb);
}

static int store_oom_adj(const char *text, size_t n, void *ctx)
{
	bool negative = n && text[0] == '-';
	struct task *t = ctx;
	s32 adj;
	u64 v;

	if (parse_number(text + negative, n - negative, 10, &v) ||
	    v > (negative ? -OOM_ADJ_NEVER : OOM_ADJ_MAX))
		return -EINVAL;
	adj = v == OOM_ADJ_MAX && !negative ? OOM_SCORE_ADJ_MAX
					    : (s32)v * OOM_SCORE_ADJ_MAX / -OOM_ADJ_NEVER;
	adj = negative ? -adj : adj;
	if (adj < t->group->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	t->group->oom_score_adj = adj;
	return 0;
}

static int show_map_one(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%10u %10u %10u\n", 0, 0, 0xffffffffu);
	return done(sb);
}

static int show_autogroup(struct strbuf *sb, void *ctx)
{
	return say(sb, "/autogroup-0 nice 0\n");
}

static int show_cpuset(struct strbuf *sb, void *ctx)
{
	return say(sb, "/\n");
}

static int show_timens(struct strbuf *sb, void *ctx)
{
	return say(sb, "monotonic           0         0\nboottime            0         0\n");
}

static int show_ksm_pages(struct strbuf *sb, void *ctx)
{
	return say(sb, "0\n");
}

static int show_ksm_stat(struct strbuf *sb, void *ctx)
{
	return say(
		sb,
		"ksm_rmap_items 0\nksm_zero_pages 0\nksm_merging_pages 0\nksm_process_profit 0\n");
}

/* Where in the kernel somebody sleeps is nobody's business; without the capability Linux says so too. */
static int show_stack(struct strbuf *sb, void *ctx)
{
	return capable(CAP_SYS_ADMIN) ? done(sb) : -EACCES;
}

static int show_attr(struct strbuf *sb, void *ctx)
{
	return -EINVAL;
}

static int store_attr(const char *text, size_t n, void *ctx)
{
	return ctx == current() ? -EINVAL : -EACCES;
}

static int show_children(struct strbuf *sb, void *ctx)
{
	struct task *t = ctx;
	struct tgroup *g;

	spin_lock(&tasklist_lock);
	list_for_each_entry (g, &t->group->children, sibling)
		if (g->parent_tid == t->tid || (t->group->leader == t && g->parent_tid == 0))
			strbuf_printf(sb, "%d ", g->tgid);
	spin_unlock(&tasklist_lock);
	return done(sb);
}

#define NO_MODULE(name)                                   \
	{                                                 \
		"attr/" name, 0666, show_attr, store_attr \
	}

static const struct proc_row rows[] = {
	{"loginuid",	      0644, show_loginuid,  store_loginuid},
	{ "sessionid",	       0444, show_sessionid, NULL	  },
	{ "oom_adj",	     0644, show_oom_adj,	 store_oom_adj },
	{ "projid_map",	0644, show_map_one,   NULL		 },
	{ "cpuset",	    0444, show_cpuset,    NULL	    },
	{ "stack",		   0400, show_stack,     NULL	  },
	{ "ksm_merging_pages", 0400, show_ksm_pages, NULL	  },
	{ "ksm_stat",	      0400, show_ksm_stat,  NULL		},
	NO_MODULE("current"),
	NO_MODULE("exec"),
	NO_MODULE("fscreate"),
	NO_MODULE("keycreate"),
	{ "attr/prev",	       0444, show_attr,	NULL	     },
	NO_MODULE("sockcreate"),
};
const struct proc_table task_proc_more = { rows, ARRAY_SIZE(rows), NULL };

/* Asked at open, and by the row itself at each read. */
static int may_look(void *ctx, void **bound)
{
	*bound = ctx;
	return task_may_access(ctx, ACCESS_FS) ? 0 : -EACCES;
}

#define ROW(name, mode, show, store, open)    \
	{                                     \
		name, mode, show, store, open \
	}
static const struct proc_row process_only[] = {
	ROW("coredump_filter", 0644, show_coredump_filter, store_coredump_filter, NULL),
	ROW("timerslack_ns", 0666, show_timerslack, store_timerslack, NULL),
	ROW("autogroup", 0644, show_autogroup, NULL, NULL),
	ROW("timens_offsets", 0644, show_timens, NULL, NULL),
	ROW("timers", 0444, posix_timers_show, NULL, may_look),
};
const struct proc_table task_proc_process_only = { process_only, ARRAY_SIZE(process_only), NULL };

static const struct proc_row thread_only[] = {
	{"children", 0444, show_children, NULL},
};
const struct proc_table task_proc_thread_only = { thread_only, ARRAY_SIZE(thread_only), NULL };
