// SPDX-License-Identifier: Apache-2.0
/*
 * strace_arg - prints one argument of a system call
 *
 * Role      A printer for each kind of argument, in printers[]. Structures are read from the application
 *           with copy_from_user; what cannot be read is shown as its address, as strace(1) does.
 * Rules     Text is limited to STR_MAX characters (paths are shown whole), arrays to ARRAY_SHOWN entries.
 * See       strace_spec.h
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/strace_spec.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/poll.h"
#include "guestkernel/uapi/resource.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/socket.h"
#include "guestkernel/uapi/stat.h"
#include "guestkernel/uapi/time.h"
#include "guestkernel/uapi/uio.h"
#include "guestkernel/uapi/utsname.h"

#define STR_MAX	    32
#define ARRAY_SHOWN 8
#define STRV_SHOWN  32

typedef void (*print_fn)(struct strace_ctx *c, const struct strace_arg *a, u64 v);

static void print_addr(struct strbuf *sb, u64 v)
{
	if (v)
		strbuf_printf(sb, "0x%llx", (unsigned long long)v);
	else
		strbuf_printf(sb, "NULL");
}

/* Copies the n bytes at v. On a null pointer, a failed call or a bad address shows the address instead. */
static bool fetch(struct strace_ctx *c, void *dst, u64 v, size_t n)
{
	if (v && c->ret >= 0 && copy_from_user(dst, UADDR(v), n) == 0)
		return true;
	print_addr(c->sb, v);
	return false;
}

const char *strace_set_name(const struct strace_set *set, u64 v)
{
	for (u32 i = 0; i < set->nr; i++)
		if (set->names[i].value == v)
			return set->names[i].name;
	return NULL;
}

void strace_print_set(struct strbuf *sb, const struct strace_set *set, u64 v)
{
	u64 number = v & set->enum_mask, left = v & ~set->enum_mask;
	const char *name = number || set->enum_mask || !v ? strace_set_name(set, number) : NULL;
	const char *sep = "";

	if (name) {
		strbuf_printf(sb, "%s", name);
		sep = "|";
	} else if (number || !v) {
		strbuf_printf(sb, number > 9 ? "0x%llx" : "%llu", (unsigned long long)number);
		sep = "|";
	}
	for (u32 i = 0; i < set->nr && left; i++) {
		u64 f = set->names[i].value;

		if (!f || (f & set->enum_mask) || (left & f) != f)
			continue;
		strbuf_printf(sb, "%s%s", sep, set->names[i].name);
		sep = "|";
		left &= ~f;
	}
	if (left)
		strbuf_printf(sb, "%s0x%llx", sep, (unsigned long long)left);
}

static void print_quoted(struct strbuf *sb, const u8 *p, size_t n)
{
	static const char from[] = "\n\t\r\f\v\"\\", to[] = "ntrfv\"\\";

	for (size_t i = 0; i < n; i++) {
		const char *special = p[i] ? strchr(from, p[i]) : NULL;
		bool digit_follows = i + 1 < n && p[i + 1] >= '0' && p[i + 1] <= '9';

		if (special)
			strbuf_printf(sb, "\\%c", to[special - from]);
		else if (p[i] >= ' ' && p[i] < 0x7f)
			strbuf_addc(sb, (char)p[i]);
		else
			strbuf_printf(sb, digit_follows ? "\\%03o" : "\\%o", p[i]);
	}
}

/* n bytes of application memory in quotes, at most STR_MAX of them. */
static void print_buffer(struct strace_ctx *c, u64 v, u64 n)
{
	u8 buf[STR_MAX];
	size_t m = n < STR_MAX ? n : STR_MAX;

	if (!v || copy_from_user(buf, UADDR(v), m)) {
		print_addr(c->sb, v);
		return;
	}
	strbuf_addc(c->sb, '"');
	print_quoted(c->sb, buf, m);
	strbuf_printf(c->sb, m < n ? "\"..." : "\"");
}

static void print_text(struct strbuf *sb, u64 v, size_t max)
{
	char buf[128];
	size_t done = 0;
	s64 n;

	n = v ? strncpy_from_user(buf, UADDR(v), MIN(max, sizeof buf)) : -EFAULT;
	if (n < 0) {
		print_addr(sb, v);
		return;
	}
	strbuf_addc(sb, '"');
	for (;;) {
		print_quoted(sb, (const u8 *)buf, (size_t)n);
		done += (size_t)n;
		if (n < (s64)sizeof buf || done >= max)
			break;
		n = strncpy_from_user(buf, UADDR(v + done), sizeof buf);
		if (n < 0)
			break;
	}
	strbuf_printf(sb, done >= max ? "\"..." : "\"");
}

static void print_s32(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%d", (s32)v);
}

static void print_u32(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%u", (u32)v);
}

/* Owners: -1 means "as it is". */
static void print_id(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, (u32)v == U32_MAX ? "-1" : "%u", (u32)v);
}

static void print_s64(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%lld", (long long)v);
}

static void print_u64(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%llu", (unsigned long long)v);
}

static void print_mode(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%#o", (u32)v);
}

static void print_dev(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "makedev(%#x, %#x)", dev_major(v), dev_minor(v));
}

static void print_hex32(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%#x", (u32)v);
}

static void print_hex64(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strbuf_printf(c->sb, "%#llx", (unsigned long long)v);
}

static void print_ptr(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_addr(c->sb, v);
}

static void print_dirfd(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	if ((s32)v == AT_FDCWD)
		strbuf_printf(c->sb, "AT_FDCWD");
	else
		print_s32(c, a, v);
}

static void print_signal_name(struct strbuf *sb, u32 sig)
{
	const char *name = strace_set_name(&strace_set_SIGNAL, sig);

	if (name)
		strbuf_printf(sb, "%s", name);
	else if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		strbuf_printf(sb, "SIGRT_%u", sig - SIGRTMIN);
	else
		strbuf_printf(sb, "%d", (s32)sig);
}

static void print_sig(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_signal_name(c->sb, (u32)v);
}

static void print_flags(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	strace_print_set(c->sb, a->set, a->kind == SPEC_FLAGS64 ? v : (u32)v);
}

static void print_senum(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	const char *name = strace_set_name(a->set, (u64)(s64)(s32)v);

	if (name)
		strbuf_printf(c->sb, "%s", name);
	else
		print_s32(c, a, v);
}

static void print_path(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_text(c->sb, v, PATH_MAX);
}

static void print_str(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_text(c->sb, v, STR_MAX);
}

static void print_strv(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	u64 p;

	if (!fetch(c, &p, v, sizeof p))
		return;
	strbuf_addc(c->sb, '[');
	for (u32 i = 0; p; i++) {
		strbuf_printf(c->sb, i ? ", " : "");
		if (i == STRV_SHOWN) {
			strbuf_printf(c->sb, "...");
			break;
		}
		print_text(c->sb, p, STR_MAX);
		if (copy_from_user(&p, UADDR(v + (i + 1) * sizeof p), sizeof p))
			break;
	}
	strbuf_addc(c->sb, ']');
}

static void print_in(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_buffer(c, v, c->args[a->ref]);
}

/* What the call stored: its result is the length, or 0 means "all" (getrandom never, getcwd counts). */
static void print_out(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	u64 n = c->args[a->ref];

	if (c->ret < 0)
		print_addr(c->sb, v);
	else
		print_buffer(c, v, (u64)c->ret < n ? (u64)c->ret : n);
}

/* nr segments of which limit bytes are meaningful. */
static void print_segments(struct strace_ctx *c, u64 v, u64 nr, u64 limit)
{
	struct iovec iov;

	if (!v || nr > IOV_MAX) {
		print_addr(c->sb, v);
		return;
	}
	strbuf_addc(c->sb, '[');
	for (u64 i = 0; i < nr; i++) {
		u64 n;

		strbuf_printf(c->sb, i ? ", " : "");
		if (i == ARRAY_SHOWN) {
			strbuf_printf(c->sb, "...");
			break;
		}
		if (copy_from_user(&iov, UADDR(v + i * sizeof iov), sizeof iov)) {
			print_addr(c->sb, v + i * sizeof iov);
			break;
		}
		n = iov.iov_len < limit ? iov.iov_len : limit;
		limit -= n;
		strbuf_printf(c->sb, "{iov_base=");
		print_buffer(c, iov.iov_base, n);
		strbuf_printf(c->sb, ", iov_len=%llu}", (unsigned long long)iov.iov_len);
	}
	strbuf_addc(c->sb, ']');
}

static void print_iov(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_segments(c, v, c->args[a->ref], U64_MAX);
}

static void print_iovout(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_segments(c, v, c->args[a->ref], c->ret < 0 ? 0 : (u64)c->ret);
}

static void print_sun_path(struct strbuf *sb, const struct sockaddr_un *un, u64 len)
{
	size_t n = len - sizeof un->sun_family;
	bool abstract = n && !un->sun_path[0];

	strbuf_printf(sb, abstract ? ", sun_path=@\"" : ", sun_path=\"");
	if (abstract)
		print_quoted(sb, (const u8 *)un->sun_path + 1, n - 1);
	else
		print_quoted(sb, (const u8 *)un->sun_path, strnlen(un->sun_path, n));
	strbuf_addc(sb, '"');
}

static void print_sockaddr(struct strace_ctx *c, u64 v, u64 len)
{
	union {
		struct sockaddr_un un;
		struct sockaddr_storage ss;
		u8 bytes[sizeof(struct sockaddr_storage)];
	} sa = { 0 };
	u16 port;

	len = len < sizeof(struct sockaddr_un) ? len : sizeof(struct sockaddr_un);
	if (len < sizeof(sa_family_t) || !v || copy_from_user(&sa, UADDR(v), len)) {
		print_addr(c->sb, v);
		return;
	}
	strbuf_printf(c->sb, "{sa_family=");
	strace_print_set(c->sb, &strace_set_AF, sa.ss.ss_family);
	port = (u16)(sa.bytes[2] << 8 | sa.bytes[3]);
	if (sa.ss.ss_family == AF_UNIX && len > sizeof(sa_family_t))
		print_sun_path(c->sb, &sa.un, len);
	else if (sa.ss.ss_family == AF_INET)
		strbuf_printf(c->sb, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")",
			      port, sa.bytes[4], sa.bytes[5], sa.bytes[6], sa.bytes[7]);
	else if (sa.ss.ss_family == AF_INET6)
		strbuf_printf(c->sb, ", sin6_port=htons(%u), ...", port);
	strbuf_addc(c->sb, '}');
}

static void print_sockaddr_in(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_sockaddr(c, v, (u32)c->args[a->ref]);
}

static void print_sockaddr_out(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	u64 len_at = c->args[a->ref];
	u32 len = 0;

	if (c->ret < 0 || !v || !len_at || copy_from_user(&len, UADDR(len_at), sizeof len))
		print_addr(c->sb, v);
	else
		print_sockaddr(c, v, len);
}

static void print_msghdr(struct strace_ctx *c, u64 v, u64 limit)
{
	struct msghdr m;

	if (!fetch(c, &m, v, sizeof m))
		return;
	strbuf_printf(c->sb, "{msg_name=");
	print_sockaddr(c, m.msg_name, (u32)m.msg_namelen);
	strbuf_printf(c->sb, ", msg_namelen=%d, msg_iov=", m.msg_namelen);
	print_segments(c, m.msg_iov, m.msg_iovlen, limit);
	strbuf_printf(c->sb, ", msg_iovlen=%llu, msg_controllen=%llu, msg_flags=",
		      (unsigned long long)m.msg_iovlen, (unsigned long long)m.msg_controllen);
	strace_print_set(c->sb, &strace_set_MSG, m.msg_flags);
	strbuf_addc(c->sb, '}');
}

static void print_msg(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_msghdr(c, v, U64_MAX);
}

static void print_msgout(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	print_msghdr(c, v, c->ret < 0 ? 0 : (u64)c->ret);
}

static void format_timespec(struct strbuf *sb, const struct timespec *ts)
{
	strbuf_printf(sb, "{tv_sec=%lld, tv_nsec=%lld}", (long long)ts->tv_sec,
		      (long long)ts->tv_nsec);
}

static void print_timespec(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct timespec ts;

	if (fetch(c, &ts, v, sizeof ts))
		format_timespec(c->sb, &ts);
}

static void print_timeval(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct timeval tv;

	if (fetch(c, &tv, v, sizeof tv))
		strbuf_printf(c->sb, "{tv_sec=%lld, tv_usec=%lld}", (long long)tv.tv_sec,
			      (long long)tv.tv_usec);
}

static void print_itimerspec(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct itimerspec it;

	if (!fetch(c, &it, v, sizeof it))
		return;
	strbuf_printf(c->sb, "{it_interval=");
	format_timespec(c->sb, &it.it_interval);
	strbuf_printf(c->sb, ", it_value=");
	format_timespec(c->sb, &it.it_value);
	strbuf_addc(c->sb, '}');
}

/* [INT CHLD], or ~[KILL STOP] when most are in. */
static void format_sigset(struct strbuf *sb, sigset_t set)
{
	const char *sep = "";
	u32 members = 0;
	bool inverted;

	for (u32 sig = 0; sig < _NSIG; sig++)
		members += set >> sig & 1;
	inverted = members > 40;
	if (inverted)
		set = ~set;
	strbuf_printf(sb, inverted ? "~[" : "[");
	for (u32 sig = 1; sig <= _NSIG; sig++) {
		const char *name = strace_set_name(&strace_set_SIGNAL, sig);

		if (!(set >> (sig - 1) & 1))
			continue;
		if (name)
			strbuf_printf(sb, "%s%s", sep, name + 3);
		else
			strbuf_printf(sb, "%sRT_%u", sep, sig - SIGRTMIN);
		sep = " ";
	}
	strbuf_addc(sb, ']');
}

static void print_sigset(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	sigset_t set;

	if (fetch(c, &set, v, sizeof set))
		format_sigset(c->sb, set);
}

static void print_sigaction(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct sigaction sa;

	if (!fetch(c, &sa, v, sizeof sa))
		return;
	strbuf_printf(c->sb, "{sa_handler=");
	if (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)
		strbuf_printf(c->sb, sa.sa_handler == SIG_DFL ? "SIG_DFL" : "SIG_IGN");
	else
		print_addr(c->sb, sa.sa_handler);
	strbuf_printf(c->sb, ", sa_mask=");
	format_sigset(c->sb, sa.sa_mask);
	strbuf_printf(c->sb, ", sa_flags=");
	strace_print_set(c->sb, &strace_set_SA, sa.sa_flags);
	strbuf_addc(c->sb, '}');
}

static void print_limit(struct strbuf *sb, u64 v)
{
	if (v == RLIM_INFINITY)
		strbuf_printf(sb, "RLIM64_INFINITY");
	else if (v > 1024 && v % 1024 == 0)
		strbuf_printf(sb, "%llu*1024", (unsigned long long)v / 1024);
	else
		strbuf_printf(sb, "%llu", (unsigned long long)v);
}

static void print_rlimit(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct rlimit rl;

	if (!fetch(c, &rl, v, sizeof rl))
		return;
	strbuf_printf(c->sb, "{rlim_cur=");
	print_limit(c->sb, rl.rlim_cur);
	strbuf_printf(c->sb, ", rlim_max=");
	print_limit(c->sb, rl.rlim_max);
	strbuf_addc(c->sb, '}');
}

static void print_rusage(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct rusage ru;

	if (!fetch(c, &ru, v, sizeof ru))
		return;
	strbuf_printf(
		c->sb,
		"{ru_utime={tv_sec=%lld, tv_usec=%lld}, ru_stime={tv_sec=%lld, tv_usec=%lld}, ...}",
		(long long)ru.ru_utime.tv_sec, (long long)ru.ru_utime.tv_usec,
		(long long)ru.ru_stime.tv_sec, (long long)ru.ru_stime.tv_usec);
}

static void format_epevent(struct strbuf *sb, const struct epoll_event *e)
{
	strbuf_printf(sb, "{events=");
	strace_print_set(sb, &strace_set_EPOLL, e->events);
	strbuf_printf(sb, ", data=0x%llx}", (unsigned long long)e->data);
}

static void print_epevent(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct epoll_event e;

	if (fetch(c, &e, v, sizeof e))
		format_epevent(c->sb, &e);
}

static void print_epevents(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct epoll_event e;

	if (c->ret < 0) {
		print_addr(c->sb, v);
		return;
	}
	strbuf_addc(c->sb, '[');
	for (s64 i = 0; i < c->ret && i < ARRAY_SHOWN; i++) {
		strbuf_printf(c->sb, i ? ", " : "");
		if (fetch(c, &e, v + (u64)i * sizeof e, sizeof e))
			format_epevent(c->sb, &e);
	}
	strbuf_printf(c->sb, c->ret > ARRAY_SHOWN ? ", ...]" : "]");
}

static void print_pollfds(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	u64 nr = (u32)c->args[a->ref];
	struct pollfd p;

	if (c->ret < 0 || (nr && !v)) {
		print_addr(c->sb, v);
		return;
	}
	strbuf_addc(c->sb, '[');
	for (u64 i = 0; i < nr && i < ARRAY_SHOWN; i++) {
		strbuf_printf(c->sb, i ? ", " : "");
		if (!fetch(c, &p, v + i * sizeof p, sizeof p))
			continue;
		strbuf_printf(c->sb, "{fd=%d, events=", p.fd);
		strace_print_set(c->sb, &strace_set_POLL, (u16)p.events);
		if (p.revents) {
			strbuf_printf(c->sb, ", revents=");
			strace_print_set(c->sb, &strace_set_POLL, (u16)p.revents);
		}
		strbuf_addc(c->sb, '}');
	}
	strbuf_printf(c->sb, nr > ARRAY_SHOWN ? ", ...]" : "]");
}

static void format_file(struct strbuf *sb, const char *prefix, u32 mode, u64 rdev, u64 size)
{
	const char *type = strace_set_name(&strace_set_S_IFMT, mode & S_IFMT);

	strbuf_printf(sb, "%smode=%s|%#o, ", prefix, type ? type : "0", mode & S_IALLUGO);
	if (S_ISCHR(mode) || S_ISBLK(mode))
		strbuf_printf(sb, "%srdev=makedev(%#x, %#x), ...}", prefix, dev_major(rdev),
			      dev_minor(rdev));
	else
		strbuf_printf(sb, "%ssize=%llu, ...}", prefix, (unsigned long long)size);
}

static void print_stat(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct stat st;

	if (!fetch(c, &st, v, sizeof st))
		return;
	strbuf_addc(c->sb, '{');
	format_file(c->sb, "st_", st.st_mode, st.st_rdev, (u64)st.st_size);
}

static void print_statx(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct statx st;

	if (!fetch(c, &st, v, sizeof st))
		return;
	strbuf_printf(c->sb, "{stx_mask=%#x, ", st.stx_mask);
	format_file(c->sb, "stx_", st.stx_mode, makedev(st.stx_rdev_major, st.stx_rdev_minor),
		    st.stx_size);
}

static void print_wstatus(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	u32 w, sig;

	if (c->ret <= 0) { /* no child: nothing was stored */
		print_addr(c->sb, v);
		return;
	}
	if (!fetch(c, &w, v, sizeof w))
		return;
	sig = w & 0x7f;
	if (sig == 0) {
		strbuf_printf(c->sb, "[{WIFEXITED(s) && WEXITSTATUS(s) == %u}]", w >> 8 & 0xff);
	} else if (w == 0xffff) {
		strbuf_printf(c->sb, "[{WIFCONTINUED(s)}]");
	} else if (sig == 0x7f) {
		strbuf_printf(c->sb, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		print_signal_name(c->sb, w >> 8 & 0xff);
		strbuf_printf(c->sb, "}]");
	} else {
		strbuf_printf(c->sb, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		print_signal_name(c->sb, sig);
		strbuf_printf(c->sb, w & 0x80 ? " && WCOREDUMP(s)}]" : "}]");
	}
}

static void print_fdpair(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	s32 fds[2];

	if (fetch(c, fds, v, sizeof fds))
		strbuf_printf(c->sb, "[%d, %d]", fds[0], fds[1]);
}

static void print_utsname(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	struct {
		char sysname[__NEW_UTS_LEN + 1], nodename[__NEW_UTS_LEN + 1];
	} u;

	if (fetch(c, &u, v, sizeof u))
		strbuf_printf(c->sb, "{sysname=\"%.64s\", nodename=\"%.64s\", ...}", u.sysname,
			      u.nodename);
}

static void print_siginfo(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	siginfo_t si;

	if (!fetch(c, &si, v, sizeof si))
		return;
	strbuf_printf(c->sb, "{si_signo=");
	print_signal_name(c->sb, (u32)si.si_signo);
	strbuf_printf(c->sb, ", si_code=%d, si_pid=%d, si_uid=%u, ...}", si.si_code, si.kill.si_pid,
		      si.kill.si_uid);
}

static void print_s32out(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	s32 n;

	if (fetch(c, &n, v, sizeof n))
		strbuf_printf(c->sb, "[%d]", n);
}

static void print_s64ref(struct strace_ctx *c, const struct strace_arg *a, u64 v)
{
	s64 n;

	if (fetch(c, &n, v, sizeof n))
		strbuf_printf(c->sb, "[%lld]", (long long)n);
}

static const print_fn printers[SPEC_NR_KINDS] = {
	[SPEC_FD] = print_s32,
	[SPEC_DIRFD] = print_dirfd,
	[SPEC_S32] = print_s32,
	[SPEC_PID] = print_s32,
	[SPEC_SIG] = print_sig,
	[SPEC_U32] = print_u32,
	[SPEC_UID] = print_id,
	[SPEC_GID] = print_id,
	[SPEC_MODE] = print_mode,
	[SPEC_DEV] = print_dev,
	[SPEC_HEX32] = print_hex32,
	[SPEC_S64] = print_s64,
	[SPEC_OFF] = print_s64,
	[SPEC_U64] = print_u64,
	[SPEC_SIZE] = print_u64,
	[SPEC_HEX64] = print_hex64,
	[SPEC_FLAGS] = print_flags,
	[SPEC_ENUM] = print_flags,
	[SPEC_FLAGS64] = print_flags,
	[SPEC_SENUM] = print_senum,
	[SPEC_PTR] = print_ptr,
	[SPEC_PATH] = print_path,
	[SPEC_STR] = print_str,
	[SPEC_STRV] = print_strv,
	[SPEC_IN] = print_in,
	[SPEC_IOV] = print_iov,
	[SPEC_ADDR] = print_sockaddr_in,
	[SPEC_MSG] = print_msg,
	[SPEC_TIMESPEC] = print_timespec,
	[SPEC_TIMEVAL] = print_timeval,
	[SPEC_SIGSET] = print_sigset,
	[SPEC_SIGACTION] = print_sigaction,
	[SPEC_RLIMIT] = print_rlimit,
	[SPEC_ITIMERSPEC] = print_itimerspec,
	[SPEC_EPEVENT] = print_epevent,
	[SPEC_S64IN] = print_s64ref,
	[SPEC_OUT] = print_out,
	[SPEC_IOVOUT] = print_iovout,
	[SPEC_POLLFDS] = print_pollfds,
	[SPEC_EPEVENTS] = print_epevents,
	[SPEC_ADDROUT] = print_sockaddr_out,
	[SPEC_MSGOUT] = print_msgout,
	[SPEC_STAT] = print_stat,
	[SPEC_STATX] = print_statx,
	[SPEC_WSTATUS] = print_wstatus,
	[SPEC_FDPAIR] = print_fdpair,
	[SPEC_RUSAGE] = print_rusage,
	[SPEC_RLIMITOUT] = print_rlimit,
	[SPEC_UTSNAME] = print_utsname,
	[SPEC_TIMESPECOUT] = print_timespec,
	[SPEC_TIMEVALOUT] = print_timeval,
	[SPEC_SIGSETOUT] = print_sigset,
	[SPEC_SIGINFO] = print_siginfo,
	[SPEC_S32OUT] = print_s32out,
	[SPEC_U64OUT] = print_s64ref,
};

void strace_print_arg(struct strace_ctx *c, const struct strace_call *call, u32 i)
{
	const struct strace_arg *a = &call->args[i];

	printers[a->kind](c, a, c->args[i]);
}
