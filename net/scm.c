// SPDX-License-Identifier: Apache-2.0
/*
 * scm - control messages of sockets: descriptors and credentials
 *
 * Role      Parsed once on the way in (sendmsg), stored once on the way out (recvmsg).
 * Rules     At most SCM_MAX_FD descriptors a message. Credentials are checked against the sender's. A received
 *           descriptor that cannot be installed is dropped with its reference and MSG_CTRUNC is set.
 * Missing   SCM_SECURITY, SCM_PIDFD.
 * See       unix(7); tests/unit/unix_test.c
 */
#include "net/scm.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/pidref.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "net/socket.h"

#define CONTROL_MAX 20480u /* optmem_max of Linux */

void scm_fini(struct scm *s)
{
	for (u32 i = 0; i < s->nr_files; i++)
		file_put(s->files[i]);
	kfree(s->files);
	s->files = NULL;
	s->nr_files = 0;
}

void scm_self(struct ucred *c)
{
	const struct cred *cred = current_cred();

	c->pid = current_tgid();
	c->uid = cred->uid;
	c->gid = cred->gid;
}

static int parse_rights(struct scm *s, const s32 *fds, u64 bytes)
{
	u32 n = (u32)(bytes / sizeof *fds);
	struct file **more;
	int ret;

	if (n == 0)
		return 0;
	if (s->nr_files + n > SCM_MAX_FD)
		return -EINVAL;
	more = krealloc(s->files, (s->nr_files + n) * sizeof *more);
	if (!more)
		return -ENOMEM;
	s->files = more;
	for (u32 i = 0; i < n; i++) {
		s32 fd;

		memcpy(&fd, &fds[i], sizeof fd);
		ret = fd_lookup_path(fd, &s->files[s->nr_files]);
		if (ret)
			return ret;
		s->nr_files++;
	}
	return 0;
}

static int parse_cred(struct scm *s, const void *data, u64 bytes)
{
	const struct cred *cred = current_cred();
	struct ucred c;

	if (bytes != sizeof c)
		return -EINVAL;
	memcpy(&c, data, sizeof c);
	if (c.pid != current_tgid() && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c.uid != cred->uid && c.uid != cred->euid && c.uid != cred->suid &&
	    !capable(CAP_SETUID))
		return -EPERM;
	if (c.gid != cred->gid && c.gid != cred->egid && c.gid != cred->sgid &&
	    !capable(CAP_SETGID))
		return -EPERM;
	if (c.pid != current_tgid() && !pidref_exists(c.pid))
		return -ESRCH;
	s->cred = c;
	s->claimed = true;
	return 0;
}

static int parse_one(struct scm *s, const struct cmsghdr *h, const u8 *data)
{
	u64 bytes = h->cmsg_len - sizeof *h;

	if (h->cmsg_level != SOL_SOCKET)
		return 0;
	switch (h->cmsg_type) {
	case SCM_RIGHTS:
		return parse_rights(s, (const s32 *)data, bytes);
	case SCM_CREDENTIALS:
		return parse_cred(s, data, bytes);
	default:
		return -EINVAL;
	}
}

static int parse_all(struct scm *s, const u8 *buf, u64 len)
{
	struct cmsghdr h;
	u64 at = 0;
	int ret;

	while (len - at >= sizeof h) {
		memcpy(&h, buf + at, sizeof h);
		if (h.cmsg_len < sizeof h || h.cmsg_len > len - at)
			return -EINVAL;
		ret = parse_one(s, &h, buf + at + sizeof h);
		if (ret)
			return ret;
		if (CMSG_ALIGN(h.cmsg_len) >= len - at)
			break;
		at += CMSG_ALIGN(h.cmsg_len);
	}
	return 0;
}

int scm_parse(struct scm *s, uaddr_t control, u64 len)
{
	u8 *buf;
	int ret;

	scm_self(&s->cred);
	if (uaddr_is_null(control) || len == 0)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	buf = kmalloc(len);
	if (!buf)
		return -ENOBUFS;
	ret = copy_from_user(buf, control, len);
	if (!ret)
		ret = parse_all(s, buf, len);
	kfree(buf);
	if (ret)
		scm_fini(s);
	return ret;
}

int scm_copy(struct scm *dst, const struct scm *src)
{
	dst->cred = src->cred;
	dst->has_cred = src->has_cred;
	if (!src->nr_files)
		return 0;
	dst->files = kmemdup(src->files, src->nr_files * sizeof *src->files);
	if (!dst->files)
		return -ENOMEM;
	dst->nr_files = src->nr_files;
	for (u32 i = 0; i < dst->nr_files; i++)
		file_get(dst->files[i]);
	return 0;
}

struct control {
	uaddr_t at;
	u64 room, used;
	u32 *flags;
};

/* Header and data of one message; what does not fit is cut. */
static int control_put(struct control *c, s32 type, const void *data, u64 len)
{
	struct cmsghdr h = { .cmsg_len = CMSG_LEN(len),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = type };
	uaddr_t at = uaddr_add(c->at, c->used);
	u64 left = c->room - c->used;

	if (left < sizeof h) {
		*c->flags |= MSG_CTRUNC;
		return 0;
	}
	if (left < h.cmsg_len) {
		*c->flags |= MSG_CTRUNC;
		h.cmsg_len = left;
	}
	if (put_user(at, h) || copy_to_user(uaddr_add(at, sizeof h), data, h.cmsg_len - sizeof h))
		return -EFAULT;
	c->used += MIN(CMSG_ALIGN(h.cmsg_len), left);
	return 0;
}

/* Installs as many files as have room; the numbers go into fds. */
static u32 install_files(struct scm *s, u64 room, bool cloexec, s32 *fds)
{
	u32 max = room > sizeof(struct cmsghdr) ? (u32)((room - sizeof(struct cmsghdr)) / 4) : 0;
	u32 n = 0;

	while (n < s->nr_files && n < max) {
		int fd;

		file_get(s->files[n]);
		fd = fd_install(s->files[n], cloexec);
		if (fd < 0) {
			file_put(s->files[n]);
			break;
		}
		fds[n++] = fd;
	}
	return n;
}

int scm_store(struct socket *sk, struct scm *s, uaddr_t control, u64 *len, bool cloexec, u32 *flags)
{
	struct control c = { .at = control,
			     .room = uaddr_is_null(control) ? 0 : *len,
			     .flags = flags };
	int ret = 0;
	s32 *fds;
	u32 n;

	if (s->has_cred && sock_flag(sk, SO_PASSCRED))
		ret = control_put(&c, SCM_CREDENTIALS, &s->cred, sizeof s->cred);
	if (!ret && s->nr_files) {
		fds = kmalloc(s->nr_files * sizeof *fds);
		n = fds ? install_files(s, c.room - c.used, cloexec, fds) : 0;
		if (n < s->nr_files)
			*flags |= MSG_CTRUNC;
		if (n)
			ret = control_put(&c, SCM_RIGHTS, fds, n * sizeof *fds);
		kfree(fds);
	}
	*len = c.used;
	return ret;
}
