// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_mem - /proc/<pid>/mem: the memory of a task as a file
 *
 * Role      Debuggers and runtimes read and write it at the addresses they know.
 * Rules     Who may is asked at open, and answered for the memory the task has then: f->priv. After an exec or exit of
 *           the task that memory is gone, and reads end. An address that is not mapped is -EIO. Page rights are
 *           ignored, as ptrace(2) ignores them.
 * See       proc(5)
 */
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"

static s64 mem_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	u8 *page = kmalloc(PAGE_SIZE);
	s64 done = 0, n;

	if (!page)
		return -ENOMEM;
	while (iov_left(dst)) {
		n = proc_tasks()->mem(f->priv, (u64)*pos, page, MIN((u64)PAGE_SIZE, iov_left(dst)),
				      false);
		if (n > 0)
			n = iov_put_some(dst, page, (size_t)n);
		else if (n < 0)
			n = -EIO;
		if (n <= 0) {
			done = done ? done : n;
			break;
		}
		done += n;
		*pos += n;
	}
	kfree(page);
	return done;
}

static s64 mem_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	u8 *page = kmalloc(PAGE_SIZE);
	s64 done = 0, n;

	if (!page)
		return -ENOMEM;
	while (iov_left(src)) {
		n = iov_get_some(src, page, MIN((u64)PAGE_SIZE, iov_left(src)));
		if (n > 0) {
			n = proc_tasks()->mem(f->priv, (u64)*pos, page, (size_t)n, true);
			n = n < 0 ? -EIO : n;
		}
		if (n <= 0) {
			done = done ? done : n;
			break;
		}
		done += n;
		*pos += n;
	}
	kfree(page);
	return done;
}

static s64 mem_lseek(struct file *f, s64 off, s32 whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return default_lseek(f, off, whence, 0);
}

static void mem_release(struct file *f)
{
	proc_tasks()->mem_close(f->priv);
}

static const struct file_ops mem_fops = {
	.read = mem_read,
	.write = mem_write,
	.lseek = mem_lseek,
	.release = mem_release,
};

static int mem_open(struct inode *inode, struct file *f)
{
	int ret = proc_tasks()->mem_open(synth_inode(inode)->ctx, &f->priv);

	if (ret)
		return ret;
	f->ops = &mem_fops;
	return 0;
}

const struct inode_ops proc_mem_iops = {
	.open = mem_open,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};
