// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_impl - shared by procfs*.c only
 *
 * Rules     Inode numbers: (thread id << 24) | kind << 20 | small number, so that they stay the same between lookups.
 */
#pragma once

#include "fs/procfs.h"
#include "fs/namei.h"

enum proc_ino_kind { PI_DIR, PI_ENTRY, PI_ROW, PI_FD, PI_FDINFO, PI_NS, PI_TASK };

static inline u64 proc_ino(s32 tid, enum proc_ino_kind kind, u64 n)
{
	return (u64)tid << 24 | (u64)kind << 20 | n;
}

extern struct procfs_setup proc_setup_data;
static inline const struct proc_task_ops *proc_tasks(void)
{
	return proc_setup_data.tasks;
}
extern const struct synth_ctx_ops proc_task_ctx; /* ctx: struct task */
extern const struct synth_ctx_ops
	proc_task_dir_ctx; /* the same, of the directories with mode 0555 */

/* procfs_task.c: /proc/<pid> and below. */
int must_check proc_pid_lookup(struct inode *dir, const struct name *n, struct inode **out);
int must_check proc_pid_iterate(struct inode *dir, struct dir_ctx *ctx);
/* A name as a positive number without leading zeros; -1. */
s64 proc_parse_number(const struct name *n);
/* Emits a decimal name; false when the buffer is full. */
bool proc_emit_number(struct dir_ctx *ctx, s64 n, u64 ino, u8 dtype, s64 next_pos);

/* procfs_fd.c: fd/ and fdinfo/. */
int must_check proc_fd_dir(struct super *sb, struct task *t, bool info, struct inode **out);

/* procfs_mem.c: /proc/<pid>/mem. */
extern const struct inode_ops proc_mem_iops;

/* procfs_maps.c: pagemap and map_files/. */
extern const struct inode_ops proc_pagemap_iops;
extern const struct synth_dir_ops proc_map_files_ops;

/* procfs_system.c: rows that belong to fs/; procfs_fixed.c: those that never change. */
extern const struct proc_table procfs_fixed_table, procfs_limits_table;
extern const struct proc_table procfs_own_table;
int must_check procfs_add_links(struct synth_node *root);
