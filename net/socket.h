// SPDX-License-Identifier: Apache-2.0
/*
 * socket - sockets: the object, and what a family supplies
 *
 * Role      sys_socket.c calls sock_*; a family fills a sock_family and embeds struct socket in its own.
 *           All waiting, timeouts and restart codes are in socket.c; families never sleep for events.
 * Rules     Operations do not sleep for data, room, connections: they return -EAGAIN, and whoever changes that
 *           wakes sk->read_wq or sk->write_wq (or the queue the send left in its msg, or connect_wq). Where to wait is
 *           said call by call: two threads may send to two receivers through one socket.
 *           They may touch user memory, so they are called without spinlocks, and lock themselves.
 *           Addresses arrive copied and bounded, control messages parsed (scm.h).
 * Locking   sk->lock (RANK_OBJECT) covers the fields marked [lock] and the family's state.
 * See       socket(2), socket(7)
 */
#pragma once

#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/uapi/socket.h"
#include "net/scm.h"

struct socket;

struct sockaddr_buf {
	u32 len; /* bytes of raw that are valid */
	union {
		u16 family;
		struct sockaddr_un un;
		u8 raw[128];
	};
};

struct msg {
	struct iov_cursor *iov;
	u32 flags;     /* in: MSG_* */
	u32 out_flags; /* out: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
	struct sockaddr_buf
		*name; /* send: destination or NULL; recv: where the sender's goes, or NULL */
	struct scm scm;
	struct waitq *
		block_wq; /* send: where to wait after -EAGAIN, if not at the socket's write_wq; lives forever */
};

struct sock_ops {
	int (*bind)(struct socket *sk, const struct sockaddr_buf *a);
	int (*connect)(struct socket *sk, const struct sockaddr_buf *a);
	struct waitq *connect_wq; /* where to wait after connect said -EAGAIN */
	int (*pair)(struct socket *a, struct socket *b);
	int (*listen)(struct socket *sk, u32 backlog);
	/* A connected socket, not yet a file. */
	int (*accept)(struct socket *sk, struct socket **out);
	s64 (*send)(struct socket *sk, struct msg *m);
	s64 (*recv)(struct socket *sk, struct msg *m);
	int (*shutdown)(struct socket *sk, u32 how); /* SHUT_* */
	u32 (*poll)(struct socket *sk, struct poll_table *pt);
	int (*getname)(struct socket *sk, bool peer, struct sockaddr_buf *out);
	/* Options the generic code does not know; -ENOPROTOOPT. */
	int (*getopt)(struct socket *sk, u32 level, u32 opt, void *buf, u32 *len);
	/* What the family adds to ioctl(2); -ENOTTY. May be NULL. */
	s64 (*ioctl)(struct socket *sk, u32 cmd, u64 arg);
	/* Bytes waiting to be read, or sent and not yet taken. */
	u32 (*queued)(struct socket *sk, bool out);
	void (*release)(struct socket *sk); /* the file is gone */
	void (*free)(struct socket *sk);    /* the last reference is gone: free the memory */
};

/*
 * INVARIANTS
 * - One reference belongs to the file (from sock_to_file() to socket_release()), the others to whoever points at the
 *   socket: the peer's u->peer, a call that works on it. ops->release() runs once, when the file goes; ops->free() when
 *   the last reference goes. Between the two the socket answers its peers, and no call of its own comes any more.
 * - file is not referenced. Who is not inside a call on that file takes lock and refs_get_unless_zero(): the file's
 *   memory outlives socket_release(), which clears the field under lock.
 * - error, listening and the options change under lock; readers of one word may look without.
 * - A wake-up follows each change that makes a call possible: data and end of file read_wq; room, a larger buffer,
 *   end of the peer write_wq and the queue senders were sent to (msg.block_wq).
 */
struct socket {
	struct refs refs;
	u16 family, type, proto;    /* [I] */
	const struct sock_ops *ops; /* [I] */
	struct file *file; /* weak: see INVARIANTS; NULL before and after [lock for the end] */
	struct spinlock lock;
	struct waitq read_wq, write_wq;
	struct async_list async;
	bool no_space;	/* a send failed for want of room since O_ASYNC was last told */
	s32 error;	/* [lock] pending SO_ERROR, positive */
	bool listening; /* [lock] */
	/* options [lock for change] */
	u32 sndbuf, rcvbuf, rcvlowat, priority, mark;
	s32 peek_off; /* SO_PEEK_OFF: where MSG_PEEK begins; < 0: at the start, always */
	u64 rcvtimeo_ns, sndtimeo_ns; /* 0: none */
	u64 flags;		      /* bit n: boolean option SO_n, n < 64 */
	struct linger linger;
	u64 cookie;
};

struct sock_family {
	u16 af;
	int (*create)(u32 type, u32 proto, struct socket **out);
};
extern const struct sock_family unix_family;

static inline bool sock_flag(const struct socket *sk, u32 opt)
{
	return READ_ONCE(sk->flags) >> opt & 1;
}

/* For families. */
void sock_init(struct socket *sk, u16 family, u32 type, u32 proto, const struct sock_ops *ops);
static inline struct socket *sock_get(struct socket *sk)
{
	refs_get(&sk->refs);
	return sk;
}
void sock_put(struct socket *sk);
/* There is room again: wakes writers, and tells an O_ASYNC owner whose send had found none. */
void sock_wake_writers(struct socket *sk);
/* Takes the pending error, as -errno or 0. */
int sock_take_error(struct socket *sk);

/* For sys_socket.c. type carries SOCK_NONBLOCK. */
int must_check sock_create(u32 af, u32 type, s32 proto, struct file **out);
int must_check sock_create_pair(u32 af, u32 type, s32 proto, struct file *out[2]);
/* Borrowed from f; NULL when it is not a socket. */
struct socket *file_socket(const struct file *f);
int must_check sock_bind(struct socket *sk, const struct sockaddr_buf *a);
int must_check sock_connect(struct socket *sk, const struct sockaddr_buf *a, bool nonblock);
int must_check sock_listen(struct socket *sk, s32 backlog);
/* flags: SOCK_NONBLOCK for the new file. */
int must_check sock_accept(struct socket *sk, bool nonblock, u32 flags, struct file **out,
			   struct socket **peer);
s64 must_check sock_send(struct socket *sk, struct msg *m, bool nonblock);
s64 must_check sock_recv(struct socket *sk, struct msg *m, bool nonblock);
int must_check sock_shutdown(struct socket *sk, u32 how);

/* sockopt.c */
int must_check sock_setopt(struct socket *sk, u32 level, u32 opt, uaddr_t val, u32 len);
int must_check sock_getopt(struct socket *sk, u32 level, u32 opt, uaddr_t val, uaddr_t len);

/* sys/net/core; net_sysctl.c shows them. */
extern struct net_limits {
	s32 somaxconn, wmem_default, wmem_max, rmem_default, rmem_max;
} net_limits;
struct proc_table;
extern const struct proc_table net_sysctl;
