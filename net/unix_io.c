// SPDX-License-Identifier: Apache-2.0
/*
 * unix_io - data of AF_UNIX sockets: sending and receiving
 *
 * Role      sock_ops.send and recv. Streams take what fits; datagrams and packets all or nothing.
 * Rules     A buffer is filled from user memory before any lock is taken and emptied to user memory with only
 *           recv_lock held: the reader is the only one who removes the first buffer, so it stays.
 *           A stream read does not go across a change of credentials (SO_PASSCRED) or past descriptors.
 *           A sender is limited by its SO_SNDBUF against what lies at the receiver (stream), and by
 *           UNIX_DGRAM_MAX_QUEUE messages at the receiver (datagram, packet).
 * Missing   MSG_OOB, SO_PEEK_OFF.
 * See       unix(7), unix_impl.h
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/string.h"
#include "net/unix_impl.h"

static struct waitq space_queues[UNIX_SPACE_QUEUES];
static struct spinlock space_init_lock = SPINLOCK_INIT(RANK_OBJECT);
static bool space_ready; /* [space_init_lock] */

struct waitq *unix_space_queue(const struct unix_sock *receiver)
{
	if (!load_acquire(&space_ready)) {
		spin_lock(&space_init_lock);
		for (u32 i = 0; i < UNIX_SPACE_QUEUES && !space_ready; i++)
			waitq_init(&space_queues[i]);
		store_release(&space_ready, true);
		spin_unlock(&space_init_lock);
	}
	return &space_queues[hash_u64((u64)receiver) % UNIX_SPACE_QUEUES];
}

/* Sending */

static bool has_room_locked(const struct unix_sock *from, const struct unix_sock *to)
{
	if (from->sk.type == SOCK_STREAM)
		return to->queued_bytes < from->sk.sndbuf;
	return to->queued_nr < UNIX_DGRAM_MAX_QUEUE ||
	       (from->sk.type == SOCK_SEQPACKET && to->queued_bytes < from->sk.sndbuf);
}

bool unix_stream_writable_locked(const struct unix_sock *u)
{
	const struct unix_sock *p = u->peer;

	return !p || READ_ONCE(p->queued_bytes) * 4 <= u->sk.sndbuf;
}

/* Both locked. */
static int may_send_locked(struct unix_sock *u, struct unix_sock *to)
{
	if (u->shut_write)
		return -EPIPE;
	if (u->sk.type == SOCK_DGRAM) {
		if (to->dead)
			return -ECONNREFUSED;
		if (to->peer && to->peer != u)
			return -EPERM;
		return to->shut_read ? -EPIPE : 0;
	}
	return to->dead || to->shut_read ? -EPIPE : 0;
}

static struct unix_sock *peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->sk.lock);
	p = u->peer;
	if (p)
		sock_get(&p->sk);
	spin_unlock(&u->sk.lock);
	return p;
}

static int destination(struct unix_sock *u, struct msg *m, struct unix_sock **to)
{
	bool dgram = u->sk.type == SOCK_DGRAM;

	if (m->name && dgram)
		return unix_name_find(m->name, SOCK_DGRAM, to);
	*to = peer_get(u);
	if (*to && m->name) {
		sock_put(&(*to)->sk);
		return -EISCONN;
	}
	if (*to)
		return 0;
	return m->name ? -EOPNOTSUPP : -ENOTCONN;
}

/* Puts b at the end of to's queue, or says why not (b stays the caller's). */
static int enqueue(struct unix_sock *u, struct unix_sock *to, struct sockbuf *b)
{
	int ret;

	spin_lock_pair(&u->sk.lock, &to->sk.lock);
	ret = may_send_locked(u, to);
	if (!ret && !has_room_locked(u, to))
		ret = -EAGAIN;
	if (!ret) {
		list_add_tail(&to->queue, &b->link);
		to->queued_bytes += sockbuf_charge(b);
		to->queued_nr++;
	}
	spin_unlock_pair(&u->sk.lock, &to->sk.lock);
	if (ret == -EAGAIN)
		u->sk.block_wq = u->sk.type == SOCK_STREAM ? NULL : unix_space_queue(to);
	return ret;
}

/* Quick look before anything is copied. */
static int check_room(struct unix_sock *u, struct unix_sock *to)
{
	int ret;

	spin_lock_pair(&u->sk.lock, &to->sk.lock);
	ret = may_send_locked(u, to);
	if (!ret && !has_room_locked(u, to))
		ret = -EAGAIN;
	spin_unlock_pair(&u->sk.lock, &to->sk.lock);
	if (ret == -EAGAIN)
		u->sk.block_wq = u->sk.type == SOCK_STREAM ? NULL : unix_space_queue(to);
	return ret;
}

static s64 send_to(struct unix_sock *u, struct unix_sock *to, struct msg *m)
{
	struct iov_cursor here = *m->iov;
	bool stream = u->sk.type == SOCK_STREAM;
	u32 n = (u32)MIN(iov_left(m->iov), (u64)(stream ? UNIX_STREAM_CHUNK : U32_MAX));
	struct sockbuf *b;
	int ret = check_room(u, to);

	if (!ret && !stream && iov_left(m->iov) + 32 > u->sk.sndbuf)
		ret = -EMSGSIZE;
	if (!ret && stream && !n)
		return 0;
	if (!ret)
		ret = sockbuf_from_iov(&here, n, &b);
	if (ret)
		return ret;
	b->scm = m->scm;
	b->scm.has_cred = true;
	unix_scm_launch(&b->scm);
	b->from = unix_addr_get(READ_ONCE(u->addr));
	ret = enqueue(u, to, b);
	if (ret) {
		/* The control messages stay with the caller, who may try again. */
		unix_scm_landed(&b->scm);
		b->scm = (struct scm){ 0 };
		sockbuf_free(b);
		return ret;
	}
	m->scm.files = NULL; /* gone with the first piece */
	m->scm.nr_files = 0;
	iov_skip(m->iov, n);
	wake_one_events(&to->sk.read_wq, EPOLLIN | EPOLLRDNORM);
	async_signal(&to->sk.async, POLL_IN);
	return n;
}

s64 unix_send(struct socket *sk, struct msg *m)
{
	struct unix_sock *u = unix_sk(sk), *to;
	s64 ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	ret = destination(u, m, &to);
	if (ret)
		return ret;
	if (!u->addr && sk->type == SOCK_DGRAM &&
	    (sock_flag(sk, SO_PASSCRED) || sock_flag(&to->sk, SO_PASSCRED)))
		ret = unix_name_autobind(u);
	if (!ret)
		ret = send_to(u, to, m);
	sock_put(&to->sk);
	/* An empty datagram is a success that sent nothing. */
	return ret;
}

/* Receiving */

/* lock held. Why there is nothing: end of file (0) or an error. */
static s64 nothing_locked(struct unix_sock *u)
{
	s32 err = u->sk.error;

	if (err) {
		u->sk.error = 0;
		return -err;
	}
	if (u->shut_read)
		return 0;
	if (u->sk.type != SOCK_DGRAM && !u->connected)
		return u->sk.type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
	return -EAGAIN;
}

/* The first buffer, which stays queued; NULL: *why. */
static struct sockbuf *first(struct unix_sock *u, s64 *why)
{
	struct sockbuf *b;

	spin_lock(&u->sk.lock);
	b = list_first(&u->queue, struct sockbuf, link);
	if (!b)
		*why = nothing_locked(u);
	spin_unlock(&u->sk.lock);
	return b;
}

static void wake_senders(struct unix_sock *u)
{
	struct unix_sock *p;

	if (u->sk.type != SOCK_STREAM)
		wake_events(unix_space_queue(u), EPOLLOUT | EPOLLWRNORM);
	p = peer_get(u);
	if (p) {
		sock_wake_writers(&p->sk);
		sock_put(&p->sk);
	}
}

/* recv_lock held: takes n bytes off b, and b itself when it is used up (always for messages). */
static void consume(struct unix_sock *u, struct sockbuf *b, u32 n)
{
	bool whole = u->sk.type != SOCK_STREAM || b->off + n == b->len;

	spin_lock(&u->sk.lock);
	b->off += n;
	if (whole) {
		list_del(&b->link);
		u->queued_bytes -= sockbuf_charge(b);
		u->queued_nr--;
	}
	spin_unlock(&u->sk.lock);
	if (whole) {
		sockbuf_free(b);
		wake_senders(u);
	}
}

/* Hands over what travels with b. */
static int receive_extras(struct msg *m, struct sockbuf *b)
{
	if (m->name)
		unix_addr_out(b->from, m->name);
	if (m->flags & MSG_PEEK)
		return scm_copy(&m->scm, &b->scm);
	m->scm.cred = b->scm.cred;
	m->scm.has_cred = b->scm.has_cred;
	if (b->scm.nr_files) {
		unix_scm_landed(&b->scm);
		m->scm.files = b->scm.files;
		m->scm.nr_files = b->scm.nr_files;
		b->scm.files = NULL;
		b->scm.nr_files = 0;
	}
	return 0;
}

static s64 recv_message(struct unix_sock *u, struct msg *m)
{
	u64 room = iov_left(m->iov);
	struct sockbuf *b;
	s64 ret = 0;
	u32 n, len;

	b = first(u, &ret);
	if (!b)
		return ret;
	len = b->len;
	n = (u32)MIN((u64)len, room);
	if (n && iov_put(m->iov, b->data, n))
		return -EFAULT;
	ret = receive_extras(m, b);
	if (ret)
		return ret;
	if (len > room)
		m->out_flags |= MSG_TRUNC;
	if (u->sk.type == SOCK_SEQPACKET)
		m->out_flags |= MSG_EOR;
	if (!(m->flags & MSG_PEEK))
		consume(u, b, 0);
	return m->flags & MSG_TRUNC ? len : n;
}

/* May the data of b follow what m has got? */
static bool same_sender(struct unix_sock *u, const struct msg *m, const struct sockbuf *b)
{
	if (!sock_flag(&u->sk, SO_PASSCRED))
		return true;
	return m->scm.cred.pid == b->scm.cred.pid && m->scm.cred.uid == b->scm.cred.uid &&
	       m->scm.cred.gid == b->scm.cred.gid;
}

static s64 peek_stream(struct unix_sock *u, struct msg *m)
{
	struct sockbuf *b;
	s64 ret = 0;
	u32 n;

	b = first(u, &ret);
	if (!b)
		return ret;
	n = (u32)MIN((u64)(b->len - b->off), iov_left(m->iov));
	if (n && iov_put(m->iov, b->data + b->off, n))
		return -EFAULT;
	ret = receive_extras(m, b);
	/* Following pieces: the list only grows at its end while recv_lock is held. */
	while (!ret && iov_left(m->iov) && !b->scm.nr_files) {
		s64 more;

		spin_lock(&u->sk.lock);
		b = b->link.next == &u->queue ? NULL
					      : list_entry(b->link.next, struct sockbuf, link);
		spin_unlock(&u->sk.lock);
		if (!b || b->scm.nr_files || !same_sender(u, m, b))
			break;
		more = iov_put_some(m->iov, b->data + b->off,
				    MIN((u64)(b->len - b->off), iov_left(m->iov)));
		if (more <= 0)
			break;
		n += (u32)more;
	}
	return ret ? ret : n;
}

static s64 recv_stream(struct unix_sock *u, struct msg *m)
{
	s64 done = 0, why = 0, n;
	bool files = false;

	while (iov_left(m->iov) && !files) {
		struct sockbuf *b = first(u, &why);

		if (!b || (done && (b->scm.nr_files || !same_sender(u, m, b))))
			break;
		n = iov_put_some(m->iov, b->data + b->off,
				 MIN((u64)(b->len - b->off), iov_left(m->iov)));
		if (n <= 0) {
			why = n ? n : -EFAULT;
			break;
		}
		files = b->scm.nr_files;
		if (!done || files)
			(void)receive_extras(m, b); /* without MSG_PEEK it cannot fail */
		done += n;
		consume(u, b, (u32)n);
	}
	return done ? done : why;
}

s64 unix_recv(struct socket *sk, struct msg *m)
{
	struct unix_sock *u = unix_sk(sk);
	s64 ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->recv_lock);
	if (sk->type != SOCK_STREAM)
		ret = recv_message(u, m);
	else if (m->flags & MSG_PEEK)
		ret = peek_stream(u, m);
	else
		ret = recv_stream(u, m);
	mutex_unlock(&u->recv_lock);
	return ret;
}
