// SPDX-License-Identifier: Apache-2.0
/*
 * mm_proc - what /proc shows about memory
 */
#pragma once

#include "guestkernel/kapi/proc.h"

struct aspace;

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

/* /proc/meminfo, vmstat, sys/vm. */
extern const struct proc_table mm_proc_root;
/* /proc/<pid>: maps, smaps, smaps_rollup, statm; ctx: struct task. */
extern const struct proc_table mm_proc_process;
