// SPDX-License-Identifier: Apache-2.0
/*
 * mm_proc - what /proc shows about memory
 */
#pragma once

#include "guestkernel/kapi/proc.h"

struct aspace;
struct file;
struct task;

void mm_show_maps(struct strbuf *sb, struct aspace *as);
void mm_show_smaps(struct strbuf *sb, struct aspace *as);
void mm_show_smaps_rollup(struct strbuf *sb, struct aspace *as);
void mm_show_statm(struct strbuf *sb, struct aspace *as);
/* The Vm and Rss lines of /proc/<pid>/status. */
void mm_show_status(struct strbuf *sb, struct aspace *as);
/* Bytes of address space, resident pages: for /proc/<pid>/stat. */
u64 mm_total_bytes(struct aspace *as);
u64 mm_rss_pages(struct aspace *as);

/* open and close of rows about a task's memory: bound is the struct aspace, held but not in use; NULL: it has none. */
int must_check mm_row_open(void *task, void **bound);
void mm_row_close(void *bound);
#define MM_ROW(name, mode, show)                                  \
	{                                                         \
		name, mode, show, NULL, mm_row_open, mm_row_close \
	}

/* /proc/meminfo, vmstat. */
extern const struct proc_table mm_proc_root;
/* sys/vm; buddyinfo, zoneinfo, iomem; the node of /sys. */
extern const struct proc_table mm_sysctl, mm_zones, mm_node;
/* /proc/<pid>: maps, smaps, smaps_rollup, statm; ctx: struct task. */
extern const struct proc_table mm_proc_process;
/* numa_maps, clear_refs. */
extern const struct proc_table mm_maps;
/* /proc/<pid>/pagemap, bound as above: one number for each of n pages from the first on. -ESRCH. */
int must_check mm_pagemap(void *bound, u64 first, u64 *out, u32 n);
/* The next mapping of a file that begins at after or later; *out (may be NULL) is referenced. -ENOENT; -EACCES: the caller may not
 * look at t's memory. */
int must_check mm_map_next(struct task *t, u64 after, u64 *start, u64 *end, struct file **out);
