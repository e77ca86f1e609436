// SPDX-License-Identifier: Apache-2.0
/*
 * itimer - setitimer's three timers, alarm(2), and RLIMIT_CPU
 *
 * Rules     ITIMER_REAL is a kernel timer. The CPU-time ones and RLIMIT_CPU are looked at by one kernel timer of the
 *           group that is armed for the earliest moment they can be due (all threads running at once) and
 *           armed again if they are not: nothing is checked at context switches.
 *           Periods below MIN_PERIOD_NS are served at that rate, so that a timer cannot eat a CPU.
 * Locking   group->timer_mutex serialises setting; group->lock covers the fields; kernel timers are cancelled without
 *           group->lock, which their callbacks take.
 * See       setitimer(2), alarm(2), getrlimit(2)
 */
#include "guestkernel/task/itimer.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/signal.h"

static u64 next_period(u64 deadline, u64 interval, u64 now)
{
	interval = MAX(interval, (u64)MIN_PERIOD_NS);
	if (now < deadline)
		return deadline;
	return deadline + ((now - deadline) / interval + 1) * interval;
}

static void real_fired(struct ktimer *kt)
{
	struct itimer *it = container_of(kt, struct itimer, timer);
	struct tgroup *g = container_of(it, struct tgroup, itimer[ITIMER_REAL]);
	siginfo_t info;

	siginfo_kernel(&info, SIGALRM);
	spin_lock(&g->lock);
	if (!g->exiting && g->leader && it->deadline_ns) {
		(void)!signal_send_locked(g->leader, &info, SIGNAL_TO_PROCESS, false);
		if (it->interval_ns) {
			it->deadline_ns =
				next_period(it->deadline_ns, it->interval_ns, clock_monotonic_ns());
			ktimer_arm(kt, it->deadline_ns);
		} else {
			it->deadline_ns = 0;
		}
	}
	spin_unlock(&g->lock);
}

static u64 itimer_clock(struct tgroup *g, u32 which)
{
	struct task_times tt;

	if (which == ITIMER_REAL)
		return clock_monotonic_ns();
	tgroup_times(g, &tt);
	return which == ITIMER_VIRTUAL ? tt.utime_ns : tt.utime_ns + tt.stime_ns;
}

struct task *itimer_running_thread_locked(struct tgroup *g)
{
	struct task *t, *found = NULL;
	bool behind_last = false;

	list_for_each_entry (t, &g->threads, thread_link) {
		if (READ_ONCE(t->on_cpu) && !t->exited && (!found || behind_last)) {
			found = t;
			if (behind_last)
				break;
		}
		if (t->tid == g->cpu_timer_told)
			behind_last = true;
	}
	if (!found)
		return g->leader;
	g->cpu_timer_told = found->tid;
	return found;
}

/* [S] Expires what is due; CPU time until the next one, U64_MAX: none. */
static u64 expire_cpu_itimer(struct tgroup *g, u32 which, u64 now) REQUIRES(g->lock)
{
	struct itimer *it = &g->itimer[which];
	siginfo_t info;

	if (!it->deadline_ns)
		return U64_MAX;
	if (now >= it->deadline_ns) {
		siginfo_kernel(&info, which == ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF);
		(void)!signal_send_locked(itimer_running_thread_locked(g), &info, SIGNAL_TO_PROCESS,
					  false);
		it->deadline_ns =
			it->interval_ns ? next_period(it->deadline_ns, it->interval_ns, now) : 0;
	}
	return it->deadline_ns ? it->deadline_ns - now : U64_MAX;
}

static u64 check_rlimit_cpu(struct tgroup *g, u64 total)
{
	u64 soft = g->rlim[RLIMIT_CPU].rlim_cur, hard = g->rlim[RLIMIT_CPU].rlim_max,
	    sec = total / NSEC_PER_SEC;
	siginfo_t info;

	if (soft == RLIM_INFINITY)
		return U64_MAX;
	if (hard != RLIM_INFINITY && sec >= hard) {
		siginfo_kernel(&info, SIGKILL);
		(void)!signal_send_locked(g->leader, &info, SIGNAL_TO_PROCESS, true);
		return U64_MAX;
	}
	if (sec >= soft && sec >= g->rlimit_cpu_warned_s) {
		siginfo_kernel(&info, SIGXCPU);
		(void)!signal_send_locked(g->leader, &info, SIGNAL_TO_PROCESS, false);
		g->rlimit_cpu_warned_s = (u32)sec + 1;
	}
	soft = MAX(soft, (u64)g->rlimit_cpu_warned_s);
	return soft >= U64_MAX / NSEC_PER_SEC ? U64_MAX : soft * NSEC_PER_SEC - total;
}

static void cpu_fired(struct ktimer *kt)
{
	struct tgroup *g = container_of(kt, struct tgroup, cpu_timer);
	struct task_times tt;
	u64 left, wait;

	tgroup_times(g, &tt);
	spin_lock(&g->lock);
	if (!g->exiting && g->leader && g->nr_threads) {
		left = expire_cpu_itimer(g, ITIMER_VIRTUAL, tt.utime_ns);
		wait = expire_cpu_itimer(g, ITIMER_PROF, tt.utime_ns + tt.stime_ns);
		left = MIN(left, wait);
		wait = check_rlimit_cpu(g, tt.utime_ns + tt.stime_ns);
		left = MIN(left, wait);
		g->cpu_timers = left != U64_MAX;
		if (g->cpu_timers) {
			left = MAX(left / g->nr_threads, (u64)MIN_PERIOD_NS);
			ktimer_arm(kt, clock_monotonic_ns() + left);
		}
	}
	spin_unlock(&g->lock);
}

void itimer_watch_cpu(struct tgroup *g)
{
	ktimer_arm(&g->cpu_timer, clock_monotonic_ns() + MIN_PERIOD_NS);
}

void itimer_init_group(struct tgroup *g)
{
	ktimer_init(&g->itimer[ITIMER_REAL].timer, real_fired);
	ktimer_init(&g->cpu_timer, cpu_fired);
}

void itimer_exit_group(struct tgroup *g)
{
	if (g->itimer[ITIMER_REAL].deadline_ns)
		ktimer_cancel(&g->itimer[ITIMER_REAL].timer);
	if (g->cpu_timers || ktimer_is_queued(&g->cpu_timer))
		ktimer_cancel(&g->cpu_timer);
}

void itimer_get(u32 which, u64 *value, u64 *interval)
{
	struct tgroup *g = current_group();
	struct itimer *it = &g->itimer[which];
	u64 now = itimer_clock(g, which);

	spin_lock(&g->lock);
	*interval = it->interval_ns;
	*value = 0;
	if (it->deadline_ns)
		*value = it->deadline_ns > now ? it->deadline_ns - now : 1000;
	spin_unlock(&g->lock);
}

void itimer_set(u32 which, u64 value, u64 interval, u64 *old_value, u64 *old_interval)
{
	struct tgroup *g = current_group();
	struct itimer *it = &g->itimer[which];
	u64 now;

	mutex_lock(&g->timer_mutex);
	itimer_get(which, old_value, old_interval);
	if (which == ITIMER_REAL)
		ktimer_cancel(&it->timer);
	now = itimer_clock(g, which);
	spin_lock(&g->lock);
	it->interval_ns = interval;
	it->deadline_ns = value ? (value > U64_MAX - 1 - now ? U64_MAX - 1 : now + value) : 0;
	if (value && which == ITIMER_REAL)
		ktimer_arm(&it->timer, it->deadline_ns);
	if (value && which != ITIMER_REAL)
		g->cpu_timers = true;
	spin_unlock(&g->lock);
	if (value && which != ITIMER_REAL)
		itimer_watch_cpu(g);
	mutex_unlock(&g->timer_mutex);
}
