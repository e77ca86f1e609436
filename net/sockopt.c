// SPDX-License-Identifier: Apache-2.0
/*
 * sockopt - options of level SOL_SOCKET
 *
 * Role      setsockopt and getsockopt for what is the same in all families; the rest is asked of the family.
 * Rules     Boolean options are bits of sk->flags. Buffer sizes are doubled on the way in and shown doubled, as in
 *           Linux. An option nobody knows is -ENOPROTOOPT; none is accepted without meaning what it says, except those
 *           that only matter on a wire.
 * Missing   Filters, timestamps, SO_PASSPIDFD.
 * See       socket(7)
 */
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/capability.h"
#include "net/socket.h"

#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u
#define GETOPT_MAX 256u

/* Booleans that may be set; those with an effect here: SO_PASSCRED. */
#define FLAG_BIT(opt) (1ull << (opt))
#define SETTABLE_FLAGS                                                              \
	(FLAG_BIT(SO_DEBUG) | FLAG_BIT(SO_REUSEADDR) | FLAG_BIT(SO_DONTROUTE) |     \
	 FLAG_BIT(SO_BROADCAST) | FLAG_BIT(SO_KEEPALIVE) | FLAG_BIT(SO_OOBINLINE) | \
	 FLAG_BIT(SO_REUSEPORT) | FLAG_BIT(SO_PASSCRED) | FLAG_BIT(SO_NO_CHECK))

static int set_flag(struct socket *sk, u32 opt, bool on)
{
	spin_lock(&sk->lock);
	if (on)
		sk->flags |= FLAG_BIT(opt);
	else
		sk->flags &= ~FLAG_BIT(opt);
	spin_unlock(&sk->lock);
	return 0;
}

static int set_buffer(struct socket *sk, u32 *field, u32 bytes, u32 min, bool force)
{
	const s32 *max = field == &sk->sndbuf ? &net_limits.wmem_max : &net_limits.rmem_max;
	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!force)
		bytes = MIN(bytes, (u32)READ_ONCE(*max));
	bytes = MIN(bytes, (u32)S32_MAX / 2);
	WRITE_ONCE(*field, MAX(bytes * 2, min));
	wake_events(&sk->write_wq, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

static int set_timeout(u64 *field, uaddr_t val, u32 len)
{
	struct timeval tv;
	u64 ns;

	if (len < sizeof tv)
		return -EINVAL;
	if (get_user(&tv, val))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0) { /* Linux: no waiting at all */
		WRITE_ONCE(*field, 1);
		return 0;
	}
	if (!timeval_to_ns(&tv, &ns))
		return -EDOM;
	WRITE_ONCE(*field, ns);
	return 0;
}

static int set_linger(struct socket *sk, uaddr_t val, u32 len)
{
	struct linger l;

	if (len < sizeof l)
		return -EINVAL;
	if (get_user(&l, val))
		return -EFAULT;
	spin_lock(&sk->lock);
	sk->linger = l;
	spin_unlock(&sk->lock);
	return 0;
}

static int set_int(struct socket *sk, u32 opt, s32 n)
{
	if (opt < 64 && (SETTABLE_FLAGS & FLAG_BIT(opt)))
		return set_flag(sk, opt, n != 0);
	switch (opt) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		return set_buffer(sk, &sk->sndbuf, (u32)n, SNDBUF_MIN, opt == SO_SNDBUFFORCE);
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		return set_buffer(sk, &sk->rcvbuf, (u32)n, RCVBUF_MIN, opt == SO_RCVBUFFORCE);
	case SO_PRIORITY:
		if ((n < 0 || n > 6) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		WRITE_ONCE(sk->priority, (u32)n);
		return 0;
	case SO_MARK:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		WRITE_ONCE(sk->mark, (u32)n);
		return 0;
	case SO_PEEK_OFF:
		if (sk->family != AF_UNIX)
			return -EOPNOTSUPP;
		WRITE_ONCE(sk->peek_off, n);
		return 0;
	case SO_RCVLOWAT:
		WRITE_ONCE(sk->rcvlowat, n < 0 ? (u32)S32_MAX : MAX((u32)n, 1u));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int sock_setopt(struct socket *sk, u32 level, u32 opt, uaddr_t val, u32 len)
{
	s32 n;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (opt) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&sk->rcvtimeo_ns, val, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&sk->sndtimeo_ns, val, len);
	case SO_LINGER:
		return set_linger(sk, val, len);
	}
	if ((s32)len < (s32)sizeof n)
		return -EINVAL;
	if (get_user(&n, val))
		return -EFAULT;
	return set_int(sk, opt, n);
}

static bool get_int(struct socket *sk, u32 opt, s32 *n)
{
	if (opt < 64 && (SETTABLE_FLAGS & FLAG_BIT(opt))) {
		*n = sock_flag(sk, opt);
		return true;
	}
	switch (opt) {
	case SO_TYPE:
		*n = sk->type;
		return true;
	case SO_DOMAIN:
		*n = sk->family;
		return true;
	case SO_PROTOCOL:
		*n = sk->proto;
		return true;
	case SO_ERROR:
		*n = -sock_take_error(sk);
		return true;
	case SO_SNDBUF:
		*n = (s32)sk->sndbuf;
		return true;
	case SO_RCVBUF:
		*n = (s32)sk->rcvbuf;
		return true;
	case SO_RCVLOWAT:
		*n = (s32)sk->rcvlowat;
		return true;
	case SO_SNDLOWAT:
		*n = 1;
		return true;
	case SO_PRIORITY:
		*n = (s32)sk->priority;
		return true;
	case SO_MARK:
		*n = (s32)sk->mark;
		return true;
	case SO_PEEK_OFF:
		*n = READ_ONCE(sk->peek_off);
		return true;
	case SO_ACCEPTCONN:
		*n = sk->listening;
		return true;
	default:
		return false;
	}
}

static struct timeval timeout_of(u64 ns)
{
	return (struct timeval){ (s64)(ns / NSEC_PER_SEC),
				 (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

/* Stores the value in buf; *len in: room, out: size. */
static int get_value(struct socket *sk, u32 opt, void *buf, u32 *len)
{
	struct timeval tv;
	s32 n;

	if (get_int(sk, opt, &n)) {
		*len = MIN(*len, (u32)sizeof n);
		memcpy(buf, &n, *len);
		return 0;
	}
	switch (opt) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		tv = timeout_of(opt == SO_RCVTIMEO_OLD || opt == SO_RCVTIMEO_NEW ? sk->rcvtimeo_ns
										 : sk->sndtimeo_ns);
		*len = MIN(*len, (u32)sizeof tv);
		memcpy(buf, &tv, *len);
		return 0;
	case SO_LINGER:
		*len = MIN(*len, (u32)sizeof sk->linger);
		memcpy(buf, &sk->linger, *len);
		return 0;
	case SO_COOKIE:
		if (*len < sizeof sk->cookie)
			return -EINVAL;
		*len = sizeof sk->cookie;
		memcpy(buf, &sk->cookie, *len);
		return 0;
	default:
		return sk->ops->getopt ? sk->ops->getopt(sk, SOL_SOCKET, opt, buf, len)
				       : -ENOPROTOOPT;
	}
}

int sock_getopt(struct socket *sk, u32 level, u32 opt, uaddr_t val, uaddr_t ulen)
{
	u8 buf[GETOPT_MAX] = { 0 };
	s32 room;
	u32 len;
	int ret;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (get_user(&room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	len = MIN((u32)room, GETOPT_MAX);
	ret = get_value(sk, opt, buf, &len);
	if (!ret)
		ret = copy_to_user(val, buf, len);
	return ret ? ret : put_user(ulen, (s32)len);
}
