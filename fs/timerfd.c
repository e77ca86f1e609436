// SPDX-License-Identifier: Apache-2.0
/*
 * timerfd - timers that are read as files
 *
 * Role      Created by sys_timerfd_create(); the timer is a ktimer of the CPU that armed it.
 * Rules     Time is kept in monotonic nanoseconds; absolute CLOCK_REALTIME timers also keep their wall time, to
 *           be moved when the clock is set. A periodic timer is armed again when its expirations are read or
 *           asked for, not by the callback: one that nobody reads costs nothing.
 *           The callback believes `expiry`, not the fact that it was called: a timer that was set anew
 *           while the callback was on its way has not expired.
 * Locking   lock (RANK_OBJECT) covers the state; ktimer_arm() is called under it, ktimer_cancel() is not.
 *           list_lock (RANK_OBJECT_OUTER) covers the list of wall-clock timers.
 * Missing   CLOCK_*_ALARM do not wake anything (there is no suspend).
 * See       timerfd_create(2); tests/unit/timerfd_test.c
 */
#include "fs/timerfd.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/timer.h"
#include "guestkernel/uapi/fcntl.h"

struct timerfd {
	struct spinlock lock;
	struct ktimer timer;
	s32 clock;	    /* [I] */
	bool is_wall;	    /* [I] a CLOCK_REALTIME */
	u32 settime_flags;  /* [lock] TFD_TIMER_* of the last settime */
	bool armed;	    /* [lock] expiry is in the future, as far as known */
	bool fired;	    /* [lock] expired since the last read or settime */
	bool cancelled;	    /* [lock] the clock was set under TFD_TIMER_CANCEL_ON_SET */
	u64 expiry_ns;	    /* [lock] monotonic */
	u64 expiry_wall_ns; /* [lock] absolute wall-clock timers */
	u64 interval_ns;    /* [lock] */
	u64 ticks;	    /* [lock] expirations not read yet */
	struct waitq wq;
	struct list link; /* [list_lock] is_wall */
};

static struct spinlock list_lock = SPINLOCK_INIT(RANK_OBJECT_OUTER);
static struct list wall_timers = LIST_INIT(wall_timers);
static const struct file_ops timerfd_ops;

static u64 add_sat(u64 a, u64 b)
{
	return a + b < a || a + b == U64_MAX ? U64_MAX - 1 : a + b;
}

bool timerfd_clock_valid(s32 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
	       clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

static void timerfd_fire(struct ktimer *t)
{
	struct timerfd *tf = container_of(t, struct timerfd, timer);
	bool due;

	spin_lock(&tf->lock);
	due = tf->armed && clock_monotonic_ns() >= tf->expiry_ns;
	if (due) {
		tf->armed = false;
		tf->fired = true;
		tf->ticks++;
	} else if (tf->armed) {
		ktimer_arm(&tf->timer, tf->expiry_ns);
	}
	spin_unlock(&tf->lock);
	if (due)
		wake_events(&tf->wq, EPOLLIN | EPOLLRDNORM);
}

/* A periodic timer that fired: counts the periods since and arms the next. */
static void catch_up_locked(struct timerfd *tf) REQUIRES(&tf->lock)
{
	u64 now, missed;

	if (!tf->fired || !tf->interval_ns)
		return;
	now = clock_monotonic_ns();
	missed = now >= tf->expiry_ns ? (now - tf->expiry_ns) / tf->interval_ns : 0;
	tf->ticks += missed;
	tf->expiry_ns = add_sat(tf->expiry_ns, (missed + 1) * tf->interval_ns);
	tf->expiry_wall_ns = add_sat(tf->expiry_wall_ns, (missed + 1) * tf->interval_ns);
	tf->fired = false;
	tf->armed = true;
	ktimer_arm(&tf->timer, tf->expiry_ns);
}

static s64 timerfd_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct timerfd *tf = f->priv;
	int err = 0;
	u64 n = 0;

	if (iov_left(dst) < sizeof n)
		return -EINVAL;
	spin_lock(&tf->lock);
	while (!tf->ticks && !tf->cancelled && !err)
		err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&tf->wq, &tf->lock);
	if (tf->cancelled) {
		tf->cancelled = false;
		tf->ticks = 0;
		err = -ECANCELED;
	} else if (tf->ticks) {
		catch_up_locked(tf);
		n = tf->ticks;
		tf->ticks = 0;
		tf->fired = false;
		err = 0;
	}
	spin_unlock(&tf->lock);
	if (err)
		return err;
	err = iov_put(dst, &n, sizeof n);
	return err ? err : (s64)sizeof n;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *tf = f->priv;
	u32 mask = 0;

	poll_wait(pt, &tf->wq);
	spin_lock(&tf->lock);
	if (tf->ticks || tf->cancelled)
		mask = EPOLLIN;
	spin_unlock(&tf->lock);
	return mask;
}

static s64 timerfd_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct timerfd *tf = f->priv;
	u64 ticks;
	int ret;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	ret = get_user(&ticks, UADDR(arg));
	if (ret)
		return ret;
	if (!ticks)
		return -EINVAL;
	spin_lock(&tf->lock);
	tf->ticks = ticks;
	spin_unlock(&tf->lock);
	wake_events(&tf->wq, EPOLLIN | EPOLLRDNORM);
	return 0;
}

static void get_locked(struct timerfd *tf, struct itimerspec *out) REQUIRES(&tf->lock)
{
	u64 now, left = 0;

	catch_up_locked(tf);
	now = clock_monotonic_ns();
	if (tf->armed)
		left = tf->expiry_ns > now ? tf->expiry_ns - now : 1;
	out->it_value = ns_to_timespec(left);
	out->it_interval = ns_to_timespec(tf->interval_ns);
}

static void timerfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct timerfd *tf = f->priv;
	struct itimerspec its;
	u64 ticks;

	spin_lock(&tf->lock);
	ticks = tf->ticks;
	get_locked(tf, &its);
	spin_unlock(&tf->lock);
	strbuf_printf(sb, "clockid: %d\nticks: %llu\nsettime flags: 0%o\n", tf->clock,
		      (unsigned long long)ticks, tf->settime_flags);
	strbuf_printf(sb, "it_value: (%lld, %lld)\nit_interval: (%lld, %lld)\n",
		      (long long)its.it_value.tv_sec, (long long)its.it_value.tv_nsec,
		      (long long)its.it_interval.tv_sec, (long long)its.it_interval.tv_nsec);
}

static void timerfd_release(struct file *f)
{
	struct timerfd *tf = f->priv;

	if (tf->is_wall) {
		spin_lock(&list_lock);
		list_del(&tf->link);
		spin_unlock(&list_lock);
	}
	spin_lock(&tf->lock);
	tf->armed = false;
	spin_unlock(&tf->lock);
	ktimer_cancel(&tf->timer);
	kfree(tf);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.release = timerfd_release,
	.show_fdinfo = timerfd_show_fdinfo,
};

int timerfd_create_file(s32 clock, u32 flags, struct file **out)
{
	struct timerfd *tf = knew(struct timerfd);
	int ret;

	if (!tf)
		return -ENOMEM;
	spin_init(&tf->lock, RANK_OBJECT);
	ktimer_init(&tf->timer, timerfd_fire);
	waitq_init(&tf->wq);
	list_init(&tf->link);
	tf->clock = clock;
	tf->is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
	ret = file_create_anon("anon_inode:[timerfd]", 0600, O_RDWR | (flags & TFD_NONBLOCK),
			       &timerfd_ops, tf, out);
	if (ret) {
		kfree(tf);
		return ret;
	}
	if (tf->is_wall) {
		spin_lock(&list_lock);
		list_add_tail(&wall_timers, &tf->link);
		spin_unlock(&list_lock);
	}
	return 0;
}

/* Monotonic time at which the wall clock shows wall_ns; 0 when that is past the beginning of time. */
static u64 wall_to_monotonic(u64 wall_ns)
{
	u64 mono = clock_monotonic_ns(), wall = clock_realtime_ns();

	if (wall_ns >= wall)
		return add_sat(mono, wall_ns - wall);
	return wall - wall_ns < mono ? mono - (wall - wall_ns) : 0;
}

static void start_locked(struct timerfd *tf, u32 flags, u64 value) REQUIRES(&tf->lock)
{
	if (!(flags & TFD_TIMER_ABSTIME))
		tf->expiry_ns = add_sat(clock_monotonic_ns(), value);
	else if (tf->is_wall)
		tf->expiry_ns = wall_to_monotonic(value);
	else
		tf->expiry_ns = value;
	tf->expiry_wall_ns = value;
	tf->armed = true;
	ktimer_arm(&tf->timer, tf->expiry_ns);
}

int timerfd_set(struct file *f, u32 flags, const struct itimerspec *new, struct itimerspec *old)
{
	struct timerfd *tf = f->priv;
	u64 value, interval;

	if (f->ops != &timerfd_ops || !timespec_to_ns(&new->it_value, &value) ||
	    !timespec_to_ns(&new->it_interval, &interval))
		return -EINVAL;
	spin_lock(&tf->lock);
	if (old)
		get_locked(tf, old);
	tf->armed = false;
	tf->fired = false;
	tf->cancelled = false;
	tf->ticks = 0;
	tf->settime_flags = flags;
	tf->interval_ns = interval;
	if (value)
		start_locked(tf, flags, value);
	/* A timer that is disarmed may still be queued: its callback finds armed false. */
	spin_unlock(&tf->lock);
	return 0;
}

int timerfd_get(struct file *f, struct itimerspec *out)
{
	struct timerfd *tf = f->priv;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	spin_lock(&tf->lock);
	get_locked(tf, out);
	spin_unlock(&tf->lock);
	return 0;
}

void timerfd_clock_was_set(void)
{
	struct timerfd *tf;
	bool cancelled;

	spin_lock(&list_lock);
	list_for_each_entry (tf, &wall_timers, link) {
		spin_lock(&tf->lock);
		cancelled = (tf->settime_flags & TFD_TIMER_ABSTIME) &&
			    (tf->settime_flags & TFD_TIMER_CANCEL_ON_SET);
		if (cancelled)
			tf->cancelled = true;
		if (tf->armed && (tf->settime_flags & TFD_TIMER_ABSTIME)) {
			tf->expiry_ns = wall_to_monotonic(tf->expiry_wall_ns);
			ktimer_arm(&tf->timer, tf->expiry_ns);
		}
		spin_unlock(&tf->lock);
		if (cancelled)
			wake_events(&tf->wq, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock(&list_lock);
}
