// SPDX-License-Identifier: Apache-2.0
/*
 * tty_pty - making terminals, their table, and the master files of /dev/ptmx
 *
 * Role      ptmx_open() makes a terminal with a master file; tty_create_console() one whose master is the relay in
 *           hoststream.c. devpts.c shows the table as files.
 * Rules     An index is in use from creation to the last reference. The table holds no reference. Closing the master
 *           hangs the terminal up for good.
 * Locking   table_lock (RANK_OBJECT_OUTER): table. Else as in tty_impl.h.
 * Missing   Instances of devpts of their own per mount: all mounts show one table.
 * See       ptmx(4), pty(7), devpts.c
 */
#include "fs/namei.h"
#include "fs/tty_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/types.h"

#define TTY_CHUNK 256u
#define TTY_GID	  5u /* group "tty", as devpts is mounted everywhere */

static struct spinlock table_lock = SPINLOCK_INIT(RANK_OBJECT_OUTER);
static struct xarray table = XARRAY_INIT; /* [table_lock] index -> struct tty */
static const struct file_ops master_ops;

static struct tty *of_session(struct tty_session *js)
{
	return container_of(js, struct tty, js);
}

static void session_get(struct tty_session *js)
{
	tty_get(of_session(js));
}

static void session_put(struct tty_session *js)
{
	tty_put(of_session(js));
}

static void session_gone(struct tty_session *js)
{
	/* The terminal lives on, as Linux' pseudo-terminals do. Sleepers look again: they may no longer be in the
	 * background. */
	wake_events(&of_session(js)->read_wq, 0);
}

int tty_create(struct tty **out)
{
	struct user_account *payer;
	struct tty *t;
	u64 index;
	int ret = charge_current(CHARGE_KMEM, sizeof *t, charge_kmem_limit(), &payer);

	if (ret)
		return ret;
	t = knew(struct tty);
	if (!t) {
		charge_release(payer, CHARGE_KMEM, sizeof *t);
		return -ENOMEM;
	}
	t->payer = payer;
	refs_init(&t->refs, 1);
	t->js.hangup = session_gone;
	t->js.get = session_get;
	t->js.put = session_put;
	spin_init(&t->lock, RANK_OBJECT);
	mutex_init(&t->read_lock, RANK_TTY);
	waitq_init(&t->read_wq);
	waitq_init(&t->write_wq);
	waitq_init(&t->master_wq);
	async_init(&t->async);
	async_init(&t->master_async);
	t->master_open = true;
	t->owner = (struct tty_owner){ current_cred()->fsuid, TTY_GID, 0620 };
	ldisc_init(t);
	spin_lock(&table_lock);
	ret = xa_alloc(&table, 0, TTY_MAX - 1, t, &index);
	if (!ret)
		t->index = (u32)index;
	spin_unlock(&table_lock);
	if (ret) {
		charge_release(payer, CHARGE_KMEM, sizeof *t);
		kfree(t);
		return ret;
	}
	t->js.dev = makedev(TTY_PTS_MAJOR, t->index);
	*out = t;
	return 0;
}

void tty_table_remove(struct tty *t)
{
	spin_lock(&table_lock);
	xa_erase(&table, t->index);
	spin_unlock(&table_lock);
}

struct tty *tty_find(u32 index)
{
	struct tty *t;

	spin_lock(&table_lock);
	t = xa_load(&table, index);
	if (t && (!READ_ONCE(t->master_open) || !refs_get_unless_zero(&t->refs)))
		t = NULL;
	spin_unlock(&table_lock);
	return t;
}

s32 tty_next_index(u32 from)
{
	u64 index = from;
	struct tty *t;

	spin_lock(&table_lock);
	do {
		t = xa_find(&table, &index);
	} while (t && !READ_ONCE(t->master_open) && ++index);
	spin_unlock(&table_lock);
	return t ? (s32)index : -1;
}

void tty_get_owner(struct tty *t, struct tty_owner *o)
{
	spin_lock(&t->lock);
	*o = t->owner;
	spin_unlock(&t->lock);
}

void tty_set_owner(struct tty *t, const struct tty_owner *o)
{
	spin_lock(&t->lock);
	t->owner = *o;
	spin_unlock(&t->lock);
}

int tty_create_console(struct tty **out)
{
	return tty_create(out);
}

int ptmx_open(struct file *f)
{
	struct tty *t;
	int ret = tty_create(&t);

	if (ret)
		return ret == -ENOSPC ? -ENOSPC : ret;
	t->pt_locked = true;
	f->ops = &master_ops;
	f->priv = t;
	return 0;
}

/* Master read: 1 there is something, -EIO the slaves are gone, -EAGAIN, -ERESTARTSYS. */
static int wait_output(struct tty *t, bool nonblock)
{
	int ret = 0;

	spin_lock(&t->lock);
	while (!tty_out_used(t) && !(t->packet && t->pkt_status) && !ret) {
		if (t->slave_seen && !t->nr_slaves)
			ret = -EIO;
		else
			ret = nonblock ? -EAGAIN : wait_on(&t->master_wq, &t->lock);
	}
	if (tty_out_used(t) || (t->packet && t->pkt_status))
		ret = 1;
	spin_unlock(&t->lock);
	return ret;
}

/* Packet mode: the byte in front. True: a status of its own, no data follows. */
static bool take_status(struct tty *t, u8 *status)
{
	bool alone;

	spin_lock(&t->lock);
	*status = t->pkt_status;
	alone = t->pkt_status != 0;
	t->pkt_status = 0;
	spin_unlock(&t->lock);
	return alone;
}

static s64 master_move(struct tty *t, struct iov_cursor *dst)
{
	u8 buf[TTY_CHUNK];
	s64 done = 0;
	u32 n;

	do {
		struct tty_fx fx = { 0 };

		spin_lock(&t->lock);
		n = ldisc_drain_locked(t, buf, (u32)MIN((u64)sizeof buf, iov_left(dst)), &fx);
		spin_unlock(&t->lock);
		tty_fx_run(t, &fx);
		if (n && iov_put(dst, buf, n))
			return done ? done : -EFAULT;
		done += n;
	} while (n && iov_left(dst));
	return done;
}

static s64 master_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct tty *t = f->priv;
	s64 n, head = 0;
	u8 status;
	int ret;

	if (!iov_left(dst))
		return 0;
	do {
		ret = wait_output(t, f->flags & O_NONBLOCK);
		if (ret < 0)
			return ret;
		if (READ_ONCE(t->packet) && !head) {
			bool alone = take_status(t, &status);

			if (iov_put(dst, &status, 1))
				return -EFAULT;
			head = 1;
			if (alone)
				return 1;
		}
		n = master_move(t, dst);
	} while (n == 0 && iov_left(dst)); /* another reader was faster */
	return n < 0 ? n : head + n;
}

static s64 master_push(void *side, const u8 *buf, u32 n, bool nonblock)
{
	struct tty *t = side;
	u32 done = 0;
	int err = 0;

	while (done < n && !err) {
		struct tty_fx fx = { 0 };

		spin_lock(&t->lock);
		done += ldisc_receive_locked(t, buf + done, n - done, &fx);
		spin_unlock(&t->lock);
		tty_fx_run(t, &fx);
		if (done == n)
			break;
		spin_lock(&t->lock);
		while (!ldisc_room_locked(t) && !err)
			err = nonblock ? -EAGAIN : wait_on(&t->master_wq, &t->lock);
		spin_unlock(&t->lock);
	}
	return done ? (s64)done : err;
}

static s64 master_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	return tty_write_pieces(f->priv, f->flags & O_NONBLOCK, src, master_push);
}

static u32 master_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = f->priv;
	u32 mask = 0;

	poll_wait(pt, &t->master_wq);
	spin_lock(&t->lock);
	if (tty_out_used(t))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (t->packet && t->pkt_status)
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (t->slave_seen && !t->nr_slaves)
		mask |= EPOLLHUP;
	if (ldisc_room_locked(t))
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&t->lock);
	return mask;
}

/* Opens the slave by its name in /dev/pts, so that it is a file like any other. */
static s64 open_peer(struct tty *t, u64 flags)
{
	struct open_how how = { .flags = flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) };
	char name[24];
	struct file *f;
	s64 fd;

	snprintf(name, sizeof name, "/dev/pts/%u", t->index);
	fd = vfs_open(AT_FDCWD, name, &how, &f);
	if (fd)
		return fd;
	fd = fd_install(f, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

static s64 set_flag(struct tty *t, bool *flag, u64 arg)
{
	s32 on;

	if (get_user(&on, UADDR(arg)))
		return -EFAULT;
	spin_lock(&t->lock);
	*flag = on != 0;
	if (flag == &t->packet)
		t->pkt_status = 0;
	spin_unlock(&t->lock);
	return 0;
}

static s64 send_signal(struct tty *t, u64 sig)
{
	s32 pgrp = READ_ONCE(t->js.pgrp);

	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	if (pgrp > 0)
		(void)job_signal_pgrp(pgrp, (s32)sig);
	return 0;
}

static s64 master_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct tty *t = f->priv;

	switch (cmd) {
	case TIOCGPTN:
		return put_user(UADDR(arg), t->index);
	case TIOCSPTLCK:
		return set_flag(t, &t->pt_locked, arg);
	case TIOCGPTLCK:
		return put_user(UADDR(arg), (s32)READ_ONCE(t->pt_locked));
	case TIOCPKT:
		return set_flag(t, &t->packet, arg);
	case TIOCGPKT:
		return put_user(UADDR(arg), (s32)READ_ONCE(t->packet));
	case TIOCGPTPEER:
		return open_peer(t, arg);
	case TIOCSIG:
		return send_signal(t, arg);
	case TIOCINQ:
		return put_user(UADDR(arg), (s32)tty_out_used(t));
	case TIOCOUTQ:
		return put_user(UADDR(arg), (s32)0);
	default:
		return tty_ioctl_common(t, f, cmd, arg, true);
	}
}

static void master_release(struct file *f)
{
	struct tty *t = f->priv;

	spin_lock(&t->lock);
	t->master_open = false;
	spin_unlock(&t->lock);
	job_tty_hangup(&t->js);
	tty_hang_up(t);
	tty_put(t);
}

static struct async_list *master_async(struct file *f)
{
	struct tty *t = f->priv;

	async_default_owner(f, F_OWNER_PID, current_tgid());
	return &t->master_async;
}

static const struct file_ops master_ops = {
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.async = master_async,
	.release = master_release,
	.can_splice_from = true,
	.can_splice_to = true,
};
