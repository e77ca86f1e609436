// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_maps - /proc/<pid>/pagemap and map_files/
 *
 * Role      pagemap: eight bytes a page of the address space, read by offset. map_files: a link per mapping of a file,
 *           named by its addresses, that leads to the file itself.
 * Rules     pagemap is about the memory the task had when it was opened. For map_files the right is asked with every look,
 *           by map_next().
 * See       proc(5), mm/mm_maps.c
 */
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"

#define AT_ONCE 64 /* pages */
#define PAGES	(USER_VA_END >> PAGE_SHIFT)

static struct task *task_of(struct inode *inode)
{
	return synth_inode(inode)->ctx;
}

static s64 pagemap_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	u64 v[AT_ONCE];
	s64 done = 0, n;

	if (*pos < 0 || *pos % 8 || iov_left(dst) % 8)
		return -EINVAL;
	while (iov_left(dst) && (u64)*pos / 8 < PAGES) {
		u64 pages = MIN(iov_left(dst) / 8, (u64)AT_ONCE);

		pages = MIN(pages, PAGES - (u64)*pos / 8);

		if (proc_tasks()->pagemap(f->priv, (u64)*pos / 8, v, (u32)pages))
			break;
		n = iov_put_some(dst, v, pages * 8);
		if (n < 0)
			return done ? done : n;
		done += n;
		*pos += n;
		if ((u64)n < pages * 8)
			break;
	}
	return done;
}

static s64 pagemap_lseek(struct file *f, s64 off, s32 whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return default_lseek(f, off, whence, 0);
}

static void pagemap_release(struct file *f)
{
	proc_tasks()->mem_close(f->priv);
}

static const struct file_ops pagemap_fops = {
	.release = pagemap_release,
	.read = pagemap_read,
	.lseek = pagemap_lseek,
};

static int pagemap_open(struct inode *inode, struct file *f)
{
	int ret = proc_tasks()->mem_open(task_of(inode), &f->priv);

	if (ret)
		return ret;
	f->ops = &pagemap_fops;
	return 0;
}

const struct inode_ops proc_pagemap_iops = {
	.open = pagemap_open,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

/* map_files/ */

static bool parse_hex(const char **s, const char *end, u64 *out)
{
	const char *from = *s;

	for (*out = 0; *s < end && *s - from < 16; ++*s) {
		char c = **s;
		u32 d = c >= '0' && c <= '9'   ? (u32)(c - '0')
			: c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10
					       : 16;

		if (d == 16)
			break;
		*out = *out << 4 | d;
	}
	return *s > from && (*from != '0' || *s - from == 1);
}

/* The file mapped at exactly this address. */
static int find(struct inode *inode, struct path *out)
{
	u64 start, end;
	struct file *f;
	int ret = proc_tasks()->map_next(task_of(inode), synth_inode(inode)->tag, &start, &end, &f);
	if (ret)
		return ret;
	if (start == synth_inode(inode)->tag) {
		*out = f->path;
		path_get(out);
	} else {
		ret = -ENOENT;
	}
	file_put(f);
	return ret;
}

static s64 link_readlink(struct inode *inode, char *buf, u32 size)
{
	struct path p;
	char *page, *text;
	s64 n = find(inode, &p);

	if (n)
		return n;
	page = kmalloc(PATH_MAX);
	text = page ? path_text(&p, NULL, page, PATH_MAX) : NULL;
	path_put(&p);
	n = !page ? -ENOMEM : !text ? -ENAMETOOLONG : (s64)MIN(strlen(text), (size_t)size);
	if (n > 0)
		memcpy(buf, text, (size_t)n);
	kfree(page);
	return n;
}

/* The way to a mapped file past the directories that lead to it is for those who save and restore processes. */
static int follow(struct inode *inode, struct path *out)
{
	if (!capable(CAP_CHECKPOINT_RESTORE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return find(inode, out);
}

static const struct inode_ops link_iops = {
	.readlink = link_readlink,
	.get_link_path = follow,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

static int files_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	const char *s = n->s, *stop = n->s + n->len;
	u64 start, end, from, to;
	int ret;

	if (!parse_hex(&s, stop, &start) || s == stop || *s++ != '-' ||
	    !parse_hex(&s, stop, &end) || s != stop)
		return -ENOENT;
	ret = proc_tasks()->map_next(task_of(dir), start, &from, &to, NULL);
	if (ret || from != start || to != end)
		return ret ? ret : -ENOENT;
	ret = synth_special_inode(dir->sb, S_IFLNK | 0500, &link_iops, task_of(dir), &proc_task_ctx,
				  0, out);
	if (!ret)
		synth_inode(*out)->tag = start;
	return ret;
}

/* A position is two more than the page a mapping begins at. */
static int files_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	u64 start, end, after = ((u64)ctx->pos - 2) << PAGE_SHIFT;
	int ret = proc_tasks()->may_read(task_of(dir));
	char text[40];
	s32 len;

	if (ret)
		return ret;
	while (!proc_tasks()->map_next(task_of(dir), after, &start, &end, NULL)) {
		len = snprintf(text, sizeof text, "%llx-%llx", (unsigned long long)start,
			       (unsigned long long)end);
		if (!ctx->emit(ctx, text, (u32)len, inode_next_ino(), (u8)mode_to_dtype(S_IFLNK),
			       (s64)(start >> PAGE_SHIFT) + 3))
			return 0;
		ctx->pos = (s64)(start >> PAGE_SHIFT) + 3;
		after = end;
	}
	return 0;
}

const struct synth_dir_ops proc_map_files_ops = {
	.lookup = files_lookup,
	.iterate = files_iterate,
	.inode_flags = INODE_NO_DCACHE,
};
