// SPDX-License-Identifier: Apache-2.0
/*
 * eventfd - the 64-bit event counter behind eventfd2(2)
 *
 * Role      A file whose whole state is one counter. Created by sys_eventfd2() and by nobody else.
 * Rules     count <= EVENTFD_MAX. A reader sleeps while count is 0, a writer while the sum would pass
 *           EVENTFD_MAX.
 * Locking   lock (RANK_OBJECT) covers count; queues are woken after it is dropped. User memory is touched
 *           with the lock dropped: a reader whose buffer faults loses what it took, as in Linux.
 * See       eventfd(2); tests/syscalls/eventfd.c, tests/unit/eventfd_test.c
 */
#include "fs/eventfd.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/uapi/eventfd.h"
#include "guestkernel/uapi/fcntl.h"

#define EVENTFD_MAX (U64_MAX - 1)

struct eventfd {
	struct spinlock lock;
	u64 count;	/* [lock] */
	bool semaphore; /* [I] */
	struct waitq readable, writable;
};

static s64 eventfd_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct eventfd *e = f->priv;
	int err = 0;
	u64 n;

	if (iov_left(dst) < sizeof n)
		return -EINVAL;
	spin_lock(&e->lock);
	while (e->count == 0 && !err)
		err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&e->readable, &e->lock);
	if (e->count == 0) {
		spin_unlock(&e->lock);
		return err;
	}
	n = e->semaphore ? 1 : e->count;
	e->count -= n;
	spin_unlock(&e->lock);
	wake_events(&e->writable, EPOLLOUT | EPOLLWRNORM);
	err = iov_put(dst, &n, sizeof n);
	return err ? err : (s64)sizeof n;
}

static s64 eventfd_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct eventfd *e = f->priv;
	int err;
	u64 n;

	if (iov_left(src) < sizeof n)
		return -EINVAL;
	err = iov_get(src, &n, sizeof n);
	if (err)
		return err;
	if (n == U64_MAX)
		return -EINVAL;
	spin_lock(&e->lock);
	while (n > EVENTFD_MAX - e->count && !err)
		err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&e->writable, &e->lock);
	if (n > EVENTFD_MAX - e->count) {
		spin_unlock(&e->lock);
		return err;
	}
	e->count += n;
	spin_unlock(&e->lock);
	wake_events(&e->readable, EPOLLIN | EPOLLRDNORM);
	return sizeof n;
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	u32 mask = 0;

	poll_wait(pt, &e->readable);
	poll_wait(pt, &e->writable);
	spin_lock(&e->lock);
	if (e->count > 0)
		mask |= EPOLLIN;
	if (e->count < EVENTFD_MAX)
		mask |= EPOLLOUT;
	spin_unlock(&e->lock);
	return mask;
}

static void eventfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct eventfd *e = f->priv;

	strbuf_printf(sb, "eventfd-count: %16llx\neventfd-semaphore: %d\n",
		      (unsigned long long)READ_ONCE(e->count), e->semaphore);
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show_fdinfo,
};

int eventfd_create(u32 initial, u32 flags, struct file **out)
{
	struct eventfd *e = knew(struct eventfd);
	int ret;

	if (!e)
		return -ENOMEM;
	spin_init(&e->lock, RANK_OBJECT);
	e->count = initial;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->readable);
	waitq_init(&e->writable);
	ret = file_create_anon("anon_inode:[eventfd]", 0600, O_RDWR | (flags & EFD_NONBLOCK),
			       &eventfd_ops, e, out);
	if (ret)
		kfree(e);
	return ret;
}
