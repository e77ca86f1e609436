// SPDX-License-Identifier: Apache-2.0
/*
 * unix_io - data of AF_UNIX sockets: sending and receiving
 *
 * Role      sock_ops.send and recv. Streams take what fits; datagrams and packets all or nothing.
 * Rules     A buffer is filled from user memory before any lock is taken and emptied to user memory with only
 *           recv_lock held: the reader is the only one who removes the first buffer, so it stays.
 *           A stream read does not go across a change of credentials (SO_PASSCRED) or past descriptors.
 *           A sender is limited by its SO_SNDBUF against what lies at its connected receiver, and by
 *           UNIX_DGRAM_MAX_QUEUE messages at a receiver that is not connected to it.
 *           The urgent byte (MSG_OOB) is a buffer of its own, u->oob; once received it stays, empty, as the mark
 *           at which ordinary reads stop.
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

/* As in Linux a sender is bounded by what of his lies unread; a receiver that is not his partner bounds the number of
 * messages besides. */
static bool has_room_locked(const struct unix_sock *from, const struct unix_sock *to)
{
	if (from->sk.type == SOCK_STREAM || to->peer == from)
		return to->queued_bytes < from->sk.sndbuf;
	return to->queued_nr <= UNIX_DGRAM_MAX_QUEUE;
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
	/* Packets go to the other end whatever address comes along. */
	bool stream_name = m->name && u->sk.type == SOCK_STREAM;

	if (m->name && u->sk.type == SOCK_DGRAM)
		return unix_name_find(m->name, SOCK_DGRAM, to);
	*to = peer_get(u);
	if (*to && stream_name) {
		sock_put(&(*to)->sk);
		return -EISCONN;
	}
	if (*to)
		return 0;
	return stream_name ? -EOPNOTSUPP : -ENOTCONN;
}

/* Both locked. May u send to to now? *wait: where it waits otherwise, NULL for its own write_wq: partners are woken there,
 * strangers at the receiver's. */
static int may_queue_locked(struct unix_sock *u, struct unix_sock *to, struct waitq **wait)
{
	int ret = may_send_locked(u, to);

	if (ret || has_room_locked(u, to))
		return ret;
	*wait = u->sk.type == SOCK_DGRAM && to->peer != u ? unix_space_queue(to) : NULL;
	return -EAGAIN;
}

/* Puts b at the end of to's queue, or says why not (b stays the caller's). */
static int enqueue(struct unix_sock *u, struct unix_sock *to, struct sockbuf *b, bool urgent,
		   struct waitq **wait)
{
	int ret;

	spin_lock_pair(&u->sk.lock, &to->sk.lock);
	ret = may_queue_locked(u, to, wait);
	if (!ret) {
		list_add_tail(&to->queue, &b->link);
		to->queued_bytes += sockbuf_charge(b);
		to->queued_nr++;
		to->queued_scms += b->scm.nr_files != 0;
		if (urgent)
			to->oob = b;
	}
	spin_unlock_pair(&u->sk.lock, &to->sk.lock);
	return ret;
}

/* Quick look before anything is copied. */
static int check_room(struct unix_sock *u, struct unix_sock *to, struct waitq **wait)
{
	int ret;

	spin_lock_pair(&u->sk.lock, &to->sk.lock);
	ret = may_queue_locked(u, to, wait);
	spin_unlock_pair(&u->sk.lock, &to->sk.lock);
	return ret;
}

/* Who the receiver will see: nobody, unless one of the two cares, or the receiver cannot say yet (not accepted). */
static void name_sender(struct unix_sock *u, struct unix_sock *to, struct scm *s)
{
	s->has_cred = true;
	if (!s->claimed && !sock_flag(&u->sk, SO_PASSCRED) && !sock_flag(&to->sk, SO_PASSCRED) &&
	    (to->sk.type == SOCK_DGRAM || READ_ONCE(to->sk.file)))
		s->cred = (struct ucred){ 0, SCM_NOBODY, SCM_NOBODY };
}

/* SIGURG to whoever owns the receiver's file. */
static void signal_urgent(struct unix_sock *to)
{
	struct file *f;

	spin_lock(&to->sk.lock);
	f = to->sk.file;
	if (f && !refs_get_unless_zero(&f->refs))
		f = NULL;
	spin_unlock(&to->sk.lock);
	if (f) {
		async_signal_urgent(f);
		file_put(f);
	}
	async_signal(&to->sk.async, POLL_PRI);
}

/* How much of what is left goes into the next buffer; the urgent byte has one of its own. */
static u32 piece_of(struct unix_sock *u, const struct msg *m, bool *urgent)
{
	u64 left = iov_left(m->iov);

	*urgent = (m->flags & MSG_OOB) && left == 1;
	if (u->sk.type != SOCK_STREAM)
		return (u32)MIN(left, (u64)U32_MAX);
	if ((m->flags & MSG_OOB) && left > 1)
		left--;
	return (u32)MIN(left, (u64)UNIX_STREAM_CHUNK);
}

static int launch(struct unix_sock *u, struct unix_sock *to, struct sockbuf *b, bool urgent,
		  struct waitq **wait)
{
	int ret = unix_scm_launch(&b->scm, to);

	if (ret)
		return ret;
	b->from = unix_addr_get(READ_ONCE(u->addr));
	ret = enqueue(u, to, b, urgent, wait);
	if (ret)
		unix_scm_landed(&b->scm);
	return ret;
}

static s64 send_to(struct unix_sock *u, struct unix_sock *to, struct msg *m)
{
	struct iov_cursor here = *m->iov;
	bool stream = u->sk.type == SOCK_STREAM, urgent;
	u32 n = piece_of(u, m, &urgent);
	struct sockbuf *b;
	int ret = check_room(u, to, &m->block_wq);

	if (!ret && !stream && iov_left(m->iov) + 32 > u->sk.sndbuf)
		ret = -EMSGSIZE;
	if (!ret && stream && !n)
		return 0;
	if (!ret)
		ret = sockbuf_from_iov(&here, n, &b);
	if (ret)
		return ret;
	b->scm = m->scm;
	name_sender(u, to, &b->scm);
	ret = launch(u, to, b, urgent, &m->block_wq);
	if (ret) {
		/* The control messages stay with the caller, who may try again. */
		b->scm = (struct scm){ 0 };
		sockbuf_free(b);
		return ret;
	}
	m->scm.files = NULL; /* gone with the first piece */
	m->scm.nr_files = 0;
	iov_skip(m->iov, n);
	wake_one_events(&to->sk.read_wq, EPOLLIN | EPOLLRDNORM | (urgent ? EPOLLPRI : 0));
	async_signal(&to->sk.async, POLL_IN);
	if (unlikely(urgent))
		signal_urgent(to);
	return n;
}

s64 unix_send(struct socket *sk, struct msg *m)
{
	struct unix_sock *u = unix_sk(sk), *to;
	s64 ret;

	if ((m->flags & MSG_OOB) && (sk->type != SOCK_STREAM || !iov_left(m->iov)))
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

/* lock held: b leaves the queue, and is the caller's. */
static void unqueue_locked(struct unix_sock *u, struct sockbuf *b)
{
	list_del(&b->link);
	u->queued_bytes -= sockbuf_charge(b);
	u->queued_nr--;
	if (u->oob == b)
		u->oob = NULL;
}

/* recv_lock held: takes n bytes off b, and b itself when it is used up (always for messages). */
static void consume(struct unix_sock *u, struct sockbuf *b, u32 n)
{
	bool whole = u->sk.type != SOCK_STREAM || b->off + n == b->len;
	s32 peek_off = READ_ONCE(u->sk.peek_off);

	if (unlikely(peek_off > 0)) {
		u32 back = u->sk.type == SOCK_STREAM ? n : b->len;

		WRITE_ONCE(u->sk.peek_off, (s32)MAX((s64)peek_off - back, (s64)0));
	}
	spin_lock(&u->sk.lock);
	b->off += n;
	if (whole)
		unqueue_locked(u, b);
	spin_unlock(&u->sk.lock);
	if (whole) {
		sockbuf_free(b);
		wake_senders(u);
	}
}

/* Where MSG_PEEK begins. */
static u32 peek_start(const struct unix_sock *u, const struct msg *m)
{
	return m->flags & MSG_PEEK ? (u32)MAX(READ_ONCE(u->sk.peek_off), 0) : 0;
}

static void peeked(struct unix_sock *u, const struct msg *m, u32 n)
{
	s32 at = READ_ONCE(u->sk.peek_off);

	if ((m->flags & MSG_PEEK) && at >= 0)
		WRITE_ONCE(u->sk.peek_off, (s32)MIN((s64)at + n, (s64)S32_MAX));
}

/* Descriptors of b, which is in u's queue. */
static int receive_files(struct unix_sock *u, struct msg *m, struct sockbuf *b)
{
	if (likely(!b->scm.nr_files))
		return 0;
	if (m->flags & MSG_PEEK)
		return unix_scm_peek(&m->scm, &b->scm);
	unix_scm_take(&m->scm, &b->scm);
	spin_lock(&u->sk.lock);
	u->queued_scms--;
	spin_unlock(&u->sk.lock);
	return 0;
}

/* Who sent b. */
static void receive_sender(struct msg *m, const struct sockbuf *b)
{
	if (m->name) {
		m->name->len = 0;
		if (b->from)
			unix_addr_out(b->from, m->name);
	}
	m->scm.cred = b->scm.cred;
	m->scm.has_cred = true;
}

/* lock held. */
static struct sockbuf *next_locked(struct unix_sock *u, struct sockbuf *b)
{
	return b->link.next == &u->queue ? NULL : list_entry(b->link.next, struct sockbuf, link);
}

/* The message to read: the first, or with SO_PEEK_OFF that in which *skip lies. NULL: *why. */
static struct sockbuf *pick_message(struct unix_sock *u, const struct msg *m, u32 *skip, s64 *why)
{
	struct sockbuf *b;

	*skip = peek_start(u, m);
	spin_lock(&u->sk.lock);
	b = list_first(&u->queue, struct sockbuf, link);
	while (b && *skip && *skip >= b->len) {
		*skip -= b->len;
		b = next_locked(u, b);
	}
	if (!b)
		*why = nothing_locked(u);
	spin_unlock(&u->sk.lock);
	return b;
}

static s64 recv_message(struct unix_sock *u, struct msg *m)
{
	u64 room = iov_left(m->iov);
	struct sockbuf *b;
	u32 n, len, skip;
	s64 ret = 0;

	b = pick_message(u, m, &skip, &ret);
	if (!b)
		return ret;
	len = b->len - skip;
	n = (u32)MIN((u64)len, room);
	if (n && iov_put(m->iov, b->data + skip, n))
		return -EFAULT;
	ret = receive_files(u, m, b);
	if (ret)
		return ret;
	receive_sender(m, b);
	if (len > room)
		m->out_flags |= MSG_TRUNC;
	if (m->flags & MSG_PEEK)
		peeked(u, m, n);
	else
		consume(u, b, 0);
	return m->flags & MSG_TRUNC ? len : n;
}

/* May the data of b follow what m has got? */
static bool same_sender(struct unix_sock *u, const struct msg *m, const struct sockbuf *b)
{
	if (!m->scm.has_cred || !sock_flag(&u->sk, SO_PASSCRED))
		return true;
	return m->scm.cred.pid == b->scm.cred.pid && m->scm.cred.uid == b->scm.cred.uid &&
	       m->scm.cred.gid == b->scm.cred.gid;
}

/*
 * An ordinary read has come to b. Where the urgent byte is or was, it stops when it has got something (done); else the
 * byte is left out, thrown away unless it is only looked at, or read as any other with SO_OOBINLINE. The buffer to go
 * on with, NULL when there is none. What leaves the queue goes to *gone.
 */
static struct sockbuf *pass_mark_locked(struct unix_sock *u, struct sockbuf *b, const struct msg *m,
					bool done, struct list *gone)
{
	bool peek = m->flags & MSG_PEEK;

	if (b->off == b->len) { /* read as urgent before */
		struct sockbuf *spent = b;

		if (done && (!u->oob || b == u->oob))
			return NULL;
		b = next_locked(u, b);
		if (!peek) {
			unqueue_locked(u, spent);
			list_add_tail(gone, &spent->link);
		}
	}
	if (!b || b != u->oob)
		return b;
	if (done)
		return NULL;
	if (!peek)
		u->oob = NULL;
	if (sock_flag(&u->sk, SO_OOBINLINE))
		return b;
	if (peek)
		return next_locked(u, b);
	unqueue_locked(u, b);
	list_add_tail(gone, &b->link);
	return list_first(&u->queue, struct sockbuf, link);
}

static void free_gone(struct unix_sock *u, struct list *gone)
{
	struct sockbuf *b;

	while ((b = list_first(gone, struct sockbuf, link)) != NULL) {
		list_del(&b->link);
		sockbuf_free(b);
	}
	wake_senders(u);
}

/* The buffer a stream read goes on with after prev (NULL: at the start). NULL: none, *why when nothing was read. */
static struct sockbuf *next_piece(struct unix_sock *u, struct sockbuf *prev, const struct msg *m,
				  bool done, s64 *why)
{
	struct sockbuf *b;
	struct list gone;

	list_init(&gone);
	spin_lock(&u->sk.lock);
	b = prev ? next_locked(u, prev) : list_first(&u->queue, struct sockbuf, link);
	if (b && unlikely(b == u->oob || b->off == b->len))
		b = pass_mark_locked(u, b, m, done, &gone);
	if (!b && !done)
		*why = nothing_locked(u);
	spin_unlock(&u->sk.lock);
	if (unlikely(!list_empty(&gone)))
		free_gone(u, &gone);
	return b;
}

/* One read: as many bytes as are there and fit, up to the next mark, other sender, or the end of a buffer with
 * descriptors. Without room it takes the descriptors of the first buffer all the same, as in Linux. */
static s64 recv_stream(struct unix_sock *u, struct msg *m)
{
	bool peek = m->flags & MSG_PEEK, done = false, files = false;
	u32 skip = peek_start(u, m);
	struct sockbuf *b = NULL;
	s64 total = 0, why = 0;

	do {
		s64 n, ret;

		b = next_piece(u, peek ? b : NULL, m, done, &why);
		if (!b || (done && !same_sender(u, m, b)))
			break;
		if (skip && skip >= b->len - b->off) {
			skip -= b->len - b->off;
			continue;
		}
		n = (s64)MIN((u64)(b->len - b->off - skip), iov_left(m->iov));
		if (n)
			n = iov_put_some(m->iov, b->data + b->off + skip, (u64)n);
		ret = n < 0 ? n : 0;
		files = b->scm.nr_files;
		if (!ret)
			ret = receive_files(u, m, b);
		if (ret) {
			why = ret;
			break;
		}
		if (!done)
			receive_sender(m, b);
		done = true;
		total += n;
		skip = 0;
		if (peek)
			peeked(u, m, (u32)n);
		else
			consume(u, b, (u32)n);
	} while (iov_left(m->iov) && !files);
	return done ? total : why;
}

/* MSG_OOB: the one byte, whatever lies before it. */
static s64 recv_urgent(struct unix_sock *u, struct msg *m)
{
	struct sockbuf *b;
	int ret = 0;

	if (u->sk.type != SOCK_STREAM)
		return -EOPNOTSUPP;
	spin_lock(&u->sk.lock);
	b = sock_flag(&u->sk, SO_OOBINLINE) ? NULL : u->oob;
	if (b && !(m->flags & MSG_PEEK)) {
		u->oob = NULL;
		b->off = b->len;
	}
	spin_unlock(&u->sk.lock);
	if (!b)
		return -EINVAL;
	if (iov_left(m->iov))
		ret = iov_put(m->iov, b->data, 1);
	m->out_flags |= MSG_OOB;
	return ret ? -EFAULT : 1;
}

s64 unix_recv(struct socket *sk, struct msg *m)
{
	struct unix_sock *u = unix_sk(sk);
	s64 ret;

	mutex_lock(&u->recv_lock);
	if (m->flags & MSG_OOB)
		ret = recv_urgent(u, m);
	else if (sk->type == SOCK_STREAM)
		ret = recv_stream(u, m);
	else
		ret = recv_message(u, m);
	mutex_unlock(&u->recv_lock);
	return ret;
}
