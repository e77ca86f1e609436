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

struct proc_row {
	const char *name;	/* path below the table's root, e.g. "sys/kernel/pid_max" */
	u32 mode;		/* permission bits; file unless S_IFLNK/S_IFDIR given */
	/* ctx: struct task * for /proc/<pid> rows (referenced), else the table's. 0 or -errno. */
	int (*show)(struct strbuf *sb, void *ctx);
	int (*store)(const char *text, size_t n, void *ctx);
};

struct proc_table {
	const struct proc_row *rows;
	size_t nr;
	void *ctx;
};
