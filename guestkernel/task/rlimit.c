// SPDX-License-Identifier: Apache-2.0
/*
 * rlimit - resource limits and usage
 *
 * Rules     Enforced where the resource is handed out: descriptors (fs/), memory (mm/), CPU time (itimer.c),
 *           processes (clone.c), queued signals (signal.c), priorities (sys_sched.c).
 * Missing   RLIMIT_RSS (as on Linux), RLIMIT_RTTIME, RLIMIT_LOCKS, RLIMIT_CORE (no core files).
 * See       getrlimit(2), getrusage(2)
 */
#include "guestkernel/task/rlimit.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/uapi/capability.h"

#define NR_OPEN_MAX (1u << 20)

static s64 check(struct tgroup *g, u32 which, const struct rlimit *new)
{
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && new->rlim_max > NR_OPEN_MAX)
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
