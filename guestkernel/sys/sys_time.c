// SPDX-License-Identifier: Apache-2.0
/*
 * sys_time - clocks, sleeping, interval and POSIX timers
 *
 * Missing   adjtimex and clock_adjtime only read.
 */
#include "fs/timerfd.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/clock.h"
#include "guestkernel/task/itimer.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/times.h"
#include "syscalls_gen.h"

static struct timeval ns_to_timeval(u64 ns)
{
	return (struct timeval){ (s64)(ns / NSEC_PER_SEC),
				 (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

s64 sys_time(uaddr_t out)
{
	s64 sec = (s64)(clock_realtime_ns() / NSEC_PER_SEC);

	if (!uaddr_is_null(out) && put_user(out, sec))
		return -EFAULT;
	return sec;
}

s64 sys_gettimeofday(uaddr_t tv, uaddr_t tz)
{
	struct timezone zone = { 0, 0 };

	if (!uaddr_is_null(tv) && put_user(tv, ns_to_timeval(clock_realtime_ns())))
		return -EFAULT;
	if (!uaddr_is_null(tz) && put_user(tz, zone))
		return -EFAULT;
	return 0;
}

static s64 set_wall(u64 ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (ns < clock_monotonic_ns())
		return -EINVAL;
	clock_set_wall_offset(ns - clock_monotonic_ns());
	timerfd_clock_was_set();
	return 0;
}

s64 sys_settimeofday(uaddr_t utv, uaddr_t tz)
{
	struct timeval tv;
	u64 ns;

	if (uaddr_is_null(utv))
		return capable(CAP_SYS_TIME) ? 0 : -EPERM;
	if (get_user(&tv, utv))
		return -EFAULT;
	return timeval_to_ns(&tv, &ns) ? set_wall(ns) : -EINVAL;
}

s64 sys_clock_gettime(s32 id, uaddr_t out)
{
	u64 ns;
	s64 r = clock_get_ns(id, &ns);

	return r < 0 ? r : put_user(out, ns_to_timespec(ns));
}

s64 sys_clock_settime(s32 id, uaddr_t in)
{
	struct timespec ts;
	u64 ns;

	if (id < 0 && clock_exists(id))
		return -EPERM; /* of CPU time */
	if (id != CLOCK_REALTIME)
		return -EINVAL;
	if (get_user(&ts, in))
		return -EFAULT;
	return timespec_to_ns(&ts, &ns) ? set_wall(ns) : -EINVAL;
}

s64 sys_clock_getres(s32 id, uaddr_t out)
{
	struct timespec ts = { 0, 1 };
	u64 ns;
	s64 r = clock_get_ns(id, &ns);

	if (r < 0 || uaddr_is_null(out))
		return r;
	return put_user(out, ts);
}

static s64 sleep_restart(struct restart_block *rb);

/* Sleeps until the deadline on the monotonic clock. rem: where the rest goes when a handler interrupts. */
static s64 sleep_until_deadline(u64 deadline, uaddr_t rem, bool absolute)
{
	struct restart_block *rb = &current()->restart;
	u64 now;
	int r;

	do {
		wait_prepare();
		r = wait_sleep(deadline);
		now = clock_monotonic_ns();
	} while (r == 0 && now < deadline);
	if (r == 0 || r == -ETIMEDOUT || now >= deadline)
		return 0;
	if (absolute)
		return -ERESTARTNOHAND;
	if (!uaddr_is_null(rem) && put_user(rem, ns_to_timespec(deadline - now)))
		return -EFAULT;
	rb->fn = sleep_restart;
	rb->arg[0] = deadline;
	rb->arg[1] = rem.va;
	return -ERESTART_RESTARTBLOCK;
}

static s64 sleep_restart(struct restart_block *rb)
{
	return sleep_until_deadline(rb->arg[0], UADDR(rb->arg[1]), false);
}

s64 sys_nanosleep(uaddr_t req, uaddr_t rem)
{
	struct timespec ts;
	u64 ns, deadline;

	if (get_user(&ts, req))
		return -EFAULT;
	if (!timespec_to_ns(&ts, &ns) ||
	    clock_to_monotonic(CLOCK_MONOTONIC, ns, false, &deadline) < 0)
		return -EINVAL;
	return sleep_until_deadline(deadline, rem, false);
}

/* CPU time passes no faster than the threads of the process run: look again when it could be over. */
static s64 sleep_on_cpu_clock(s32 id, u64 target)
{
	u64 now;
	s64 r = clock_get_ns(id, &now);

	while (r == 0 && now < target) {
		u64 left = target - now;

		wait_prepare();
		r = wait_sleep(clock_monotonic_ns() +
			       MAX(left / current_group()->nr_threads, (u64)NSEC_PER_MSEC));
		if (r == -ETIMEDOUT)
			r = 0;
		if (r == 0)
			r = clock_get_ns(id, &now);
	}
	return r == -ERESTARTSYS ? -EINTR : r;
}

/* Follows when the clock is set. */
static s64 sleep_until_wall(s32 id, u64 target)
{
	struct wait_entry e = { .wake = wait_entry_wake_task, .task = current() };
	u64 deadline, now = 0;
	s64 r;

	waitq_add(&clock_was_set_wq, &e);
	do {
		wait_prepare();
		r = clock_to_monotonic(id, target, true, &deadline);
		if (r == 0)
			r = wait_sleep(deadline);
		wait_finish();
		if (r == 0 || r == -ETIMEDOUT)
			r = clock_get_ns(id, &now);
	} while (r == 0 && now < target);
	waitq_remove(&e);
	return r == -ERESTARTSYS ? -ERESTARTNOHAND : r;
}

s64 sys_clock_nanosleep(s32 id, u32 flags, uaddr_t req, uaddr_t rem)
{
	bool absolute = flags & TIMER_ABSTIME;
	struct timespec ts;
	u64 ns, deadline, now;
	s64 r;

	r = clock_get_ns(id, &now);
	if (id == CLOCK_THREAD_CPUTIME_ID || (r < 0 && clock_exists(id)))
		return -EOPNOTSUPP;
	if (r < 0)
		return r;
	if (id < 0 && (id & 4) && ~(id >> 3) == 0)
		return -EINVAL; /* a thread that sleeps uses none */
	if (get_user(&ts, req))
		return -EFAULT;
	if (!timespec_to_ns(&ts, &ns))
		return -EINVAL;
	if (clock_is_cpu(id))
		return sleep_on_cpu_clock(id, absolute ? ns : now + ns);
	r = clock_to_monotonic(id, ns, absolute, &deadline);
	if (r < 0)
		return -EOPNOTSUPP;
	if (absolute && clock_is_wall(id))
		return sleep_until_wall(id, ns);
	return sleep_until_deadline(deadline, rem, absolute);
}

s64 sys_alarm(u32 seconds)
{
	u64 old, interval;

	itimer_set(ITIMER_REAL, (u64)seconds * NSEC_PER_SEC, 0, &old, &interval);
	/* A timer that is due in less than half a second still counts as one. */
	return old ? (s64)MAX((old + NSEC_PER_SEC / 2) / NSEC_PER_SEC, 1ull) : 0;
}

static struct itimerval to_itimerval(u64 value, u64 interval)
{
	return (struct itimerval){ .it_interval = ns_to_timeval(interval),
				   .it_value = ns_to_timeval(value) };
}

s64 sys_getitimer(u32 which, uaddr_t out)
{
	u64 value, interval;

	if (which > ITIMER_PROF)
		return -EINVAL;
	itimer_get(which, &value, &interval);
	return put_user(out, to_itimerval(value, interval));
}

s64 sys_setitimer(u32 which, uaddr_t in, uaddr_t out)
{
	u64 value = 0, interval = 0, old, old_interval;
	struct itimerval it;

	if (which > ITIMER_PROF)
		return -EINVAL;
	if (!uaddr_is_null(in)) {
		if (get_user(&it, in))
			return -EFAULT;
		if (!timeval_to_ns(&it.it_value, &value) ||
		    !timeval_to_ns(&it.it_interval, &interval))
			return -EINVAL;
	}
	itimer_set(which, value, interval, &old, &old_interval);
	if (!uaddr_is_null(out) && put_user(out, to_itimerval(old, old_interval)))
		return -EFAULT;
	return 0;
}

s64 sys_timer_create(s32 clock, uaddr_t uev, uaddr_t out)
{
	sigevent_t ev = { .sigev_signo = SIGALRM, .sigev_notify = SIGEV_SIGNAL };
	s32 id;
	s64 r;

	if (!uaddr_is_null(uev) && get_user(&ev, uev))
		return -EFAULT;
	r = posix_timer_create(clock, &ev, uaddr_is_null(uev), &id);
	if (r == 0 && put_user(out, id)) {
		posix_timer_delete(id);
		r = -EFAULT;
	}
	return r;
}

static struct itimerspec to_itimerspec(u64 value, u64 interval)
{
	return (struct itimerspec){ .it_interval = ns_to_timespec(interval),
				    .it_value = ns_to_timespec(value) };
}

s64 sys_timer_settime(s32 id, u32 flags, uaddr_t in, uaddr_t out)
{
	u64 value, interval, old, old_interval;
	struct itimerspec it;
	s64 r;

	if (get_user(&it, in))
		return -EFAULT;
	if (!timespec_to_ns(&it.it_value, &value) || !timespec_to_ns(&it.it_interval, &interval))
		return -EINVAL;
	r = posix_timer_set(id, flags & TIMER_ABSTIME, value, interval, &old, &old_interval);
	if (r == 0 && !uaddr_is_null(out) && put_user(out, to_itimerspec(old, old_interval)))
		r = -EFAULT;
	return r;
}

s64 sys_timer_gettime(s32 id, uaddr_t out)
{
	u64 value, interval;
	s64 r = posix_timer_get(id, &value, &interval);

	return r < 0 ? r : put_user(out, to_itimerspec(value, interval));
}

s64 sys_timer_getoverrun(s32 id)
{
	return posix_timer_overrun(id);
}

s64 sys_timer_delete(s32 id)
{
	return posix_timer_delete(id);
}

s64 sys_times(uaddr_t out)
{
	struct tgroup *g = current_group();
	const u64 tick = NSEC_PER_SEC / USER_HZ;
	struct task_times tt;
	struct tms tms;

	if (!uaddr_is_null(out)) {
		tgroup_times(g, &tt);
		tms.tms_utime = (s64)(tt.utime_ns / tick);
		tms.tms_stime = (s64)(tt.stime_ns / tick);
		tms.tms_cutime = (s64)(g->cutime_ns / tick);
		tms.tms_cstime = (s64)(g->cstime_ns / tick);
		if (put_user(out, tms))
			return -EFAULT;
	}
	return (s64)(clock_monotonic_ns() / tick);
}

s64 sys_clock_adjtime(s32 id, uaddr_t ua)
{
	struct timex tx;

	if (id != CLOCK_REALTIME)
		return id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME ? -EOPNOTSUPP : -EINVAL;
	if (get_user(&tx, ua))
		return -EFAULT;
	if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ)
		return capable(CAP_SYS_TIME) ? -EOPNOTSUPP : -EPERM;
	memset(&tx, 0, sizeof tx);
	tx.status = STA_UNSYNC;
	tx.tick = 10000;
	tx.precision = 1;
	tx.tolerance = 32768000;
	tx.maxerror = 16000000;
	tx.esterror = 16000000;
	tx.time = ns_to_timeval(clock_realtime_ns());
	return put_user(ua, tx) ? -EFAULT : TIME_ERROR;
}

s64 sys_adjtimex(uaddr_t ua)
{
	return sys_clock_adjtime(CLOCK_REALTIME, ua);
}
