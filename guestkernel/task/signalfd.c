// SPDX-License-Identifier: Apache-2.0
/*
 * signalfd - a file that reads signals
 *
 * Rules     Shows the signals of whoever reads or polls, not of whoever made it, as on Linux.
 *           A reader or poller waits in a queue of its process's, but a signalfd may be watched by an epoll instance
 *           of another process that outlives it (kapi/poll.h). So processes share a few queues that are never
 *           freed; a wake-up for another process is a look in vain.
 * See       signalfd(2)
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/fcntl.h"
#include "syscalls_gen.h"

#define QUEUES 64u

struct signalfd {
	sigset_t mask; /* [a] */
};

static struct waitq queue[QUEUES];

void signalfd_init(void)
{
	for (u32 i = 0; i < QUEUES; i++)
		waitq_init(&queue[i]);
}

struct waitq *signalfd_queue(const struct tgroup *g)
{
	return &queue[hash_u64((u64)g) % QUEUES];
}

static void fill(struct signalfd_siginfo *out, const siginfo_t *in)
{
	memset(out, 0, sizeof *out);
	out->ssi_signo = (u32)in->si_signo;
	out->ssi_errno = in->si_errno;
	out->ssi_code = in->si_code;
	if (in->si_code == SI_TIMER) {
		out->ssi_tid = (u32)in->timer.si_tid;
		out->ssi_overrun = (u32)in->timer.si_overrun;
		out->ssi_ptr = in->timer.si_value.sival_ptr;
		out->ssi_int = in->timer.si_value.sival_int;
		return;
	}
	if (in->si_signo == SIGCHLD && in->si_code > 0 && in->si_code < SI_KERNEL) {
		out->ssi_status = in->child.si_status;
		out->ssi_utime = (u64)in->child.si_utime;
		out->ssi_stime = (u64)in->child.si_stime;
	} else if (in->si_signo == SIGIO && in->si_code > 0 && in->si_code < SI_KERNEL) {
		out->ssi_band = (u32)in->poll.si_band;
		out->ssi_fd = in->poll.si_fd;
		return;
	} else if ((sig_bit(in->si_signo) & SIGSET_SYNC) && in->si_code > 0 &&
		   in->si_code < SI_KERNEL) {
		out->ssi_addr = in->fault.si_addr;
		return;
	} else if (in->si_code < 0) {
		out->ssi_ptr = in->rt.si_value.sival_ptr;
		out->ssi_int = in->rt.si_value.sival_int;
	}
	out->ssi_pid = (u32)in->kill.si_pid;
	out->ssi_uid = in->kill.si_uid;
}

static int wait_for(struct signalfd *s)
{
	struct tgroup *g = current_group();
	int r = 0;

	spin_lock(&g->lock);
	if (!((current()->pending.set | g->shared.set) & s->mask))
		r = wait_on(g->signal_wait, &g->lock);
	spin_unlock(&g->lock);
	return r;
}

static s64 signalfd_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct signalfd *s = f->priv;
	struct signalfd_siginfo out;
	siginfo_t info;
	s64 done = 0;

	if (iov_left(dst) < sizeof out)
		return -EINVAL;
	while (iov_left(dst) >= sizeof out) {
		if (!signal_dequeue(READ_ONCE(s->mask), &info)) {
			int r;

			if (done)
				break;
			if (f->flags & O_NONBLOCK)
				return -EAGAIN;
			r = wait_for(s);
			if (r < 0)
				return r;
			continue;
		}
		fill(&out, &info);
		if (iov_put(dst, &out, sizeof out))
			return done ? done : -EFAULT;
		done += (s64)sizeof out;
	}
	return done;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
	struct signalfd *s = f->priv;

	poll_wait(pt, current_group()->signal_wait);
	return signal_pending_set(current()) & READ_ONCE(s->mask) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->priv);
}

static void signalfd_show(struct file *f, struct strbuf *sb)
{
	struct signalfd *s = f->priv;

	strbuf_printf(sb, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show,
};

static s64 create(sigset_t mask, u32 flags)
{
	struct signalfd *s = knew(struct signalfd);
	struct file *f;
	int r;

	if (!s)
		return -ENOMEM;
	s->mask = mask;
	r = file_create_anon("anon_inode:[signalfd]", 0600, O_RDWR | (flags & SFD_NONBLOCK),
			     &signalfd_ops, s, &f);
	if (r < 0) {
		kfree(s);
		return r;
	}
	r = fd_install(f, flags & SFD_CLOEXEC);
	if (r < 0)
		file_put(f);
	return r;
}

static s64 change(s32 fd, sigset_t mask)
{
	struct tgroup *g = current_group();
	struct file *f;
	int r = fd_lookup(fd, &f);

	if (r < 0)
		return r;
	if (f->ops != &signalfd_ops) {
		r = -EINVAL;
	} else {
		WRITE_ONCE(((struct signalfd *)f->priv)->mask, mask);
		wake_all(g->signal_wait);
		r = fd;
	}
	file_put(f);
	return r;
}

s64 sys_signalfd4(s32 fd, uaddr_t uset, u64 size, u32 flags)
{
	sigset_t mask;

	if (size != sizeof mask || (flags & ~(u32)(SFD_CLOEXEC | SFD_NONBLOCK)))
		return -EINVAL;
	if (get_user(&mask, uset))
		return -EFAULT;
	mask &= ~SIGSET_UNBLOCKABLE;
	return fd == -1 ? create(mask, flags) : change(fd, mask);
}

s64 sys_signalfd(s32 fd, uaddr_t uset, u64 size)
{
	return sys_signalfd4(fd, uset, size, 0);
}
