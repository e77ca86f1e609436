// SPDX-License-Identifier: Apache-2.0
/*
 * posix_timer - timer_create and friends
 *
 * Rules     A timer owns the queue entry of its signal, so an expiry never fails for lack of memory and at most one is
 *           pending. A periodic timer is armed again when its signal is taken, with the missed
 *           periods counted as overrun, as on Linux: an application that does not look costs nothing.
 *           It is charged as a queued signal to the user who made it, as on Linux.
 *           CPU-time timers are polled at the earliest moment they can be due.
 * Locking   group->lock covers the list and all fields; group->timer_mutex serialises create, set, delete.
 * See       timer_create(2), sigevent(7)
 */
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/clock.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/task/signal.h"

#define TIMERS_MAX 4096

struct posix_timer {
	struct list link;     /* [S] */
	struct tgroup *group; /* [I] lives as long */
	struct task *target;  /* [I] SIGEV_THREAD_ID: referenced */
	struct ktimer timer;
	struct sigqueue entry;	      /* [S] */
	struct sigqueue_head *queue;  /* [S] the entry is on */
	u64 deadline_ns, interval_ns; /* [S] in the timer's clock */
	u64 overrun, overrun_last;    /* [S] */
	bool is_wall; /* [S] deadline is a time of the wall clock, which may be set */
	s32 id, clock, signo, notify; /* [I] */
	sigval_t value;		      /* [I] */
};

static void timer_free(struct posix_timer *pt)
{
	charge_release(pt->entry.payer, CHARGE_SIGPENDING, 1);
	kfree(pt);
}

static u64 timer_now(const struct posix_timer *pt)
{
	u64 ns = 0;

	if (clock_is_cpu(pt->clock))
		(void)!clock_get_ns(pt->clock, &ns);
	else
		ns = clock_monotonic_ns();
	return ns;
}

/* [S] */
static void arm(struct posix_timer *pt)
{
	u64 now;

	if (!pt->deadline_ns)
		return;
	if (!clock_is_cpu(pt->clock)) {
		ktimer_arm(&pt->timer, pt->deadline_ns);
		return;
	}
	now = clock_monotonic_ns();
	ktimer_arm(&pt->timer, now + MIN_PERIOD_NS);
}

/* [S] Next expiry after now; counts what was missed. */
static void advance(struct posix_timer *pt, u64 now)
{
	u64 n;

	if (!pt->interval_ns) {
		pt->deadline_ns = 0;
		return;
	}
	if (now < pt->deadline_ns)
		return;
	n = (now - pt->deadline_ns) / pt->interval_ns;
	pt->overrun += n;
	pt->deadline_ns += (n + 1) * pt->interval_ns;
}

void posix_timer_dequeued_locked(struct posix_timer *pt, siginfo_t *info)
{
	u64 now = pt->interval_ns ? timer_now(pt) : 0;

	pt->queue = NULL;
	advance(pt, now);
	pt->overrun_last = MIN(pt->overrun, (u64)S32_MAX);
	info->timer.si_overrun = (s32)pt->overrun_last;
	pt->overrun = 0;
	arm(pt);
}

static bool cpu_not_due(struct posix_timer *pt, u64 now)
{
	u64 left;

	if (!clock_is_cpu(pt->clock) || now >= pt->deadline_ns)
		return false;
	left = (pt->deadline_ns - now) / MAX(pt->group->nr_threads, 1u);
	ktimer_arm(&pt->timer, clock_monotonic_ns() + MAX(left, (u64)MIN_PERIOD_NS));
	return true;
}

static void expire(struct tgroup *g, struct posix_timer *pt) REQUIRES(g->lock)
{
	struct task *t = pt->target		   ? pt->target
			 : clock_is_cpu(pt->clock) ? itimer_running_thread_locked(g)
						   : g->leader;
	siginfo_t *info = &pt->entry.info;

	memset(info, 0, sizeof *info);
	info->si_signo = pt->signo;
	info->si_code = SI_TIMER;
	info->timer.si_tid = pt->id;
	info->timer.si_value = pt->value;
	pt->entry.timer = pt;
	pt->queue = pt->target ? &t->pending : &pt->group->shared;
	if (!signal_send_entry_locked(t, &pt->entry,
				      pt->target ? SIGNAL_TO_THREAD : SIGNAL_TO_PROCESS))
		pt->queue = NULL;
}

static void timer_fired(struct ktimer *kt)
{
	struct posix_timer *pt = container_of(kt, struct posix_timer, timer);
	struct tgroup *g = pt->group;
	u64 now;

	now = timer_now(pt);
	spin_lock(&g->lock);
	if (pt->deadline_ns && !g->exiting && !cpu_not_due(pt, now)) {
		if (pt->notify != SIGEV_NONE && !(pt->target && pt->target->exited))
			expire(g, pt);
		if (!pt->queue) { /* nobody will take a signal: go on by ourselves */
			advance(pt, now);
			if (pt->deadline_ns)
				ktimer_arm(kt, MAX(pt->deadline_ns,
						   clock_monotonic_ns() + MIN_PERIOD_NS));
		}
	}
	spin_unlock(&g->lock);
}

/* [S] */
static struct posix_timer *find(struct tgroup *g, s32 id)
{
	struct posix_timer *pt;

	list_for_each_entry (pt, &g->posix_timers, link)
		if (pt->id == id)
			return pt;
	return NULL;
}

static int check_event(const sigevent_t *ev, struct task **target)
{
	*target = NULL;
	switch (ev->sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_THREAD_ID:
		*target = task_find_get(ev->sigev_tid);
		if (!*target || (*target)->group != current_group())
			break;
		fallthrough;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (ev->sigev_signo > 0 && ev->sigev_signo <= _NSIG)
			return 0;
	}
	if (*target)
		task_put(*target);
	return -EINVAL;
}

s64 posix_timer_create(s32 clock, const sigevent_t *ev, bool value_is_id, s32 *id)
{
	struct tgroup *g = current_group();
	struct user_account *payer = NULL;
	struct posix_timer *pt, *it;
	struct task *target = NULL;
	u64 ns;
	u32 n = 0;
	s64 r = clock_get_ns(clock, &ns);

	if (r < 0 ? clock_exists(clock)
		  : !clock_is_cpu(clock) && clock_to_monotonic(clock, 0, false, &ns) < 0)
		r = -EOPNOTSUPP;
	if (r == 0)
		r = check_event(ev, &target);
	if (r < 0)
		return r;
	r = charge_current(CHARGE_SIGPENDING, 1, current_rlimit(RLIMIT_SIGPENDING), &payer);
	pt = r < 0 ? NULL : knew(struct posix_timer);
	if (!pt) {
		if (r == 0)
			charge_release(payer, CHARGE_SIGPENDING, 1);
		if (target)
			task_put(target);
		return -EAGAIN;
	}
	pt->entry.payer = payer;
	pt->group = g;
	pt->target = target;
	pt->clock = clock;
	pt->signo = ev->sigev_signo;
	pt->notify = ev->sigev_notify;
	list_init(&pt->entry.link);
	ktimer_init(&pt->timer, timer_fired);
	mutex_lock(&g->timer_mutex);
	spin_lock(&g->lock);
	list_for_each_entry (it, &g->posix_timers, link)
		n++;
	if (n < TIMERS_MAX) {
		do
			pt->id = (s32)(g->next_timer_id++ & S32_MAX);
		while (find(g, pt->id));
		pt->value = ev->sigev_value;
		if (value_is_id)
			pt->value = (sigval_t){ .sival_int = pt->id };
		list_add_tail(&g->posix_timers, &pt->link);
		*id = pt->id;
	} else {
		r = -EAGAIN;
	}
	spin_unlock(&g->lock);
	mutex_unlock(&g->timer_mutex);
	if (r < 0) {
		if (target)
			task_put(target);
		timer_free(pt);
	}
	return r;
}

/* [S] */
static void read_timer(struct posix_timer *pt, u64 now, u64 *value, u64 *interval)
{
	*interval = pt->interval_ns;
	*value = 0;
	if (!pt->deadline_ns)
		return;
	if (pt->interval_ns && now >= pt->deadline_ns)
		*value = pt->interval_ns - (now - pt->deadline_ns) % pt->interval_ns;
	else
		*value = pt->deadline_ns > now ? pt->deadline_ns - now : (pt->queue ? 0 : 1);
}

s64 posix_timer_get(s32 id, u64 *value, u64 *interval)
{
	struct tgroup *g = current_group();
	struct posix_timer *pt;
	u64 now;
	s64 r = -EINVAL;

	mutex_lock(&g->timer_mutex);
	spin_lock(&g->lock);
	pt = find(g, id);
	spin_unlock(&g->lock);
	if (pt) {
		now = timer_now(pt);
		spin_lock(&g->lock);
		read_timer(pt, now, value, interval);
		spin_unlock(&g->lock);
		r = 0;
	}
	mutex_unlock(&g->timer_mutex);
	return r;
}

/* [S] Takes a pending signal back. */
static void unqueue(struct posix_timer *pt)
{
	struct sigqueue *q;
	bool other = false;

	if (!pt->queue)
		return;
	list_del(&pt->entry.link);
	list_for_each_entry (q, &pt->queue->list, link)
		other |= q->info.si_signo == pt->signo;
	if (!other)
		pt->queue->set &= ~sig_bit(pt->signo);
	pt->queue = NULL;
}

static u64 first_deadline(struct posix_timer *pt, bool absolute, u64 value, u64 now)
{
	u64 d;

	if (!value)
		return 0;
	if (clock_is_cpu(pt->clock))
		d = absolute ? value : now + value;
	else if (clock_to_monotonic(pt->clock, value, absolute, &d) < 0)
		d = absolute ? value : now + value;
	return MAX(d, 1ull);
}

s64 posix_timer_set(s32 id, bool absolute, u64 value, u64 interval, u64 *old_value,
		    u64 *old_interval)
{
	struct tgroup *g = current_group();
	struct posix_timer *pt;
	u64 now;

	mutex_lock(&g->timer_mutex);
	spin_lock(&g->lock);
	pt = find(g, id);
	spin_unlock(&g->lock);
	if (!pt) {
		mutex_unlock(&g->timer_mutex);
		return -EINVAL;
	}
	now = timer_now(pt);
	spin_lock(&g->lock);
	read_timer(pt, now, old_value, old_interval);
	pt->deadline_ns = 0;
	unqueue(pt);
	spin_unlock(&g->lock);
	ktimer_cancel(&pt->timer);
	spin_lock(&g->lock);
	unqueue(pt);
	pt->interval_ns = interval;
	pt->is_wall = absolute && clock_is_wall(pt->clock);
	pt->deadline_ns = first_deadline(pt, absolute, value, now);
	pt->overrun = pt->overrun_last = 0;
	arm(pt);
	spin_unlock(&g->lock);
	mutex_unlock(&g->timer_mutex);
	return 0;
}

s64 posix_timer_overrun(s32 id)
{
	struct tgroup *g = current_group();
	struct posix_timer *pt;
	s64 r = -EINVAL;

	spin_lock(&g->lock);
	pt = find(g, id);
	if (pt)
		r = (s64)pt->overrun_last;
	spin_unlock(&g->lock);
	return r;
}

static void follow_clock(struct tgroup *g, s64 shift_ns)
{
	struct posix_timer *pt;

	spin_lock(&g->lock);
	list_for_each_entry (pt, &g->posix_timers, link) {
		if (!pt->is_wall || !pt->deadline_ns)
			continue;
		pt->deadline_ns = shift_ns < 0 && pt->deadline_ns <= (u64)-shift_ns
					  ? 1
					  : pt->deadline_ns + (u64)shift_ns;
		if (!pt->queue)
			arm(pt);
	}
	spin_unlock(&g->lock);
}

void posix_timer_clock_was_set(s64 shift_ns)
{
	struct task *t;
	s32 nr = 0;

	for (; (t = task_next(&nr)) != NULL; nr++) {
		follow_clock(t->group, shift_ns);
		task_put(t);
	}
}

/* Off the list already. */
static void destroy(struct posix_timer *pt)
{
	struct tgroup *g = pt->group;

	ktimer_cancel(&pt->timer);
	spin_lock(&g->lock);
	unqueue(pt);
	spin_unlock(&g->lock);
	if (pt->target)
		task_put(pt->target);
	timer_free(pt);
}

s64 posix_timer_delete(s32 id)
{
	struct tgroup *g = current_group();
	struct posix_timer *pt;

	mutex_lock(&g->timer_mutex);
	spin_lock(&g->lock);
	pt = find(g, id);
	if (pt) {
		list_del(&pt->link);
		pt->deadline_ns = 0;
	}
	spin_unlock(&g->lock);
	if (pt)
		destroy(pt);
	mutex_unlock(&g->timer_mutex);
	return pt ? 0 : -EINVAL;
}

void posix_timer_exit_group(struct tgroup *g)
{
	struct posix_timer *pt;

	if (list_empty(&g->posix_timers))
		return;
	mutex_lock(&g->timer_mutex);
	for (;;) {
		spin_lock(&g->lock);
		pt = list_first(&g->posix_timers, struct posix_timer, link);
		if (pt) {
			list_del(&pt->link);
			pt->deadline_ns = 0;
		}
		spin_unlock(&g->lock);
		if (!pt)
			break;
		destroy(pt);
	}
	mutex_unlock(&g->timer_mutex);
}

int posix_timers_show(struct strbuf *sb, void *ctx)
{
	static const char *const ways[] = { "signal", "none", "thread" };
	struct tgroup *g = ((struct task *)ctx)->group;
	struct posix_timer *pt;

	if (!task_may_access(ctx, ACCESS_FS))
		return -EACCES;
	spin_lock(&g->lock);
	list_for_each_entry (pt, &g->posix_timers, link)
		strbuf_printf(sb, "ID: %d\nsignal: %d/%016llx\nnotify: %s/%s.%d\nClockID: %d\n",
			      pt->id, pt->signo, (unsigned long long)pt->value.sival_ptr,
			      ways[pt->notify & 3], pt->target ? "tid" : "pid",
			      pt->target ? pt->target->tid : g->tgid, pt->clock);
	spin_unlock(&g->lock);
	return sb->failed ? -ENOMEM : 0;
}
