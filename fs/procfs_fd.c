// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_fd - /proc/<pid>/fd and fdinfo
 *
 * Role      Computed directories over a task's descriptor table.
 * Rules     A link of fd/ leads to the file's place itself, so it works for deleted and nameless files. Every access
 *           looks the descriptor up again.
 * See       proc(5)
 */
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define FD_LINK_SIZE 64 /* what Linux says, whatever the text */

/* What a file of fdinfo/ is about. */
struct proc_fd {
	struct refs refs;
	struct task *task; /* referenced */
	s32 fd;
};

/* The open file, referenced; NULL. For who may see it (may_read), asked with the file in hand. */
static struct file *file_of(struct task *t, s32 fd, bool *cloexec)
{
	struct fdtable *table = proc_tasks()->fds(t);
	struct file *f;
	s32 at = fd;

	if (!table)
		return NULL;
	f = fdtable_next(table, &at, cloexec);
	fdtable_drop(table);
	if (f && (at != fd || proc_tasks()->may_read(t))) {
		file_put(f);
		f = NULL;
	}
	return f;
}

static struct file *file_of_link(struct inode *inode)
{
	bool cloexec;

	return file_of(synth_inode(inode)->ctx, (s32)synth_inode(inode)->tag, &cloexec);
}

static s64 fd_readlink(struct inode *inode, char *buf, u32 size)
{
	struct file *f = file_of_link(inode);
	char *page, *text;
	s64 n;

	if (!f)
		return -ENOENT;
	page = kmalloc(PATH_MAX);
	text = page ? path_text(&f->path, NULL, page, PATH_MAX) : NULL;
	file_put(f);
	if (text) {
		n = (s64)MIN(strlen(text), (size_t)size);
		memcpy(buf, text, (size_t)n);
	} else {
		n = page ? -ENAMETOOLONG : -ENOMEM;
	}
	kfree(page);
	return n;
}

static int fd_get_path(struct inode *inode, struct path *out)
{
	struct file *f = file_of_link(inode);

	if (!f)
		return -ENOENT;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

static const struct inode_ops fd_link_iops = {
	.readlink = fd_readlink,
	.get_link_path = fd_get_path,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

static void proc_fd_get(void *ctx)
{
	struct proc_fd *p = ctx;

	refs_get(&p->refs);
}

static void proc_fd_put(void *ctx)
{
	struct proc_fd *p = ctx;

	if (!refs_put(&p->refs))
		return;
	proc_tasks()->put(p->task);
	kfree(p);
}

static void proc_fd_owner(void *ctx, u32 *uid, u32 *gid)
{
	proc_task_ctx.owner(((struct proc_fd *)ctx)->task, uid, gid);
}

static const struct synth_ctx_ops fdinfo_ctx = {
	.get = proc_fd_get,
	.put = proc_fd_put,
	.owner = proc_fd_owner,
};

static int fdinfo_show(struct strbuf *sb, void *ctx)
{
	struct proc_fd *p = ctx;
	bool cloexec = false;
	struct file *f = file_of(p->task, p->fd, &cloexec);
	u32 flags;

	if (!f)
		return -ENOENT;
	flags = (f->flags & FILE_STATUS_FLAGS) | (cloexec ? O_CLOEXEC : 0);
	strbuf_printf(sb, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%llu\n", (long long)f->pos,
		      flags, f->path.mnt->id, (unsigned long long)f->inode->ino);
	if (f->ops && f->ops->show_fdinfo)
		f->ops->show_fdinfo(f, sb);
	file_put(f);
	return 0;
}

static const struct proc_row fdinfo_row = { "fdinfo", 0444, fdinfo_show, NULL };

static int make_link(struct inode *dir, struct task *t, s32 fd, struct inode **out)
{
	bool cloexec;
	struct file *f = file_of(t, fd, &cloexec);
	u32 mode = S_IFLNK;
	int ret;

	if (!f)
		return -ENOENT;
	mode |= file_can_read(f) ? 0500 : 0;
	mode |= file_can_write(f) ? 0300 : 0;
	file_put(f);
	ret = synth_special_inode(dir->sb, mode, &fd_link_iops, t, &proc_task_ctx,
				  proc_ino(proc_tasks()->tid(t), PI_FD, (u64)fd), out);
	if (ret)
		return ret;
	synth_inode(*out)->tag = (u64)fd;
	(*out)->size = FD_LINK_SIZE;
	return 0;
}

static int make_info(struct inode *dir, struct task *t, s32 fd, struct inode **out)
{
	struct proc_fd *p;
	bool cloexec;
	struct file *f = file_of(t, fd, &cloexec);
	int ret;

	if (!f)
		return -ENOENT;
	file_put(f);
	p = knew(struct proc_fd);
	if (!p)
		return -ENOMEM;
	refs_init(&p->refs, 1);
	proc_tasks()->get(t);
	p->task = t;
	p->fd = fd;
	ret = synth_file_inode(dir->sb, &fdinfo_row, p, &fdinfo_ctx,
			       proc_ino(proc_tasks()->tid(t), PI_FDINFO, (u64)fd), out);
	proc_fd_put(p);
	return ret;
}

static int lookup(struct inode *dir, const struct name *n, bool info, struct inode **out)
{
	struct task *t = synth_inode(dir)->ctx;
	s64 fd = proc_parse_number(n);
	int ret = proc_tasks()->may_read(t);

	if (ret)
		return ret;
	if (fd < 0)
		return -ENOENT;
	return info ? make_info(dir, t, (s32)fd, out) : make_link(dir, t, (s32)fd, out);
}

static int iterate(struct inode *dir, struct dir_ctx *ctx, bool info)
{
	struct task *t = synth_inode(dir)->ctx;
	struct fdtable *table;
	struct file *f;
	bool cloexec, more = true;
	s32 fd = (s32)ctx->pos - 2, tid = proc_tasks()->tid(t);
	int ret = proc_tasks()->may_read(t);

	if (ret)
		return ret;
	table = proc_tasks()->fds(t);
	if (!table)
		return 0;
	while (more && (f = fdtable_next(table, &fd, &cloexec)) != NULL) {
		file_put(f);
		more = proc_emit_number(ctx, fd, proc_ino(tid, info ? PI_FDINFO : PI_FD, (u64)fd),
					(u8)mode_to_dtype(info ? S_IFREG : S_IFLNK), (s64)fd + 3);
		fd++;
	}
	fdtable_drop(table);
	return 0;
}

static int fd_lookup_name(struct inode *dir, const struct name *n, struct inode **out)
{
	return lookup(dir, n, false, out);
}

static int fd_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return iterate(dir, ctx, false);
}

static int fdinfo_lookup_name(struct inode *dir, const struct name *n, struct inode **out)
{
	return lookup(dir, n, true, out);
}

static int fdinfo_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return iterate(dir, ctx, true);
}

/* Open descriptors, as Linux since 6.2. */
static u64 fd_dir_size(struct inode *dir)
{
	struct fdtable *table = proc_tasks()->fds(synth_inode(dir)->ctx);
	struct file *f;
	u64 n = 0;
	s32 fd;

	if (!table)
		return 0;
	for (fd = 0; (f = fdtable_next(table, &fd, NULL)) != NULL; fd++, n++)
		file_put(f);
	fdtable_drop(table);
	return n;
}

static const struct synth_dir_ops fd_dir_ops = {
	.size = fd_dir_size,
	.lookup = fd_lookup_name,
	.iterate = fd_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

static int fdinfo_may_list(struct inode *dir)
{
	return proc_tasks()->may_read(synth_inode(dir)->ctx);
}

static const struct synth_dir_ops fdinfo_dir_ops = {
	.may_list = fdinfo_may_list,
	.lookup = fdinfo_lookup_name,
	.iterate = fdinfo_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

int proc_fd_dir(struct super *sb, struct task *t, bool info, struct inode **out)
{
	return synth_dir_inode(sb, info ? 0555 : 0500, info ? &fdinfo_dir_ops : &fd_dir_ops, t,
			       info ? &proc_task_dir_ctx : &proc_task_ctx,
			       proc_ino(proc_tasks()->tid(t), info ? PI_FDINFO : PI_FD, 0xfffff),
			       out);
}
