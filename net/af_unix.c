// SPDX-License-Identifier: Apache-2.0
/*
 * af_unix - AF_UNIX sockets: creation, connections, shutdown, readiness
 *
 * Role      The family's sock_ops; data is moved in unix_io.c, names are in unix_name.c, cycles of descriptors
 *           in flight are broken by unix_gc.c.
 * Rules     connect() makes the server's socket and queues it at the listener; the connection works before
 *           accept() takes it. Closing with unread data resets the other end (ECONNRESET).
 * Locking   See unix_impl.h. Wake-ups follow after the locks were dropped.
 * Missing   SO_PEERSEC, SO_PASSSEC, sock_diag; SIOCUNIXFILE; autobind happens on 20 random bits.
 * See       unix(7); tests/unit/unix_test.c
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pidref.h"
#include "guestkernel/kapi/string.h"
#include "net/unix_impl.h"

/* Connecting clients wait here for room in a backlog: rare, so one queue for all. */
static struct waitq backlog_wq = WAITQ_INIT(backlog_wq);

struct unix_sock *unix_new(u32 type)
{
	struct unix_sock *u = knew(struct unix_sock);

	if (!u)
		return NULL;
	sock_init(&u->sk, AF_UNIX, type, 0, &unix_ops);
	mutex_init(&u->recv_lock, RANK_SOCKET);
	list_init(&u->name_link);
	list_init(&u->queue);
	list_init(&u->accept_queue);
	list_init(&u->accept_link);
	list_init(&u->gc_link);
	list_init(&u->gc_work);
	return u;
}

static int unix_create(u32 type, u32 proto, struct socket **out)
{
	struct unix_sock *u;

	if (proto && proto != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_new(type);
	if (!u)
		return -ENOMEM;
	*out = &u->sk;
	return 0;
}

static int unix_bind(struct socket *sk, const struct sockaddr_buf *a)
{
	return unix_name_bind(unix_sk(sk), a);
}

/* Both locked: u and v are the ends of a connection from now on. */
static void join_locked(struct unix_sock *u, struct unix_sock *v)
{
	sock_get(&u->sk);
	sock_get(&v->sk);
	u->peer = v;
	v->peer = u;
	u->connected = true;
	v->connected = true;
}

static int unix_pair(struct socket *a, struct socket *b)
{
	struct unix_sock *u = unix_sk(a), *v = unix_sk(b);
	struct pid *me = pidref_self();

	spin_lock_pair(&a->lock, &b->lock);
	join_locked(u, v);
	scm_self(&u->peer_cred);
	v->peer_cred = u->peer_cred;
	u->peer_pid = me;
	v->peer_pid = pidref_get(me);
	spin_unlock_pair(&a->lock, &b->lock);
	return 0;
}

static int connect_dgram(struct unix_sock *u, const struct sockaddr_buf *a)
{
	struct unix_sock *to = NULL, *old;
	int ret = 0;

	if (a->family == AF_UNSPEC)
		goto replace;
	ret = unix_name_find(a, SOCK_DGRAM, &to);
	if (ret)
		return ret;
	spin_lock(&to->sk.lock);
	if (to->peer && to->peer != u)
		ret = -EPERM;
	spin_unlock(&to->sk.lock);
	if (ret) {
		sock_put(&to->sk);
		return ret;
	}
replace:
	spin_lock(&u->sk.lock);
	old = u->peer;
	u->peer = to; /* takes over the reference */
	u->connected = to != NULL;
	spin_unlock(&u->sk.lock);
	if (old) {
		/* It may wait for room here as a partner, and is none now. */
		wake_events(&old->sk.write_wq, EPOLLOUT | EPOLLWRNORM);
		sock_put(&old->sk);
	}
	wake_events(&u->sk.write_wq, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

/* Queues v, the server's end, at listener l. */
static int enqueue_connection(struct unix_sock *u, struct unix_sock *l, struct unix_sock *v)
{
	struct pid *me = pidref_self();
	int ret = 0;

	spin_lock(&l->sk.lock);
	if (l->dead || !l->sk.listening || l->shut_read)
		ret = -ECONNREFUSED;
	else if (l->nr_pending > l->backlog)
		ret = -EAGAIN;
	if (!ret) {
		v->sk.flags = l->sk.flags & (1ull << SO_PASSCRED);
		scm_self(&v->peer_cred);
		u->peer_cred = l->peer_cred;
		v->peer_pid = me;
		me = u->peer_pid; /* NULL: it is not connected yet */
		u->peer_pid = pidref_get(l->peer_pid);
		v->addr = unix_addr_get(l->addr);
		list_add_tail(&l->accept_queue, &v->accept_link);
		l->nr_pending++;
	}
	spin_unlock(&l->sk.lock);
	pidref_put(me);
	return ret;
}

static int connect_to(struct unix_sock *u, struct unix_sock *l)
{
	struct unix_sock *v = unix_new(u->sk.type);
	int ret = 0;

	if (!v)
		return -ENOMEM;
	/* First joined, then queued: whoever accepts it finds it complete. */
	spin_lock_pair(&u->sk.lock, &v->sk.lock);
	if (u->connected)
		ret = -EISCONN;
	else if (u->sk.listening)
		ret = -EINVAL;
	else
		join_locked(u, v);
	spin_unlock_pair(&u->sk.lock, &v->sk.lock);
	if (ret) {
		sock_put(&v->sk);
		return ret;
	}
	ret = enqueue_connection(u, l, v);
	if (!ret)
		return 0;
	spin_lock_pair(&u->sk.lock, &v->sk.lock);
	u->peer = NULL;
	v->peer = NULL;
	u->connected = false;
	spin_unlock_pair(&u->sk.lock, &v->sk.lock);
	sock_put(&u->sk);
	sock_put(&v->sk);
	sock_put(&v->sk);
	return ret;
}

static int unix_connect(struct socket *sk, const struct sockaddr_buf *a)
{
	struct unix_sock *u = unix_sk(sk), *l;
	int ret;

	if (a->len < sizeof(u16))
		return -EINVAL;
	if (sk->type == SOCK_DGRAM)
		return connect_dgram(u, a);
	if (sock_flag(sk, SO_PASSCRED) && !u->addr) {
		ret = unix_name_autobind(u);
		if (ret)
			return ret;
	}
	ret = unix_name_find(a, sk->type, &l);
	if (ret)
		return ret;
	ret = connect_to(u, l);
	if (!ret) {
		wake_one_events(&l->sk.read_wq, EPOLLIN | EPOLLRDNORM);
		async_signal(&l->sk.async, POLL_IN);
	}
	sock_put(&l->sk);
	if (!ret)
		wake_events(&sk->write_wq, EPOLLOUT | EPOLLWRNORM);
	return ret;
}

/* lock held: from now on it is an outer lock (see unix_impl.h). */
static void lock_becomes_outer(struct spinlock *l)
{
	lock_rank_pop(l->rank, l);
	l->rank = RANK_OBJECT_OUTER;
	lock_rank_push(l->rank, l);
}

static void swap_pid(struct pid **a, struct pid **b)
{
	struct pid *old = *a;

	*a = *b;
	*b = old;
}

static int unix_listen(struct socket *sk, u32 backlog)
{
	struct unix_sock *u = unix_sk(sk);
	struct pid *pid;
	int ret = 0;

	if (sk->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!u->addr)
		return -EINVAL;
	pid = pidref_self();
	spin_lock(&sk->lock);
	if (u->connected) {
		ret = -EINVAL;
	} else {
		sk->listening = true;
		lock_becomes_outer(&sk->lock);
		u->backlog = backlog;
		scm_self(&u->peer_cred);
		swap_pid(&u->peer_pid, &pid);
	}
	spin_unlock(&sk->lock);
	pidref_put(pid);
	if (!ret)
		wake_events(&backlog_wq, EPOLLOUT);
	return ret;
}

static int unix_accept(struct socket *sk, struct socket **out)
{
	struct unix_sock *l = unix_sk(sk), *v = NULL;
	int ret = -EAGAIN;

	if (sk->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	spin_lock(&sk->lock);
	if (!sk->listening || l->shut_read)
		ret = -EINVAL;
	else
		v = list_first(&l->accept_queue, struct unix_sock, accept_link);
	if (v) {
		list_del(&v->accept_link);
		l->nr_pending--;
		ret = 0;
	}
	spin_unlock(&sk->lock);
	if (v) {
		wake_events(&backlog_wq, EPOLLOUT);
		*out = &v->sk;
	}
	return ret;
}

/* Tells the other end of a connection that this one reads (writes) no more. */
static void shut_peer(struct unix_sock *p, bool no_reader, bool no_writer, bool reset)
{
	spin_lock(&p->sk.lock);
	p->shut_write |= no_reader;
	p->shut_read |= no_writer;
	if (reset)
		p->sk.error = ECONNRESET;
	spin_unlock(&p->sk.lock);
	wake_events(&p->sk.read_wq, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP);
	wake_events(&p->sk.write_wq, EPOLLOUT | EPOLLWRNORM | EPOLLHUP);
	if (no_reader && no_writer)
		async_signal(&p->sk.async, POLL_HUP);
	else if (no_writer)
		async_signal(&p->sk.async, POLL_IN);
}

static int unix_shutdown(struct socket *sk, u32 how)
{
	struct unix_sock *u = unix_sk(sk), *p = NULL;
	bool rd = how != SHUT_WR, wr = how != SHUT_RD;

	spin_lock(&sk->lock);
	u->shut_read |= rd;
	u->shut_write |= wr;
	if (sk->type != SOCK_DGRAM && u->peer) {
		p = u->peer;
		sock_get(&p->sk);
	}
	spin_unlock(&sk->lock);
	if (p) {
		shut_peer(p, rd, wr, false);
		sock_put(&p->sk);
	}
	wake_events(&sk->read_wq, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP);
	wake_events(&sk->write_wq, EPOLLOUT | EPOLLWRNORM);
	wake_events(&backlog_wq, EPOLLOUT);
	return 0;
}

/* A connected datagram socket is writable when its receiver has room. */
static bool dgram_writable_locked(struct unix_sock *u, struct waitq **q)
{
	struct unix_sock *p = u->peer;

	*q = p ? unix_space_queue(p) : NULL;
	if (!p)
		return true;
	if (READ_ONCE(p->peer) == u)
		return READ_ONCE(p->queued_bytes) * 4 <= u->sk.sndbuf;
	return READ_ONCE(p->queued_nr) <= UNIX_DGRAM_MAX_QUEUE;
}

static u32 unix_poll(struct socket *sk, struct poll_table *pt)
{
	struct unix_sock *u = unix_sk(sk);
	struct waitq *space = NULL;
	bool writable, conn = sk->type != SOCK_DGRAM;
	u32 mask = 0;

	if (!conn) {
		spin_lock(&sk->lock);
		dgram_writable_locked(u, &space);
		spin_unlock(&sk->lock);
		if (space)
			poll_wait(pt, space);
	}
	spin_lock(&sk->lock);
	if (sk->error)
		mask |= EPOLLERR;
	if (u->shut_read)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if ((u->shut_read && u->shut_write) || (conn && !u->connected && !sk->listening))
		mask |= EPOLLHUP;
	if (!list_empty(&u->queue) || !list_empty(&u->accept_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (u->oob)
		mask |= EPOLLPRI;
	writable = conn ? !sk->listening && unix_stream_writable_locked(u)
			: dgram_writable_locked(u, &space);
	if (writable)
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	spin_unlock(&sk->lock);
	return mask;
}

static int unix_getname(struct socket *sk, bool peer, struct sockaddr_buf *out)
{
	struct unix_sock *u = unix_sk(sk), *p;

	if (!peer) {
		unix_addr_out(READ_ONCE(u->addr), out);
		return 0;
	}
	spin_lock(&sk->lock);
	p = u->peer;
	if (p)
		unix_addr_out(READ_ONCE(p->addr), out);
	spin_unlock(&sk->lock);
	return p ? 0 : -ENOTCONN;
}

/* SO_PEERPIDFD: a new descriptor for the process at the other end. */
static int get_peer_pidfd(struct unix_sock *u, void *buf, u32 *len)
{
	struct pid *pid = NULL;
	struct file *f;
	s32 fd;
	int ret;

	spin_lock(&u->sk.lock);
	if (u->connected || u->sk.listening)
		pid = pidref_get(u->peer_pid);
	spin_unlock(&u->sk.lock);
	if (!pid)
		return -ENODATA;
	ret = pidref_open(pid, &f);
	pidref_put(pid);
	if (ret)
		return ret;
	fd = fd_install(f, true);
	if (fd < 0) {
		file_put(f);
		return fd;
	}
	*len = MIN(*len, (u32)sizeof fd);
	memcpy(buf, &fd, *len);
	return 0;
}

static int unix_getopt(struct socket *sk, u32 level, u32 opt, void *buf, u32 *len)
{
	struct unix_sock *u = unix_sk(sk);
	struct ucred cred = { 0, U32_MAX, U32_MAX };

	if (level == SOL_SOCKET && opt == SO_PEERPIDFD)
		return get_peer_pidfd(u, buf, len);
	if (level != SOL_SOCKET || opt != SO_PEERCRED)
		return -ENOPROTOOPT;
	spin_lock(&sk->lock);
	if (u->connected || sk->listening)
		cred = u->peer_cred;
	spin_unlock(&sk->lock);
	*len = MIN(*len, (u32)sizeof cred);
	memcpy(buf, &cred, *len);
	return 0;
}

static u32 unix_queued(struct socket *sk, bool out)
{
	struct unix_sock *u = unix_sk(sk);
	struct sockbuf *b;
	u32 n = 0;

	spin_lock(&sk->lock);
	if (out) {
		n = u->peer ? READ_ONCE(u->peer->queued_bytes) : 0;
	} else {
		list_for_each_entry (b, &u->queue, link) {
			n += b->len - b->off;
			if (sk->type == SOCK_DGRAM)
				break;
		}
	}
	spin_unlock(&sk->lock);
	return n;
}

/* Is the next byte to read the one after the urgent byte, or itself? */
static bool at_mark_locked(const struct unix_sock *u)
{
	struct sockbuf *b = list_first(&u->queue, struct sockbuf, link);

	if (!b || b == u->oob)
		return b != NULL;
	return b->off == b->len && (!u->oob || b->link.next == &u->oob->link);
}

static s64 unix_ioctl(struct socket *sk, u32 cmd, u64 arg)
{
	struct unix_sock *u = unix_sk(sk);
	bool at_mark;

	if (cmd != SIOCATMARK)
		return -ENOTTY;
	spin_lock(&sk->lock);
	at_mark = sk->type == SOCK_STREAM && at_mark_locked(u);
	spin_unlock(&sk->lock);
	return put_user(UADDR(arg), (s32)at_mark);
}

static void drop_queue(struct list *queue)
{
	struct sockbuf *b;

	while ((b = list_first(queue, struct sockbuf, link)) != NULL) {
		list_del(&b->link);
		sockbuf_free(b);
	}
}

/* The mark of an urgent byte that was read is nothing. */
static bool has_unread(const struct list *queue)
{
	const struct sockbuf *b;

	list_for_each_entry (b, queue, link)
		if (b->off != b->len || !b->len)
			return true;
	return false;
}

static void release_one(struct unix_sock *u, bool unaccepted);

/* Connections nobody accepted: their clients are reset. Nests once: such a socket never listens. */
static void drop_pending(struct list *pending)
{
	struct unix_sock *v;

	while ((v = list_first(pending, struct unix_sock, accept_link)) != NULL) {
		list_del(&v->accept_link);
		release_one(v, true);
		sock_put(&v->sk);
	}
}

static void release_one(struct unix_sock *u, bool unaccepted)
{
	struct list queue, pending;
	struct unix_sock *p;

	list_init(&queue);
	list_init(&pending);
	unix_name_release(u);
	spin_lock(&u->sk.lock);
	u->dead = true;
	u->shut_read = true;
	u->shut_write = true;
	u->sk.listening = false;
	p = u->peer;
	u->peer = NULL;
	list_splice_tail(&queue, &u->queue);
	list_splice_tail(&pending, &u->accept_queue);
	u->oob = NULL;
	u->queued_bytes = 0;
	u->queued_nr = 0;
	u->queued_scms = 0;
	spin_unlock(&u->sk.lock);

	if (p && u->sk.type != SOCK_DGRAM)
		shut_peer(p, true, true, unaccepted || has_unread(&queue));
	else if (p)
		wake_events(&p->sk.write_wq, EPOLLOUT | EPOLLWRNORM);
	if (p)
		sock_put(&p->sk);
	drop_queue(&queue);
	drop_pending(&pending);
	wake_events(unix_space_queue(u), EPOLLOUT | EPOLLWRNORM);
	wake_events(&backlog_wq, EPOLLOUT);
}

static void unix_release(struct socket *sk)
{
	release_one(unix_sk(sk), false);
	unix_gc_closed();
}

static void unix_free(struct socket *sk)
{
	struct unix_sock *u = unix_sk(sk);

	if (u->peer)
		sock_put(&u->peer->sk);
	drop_queue(&u->queue);
	if (u->has_path)
		unix_path_put(&u->path);
	unix_addr_put(u->addr);
	pidref_put(u->peer_pid);
	kfree(u);
}

const struct sock_ops unix_ops = {
	.bind = unix_bind,
	.connect = unix_connect,
	.connect_wq = &backlog_wq,
	.pair = unix_pair,
	.listen = unix_listen,
	.accept = unix_accept,
	.send = unix_send,
	.recv = unix_recv,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.getname = unix_getname,
	.getopt = unix_getopt,
	.ioctl = unix_ioctl,
	.queued = unix_queued,
	.release = unix_release,
	.free = unix_free,
};

const struct sock_family unix_family = {
	.af = AF_UNIX,
	.create = unix_create,
};
