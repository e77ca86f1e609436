// SPDX-License-Identifier: Apache-2.0
/*
 * sys_socket - the socket calls
 *
 * Role      Decode addresses, vectors and control messages; net/socket.c does the rest.
 * Rules     Everything is copied from the application once, before the call into net/.
 * See       socket(2), send(2), recv(2), net/socket.h
 */
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/fcntl.h"
#include "net/socket.h"
#include "syscalls_gen.h"

#define MMSG_MAX 1024u

/* The socket behind fd, with a reference on the file. */
static int get_sock(s32 fd, struct file **f, struct socket **sk)
{
	int ret = fd_lookup(fd, f);

	if (ret)
		return ret;
	*sk = file_socket(*f);
	if (*sk)
		return 0;
	file_put(*f);
	return -ENOTSOCK;
}

static int get_addr(struct sockaddr_buf *a, uaddr_t ua, u32 len)
{
	if (len > sizeof a->raw)
		return -EINVAL;
	memset(a, 0, sizeof *a);
	a->len = len;
	return len ? copy_from_user(a->raw, ua, len) : 0;
}

/* Value-result: the room is at ulen, the real length goes there. */
static int put_addr(const struct sockaddr_buf *a, uaddr_t ua, uaddr_t ulen)
{
	s32 room;
	int ret;

	if (uaddr_is_null(ua))
		return 0;
	if (get_user(&room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	ret = copy_to_user(ua, a->raw, MIN((u32)room, a->len));
	return ret ? ret : put_user(ulen, a->len);
}

static bool bad_type(u32 type)
{
	return type & ~(u32)(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK);
}

s64 sys_socket(u32 af, u32 type, s32 proto)
{
	struct file *f;
	s64 ret;

	if (bad_type(type))
		return -EINVAL;
	ret = sock_create(af, type, proto, &f);
	if (ret)
		return ret;
	ret = fd_install(f, type & SOCK_CLOEXEC);
	if (ret < 0)
		file_put(f);
	return ret;
}

s64 sys_socketpair(u32 af, u32 type, s32 proto, uaddr_t out)
{
	struct file *f[2];
	int ret;

	if (bad_type(type))
		return -EINVAL;
	ret = sock_create_pair(af, type, proto, f);
	return ret ? ret : fd_install_pair(f, type & SOCK_CLOEXEC, out);
}

s64 sys_bind(s32 fd, uaddr_t addr, u32 len)
{
	struct sockaddr_buf a;
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = get_addr(&a, addr, len);
	if (!ret)
		ret = sock_bind(sk, &a);
	file_put(f);
	return ret;
}

s64 sys_connect(s32 fd, uaddr_t addr, u32 len)
{
	struct sockaddr_buf a;
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = get_addr(&a, addr, len);
	if (!ret)
		ret = sock_connect(sk, &a, f->flags & O_NONBLOCK);
	file_put(f);
	return ret;
}

s64 sys_listen(s32 fd, s32 backlog)
{
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = sock_listen(sk, backlog);
	file_put(f);
	return ret;
}

static s64 do_accept(struct socket *sk, bool nonblock, uaddr_t addr, uaddr_t len, u32 flags)
{
	struct sockaddr_buf a;
	struct socket *got;
	struct file *nf;
	s64 fd, ret;

	fd = fd_reserve(flags & SOCK_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = sock_accept(sk, nonblock, flags, &nf, &got);
	if (ret)
		goto unreserve;
	ret = got->ops->getname(got, true, &a);
	if (ret == -ENOTCONN) { /* the client has gone again */
		a.len = sizeof(u16);
		a.family = got->family;
		ret = 0;
	}
	if (!ret)
		ret = put_addr(&a, addr, len);
	if (!ret) {
		fd_publish((s32)fd, nf);
		return fd;
	}
	file_put(nf);
unreserve:
	fd_unreserve((s32)fd);
	return ret;
}

s64 sys_accept4(s32 fd, uaddr_t addr, uaddr_t len, u32 flags)
{
	struct socket *sk;
	struct file *f;
	s64 ret;

	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	ret = get_sock(fd, &f, &sk);
	if (ret)
		return ret;
	ret = do_accept(sk, f->flags & O_NONBLOCK, addr, len, flags);
	file_put(f);
	return ret;
}

s64 sys_accept(s32 fd, uaddr_t addr, uaddr_t len)
{
	return sys_accept4(fd, addr, len, 0);
}

s64 sys_shutdown(s32 fd, u32 how)
{
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = sock_shutdown(sk, how);
	file_put(f);
	return ret;
}

static s64 do_getname(s32 fd, uaddr_t addr, uaddr_t len, bool peer)
{
	struct sockaddr_buf a;
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = sk->ops->getname(sk, peer, &a);
	file_put(f);
	if (!ret && uaddr_is_null(addr))
		return -EFAULT;
	return ret ? ret : put_addr(&a, addr, len);
}

s64 sys_getsockname(s32 fd, uaddr_t addr, uaddr_t len)
{
	return do_getname(fd, addr, len, false);
}

s64 sys_getpeername(s32 fd, uaddr_t addr, uaddr_t len)
{
	return do_getname(fd, addr, len, true);
}

s64 sys_setsockopt(s32 fd, u32 level, u32 opt, uaddr_t val, u32 len)
{
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = sock_setopt(sk, level, opt, val, len);
	file_put(f);
	return ret;
}

s64 sys_getsockopt(s32 fd, u32 level, u32 opt, uaddr_t val, uaddr_t len)
{
	struct socket *sk;
	struct file *f;
	int ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = sock_getopt(sk, level, opt, val, len);
	file_put(f);
	return ret;
}

s64 sys_sendto(s32 fd, uaddr_t buf, u64 n, u32 flags, uaddr_t addr, u32 len)
{
	struct sockaddr_buf a;
	struct iov_cursor cur;
	struct msg m = { .iov = &cur, .flags = flags };
	struct socket *sk;
	struct file *f;
	s64 ret = iov_init_user(&cur, buf, n);

	if (ret)
		return ret;
	ret = get_sock(fd, &f, &sk);
	if (ret)
		return ret;
	if (!uaddr_is_null(addr)) {
		m.name = &a;
		ret = get_addr(&a, addr, len);
	}
	if (!ret) {
		scm_self(&m.scm.cred);
		ret = sock_send(sk, &m, f->flags & O_NONBLOCK);
	}
	file_put(f);
	return ret;
}

s64 sys_recvfrom(s32 fd, uaddr_t buf, u64 n, u32 flags, uaddr_t addr, uaddr_t len)
{
	struct sockaddr_buf a = { 0 };
	struct iov_cursor cur;
	struct msg m = { .iov = &cur, .flags = flags };
	struct socket *sk;
	struct file *f;
	s64 ret = iov_init_user(&cur, buf, n);

	if (ret)
		return ret;
	ret = get_sock(fd, &f, &sk);
	if (ret)
		return ret;
	m.name = uaddr_is_null(addr) ? NULL : &a;
	ret = sock_recv(sk, &m, f->flags & O_NONBLOCK);
	scm_fini(&m.scm);
	file_put(f);
	if (ret >= 0 && m.name && put_addr(&a, addr, len))
		return -EFAULT;
	return ret;
}

/* One message of sendmsg and sendmmsg. */
static s64 send_one(struct file *f, struct socket *sk, const struct msghdr *h, u32 flags)
{
	struct sockaddr_buf a;
	struct msg m = { .flags = flags };
	struct iov_import im;
	s64 ret = iov_import(&im, UADDR(h->msg_iov), h->msg_iovlen);

	if (ret)
		return ret;
	m.iov = &im.cur;
	if (h->msg_name && h->msg_namelen) {
		m.name = &a;
		ret = h->msg_namelen < 0 ? -EINVAL
					 : get_addr(&a, UADDR(h->msg_name), (u32)h->msg_namelen);
	}
	if (!ret)
		ret = scm_parse(&m.scm, UADDR(h->msg_control), h->msg_controllen);
	if (!ret)
		ret = sock_send(sk, &m, f->flags & O_NONBLOCK);
	scm_fini(&m.scm);
	iov_import_fini(&im);
	return ret;
}

static int get_msghdr(struct msghdr *h, uaddr_t ua)
{
	int ret = get_user(h, ua);

	if (!ret && h->msg_iovlen > IOV_MAX_SEGS)
		ret = -EMSGSIZE;
	return ret;
}

s64 sys_sendmsg(s32 fd, uaddr_t msg, u32 flags)
{
	struct msghdr h;
	struct socket *sk;
	struct file *f;
	s64 ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = get_msghdr(&h, msg);
	if (!ret)
		ret = send_one(f, sk, &h, flags);
	file_put(f);
	return ret;
}

s64 sys_sendmmsg(s32 fd, uaddr_t vec, u32 n, u32 flags)
{
	struct msghdr h;
	struct socket *sk;
	struct file *f;
	u32 done = 0;
	s64 ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	n = MIN(n, MMSG_MAX);
	while (done < n) {
		uaddr_t at = uaddr_add(vec, done * sizeof(struct mmsghdr));

		ret = get_msghdr(&h, at);
		if (!ret)
			ret = send_one(f, sk, &h, flags);
		if (ret < 0)
			break;
		if (put_user(uaddr_add(at, offsetof(struct mmsghdr, msg_len)), (u32)ret)) {
			ret = -EFAULT;
			break;
		}
		done++;
	}
	file_put(f);
	return done ? done : ret < 0 ? ret : 0;
}

/* What goes back into the application's msghdr. */
static int store_results(struct socket *sk, struct msg *m, const struct msghdr *h, uaddr_t ua)
{
	u64 control_len = h->msg_controllen;
	bool cloexec = m->flags & MSG_CMSG_CLOEXEC;
	int ret =
		scm_store(sk, &m->scm, UADDR(h->msg_control), &control_len, cloexec, &m->out_flags);

	if (!ret && m->name) {
		ret = copy_to_user(UADDR(h->msg_name), m->name->raw,
				   MIN((u32)MAX(h->msg_namelen, 0), m->name->len));
		if (!ret)
			ret = put_user(uaddr_add(ua, offsetof(struct msghdr, msg_namelen)),
				       m->name->len);
	}
	if (!ret)
		ret = put_user(uaddr_add(ua, offsetof(struct msghdr, msg_controllen)), control_len);
	if (!ret)
		ret = put_user(uaddr_add(ua, offsetof(struct msghdr, msg_flags)),
			       m->out_flags | (m->flags & MSG_CMSG_CLOEXEC));
	return ret;
}

static s64 recv_one(struct file *f, struct socket *sk, uaddr_t ua, u32 flags)
{
	struct sockaddr_buf a = { 0 };
	struct msg m = { .flags = flags };
	struct iov_import im;
	struct msghdr h;
	s64 ret = get_msghdr(&h, ua), n;

	if (ret)
		return ret;
	if (h.msg_name && h.msg_namelen < 0)
		return -EINVAL;
	ret = iov_import(&im, UADDR(h.msg_iov), h.msg_iovlen);
	if (ret)
		return ret;
	m.iov = &im.cur;
	m.name = h.msg_name ? &a : NULL;
	n = sock_recv(sk, &m, f->flags & O_NONBLOCK);
	if (n >= 0) {
		ret = store_results(sk, &m, &h, ua);
		if (ret)
			n = ret;
	}
	scm_fini(&m.scm);
	iov_import_fini(&im);
	return n;
}

s64 sys_recvmsg(s32 fd, uaddr_t msg, u32 flags)
{
	struct socket *sk;
	struct file *f;
	s64 ret = get_sock(fd, &f, &sk);

	if (ret)
		return ret;
	ret = recv_one(f, sk, msg, flags);
	file_put(f);
	return ret;
}

static s64 recv_many(struct file *f, struct socket *sk, uaddr_t vec, u32 n, u32 flags, u64 deadline)
{
	u32 done = 0;
	s64 ret = 0;

	while (done < n) {
		uaddr_t at = uaddr_add(vec, done * sizeof(struct mmsghdr));

		ret = recv_one(f, sk, at, flags & ~(u32)MSG_WAITFORONE);
		if (ret < 0)
			break;
		if (put_user(uaddr_add(at, offsetof(struct mmsghdr, msg_len)), (u32)ret)) {
			ret = -EFAULT;
			break;
		}
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		/* As in Linux the time limit is only looked at after a message. */
		if (clock_monotonic_ns() >= deadline)
			break;
	}
	return done ? done : ret < 0 ? ret : 0;
}

s64 sys_recvmmsg(s32 fd, uaddr_t vec, u32 n, u32 flags, uaddr_t timeout)
{
	u64 deadline = U64_MAX, ns;
	struct timespec ts;
	struct socket *sk;
	struct file *f;
	s64 ret;

	if (!uaddr_is_null(timeout)) {
		if (get_user(&ts, timeout))
			return -EFAULT;
		if (!timespec_to_ns(&ts, &ns))
			return -EINVAL;
		deadline = clock_monotonic_ns() + ns < ns ? U64_MAX : clock_monotonic_ns() + ns;
	}
	ret = get_sock(fd, &f, &sk);
	if (ret)
		return ret;
	ret = recv_many(f, sk, vec, MIN(n, MMSG_MAX), flags, deadline);
	file_put(f);
	if (ret >= 0 && deadline != U64_MAX) {
		u64 now = clock_monotonic_ns();

		ts = ns_to_timespec(deadline > now ? deadline - now : 0);
		if (put_user(timeout, ts))
			return -EFAULT;
	}
	return ret;
}
