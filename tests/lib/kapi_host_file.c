// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_file - open files without a file system, for tests of file-like objects
 *
 * Role      What pipe, eventfd, timerfd and epoll ask of fs/anonfs.c and fs/file.c, and a small table of
 *           descriptors.
 * Missing   Inodes, paths, access times, SIGPIPE.
 */
#include "fs/anonfs.h"
#include "fs/inode.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "tests/lib/kapi_host.h"

static int file_new(u32 flags, const struct file_ops *ops, void *priv, struct file **out)
{
	struct file *f = knew(struct file);

	if (!f)
		return -ENOMEM;
	refs_init(&f->refs, 1);
	f->flags = flags;
	f->ops = ops;
	f->priv = priv;
	mutex_init(&f->pos_lock, RANK_FILE_POS);
	spin_init(&f->lock, RANK_FILE);
	list_init(&f->epoll_links);
	*out = f;
	return 0;
}

static struct inode pair_inode;

int file_create_anon(const char *name, u32 mode, u32 flags, const struct file_ops *ops, void *priv,
		     struct file **out)
{
	return file_new(flags, ops, priv, out);
}

int file_create_anon_pair(const char *name, u32 mode, const u32 flags[2],
			  const struct file_ops *const ops[2], void *priv, struct file *out[2])
{
	struct file *first;
	int ret = file_new(flags[0], ops[0], priv, &first);

	if (ret)
		return ret;
	ret = file_new(flags[1], ops[1], priv, &out[1]);
	if (ret) {
		kfree(first);
		return ret;
	}
	/* both ends are one inode; nobody here looks deeper than its address and special */
	first->inode = out[1]->inode = &pair_inode;
	out[0] = first;
	return 0;
}

/* epoll.c has the real one; a test without it links this. */
__attribute__((weak)) void epoll_forget_file(struct file *f)
{
}

void file_put(struct file *f)
{
	if (!refs_put(&f->refs))
		return;
	epoll_forget_file(f);
	if (f->ops->release)
		f->ops->release(f);
	kfree(f);
}

s64 file_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	if (!file_can_read(f))
		return -EBADF;
	return f->ops->read ? f->ops->read(f, dst, pos) : -EINVAL;
}

s64 file_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	if (!file_can_write(f))
		return -EBADF;
	return f->ops->write ? f->ops->write(f, src, pos) : -EINVAL;
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
	return f->ops->poll ? f->ops->poll(f, pt) : EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
}

s64 host_read(struct file *f, void *buf, size_t n)
{
	struct iov_cursor c;

	iov_init_kernel(&c, buf, n);
	return file_read(f, &c, NULL);
}

s64 host_write(struct file *f, const void *buf, size_t n)
{
	struct iov_cursor c;

	iov_init_kernel(&c, (void *)(uintptr_t)buf, n);
	return file_write(f, &c, NULL);
}
