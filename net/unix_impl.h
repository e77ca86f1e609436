// SPDX-License-Identifier: Apache-2.0
/*
 * unix_impl - the AF_UNIX socket, shared by af_unix.c and unix_*.c only
 *
 * Rules     peer: the other end (stream, seqpacket) or the default destination (datagram), referenced; it stays
 *           after the other end was closed, until this one is. A connection's two ends refer to each
 *           other; each release drops one reference.
 *           The data one socket sends is queued at the receiver: queue, queued_bytes.
 * Locking   sk.lock (RANK_OBJECT) covers everything marked [lock]; the locks of two sockets are taken together
 *           with spin_lock_pair(). recv_lock (RANK_SOCKET): one reader at a time copies out.
 *           names_lock (unix_name.c, RANK_OBJECT_OUTER), gc_lock (unix_gc.c, RANK_SOCKET_GC, sleeps).
 *           A listener's lock becomes RANK_OBJECT_OUTER: it is taken around those of its pending connections.
 * See       unix(7)
 */
#pragma once

#include "guestkernel/kapi/unix_path.h"
#include "net/socket.h"
#include "net/sockbuf.h"

#define UNIX_DGRAM_MAX_QUEUE 10u /* net.unix.max_dgram_qlen */
#define UNIX_STREAM_CHUNK    (7u << 10)
#define UNIX_SPACE_QUEUES    16u

struct unix_addr {
	struct refs refs;
	u32 len; /* of the whole sockaddr_un */
	struct sockaddr_un un;
	u8 end; /* a path of full length has no NUL of its own: here is one */
};

/*
 * INVARIANTS
 * - peer is a reference and cannot be followed without lock: take lock, sock_get() what it points at, drop lock. The
 *   peer may be released (dead) meanwhile; then it takes no data, and what was sent before is freed with it.
 * - Both ends of a connection point at each other from join_locked() on; each release clears its own pointer and puts
 *   that reference, never the other's pointer. So no end outlives its own release as a cycle.
 * - A sockbuf is in exactly one queue or belongs to the function that made or took it. Only the holder of recv_lock,
 *   release_one() and the collector take one off; the reader may look at the first without lock because release_one()
 *   cannot run while a call on the file does, nor can the file be garbage then.
 * - queued_bytes, queued_nr, queued_scms are the sums over queue, changed with it under lock.
 * - oob is in queue, or NULL. A byte that was received as urgent stays queued as an empty buffer: the mark.
 * - Descriptors in a queue are in flight: unix_scm_launch() before, unix_scm_landed() or _take() after (unix_gc.c).
 */
struct unix_sock {
	struct socket sk; /* first */
	struct mutex recv_lock;
	/* names_lock for change; set once */
	struct unix_addr *addr;
	struct path path; /* [I] once has_path */
	bool has_path;
	struct list name_link; /* [names_lock] */
	/* [lock] */
	struct unix_sock *peer;
	struct list queue; /* of sockbuf */
	u32 queued_bytes, queued_nr;
	u32 queued_scms;     /* buffers in queue that carry descriptors */
	struct sockbuf *oob; /* the urgent byte nobody read yet */
	bool shut_read, shut_write;
	bool dead; /* released */
	bool connected;
	/* Of the other side when the connection was made; own before listen. The number is referenced. */
	struct ucred peer_cred;
	struct pid *peer_pid;
	struct list accept_queue; /* listening: connections nobody accepted yet */
	struct list accept_link;
	u32 nr_pending, backlog;
	/* gc_lock */
	u32 inflight;	     /* times its file lies in queues */
	struct list gc_link; /* all sockets with inflight > 0 */
	struct list gc_work;
	u32 gc_seen;
};

static inline struct unix_sock *unix_sk(struct socket *sk)
{
	return container_of(sk, struct unix_sock, sk);
}

extern const struct sock_ops unix_ops;
struct unix_sock *unix_new(u32 type);

/* unix_name.c */
void unix_addr_put(struct unix_addr *a);
struct unix_addr *unix_addr_get(struct unix_addr *a); /* NULL is fine */
void unix_addr_out(const struct unix_addr *a, struct sockaddr_buf *out);
int must_check unix_name_bind(struct unix_sock *u, const struct sockaddr_buf *a);
int must_check unix_name_autobind(struct unix_sock *u);
/* The bound socket of this type with a reference; -ECONNREFUSED, -EPROTOTYPE, path errors. */
int must_check unix_name_find(const struct sockaddr_buf *a, u32 type, struct unix_sock **out);
void unix_name_release(struct unix_sock *u);

/* unix_io.c */
s64 unix_send(struct socket *sk, struct msg *m);
s64 unix_recv(struct socket *sk, struct msg *m);
/* Senders that wait for room in a receiver they may not be connected to. */
struct waitq *unix_space_queue(const struct unix_sock *receiver);
bool unix_stream_writable_locked(
	const struct unix_sock *u); /* u and its peer may change under us: a hint */

/* unix_gc.c */
/* Is about to be put into to's queue. -ETOOMANYREFS, -ENOMEM. No spinlocks held; so for the next three. */
int must_check unix_scm_launch(struct scm *s, struct unix_sock *to);
void unix_scm_landed(struct scm *s); /* left its queue, or never made it */
/* The files of src, which is still in a queue of a socket the caller holds, go to dst. */
void unix_scm_take(struct scm *dst, struct scm *src);
int must_check unix_scm_peek(struct scm *dst, const struct scm *src);
/* Frees cycles of sockets that only queues refer to. No locks held. */
void unix_gc(void);
/* A socket was closed: makes a pass when one is due. */
void unix_gc_closed(void);
