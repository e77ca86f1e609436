// SPDX-License-Identifier: Apache-2.0
/*
 * tty - the slave side of terminals: the files programs read and write
 *
 * Role      open, read, write, poll, release of /dev/pts/N, /dev/tty and /dev/console.
 * Rules     A slave file holds one reference and counts in nr_slaves. Hung up (see tty_impl.h), its reads see the end
 *           of file, writes and ioctls -EIO; what was not read yet is lost.
 *           Reading follows termios(3): a line at a time, or VMIN and VTIME.
 * Locking   As in tty_impl.h. Characters travel through a buffer on the stack: user memory is never touched
 *           under the lock. job_* is called with no spinlock held.
 * Missing   vhangup(2); TIOCVHANGUP does it for one terminal.
 * See       tty_ldisc.c, tty_ioctl.c, tty_pty.c; tty(4), pts(4)
 */
#include "fs/tty_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/signal.h"

#define TTY_CHUNK 256u

struct tty *tty_get(struct tty *t)
{
	refs_get(&t->refs);
	return t;
}

void tty_put(struct tty *t)
{
	if (!refs_put(&t->refs))
		return;
	tty_table_remove(t);
	charge_release(t->payer, CHARGE_KMEM, sizeof *t);
	kfree(t);
}

bool tty_is_dead(const struct tty *t)
{
	return !READ_ONCE(t->master_open);
}

void tty_fx_run(struct tty *t, const struct tty_fx *fx)
{
	s32 pgrp = READ_ONCE(t->js.pgrp);

	if (pgrp > 0)
		for (u64 set = fx->signals; set; set &= set - 1)
			(void)job_signal_pgrp(pgrp, __builtin_ctzll(set));
	if (fx->readers) {
		wake_events(&t->read_wq, EPOLLIN | EPOLLRDNORM);
		async_signal(&t->async, POLL_IN);
	}
	if (fx->writers) {
		wake_events(&t->write_wq, EPOLLOUT | EPOLLWRNORM);
		async_signal(&t->async, POLL_OUT);
	}
	if (fx->master) {
		wake_events(&t->master_wq, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
		async_signal(&t->master_async, POLL_IN);
	}
	if (fx->master && t->kick)
		t->kick(t);
}

/* Open */

static struct tty *tty_of(const struct file *f)
{
	return ((struct tty_file *)f->priv)->tty;
}

/* t->lock held, or as a hint. */
static bool is_hung_up(const struct tty_file *tf)
{
	return READ_ONCE(tf->tty->hangups) != tf->hangups;
}

int tty_slave_attach(struct tty *t, struct file *f)
{
	struct tty_file *tf = knew(struct tty_file);

	if (!tf) {
		tty_put(t);
		return -ENOMEM;
	}
	tf->tty = t;
	spin_lock(&t->lock);
	tf->hangups = t->hangups;
	t->nr_slaves++;
	t->slave_seen = true;
	spin_unlock(&t->lock);
	f->ops = &tty_slave_ops;
	f->priv = tf;
	return 0;
}

/* Takes over the reference on t. */
static int slave_open(struct tty *t, struct file *f)
{
	int ret = 0;

	spin_lock(&t->lock);
	if (!t->master_open || t->pt_locked)
		ret = -EIO;
	else if (t->exclusive && !capable(CAP_SYS_ADMIN))
		ret = -EBUSY;
	spin_unlock(&t->lock);
	if (!ret)
		return tty_slave_attach(t, f);
	tty_put(t);
	return ret;
}

int tty_open_slave(u32 index, struct file *f)
{
	struct tty *t = tty_find(index);
	int ret;

	if (!t)
		return -EIO;
	ret = slave_open(t, f);
	/* Who may only write to a terminal does not get it as his own. */
	if (!ret && !(f->flags & O_NOCTTY) && file_can_read(f))
		job_open_tty(&t->js);
	return ret;
}

int tty_open_current(struct file *f)
{
	struct tty_session *js = job_ctty_get();

	return js ? slave_open(container_of(js, struct tty, js), f) : -ENXIO;
}

static void slave_release(struct file *f)
{
	struct tty *t = tty_of(f);
	bool last;

	spin_lock(&t->lock);
	last = --t->nr_slaves == 0;
	if (last)
		t->exclusive = false;
	spin_unlock(&t->lock);
	if (last)
		wake_events(&t->master_wq, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	tty_put(t);
	kfree(f->priv);
}

void tty_hang_up(struct tty *t)
{
	struct tty_fx fx = { 0 };

	spin_lock(&t->lock);
	t->hangups++;
	ldisc_flush_in_locked(t, &fx);
	ldisc_init(t);
	spin_unlock(&t->lock);
	tty_fx_run(t, &fx);
	wake_events(&t->read_wq, 0);
	wake_events(&t->write_wq, 0);
	async_signal(&t->async, POLL_HUP);
}

/* Read */

static int check_read_job(struct tty *t)
{
	if (!job_is_ctty(&t->js) || READ_ONCE(t->js.pgrp) == job_current_pgrp())
		return 0;
	return job_check_background(&t->js, SIGTTIN);
}

struct read_wait {
	u32 min;	  /* characters that end the call */
	u64 interval_ns;  /* VTIME; 0: none */
	bool first_waits; /* the timer runs between characters only */
};

static struct read_wait read_rules(struct tty *t, u64 want)
{
	struct read_wait w = { .min = 1 };
	u32 min, time;

	spin_lock(&t->lock);
	min = t->tio.c_cc[VMIN];
	time = t->tio.c_cc[VTIME];
	if (!(t->tio.c_lflag & ICANON)) {
		w.min = (u32)MIN((u64)min, want);
		w.interval_ns = time * 100 * NSEC_PER_MSEC;
		w.first_waits = min > 0;
	}
	spin_unlock(&t->lock);
	return w;
}

/* Sleeps for input: 1 there is some, 0 end (hang-up, time is over), -EAGAIN, -ERESTARTSYS. */
static int wait_input(struct tty *t, struct file *f, const struct read_wait *w, u64 done)
{
	const struct tty_file *tf = f->priv;
	bool poll_only = w->min == 0 && w->interval_ns == 0;
	u64 deadline = NO_DEADLINE;
	int ret = 0;

	if (w->interval_ns && (done || !w->first_waits))
		deadline = clock_monotonic_ns() + w->interval_ns;
	spin_lock(&t->lock);
	while (!ldisc_has_input_locked(t, false) && !ret) {
		if (is_hung_up(tf) || poll_only)
			break;
		ret = f->flags & O_NONBLOCK ? -EAGAIN
					    : wait_on_until(&t->read_wq, &t->lock, deadline);
	}
	if (is_hung_up(tf))
		ret = 0;
	else if (ldisc_has_input_locked(t, false))
		ret = 1;
	spin_unlock(&t->lock);
	return ret == -ETIMEDOUT ? 0 : ret;
}

/* Moves what is there, in canonical mode to the end of a line. Bytes or -EFAULT. */
static s64 move_input(const struct tty_file *tf, struct iov_cursor *dst, bool *eol)
{
	struct tty *t = tf->tty;
	u8 buf[TTY_CHUNK];
	s64 done = 0;
	u32 n;

	mutex_lock(&t->read_lock);
	do {
		struct tty_fx fx = { 0 };

		spin_lock(&t->lock);
		n = is_hung_up(tf)
			    ? 0
			    : ldisc_take_locked(t, buf, (u32)MIN((u64)sizeof buf, iov_left(dst)),
						eol, &fx);
		spin_unlock(&t->lock);
		tty_fx_run(t, &fx);
		if (n && iov_put(dst, buf, n)) {
			done = done ? done : -EFAULT;
			break;
		}
		done += n;
	} while (n && !*eol && iov_left(dst));
	mutex_unlock(&t->read_lock);
	return done;
}

static s64 slave_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct tty *t = tty_of(f);
	struct read_wait w;
	bool eol = false;
	s64 done = 0, n;
	int ret;

	if (!iov_left(dst) || is_hung_up(f->priv))
		return 0;
	w = read_rules(t, iov_left(dst));
	do {
		ret = check_read_job(t);
		if (!ret)
			ret = wait_input(t, f, &w, (u64)done);
		if (ret <= 0)
			break;
		n = move_input(f->priv, dst, &eol);
		if (n < 0)
			return done ? done : n;
		done += n;
	} while (!eol && iov_left(dst) && (done == 0 || done < w.min));
	return done ? done : ret < 0 ? ret : 0;
}

/* Write */

static int check_write_job(struct tty *t)
{
	if (!(READ_ONCE(t->tio.c_lflag) & TOSTOP) || !job_is_ctty(&t->js) ||
	    READ_ONCE(t->js.pgrp) == job_current_pgrp())
		return 0;
	return job_check_background(&t->js, SIGTTOU);
}

/* Everything of buf, sleeping for room. Bytes or -errno when none. */
static s64 write_chunk(void *side, const u8 *buf, u32 n, bool nonblock)
{
	const struct tty_file *tf = side;
	struct tty *t = tf->tty;
	u32 done = 0;
	int err = 0;

	while (done < n && !err) {
		struct tty_fx fx = { 0 };

		spin_lock(&t->lock);
		if (is_hung_up(tf))
			err = -EIO;
		else
			done += ldisc_output_locked(t, buf + done, n - done, &fx);
		spin_unlock(&t->lock);
		tty_fx_run(t, &fx);
		if (done == n || err)
			break;
		spin_lock(&t->lock);
		while (ldisc_out_room_locked(t) < 8 && !is_hung_up(tf) && !err)
			err = nonblock ? -EAGAIN : wait_on(&t->write_wq, &t->lock);
		spin_unlock(&t->lock);
	}
	return done ? (s64)done : err;
}

s64 tty_write_pieces(void *side, bool nonblock, struct iov_cursor *src, tty_push_fn push)
{
	u8 buf[TTY_CHUNK];
	s64 done = 0, n;

	while (iov_left(src)) {
		struct iov_cursor here = *src;

		n = iov_get_some(&here, buf, MIN((u64)sizeof buf, iov_left(src)));
		if (n > 0)
			n = push(side, buf, (u32)n, nonblock);
		if (n <= 0)
			return done ? done : n;
		iov_skip(src, (u64)n);
		done += n;
		if (signal_pending() && iov_left(src))
			break;
	}
	return done;
}

static s64 slave_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	int ret;

	if (is_hung_up(f->priv))
		return -EIO;
	ret = check_write_job(tty_of(f));
	if (ret || !iov_left(src))
		return ret;
	return tty_write_pieces(f->priv, f->flags & O_NONBLOCK, src, write_chunk);
}

static u32 slave_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = tty_of(f);
	u32 mask = 0;

	poll_wait(pt, &t->read_wq);
	poll_wait(pt, &t->write_wq);
	spin_lock(&t->lock);
	if (is_hung_up(f->priv))
		mask = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	if (ldisc_has_input_locked(t, true))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (ldisc_out_room_locked(t) >= 8)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&t->lock);
	return mask;
}

static s64 slave_ioctl(struct file *f, u32 cmd, u64 arg)
{
	if (is_hung_up(f->priv))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	return tty_ioctl_common(tty_of(f), f, cmd, arg, false);
}

/* Who sets O_ASYNC and named no owner means the foreground. */
static void default_owner(struct tty *t, struct file *f)
{
	s32 pgrp = READ_ONCE(t->js.pgrp);

	if (pgrp > 0)
		async_default_owner(f, F_OWNER_PGRP, pgrp);
	else
		async_default_owner(f, F_OWNER_PID, current_tgid());
}

static struct async_list *slave_async(struct file *f)
{
	struct tty *t = tty_of(f);

	default_owner(t, f);
	return &t->async;
}

const struct file_ops tty_slave_ops = {
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.ioctl = slave_ioctl,
	.async = slave_async,
	.release = slave_release,
	.can_splice_from = true,
	.can_splice_to = true,
};
