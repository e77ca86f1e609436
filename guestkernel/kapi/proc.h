// SPDX-License-Identifier: Apache-2.0
/*
 * proc - how an owner of data publishes text files under /proc and /sys
 *
 * Role      Rows live with their data (task/task_proc.c, mm/mm_proc.c ...); fs/procfs.c and fs/sysfs.c turn
 *           tables of rows, collected in main.c, into files.
 * Rules     show fills the whole text each time a reader starts at offset 0; store gets at most one page.
 */
#pragma once

#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/ns.h"
#include "guestkernel/kapi/poll.h"

struct proc_row {
	const char *name; /* path below the table's root, e.g. "sys/kernel/pid_max" */
	u32 mode;	  /* permission bits; file unless S_IFLNK/S_IFDIR given */
	/* ctx: struct task * for /proc/<pid> rows (referenced), else the table's. 0 or -errno. */
	int (*show)(struct strbuf *sb, void *ctx);
	int (*store)(const char *text, size_t n, void *ctx);
	/* Rows whose readers are asked for their right when they open the file, not when they read: open makes of ctx what
	 * show gets instead of it until close. close may be NULL; with open there is no store. */
	int (*open)(void *ctx, void **bound);
	void (*close)(void *bound);
	/* Readiness (EPOLL*) of a file whose text programs wait on; bound: what open made. NULL: always ready. */
	u32 (*poll)(void *bound, struct poll_table *pt);
	void *data; /* this row's own ctx, instead of the table's; not in tables of processes */
};

struct proc_table {
	const struct proc_row *rows;
	size_t nr;
	void *ctx;
};

/*
 * Tasks as procfs sees them; task/task_proc.c fills the table. fs/ may not include task/.
 * A struct task * returned is referenced until put().
 */
struct task;
struct fdtable;
struct file;
struct path;
struct cred;
struct mount;

struct proc_task_ops {
	/* The task of this id, the leader of its group or not; NULL. Ids are those of the caller's pid namespace. */
	struct task *(*get_process)(s32 tgid);
	/* Thread tid of the group of `leader`; NULL. */
	struct task *(*get_thread)(struct task *leader, s32 tid);
	void (*get)(struct task *t);
	void (*put)(struct task *t);
	/* Smallest id > after; 0 at the end. */
	s32 (*next_process)(s32 after);
	s32 (*next_thread)(struct task *leader, s32 after);
	s32 (*tid)(struct task *t);
	s32 (*tgid)(struct task *t);
	/* Who owns the files of /proc/<pid>: root, when t's own user may not look into it, or it has ended. */
	void (*owner)(struct task *t, u32 *uid, u32 *gid);
	/* Referenced credentials (cred_put); they own the directories everybody may list. */
	const struct cred *(*cred)(struct task *t);
	/* PTRACE_MODE_READ_FSCREDS of the caller on t: 0 or -EACCES. Ask after getting the thing that is to be shown: t may
	 * begin a program with other rights in between. */
	int (*may_read)(struct task *t);
	/* Referenced table; NULL for zombies and kernel threads. */
	struct fdtable *(*fds)(struct task *t);
	/* Referenced paths; -ENOENT when there is none. */
	int (*exe)(struct task *t, struct path *out);
	int (*cwd)(struct task *t, struct path *out);
	int (*root)(struct task *t, struct path *out);
	/* Its namespace of a kind, referenced; NULL when it has ended. */
	struct ns *(*ns)(struct task *t, enum ns_kind kind);
	/* The memory t has now, if the caller may look at it: *mem (NULL: none) is for mem() until mem_close(). -EACCES. */
	int (*mem_open)(struct task *t, void **mem);
	void (*mem_close)(void *mem);
	/* As a debugger sees it: bytes done, -EFAULT; 0 when its program has ended. */
	s64 (*mem)(void *mem, u64 va, void *buf, size_t n, bool write);
	/* What pagemap and map_files/ show; see mm/mm_proc.h. */
	int (*pagemap)(void *mem, u64 first, u64 *out, u32 n);
	int (*map_next)(struct task *t, u64 after, u64 *start, u64 *end, struct file **out);
};

/*
 * Everything procfs and sysfs are made of, collected in guestkernel/main.c before they are mounted.
 * Row names may contain slashes; directories on the way are made by procfs.
 */
struct procfs_setup {
	const struct proc_table *const *root; /* tables below /proc, NULL-terminated */
	const struct proc_table *const
		*process; /* /proc/<pid>/ rows (ctx: task), NULL-terminated */
	const struct proc_table *const
		*thread; /* /proc/<pid>/task/<tid>/ rows; NULL: same as process */
	const struct proc_task_ops *tasks;
};
void procfs_setup(const struct procfs_setup *s);
/* More rows for /sys, NULL-terminated; NULL: none. */
void sysfs_setup(const struct proc_table *const *tables);
