// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_fixed - files of /proc whose truth never changes here
 *
 * Role      Mostly that there is nothing of the kind: no block devices, no swap, no modules, no controllers of cgroups, no
 *           network but AF_UNIX. Programs read them and fail when they are missing.
 * Rules     A file is here only while its text is true. What would be untrue is left out: docs/proc.md.
 * Missing   locks is empty whatever is locked.
 * See       proc(5)
 */
#include "fs/procfs_impl.h"

#include "guestkernel/kapi/string.h"

static int show_text(struct strbuf *sb, void *ctx)
{
	const char *text = ctx;

	strbuf_add(sb, text, strlen(text));
	return 0;
}

#define FIXED(path, m, text)                                                           \
	{                                                                              \
		.name = (path), .mode = (m), .show = show_text, .data = (void *)(text) \
	}

static const struct proc_row rows[] = {
	FIXED("devices", 0444,
	      "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n"),
	FIXED("partitions", 0444, "major minor  #blocks  name\n\n"),
	FIXED("diskstats", 0444, ""),
	FIXED("swaps", 0444, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	FIXED("cmdline", 0444, "\n"),
	FIXED("locks", 0444, ""),
	FIXED("misc", 0444, ""),
	FIXED("crypto", 0444, ""),
	FIXED("consoles", 0444, ""),
	FIXED("ioports", 0444, ""),
	FIXED("kallsyms", 0444, ""),
	FIXED("execdomains", 0444, "0-0\tLinux           \t[kernel]\n"),
	FIXED("cgroups", 0444, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
	FIXED("tty/ldiscs", 0444, "n_tty       0\n"),
	FIXED("tty/drivers", 0444,
	      "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
	      "/dev/console         /dev/console    5       1 system:console\n"
	      "/dev/ptmx            /dev/ptmx       5       2 system\n"
	      "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
	      "pty_master           /dev/ptm      128 0-1048575 pty:master\n"),
};
const struct proc_table procfs_fixed_table = { rows, ARRAY_SIZE(rows), NULL };
