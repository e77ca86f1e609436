// SPDX-License-Identifier: Apache-2.0
/*
 * socket - the part of sockets that is the same for all families
 *
 * Role      Creation, the file operations, and every wait: an operation of the family is tried, and after -EAGAIN
 *           tried again whenever its queue is woken.
 * Rules     The wait entry is registered before the second try, so no wake-up is lost; its flag tells a wake-up
 *           apart from one that something inside the try has swallowed.
 *           Time limits are SO_RCVTIMEO and SO_SNDTIMEO; they end with -EAGAIN (connect: -EINPROGRESS).
 *           Interrupted calls restart only when no time limit is set, as in Linux.
 * Locking   Nothing is held while an operation of the family runs.
 * See       net/socket.h, sys_socket.c
 */
#include "net/socket.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/ioctl.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/stat.h"

#define SOCK_BUF_DEFAULT 212992

struct net_limits net_limits = { SOMAXCONN, SOCK_BUF_DEFAULT, SOCK_BUF_DEFAULT, SOCK_BUF_DEFAULT,
				 SOCK_BUF_DEFAULT };

static const struct file_ops socket_ops;
static const struct sock_family *const families[] = { &unix_family };

void sock_init(struct socket *sk, u16 family, u32 type, u32 proto, const struct sock_ops *ops)
{
	refs_init(&sk->refs, 1);
	sk->family = family;
	sk->type = (u16)type;
	sk->proto = (u16)proto;
	sk->ops = ops;
	spin_init(&sk->lock, RANK_OBJECT);
	waitq_init(&sk->read_wq);
	waitq_init(&sk->write_wq);
	async_init(&sk->async);
	sk->sndbuf = (u32)READ_ONCE(net_limits.wmem_default);
	sk->rcvbuf = (u32)READ_ONCE(net_limits.rmem_default);
	sk->rcvlowat = 1;
	sk->peek_off = -1;
	sk->cookie = rand_u64() >> 1;
}

void sock_put(struct socket *sk)
{
	if (refs_put(&sk->refs))
		sk->ops->free(sk);
}

void sock_wake_writers(struct socket *sk)
{
	wake_events(&sk->write_wq, EPOLLOUT | EPOLLWRNORM);
	if (unlikely(READ_ONCE(sk->no_space)) && xchg(&sk->no_space, false))
		async_signal(&sk->async, POLL_OUT);
}

int sock_take_error(struct socket *sk)
{
	s32 err;

	if (!READ_ONCE(sk->error))
		return 0;
	spin_lock(&sk->lock);
	err = sk->error;
	sk->error = 0;
	spin_unlock(&sk->lock);
	return -err;
}

struct socket *file_socket(const struct file *f)
{
	return f->ops == &socket_ops ? f->priv : NULL;
}

/* Waiting */

struct sock_wait {
	struct wait_entry entry;
	bool triggered;
};

static bool sock_wake(struct wait_entry *e, u32 events)
{
	struct sock_wait *w = container_of(e, struct sock_wait, entry);
	bool first = !w->triggered;

	store_release(&w->triggered, true);
	wait_entry_wake_task(e, events);
	return first;
}

static void wait_begin(struct sock_wait *w, struct waitq *q, bool exclusive)
{
	w->triggered = false;
	w->entry.wake = sock_wake;
	w->entry.task = current();
	w->entry.exclusive = exclusive;
	waitq_add(q, &w->entry);
}

static int wait_for_wake(struct sock_wait *w, u64 deadline)
{
	int err;

	wait_prepare();
	err = load_acquire(&w->triggered) ? 0 : wait_sleep(deadline);
	wait_finish();
	WRITE_ONCE(w->triggered, false);
	smp_mb();
	return err;
}

static u64 deadline_of(u64 timeo_ns)
{
	return timeo_ns ? clock_monotonic_ns() + timeo_ns : NO_DEADLINE;
}

/* A wait ended without success: what the call returns. */
static s64 wait_error(int err, u64 timeo_ns)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && timeo_ns ? -EINTR : err;
}

typedef s64 (*sock_try)(struct socket *sk, void *arg);

static struct waitq *queue_now(struct waitq *q, struct waitq **elsewhere)
{
	return elsewhere && *elsewhere ? *elsewhere : q;
}

/* Tries until it is something else than -EAGAIN. elsewhere: where a try may leave another queue to wait at than q. */
static s64 sock_retry(struct socket *sk, sock_try try, void *arg, struct waitq *q,
		      struct waitq **elsewhere, u64 timeo_ns)
{
	u64 deadline = deadline_of(timeo_ns);
	struct sock_wait w;
	int err = 0;
	s64 ret;

	for (;;) {
		struct waitq *at = queue_now(q, elsewhere);

		wait_begin(&w, at, q == &sk->read_wq);
		ret = try(sk, arg);
		/* One more try after a wait that failed: a wake-up for one may have come to us just then. */
		if (ret != -EAGAIN || err)
			break;
		/* A try that says it waits at another place than this is made again from there. */
		if (queue_now(q, elsewhere) == at)
			err = wait_for_wake(&w, deadline);
		waitq_remove(&w.entry);
	}
	waitq_remove(&w.entry);
	return ret == -EAGAIN && err ? wait_error(err, timeo_ns) : ret;
}

/* Files */

static int sock_to_file(struct socket *sk, u32 nonblock, struct file **out)
{
	int ret = file_create_anon("socket", S_IFSOCK | 0777, O_RDWR | (nonblock ? O_NONBLOCK : 0),
				   &socket_ops, sk, out);

	if (!ret)
		WRITE_ONCE(sk->file, *out);
	return ret;
}

static int create_socket(u32 af, u32 type, s32 proto, struct socket **out)
{
	if (af >= AF_MAX)
		return -EAFNOSUPPORT;
	for (u32 i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i]->af == af)
			return families[i]->create(type & SOCK_TYPE_MASK, (u32)proto, out);
	return -EAFNOSUPPORT;
}

static void discard(struct socket *sk)
{
	sk->ops->release(sk);
	sock_put(sk);
}

int sock_create(u32 af, u32 type, s32 proto, struct file **out)
{
	struct socket *sk;
	int ret = create_socket(af, type, proto, &sk);

	if (ret)
		return ret;
	ret = sock_to_file(sk, type & SOCK_NONBLOCK, out);
	if (ret)
		discard(sk);
	return ret;
}

int sock_create_pair(u32 af, u32 type, s32 proto, struct file *out[2])
{
	struct socket *a, *b;
	int ret = create_socket(af, type, proto, &a);

	if (ret)
		return ret;
	ret = create_socket(af, type, proto, &b);
	if (ret)
		goto drop_a;
	ret = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
	if (!ret)
		ret = sock_to_file(a, type & SOCK_NONBLOCK, &out[0]);
	if (ret)
		goto drop_b;
	ret = sock_to_file(b, type & SOCK_NONBLOCK, &out[1]);
	if (!ret)
		return 0;
	file_put(out[0]);
	discard(b);
	return ret;

drop_b:
	discard(b);
drop_a:
	discard(a);
	return ret;
}

static void socket_release(struct file *f)
{
	struct socket *sk = f->priv;

	spin_lock(&sk->lock);
	WRITE_ONCE(sk->file, NULL);
	spin_unlock(&sk->lock);
	discard(sk);
}

static s64 socket_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct msg m = { .iov = dst };
	s64 ret;

	if (!iov_left(dst))
		return 0;
	ret = sock_recv(f->priv, &m, f->flags & O_NONBLOCK);
	scm_fini(&m.scm);
	return ret;
}

static s64 socket_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct msg m = { .iov = src, .flags = MSG_NOSIGNAL }; /* file.c raises SIGPIPE */

	scm_self(&m.scm.cred);
	return sock_send(f->priv, &m, f->flags & O_NONBLOCK);
}

static u32 socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *sk = f->priv;

	poll_wait(pt, &sk->read_wq);
	poll_wait(pt, &sk->write_wq);
	return sk->ops->poll(sk, pt);
}

static s64 socket_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct socket *sk = f->priv;

	if (cmd != SIOCINQ && cmd != SIOCOUTQ)
		return sk->ops->ioctl ? sk->ops->ioctl(sk, cmd, arg) : -ENOTTY;
	if (sk->listening && cmd == SIOCINQ)
		return -EINVAL;
	return put_user(UADDR(arg), (s32)sk->ops->queued(sk, cmd == SIOCOUTQ));
}

static struct async_list *socket_async(struct file *f)
{
	struct socket *sk = f->priv;

	return &sk->async;
}

static const struct file_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.async = socket_async,
	.release = socket_release,
	.can_splice_from = true,
	.can_splice_to = true,
};

/* Calls */

int sock_bind(struct socket *sk, const struct sockaddr_buf *a)
{
	return sk->ops->bind(sk, a);
}

static s64 try_connect(struct socket *sk, void *arg)
{
	return sk->ops->connect(sk, arg);
}

int sock_connect(struct socket *sk, const struct sockaddr_buf *a, bool nonblock)
{
	s64 ret = sk->ops->connect(sk, a);

	if (ret != -EAGAIN || nonblock)
		return (int)ret;
	return (int)sock_retry(sk, try_connect, (void *)(u64)a,
			       sk->ops->connect_wq ? sk->ops->connect_wq : &sk->write_wq, NULL,
			       sk->sndtimeo_ns);
}

int sock_listen(struct socket *sk, s32 backlog)
{
	if (!sk->ops->listen)
		return -EOPNOTSUPP;
	return sk->ops->listen(sk, MIN((u32)backlog, (u32)READ_ONCE(net_limits.somaxconn)));
}

static s64 try_accept(struct socket *sk, void *arg)
{
	return sk->ops->accept(sk, arg);
}

int sock_accept(struct socket *sk, bool nonblock, u32 flags, struct file **out,
		struct socket **peer)
{
	struct socket *got = NULL;
	s64 ret;

	if (!sk->ops->accept)
		return -EOPNOTSUPP;
	ret = sk->ops->accept(sk, &got);
	if (ret == -EAGAIN && !nonblock)
		ret = sock_retry(sk, try_accept, &got, &sk->read_wq, NULL, sk->rcvtimeo_ns);
	if (ret)
		return (int)ret;
	ret = sock_to_file(got, flags & SOCK_NONBLOCK, out);
	if (ret) {
		discard(got);
		return (int)ret;
	}
	*peer = got;
	return 0;
}

static s64 try_send(struct socket *sk, void *arg)
{
	return sk->ops->send(sk, arg);
}

s64 sock_send(struct socket *sk, struct msg *m, bool nonblock)
{
	s64 done = 0, n;

	nonblock |= (m->flags & MSG_DONTWAIT) != 0;
	/* A stream takes what fits and comes again, others take all or nothing. */
	do {
		n = sk->ops->send(sk, m);
		if (n == -EAGAIN)
			WRITE_ONCE(sk->no_space, true);
		if (n == -EAGAIN && !nonblock)
			n = sock_retry(sk, try_send, m, &sk->write_wq, &m->block_wq,
				       sk->sndtimeo_ns);
		if (n <= 0)
			break;
		done += n;
	} while (iov_left(m->iov) && sk->type == SOCK_STREAM);
	if (n == -EPIPE && sk->type != SOCK_DGRAM && !(m->flags & MSG_NOSIGNAL))
		current_send_signal(SIGPIPE);
	return done ? done : n;
}

static s64 try_recv(struct socket *sk, void *arg)
{
	return sk->ops->recv(sk, arg);
}

s64 sock_recv(struct socket *sk, struct msg *m, bool nonblock)
{
	s64 done = 0, n, want = 1;

	if (sk->type == SOCK_STREAM && !(m->flags & (MSG_PEEK | MSG_OOB)))
		want = m->flags & MSG_WAITALL ? S64_MAX : (s64)READ_ONCE(sk->rcvlowat);
	nonblock |= (m->flags & MSG_DONTWAIT) != 0;
	do {
		n = sk->ops->recv(sk, m);
		if (n == -EAGAIN && !nonblock)
			n = sock_retry(sk, try_recv, m, &sk->read_wq, NULL, sk->rcvtimeo_ns);
		if (n <= 0)
			break;
		done += n;
	} while (done < want && iov_left(m->iov) && !m->scm.nr_files);
	if (done &&
	    sk->ops->queued(sk, false)) /* we may have eaten the wake-up of another reader */
		wake_one_events(&sk->read_wq, EPOLLIN | EPOLLRDNORM);
	return done ? done : n;
}

int sock_shutdown(struct socket *sk, u32 how)
{
	return how > SHUT_RDWR ? -EINVAL : sk->ops->shutdown(sk, how);
}
