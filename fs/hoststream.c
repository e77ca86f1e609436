// SPDX-License-Identifier: Apache-2.0
/*
 * hoststream - the container's standard streams: as pipe-like files, or as a terminal
 *
 * Role      Files over kapi/hoststream.h for runs without a terminal; else the relay that stands where a
 *           terminal emulator has the master side of a pseudo-terminal.
 * Rules     Files: reading blocks, ends at the monitor's end of file; writing to a closed stream is -EPIPE (file.c
 *           adds SIGPIPE). The relay has no thread: console_pump() runs when the monitor moved a ring and
 *           when the terminal made output or input room, moves what it can, and leaves the rest to the next call.
 * Locking   stream->lock (RANK_OBJECT_INNER) around every ring operation. The relay holds the terminal's lock while
 *           it moves bytes, so that two CPUs cannot exchange their order.
 * Missing   The monitor's end of file on the console input is not passed on.
 * See       host/stream.c, tty_pty.c; tests/unit/hoststream_test.c
 */
#include "fs/hoststream.h"
#include "fs/namei.h"
#include "fs/tty_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/signal.h"

#define SMALL_CHUNK 256u
#define LARGE_CHUNK 4096u
#define RELAY_CHUNK 256u

/* A place for bytes on their way: the stack for small transfers, one page for large ones. */
struct bounce {
	u8 small[SMALL_CHUNK];
	u8 *buf;
	u32 size;
};

static void bounce_init(struct bounce *b, u64 want)
{
	u8 *large = want > SMALL_CHUNK ? kmalloc(LARGE_CHUNK) : NULL;

	b->buf = large ? large : b->small;
	b->size = large ? LARGE_CHUNK : SMALL_CHUNK;
}

static void bounce_fini(struct bounce *b)
{
	if (b->buf != b->small)
		kfree(b->buf);
}

/* One transfer, sleeping for it unless nonblock. */
static s64 stream_take(struct host_stream *s, u8 *buf, u32 n, bool nonblock)
{
	int err = 0;
	s64 got;

	spin_lock(&s->lock);
	got = s->ops->read(s, buf, n);
	while (got == -EAGAIN && !nonblock && !err) {
		err = wait_on(&s->wq, &s->lock);
		got = s->ops->read(s, buf, n);
	}
	spin_unlock(&s->lock);
	return got == -EAGAIN && err ? err : got;
}

static s64 stream_give(struct host_stream *s, const u8 *buf, u32 n, bool nonblock)
{
	int err = 0;
	s64 put;

	spin_lock(&s->lock);
	put = s->ops->write(s, buf, n);
	while (put == -EAGAIN && !nonblock && !err) {
		err = wait_on(&s->wq, &s->lock);
		put = s->ops->write(s, buf, n);
	}
	spin_unlock(&s->lock);
	return put == -EAGAIN && err ? err : put;
}

/* Like a pipe, returns what is there: only the first transfer may sleep. */
static s64 hs_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct host_stream *s = f->priv;
	struct bounce b;
	s64 done = 0, n;

	if (!iov_left(dst))
		return 0;
	bounce_init(&b, iov_left(dst));
	do {
		n = stream_take(s, b.buf, (u32)MIN((u64)b.size, iov_left(dst)),
				done || (f->flags & O_NONBLOCK));
		if (n <= 0)
			break;
		if (iov_put(dst, b.buf, (size_t)n)) {
			n = -EFAULT;
			break;
		}
		done += n;
	} while (iov_left(dst));
	bounce_fini(&b);
	return done ? done : n;
}

static s64 hs_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct host_stream *s = f->priv;
	struct bounce b;
	s64 done = 0, n = 0;

	bounce_init(&b, iov_left(src));
	while (iov_left(src)) {
		struct iov_cursor here = *src;

		n = iov_get_some(&here, b.buf, MIN((u64)b.size, iov_left(src)));
		if (n > 0)
			n = stream_give(s, b.buf, (u32)n, f->flags & O_NONBLOCK);
		if (n <= 0)
			break;
		iov_skip(src, (u64)n);
		done += n;
	}
	bounce_fini(&b);
	if (done && n == -EPIPE)
		current_send_signal(SIGPIPE);
	return done ? done : n;
}

static u32 hs_poll(struct file *f, struct poll_table *pt)
{
	struct host_stream *s = f->priv;
	u32 mask;

	poll_wait(pt, &s->wq);
	spin_lock(&s->lock);
	mask = s->ops->poll(s, NULL);
	spin_unlock(&s->lock);
	if (mask & EPOLLIN)
		mask |= EPOLLRDNORM;
	if (mask & EPOLLOUT)
		mask |= EPOLLWRNORM;
	return mask;
}

static s64 hs_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct host_stream *s = f->priv;
	u32 bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&s->lock);
	s->ops->poll(s, &bytes);
	spin_unlock(&s->lock);
	return put_user(UADDR(arg), (s32)(file_can_read(f) ? bytes : 0));
}

static const struct file_ops hs_in_ops = {
	.read = hs_read,
	.poll = hs_poll,
	.ioctl = hs_ioctl,
	.can_splice_from = true,
};

static const struct file_ops hs_out_ops = {
	.write = hs_write,
	.poll = hs_poll,
	.ioctl = hs_ioctl,
	.can_splice_to = true,
};

/* Opened again through /proc/self/fd: which stream an inode shows. The inodes are kept for ever. */
static struct spinlock files_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct {
	struct inode *inode;
	struct host_stream *stream;
	const struct file_ops *ops;
} stream_inodes[4];		      /* [files_lock] */
static u32 nr_stream_inodes;	      /* [files_lock] */
static struct inode_ops hs_inode_ops; /* [files_lock] those of nameless files, but for open */

static int hs_open(struct inode *inode, struct file *f)
{
	int ret = -ENXIO;

	spin_lock(&files_lock);
	for (u32 i = 0; i < nr_stream_inodes && ret; i++)
		if (stream_inodes[i].inode == inode) {
			f->ops = stream_inodes[i].ops;
			f->priv = stream_inodes[i].stream;
			ret = 0;
		}
	spin_unlock(&files_lock);
	return ret;
}

static void remember_inode(struct inode *inode, struct host_stream *s, const struct file_ops *ops)
{
	spin_lock(&files_lock);
	if (nr_stream_inodes < ARRAY_SIZE(stream_inodes)) {
		stream_inodes[nr_stream_inodes].inode = inode_get(inode);
		stream_inodes[nr_stream_inodes].stream = s;
		stream_inodes[nr_stream_inodes++].ops = ops;
		if (inode->ops)
			hs_inode_ops = *inode->ops;
		hs_inode_ops.open = hs_open;
		inode->ops = &hs_inode_ops;
	}
	spin_unlock(&files_lock);
}

int hoststream_file_create(struct host_stream *s, bool is_output, struct file **out)
{
	const struct file_ops *ops = is_output ? &hs_out_ops : &hs_in_ops;
	int ret = file_create_anon("pipe", S_IFIFO | 0600, is_output ? O_WRONLY : O_RDONLY, ops, s,
				   out);

	if (!ret)
		remember_inode((*out)->inode, s, ops);
	return ret;
}

/* Console */

static struct console {
	struct tty *tty; /* [I] once started; NULL: there is no console */
	struct host_stream *in, *out;
} console;

/* Monitor -> line discipline. True when something moved. */
static bool pump_in_locked(struct tty *t, struct tty_fx *fx) REQUIRES(&t->lock)
{
	u32 room = ldisc_room_locked(t);
	u8 buf[RELAY_CHUNK];
	s64 n;

	if (!room)
		return false;
	spin_lock(&console.in->lock);
	n = console.in->ops->read(console.in, buf, MIN((u32)sizeof buf, room));
	spin_unlock(&console.in->lock);
	if (n <= 0)
		return false;
	/* Room counts characters: only PARMRK can need more, and then they are dropped as on a real line. */
	(void)ldisc_receive_locked(t, buf, (u32)n, fx);
	return true;
}

/* Terminal output -> monitor. What the ring does not take stays in the terminal's buffer. */
static bool pump_out_locked(struct tty *t, struct tty_fx *fx) REQUIRES(&t->lock)
{
	u32 at = t->out_tail % TTY_OUT_SIZE, n = MIN(tty_out_used(t), TTY_OUT_SIZE - at);
	s64 done;

	if (!n)
		return false;
	spin_lock(&console.out->lock);
	done = console.out->ops->write(console.out, t->out + at, n);
	spin_unlock(&console.out->lock);
	if (done == -EPIPE)
		done = n; /* nobody looks at it any more */
	if (done <= 0)
		return false;
	t->out_tail += (u32)done;
	fx->writers = true;
	return true;
}

static void console_pump(void)
{
	struct tty *t = console.tty;
	struct tty_fx fx = { 0 };
	bool moved;

	do {
		fx = (struct tty_fx){ 0 };
		spin_lock(&t->lock);
		moved = pump_in_locked(t, &fx);
		moved |= pump_out_locked(t, &fx);
		spin_unlock(&t->lock);
		fx.master = false; /* that is us */
		tty_fx_run(t, &fx);
	} while (moved);
}

static void console_kick(struct tty *t)
{
	console_pump();
}

static void console_notify(struct host_stream *s)
{
	console_pump();
}

int console_start(struct host_stream *in, struct host_stream *out, const struct winsize *ws)
{
	int ret = tty_create_console(&console.tty);

	if (ret)
		return ret;
	console.tty->ws = *ws;
	console.tty->kick = console_kick;
	console.in = in;
	console.out = out;
	in->notify = console_notify;
	out->notify = console_notify;
	console_pump();
	return 0;
}

void console_resize(u16 rows, u16 cols)
{
	struct tty *t = console.tty;
	bool changed;
	s32 pgrp;

	if (!t)
		return;
	spin_lock(&t->lock);
	changed = t->ws.ws_row != rows || t->ws.ws_col != cols;
	t->ws.ws_row = rows;
	t->ws.ws_col = cols;
	spin_unlock(&t->lock);
	pgrp = READ_ONCE(t->js.pgrp);
	if (changed && pgrp > 0)
		(void)job_signal_pgrp(pgrp, SIGWINCH);
}

s32 console_pgrp(void)
{
	return console.tty ? READ_ONCE(console.tty->js.pgrp) : 0;
}

int tty_open_console(struct file *f)
{
	return console.tty ? tty_open_slave(console.tty->index, f) : -ENODEV;
}

void stdio_set_owner(u32 uid, u32 gid)
{
	struct tty_owner o;

	for (u32 i = 0; i < READ_ONCE(nr_stream_inodes); i++) {
		struct inode *inode = stream_inodes[i].inode;

		inode_lock(inode);
		inode->uid = uid;
		inode->gid = gid;
		inode_unlock(inode);
	}
	if (!console.tty)
		return;
	tty_get_owner(console.tty, &o);
	o.uid = uid;
	tty_set_owner(console.tty, &o);
}

static const struct file_ops unattached_ops; /* until tty_slave_attach() */

int console_open(u32 flags, struct file **out)
{
	struct open_how how = { .flags = flags };
	char name[24];
	int ret;

	if (!console.tty)
		return -ENODEV;
	snprintf(name, sizeof name, "/dev/pts/%u", console.tty->index);
	if (vfs_open(AT_FDCWD, name, &how, out) == 0)
		return 0;
	ret = file_create_anon("/dev/console", S_IFCHR | 0620, flags, &unattached_ops, NULL, out);
	if (ret)
		return ret;
	ret = tty_slave_attach(tty_get(console.tty), *out);
	if (ret)
		file_put(*out);
	return ret;
}
