// SPDX-License-Identifier: Apache-2.0
/*
 * rlimit - resource limits and usage
 *
 * Rules     Enforced where the resource is handed out: descriptors (fs/), memory (mm/), CPU time (itimer.c),
 *           processes (clone.c), queued signals (signal.c), priorities (sys_sched.c).
 * Missing   RLIMIT_RSS (as on Linux), RLIMIT_RTTIME, RLIMIT_LOCKS, RLIMIT_CORE (no core files).
 * See       getrlimit(2), getrusage(2)
 */
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/rlimit.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/uapi/capability.h"

#define NR_OPEN_MAX (1u << 20)

s32 sysctl_nr_open = NR_OPEN_MAX;

/* Docker's defaults, which follow from the daemon's, but for few descriptors at first: programs that close all they
 * may have do it in a loop. */
static const struct limit {
	const char *name;
	struct rlimit lim;
} limits[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {"cpu",		{ RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_FSIZE] = { "fsize",	    { RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_DATA] = { "data",	  { RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_STACK] = { "stack",	    { 8 << 20, RLIM_INFINITY }      },
	[RLIMIT_CORE] = { "core",	  { 0, RLIM_INFINITY }	       },
	[RLIMIT_RSS] = { "rss",	{ RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_NPROC] = { "nproc",	    { RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_NOFILE] = { "nofile",     { 1024, NR_OPEN_MAX }	    },
	[RLIMIT_MEMLOCK] = { "memlock",	{ 8 << 20, 8 << 20 }	     },
	[RLIMIT_AS] = { "as",	      { RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_LOCKS] = { "locks",	    { RLIM_INFINITY, RLIM_INFINITY }},
	[RLIMIT_SIGPENDING] = { "sigpending", { 31000, 31000 }		       },
	[RLIMIT_MSGQUEUE] = { "msgqueue",	  { 819200, 819200 }		     },
	[RLIMIT_NICE] = { "nice",	  { 0, 0 }			   },
	[RLIMIT_RTPRIO] = { "rtprio",     { 0, 0 }			       },
	[RLIMIT_RTTIME] = { "rttime",     { RLIM_INFINITY, RLIM_INFINITY }},
};

void rlimit_defaults(struct rlimit lim[RLIM_NLIMITS])
{
	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		lim[i] = limits[i].lim;
}

/* A number or -1, which is no limit. */
static int parse_value(const char **s, u64 *out)
{
	const char *start = *s;
	u64 v = 0;

	if (strncmp(*s, "-1", 2) == 0) {
		*s += 2;
		*out = RLIM_INFINITY;
		return 0;
	}
	for (; **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (u64)(**s - '0'), &v))
			return -EINVAL;
	*out = v;
	return *s == start ? -EINVAL : 0;
}

int rlimit_parse(const char *spec, struct rlimit lim[RLIM_NLIMITS])
{
	const char *end = strchr(spec, '=');
	struct rlimit new;
	u32 i;

	for (i = 0; end && i < RLIM_NLIMITS; i++)
		if (strlen(limits[i].name) == (size_t)(end - spec) &&
		    strncmp(limits[i].name, spec, (size_t)(end - spec)) == 0)
			break;
	if (!end || i == RLIM_NLIMITS)
		return -EINVAL;
	end++;
	if (parse_value(&end, &new.rlim_cur) < 0)
		return -EINVAL;
	new.rlim_max = new.rlim_cur;
	if (*end == ':') {
		end++;
		if (parse_value(&end, &new.rlim_max) < 0)
			return -EINVAL;
	}
	if (*end || new.rlim_cur > new.rlim_max ||
	    (i == RLIMIT_NOFILE && new.rlim_max > NR_OPEN_MAX))
		return -EINVAL;
	lim[i] = new;
	return 0;
}

static s64 check(struct tgroup *g, u32 which, const struct rlimit *new)
{
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && new->rlim_max > (u32)READ_ONCE(sysctl_nr_open))
		return -EPERM;
	if (new->rlim_max > g->rlim[which].rlim_max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return 0;
}

s64 rlimit_change(struct task *t, u32 which, const struct rlimit *new, struct rlimit *old)
{
	struct tgroup *g = t->group;
	s64 r = 0;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	spin_lock(&g->lock);
	if (old)
		*old = g->rlim[which];
	if (new)
		r = check(g, which, new);
	if (r == 0 && new)
		g->rlim[which] = *new;
	spin_unlock(&g->lock);
	if (r == 0 && new &&which == RLIMIT_CPU &&new->rlim_cur != RLIM_INFINITY) {
		mutex_lock(&g->timer_mutex);
		itimer_watch_cpu(g);
		mutex_unlock(&g->timer_mutex);
	}
	return r;
}

static struct timeval ns_to_timeval(u64 ns)
{
	return (struct timeval){ (s64)(ns / NSEC_PER_SEC),
				 (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

static void add_thread(struct rusage *ru, const struct task *t)
{
	ru->ru_nvcsw += (s64)t->nvcsw;
	ru->ru_nivcsw += (s64)t->nivcsw;
	ru->ru_minflt += (s64)t->min_flt;
	ru->ru_majflt += (s64)t->maj_flt;
}

static void add_maxrss(struct rusage *ru, struct tgroup *g)
{
	struct aspace *mm = current()->mm;
	u64 kb = g->maxrss_kb;

	if (mm) {
		u64 pages = atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
			    atomic64_read(&mm->rss_shmem);

		pages = MAX(pages, mm->hiwater_rss);
		kb = MAX(kb, pages * 4);
	}
	ru->ru_maxrss = (s64)kb;
}

s64 rusage_get(s32 who, struct rusage *ru)
{
	struct tgroup *g = current_group();
	struct task_times tt = { 0 };
	struct task *t;

	memset(ru, 0, sizeof *ru);
	switch (who) {
	case RUSAGE_SELF:
		tgroup_times(g, &tt);
		spin_lock(&tasklist_lock);
		ru->ru_nvcsw = (s64)g->nvcsw;
		ru->ru_nivcsw = (s64)g->nivcsw;
		ru->ru_minflt = (s64)g->min_flt;
		ru->ru_majflt = (s64)g->maj_flt;
		list_for_each_entry (t, &g->threads, thread_link)
			if (!t->exited)
				add_thread(ru, t);
		spin_unlock(&tasklist_lock);
		add_maxrss(ru, g);
		break;
	case RUSAGE_THREAD:
		task_times(current(), &tt);
		add_thread(ru, current());
		add_maxrss(ru, g);
		break;
	case RUSAGE_CHILDREN:
		tt.utime_ns = g->cutime_ns;
		tt.stime_ns = g->cstime_ns;
		ru->ru_nvcsw = (s64)g->cnvcsw;
		ru->ru_nivcsw = (s64)g->cnivcsw;
		ru->ru_minflt = (s64)g->cmin_flt;
		ru->ru_majflt = (s64)g->cmaj_flt;
		ru->ru_maxrss = (s64)g->cmaxrss_kb;
		break;
	default:
		return -EINVAL;
	}
	ru->ru_utime = ns_to_timeval(tt.utime_ns);
	ru->ru_stime = ns_to_timeval(tt.stime_ns);
	return 0;
}
