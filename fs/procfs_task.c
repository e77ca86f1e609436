// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_task - /proc/<pid> and /proc/<pid>/task/<tid>
 *
 * Role      Computed directories over proc_task_ops and the rows of the owners.
 * Rules     An inode holds a reference on its task. A dead task's directory stays readable as far as its rows
 *           answer; its names are not found any more, since nothing here is cached.
 *           exe, cwd and root lead to the place itself, not to the text they show.
 * See       proc(5)
 */
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

static void task_ctx_get(void *t)
{
	proc_tasks()->get(t);
}

static void task_ctx_put(void *t)
{
	proc_tasks()->put(t);
}

static void task_ctx_owner(void *t, u32 *uid, u32 *gid)
{
	proc_tasks()->owner(t, uid, gid);
}

static void task_dir_owner(void *t, u32 *uid, u32 *gid)
{
	const struct cred *c = proc_tasks()->cred(t);

	*uid = c->euid;
	*gid = c->egid;
	cred_put(c);
}

const struct synth_ctx_ops proc_task_ctx = {
	.get = task_ctx_get,
	.put = task_ctx_put,
	.owner = task_ctx_owner,
};

const struct synth_ctx_ops proc_task_dir_ctx = {
	.get = task_ctx_get,
	.put = task_ctx_put,
	.owner = task_dir_owner,
};

static struct task *task_of(struct inode *inode)
{
	return synth_inode(inode)->ctx;
}

s64 proc_parse_number(const struct name *n)
{
	s64 v = 0;

	if (n->len == 0 || n->len > 10 || (n->s[0] == '0' && n->len > 1))
		return -1;
	for (u32 i = 0; i < n->len; i++) {
		if (n->s[i] < '0' || n->s[i] > '9')
			return -1;
		v = v * 10 + (n->s[i] - '0');
	}
	return v <= S32_MAX ? v : -1;
}

bool proc_emit_number(struct dir_ctx *ctx, s64 n, u64 ino, u8 dtype, s64 next_pos)
{
	char text[16];
	s32 len = snprintf(text, sizeof text, "%lld", (long long)n);

	if (!ctx->emit(ctx, text, (u32)len, ino, dtype, next_pos))
		return false;
	ctx->pos = next_pos;
	return true;
}

static bool name_is(const struct name *n, const char *s)
{
	return n->len == strlen(s) && memcmp(n->s, s, n->len) == 0;
}

/* Links to places: exe, cwd, root */

static int place_of(struct inode *inode, struct path *out)
{
	const struct proc_task_ops *ops = proc_tasks();
	struct task *t = task_of(inode);
	int ret, denied;

	switch (synth_inode(inode)->tag) {
	case 'e':
		ret = ops->exe(t, out);
		break;
	case 'c':
		ret = ops->cwd(t, out);
		break;
	default:
		ret = ops->root(t, out);
	}
	denied = ops->may_read(t);
	if (denied && !ret)
		path_put(out);
	return denied ? denied : ret;
}

static s64 place_readlink(struct inode *inode, char *buf, u32 size)
{
	struct path p;
	char *page, *text;
	s64 n = place_of(inode, &p);

	if (n)
		return n;
	page = kmalloc(PATH_MAX);
	text = page ? path_text(&p, NULL, page, PATH_MAX) : NULL;
	path_put(&p);
	if (text) {
		n = (s64)MIN(strlen(text), (size_t)size);
		memcpy(buf, text, (size_t)n);
	} else {
		n = page ? -ENAMETOOLONG : -ENOMEM;
	}
	kfree(page);
	return n;
}

static const struct inode_ops place_iops = {
	.readlink = place_readlink,
	.get_link_path = place_of,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

/* ns/ */

/* The namespace behind a link, referenced. */
static int ns_of_link(struct inode *inode, struct ns **out)
{
	int ret;

	*out = proc_tasks()->ns(task_of(inode), (enum ns_kind)synth_inode(inode)->tag);
	ret = proc_tasks()->may_read(task_of(inode));
	if (ret && *out)
		ns_put(*out);
	return ret ? ret : *out ? 0 : -ENOENT;
}

static s64 ns_readlink(struct inode *inode, char *buf, u32 size)
{
	struct ns *ns;
	char text[48];
	s64 n = ns_of_link(inode, &ns);

	if (n)
		return n;
	n = snprintf(text, sizeof text, "%s:[%llu]", ns_names[ns->kind],
		     (unsigned long long)ns->ino);
	ns_put(ns);
	n = MIN(n, (s64)size);
	memcpy(buf, text, (size_t)n);
	return n;
}

static int ns_link_path(struct inode *inode, struct path *out)
{
	struct ns *ns;
	int ret = ns_of_link(inode, &ns);

	if (ret)
		return ret;
	ret = nsfs_path(ns, out);
	ns_put(ns);
	return ret;
}

static const struct inode_ops ns_iops = {
	.readlink = ns_readlink,
	.get_link_path = ns_link_path,
	.setattr = synth_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

/* Those of children are the task's own: no namespace of these two kinds can be made for children alone. */
static const struct {
	const char *name;
	enum ns_kind kind;
} for_children[] = {
	{"pid_for_children",   NS_PID },
	{ "time_for_children", NS_TIME}
};

#define NS_LINKS (NS_KINDS + ARRAY_SIZE(for_children))

static const char *ns_link_name(u64 i)
{
	return i < NS_KINDS ? ns_names[i] : for_children[i - NS_KINDS].name;
}

static int ns_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct task *t = task_of(dir);

	for (u32 i = 0; i < NS_LINKS; i++) {
		int ret;

		if (!name_is(n, ns_link_name(i)))
			continue;
		ret = synth_special_inode(dir->sb, S_IFLNK | 0777, &ns_iops, t, &proc_task_ctx,
					  proc_ino(proc_tasks()->tid(t), PI_NS, i), out);
		if (!ret)
			synth_inode(*out)->tag = i < NS_KINDS ? i : for_children[i - NS_KINDS].kind;
		return ret;
	}
	return -ENOENT;
}

static int ns_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	struct task *t = task_of(dir);

	for (u64 i = (u64)ctx->pos - 2; i < NS_LINKS; i++) {
		const char *s = ns_link_name(i);

		if (!ctx->emit(ctx, s, (u32)strlen(s), proc_ino(proc_tasks()->tid(t), PI_NS, i),
			       (u8)mode_to_dtype(S_IFLNK), (s64)i + 3))
			return 0;
		ctx->pos = (s64)i + 3;
	}
	return 0;
}

static const struct synth_dir_ops ns_dir_ops = {
	.lookup = ns_lookup,
	.iterate = ns_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

/* Mount tables, as the task's root shows them */

/* As on Linux the namespace and the root are those of the task when the file was opened. */
struct mounts_view {
	struct ns *ns;	  /* referenced */
	struct path root; /* referenced */
	u64 seen;	  /* the namespace's event count that poll(2) told of last */
};

static struct mount_ns *view_ns(const struct mounts_view *v)
{
	return container_of(v->ns, struct mount_ns, ns);
}

static int mounts_open(void *ctx, void **bound)
{
	struct mounts_view *v = knew(struct mounts_view);
	int ret;

	if (!v)
		return -ENOMEM;
	ret = proc_tasks()->root(ctx, &v->root);
	if (!ret) {
		v->ns = proc_tasks()->ns(ctx, NS_MNT);
		if (v->ns) {
			v->seen = READ_ONCE(view_ns(v)->event);
			*bound = v;
			return 0;
		}
		path_put(&v->root);
		ret = -EINVAL;
	}
	kfree(v);
	return ret == -ENOENT ? -EINVAL : ret;
}

static void mounts_close(void *bound)
{
	struct mounts_view *v = bound;

	ns_put(v->ns);
	path_put(&v->root);
	kfree(v);
}

/* A change is told once to each open file: POLLERR and POLLPRI, beside being readable always. */
static u32 mounts_poll(void *bound, struct poll_table *pt)
{
	struct mounts_view *v = bound;
	u64 event;

	poll_wait(pt, &view_ns(v)->changed);
	event = READ_ONCE(view_ns(v)->event);
	if (event == v->seen)
		return EPOLLIN | EPOLLRDNORM;
	v->seen = event;
	return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLPRI;
}

static int show_mounts(struct strbuf *sb, void *ctx, enum mount_show_kind kind)
{
	struct mounts_view *v = ctx;

	mount_show(sb, kind, view_ns(v), &v->root);
	return 0;
}

static int row_mounts(struct strbuf *sb, void *ctx)
{
	return show_mounts(sb, ctx, MOUNT_SHOW_MOUNTS);
}

static int row_mountinfo(struct strbuf *sb, void *ctx)
{
	return show_mounts(sb, ctx, MOUNT_SHOW_MOUNTINFO);
}

static int row_mountstats(struct strbuf *sb, void *ctx)
{
	return show_mounts(sb, ctx, MOUNT_SHOW_MOUNTSTATS);
}

#define MOUNT_ROW(n, m, fn, p)                                               \
	{                                                                    \
		.name = (n), .mode = (m), .show = (fn), .open = mounts_open, \
		.close = mounts_close, .poll = (p)                           \
	}
static const struct proc_row mount_rows[] = {
	MOUNT_ROW("mounts", 0444, row_mounts, mounts_poll),
	MOUNT_ROW("mountinfo", 0444, row_mountinfo, mounts_poll),
	MOUNT_ROW("mountstats", 0400, row_mountstats, NULL),
};

/* /proc/<pid>: first the entries below, then the rows of every table */

static const struct synth_dir_ops thread_dir_ops, tasks_dir_ops, attr_dir_ops, net_dir_ops;

enum entry_kind {
	E_FD,
	E_FDINFO,
	E_TASK,
	E_NS,
	E_EXE,
	E_CWD,
	E_ROOT,
	E_MOUNT_ROW,
	E_MEM,
	E_PAGEMAP,
	E_MAP_FILES,
	E_ATTR,
	E_NET,
};

static const struct pid_entry {
	const char *name;
	enum entry_kind kind;
	u32 type;
} pid_entries[] = {
	{"fd",		E_FD,	      S_IFDIR},
	{ "fdinfo",	    E_FDINFO,    S_IFDIR},
	{ "ns",		E_NS,	      S_IFDIR},
	{ "exe",	 E_EXE,	S_IFLNK},
	{ "cwd",	 E_CWD,	S_IFLNK},
	{ "root",	  E_ROOT,	  S_IFLNK},
	{ "mounts",	    E_MOUNT_ROW, S_IFREG},
	{ "mountinfo",  E_MOUNT_ROW, S_IFREG},
	{ "mountstats", E_MOUNT_ROW, S_IFREG},
	{ "mem",	 E_MEM,	S_IFREG},
	{ "pagemap",    E_PAGEMAP,	S_IFREG},
	{ "attr",	  E_ATTR,	  S_IFDIR},
	{ "net",	 E_NET,	S_IFDIR},
	{ "map_files",  E_MAP_FILES, S_IFDIR}, /* from here on: not in threads */
	{ "task",	  E_TASK,	  S_IFDIR},
};

#define NOT_IN_THREADS 2

static int make_entry(struct inode *dir, const struct pid_entry *e, u32 index, struct inode **out)
{
	struct task *t = task_of(dir);
	u64 ino = proc_ino(proc_tasks()->tid(t), PI_ENTRY, index);
	struct name n = name_make(e->name, (u32)strlen(e->name));
	int ret;

	switch (e->kind) {
	case E_FD:
	case E_FDINFO:
		return proc_fd_dir(dir->sb, t, e->kind == E_FDINFO, out);
	case E_TASK:
		return synth_dir_inode(dir->sb, 0555, &tasks_dir_ops, t, &proc_task_dir_ctx, ino,
				       out);
	case E_NS:
		return synth_dir_inode(dir->sb, 0511, &ns_dir_ops, t, &proc_task_ctx, ino, out);
	case E_MEM:
		return synth_special_inode(dir->sb, S_IFREG | 0600, &proc_mem_iops, t,
					   &proc_task_ctx, ino, out);
	case E_PAGEMAP:
		return synth_special_inode(dir->sb, S_IFREG | 0400, &proc_pagemap_iops, t,
					   &proc_task_ctx, ino, out);
	case E_MAP_FILES:
		return synth_dir_inode(dir->sb, 0500, &proc_map_files_ops, t, &proc_task_ctx, ino,
				       out);
	case E_ATTR:
	case E_NET:
		return synth_dir_inode(dir->sb, 0555,
				       e->kind == E_ATTR ? &attr_dir_ops : &net_dir_ops, t,
				       &proc_task_ctx, ino, out);
	case E_MOUNT_ROW:
		return synth_file_inode(dir->sb,
					synth_row_find(mount_rows, ARRAY_SIZE(mount_rows), &n), t,
					&proc_task_ctx, ino, out);
	default:
		ret = synth_special_inode(dir->sb, S_IFLNK | 0777, &place_iops, t, &proc_task_ctx,
					  ino, out);
		if (!ret)
			synth_inode(*out)->tag = (u64)e->name[0];
		return ret;
	}
}

static const struct proc_table *const *rows_of(bool thread)
{
	return thread && proc_setup_data.thread ? proc_setup_data.thread : proc_setup_data.process;
}

static int lookup_common(struct inode *dir, const struct name *n, bool thread, struct inode **out)
{
	const struct proc_table *const *tab = rows_of(thread);
	u32 nr = ARRAY_SIZE(pid_entries) - (thread ? NOT_IN_THREADS : 0), base = 0;
	struct task *t = task_of(dir);

	for (u32 i = 0; i < nr; i++)
		if (name_is(n, pid_entries[i].name))
			return make_entry(dir, &pid_entries[i], i, out);
	for (; tab && *tab; tab++) {
		const struct proc_row *row = synth_row_find((*tab)->rows, (*tab)->nr, n);

		if (row)
			return synth_file_inode(dir->sb, row, t, &proc_task_ctx,
						proc_ino(proc_tasks()->tid(t), PI_ROW,
							 base + (u64)(row - (*tab)->rows)),
						out);
		base += (u32)(*tab)->nr;
	}
	return -ENOENT;
}

/* The i-th row over all tables. */
static const struct proc_row *row_at(const struct proc_table *const *tab, u64 i)
{
	for (; tab && *tab; tab++) {
		if (i < (*tab)->nr)
			return &(*tab)->rows[i];
		i -= (*tab)->nr;
	}
	return NULL;
}

/* Rows named "attr/..." and "net/..." are in directories of these names, of processes and of threads. */

static int sub_lookup(struct inode *dir, const struct name *n, const char *prefix,
		      struct inode **out)
{
	const struct proc_table *const *tab = rows_of(false);
	size_t len = strlen(prefix);
	struct task *t = task_of(dir);

	for (; tab && *tab; tab++)
		for (size_t i = 0; i < (*tab)->nr; i++) {
			const struct proc_row *row = &(*tab)->rows[i];

			if (!strncmp(row->name, prefix, len) && name_is(n, row->name + len))
				return synth_file_inode(dir->sb, row, t, &proc_task_ctx, 0, out);
		}
	return -ENOENT;
}

static int sub_iterate(struct inode *dir, struct dir_ctx *ctx, const char *prefix)
{
	size_t len = strlen(prefix);
	const struct proc_row *row;

	while ((row = row_at(rows_of(false), (u64)ctx->pos - 2))) {
		const char *s = row->name + len;

		if (!strncmp(row->name, prefix, len) &&
		    !ctx->emit(ctx, s, (u32)strlen(s),
			       proc_ino(proc_tasks()->tid(task_of(dir)), PI_ROW, (u64)ctx->pos),
			       (u8)mode_to_dtype(S_IFREG), ctx->pos + 1))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static int attr_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	return sub_lookup(dir, n, "attr/", out);
}

static int attr_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return sub_iterate(dir, ctx, "attr/");
}

static int net_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	return sub_lookup(dir, n, "net/", out);
}

static int net_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return sub_iterate(dir, ctx, "net/");
}

static const struct synth_dir_ops attr_dir_ops = {
	.lookup = attr_lookup,
	.iterate = attr_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

static const struct synth_dir_ops net_dir_ops = {
	.lookup = net_lookup,
	.iterate = net_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

static int iterate_common(struct inode *dir, struct dir_ctx *ctx, bool thread)
{
	u32 nr = ARRAY_SIZE(pid_entries) - (thread ? NOT_IN_THREADS : 0);
	s32 tid = proc_tasks()->tid(task_of(dir));

	for (;;) {
		u64 i = (u64)ctx->pos - 2;
		const struct proc_row *row = i < nr ? NULL : row_at(rows_of(thread), i - nr);
		const char *s = i < nr ? pid_entries[i].name : row ? row->name : NULL;
		u32 type = i < nr ? pid_entries[i].type : S_IFREG;

		if (!s)
			return 0;
		if (!strchr(s, '/') &&
		    !ctx->emit(ctx, s, (u32)strlen(s),
			       proc_ino(tid, i < nr ? PI_ENTRY : PI_ROW, i < nr ? i : i - nr),
			       (u8)mode_to_dtype(type), ctx->pos + 1))
			return 0;
		ctx->pos++;
	}
}

static int process_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	return lookup_common(dir, n, false, out);
}

static int process_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return iterate_common(dir, ctx, false);
}

static int thread_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	return lookup_common(dir, n, true, out);
}

static int thread_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	return iterate_common(dir, ctx, true);
}

static const struct synth_dir_ops process_dir_ops = {
	.lookup = process_lookup,
	.iterate = process_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

static const struct synth_dir_ops thread_dir_ops = {
	.lookup = thread_lookup,
	.iterate = thread_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

/* /proc/<pid>/task */

static int tasks_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	s64 tid = proc_parse_number(n);
	struct task *t = tid > 0 ? proc_tasks()->get_thread(task_of(dir), (s32)tid) : NULL;
	int ret;

	if (!t)
		return -ENOENT;
	ret = synth_dir_inode(dir->sb, 0555, &thread_dir_ops, t, &proc_task_dir_ctx,
			      proc_ino((s32)tid, PI_TASK, 0), out);
	proc_tasks()->put(t);
	return ret;
}

static int tasks_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	s32 tid = (s32)ctx->pos - 2;

	while ((tid = proc_tasks()->next_thread(task_of(dir), tid)) > 0)
		if (!proc_emit_number(ctx, tid, proc_ino(tid, PI_TASK, 0),
				      (u8)mode_to_dtype(S_IFDIR), (s64)tid + 2))
			break;
	return 0;
}

static const struct synth_dir_ops tasks_dir_ops = {
	.lookup = tasks_lookup,
	.iterate = tasks_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

/* /proc: the processes */

int proc_pid_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	s64 pid = proc_parse_number(n);
	struct task *t = pid > 0 ? proc_tasks()->get_process((s32)pid) : NULL;
	int ret;

	if (!t)
		return -ENOENT;
	ret = synth_dir_inode(dir->sb, 0555, &process_dir_ops, t, &proc_task_dir_ctx,
			      proc_ino((s32)pid, PI_DIR, 0), out);
	proc_tasks()->put(t);
	return ret;
}

int proc_pid_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	s32 pid = (s32)ctx->pos - 2;

	while ((pid = proc_tasks()->next_process(pid)) > 0)
		if (!proc_emit_number(ctx, pid, proc_ino(pid, PI_DIR, 0),
				      (u8)mode_to_dtype(S_IFDIR), (s64)pid + 2))
			break;
	return 0;
}

struct task *procfs_process_of(struct file *f)
{
	if (f->inode->sb->type != &procfs_type || !S_ISDIR(f->inode->mode) ||
	    synth_inode(f->inode)->dir_ops != &process_dir_ops)
		return NULL;
	return task_of(f->inode);
}
