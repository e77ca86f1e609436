// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_net - /proc/<pid>/net
 *
 * Role      There is no network but AF_UNIX: no interface, so dev has only its head. What belongs to protocols that are not
 *           there is left out (docs/proc.md).
 * Missing   unix, which would need a list of all sockets.
 * See       proc(5)
 */
#include "fs/procfs_impl.h"

#include "guestkernel/kapi/string.h"

static int row_dev(struct strbuf *sb, void *ctx)
{
	strbuf_printf(
		sb, "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|"
		    "bytes    packets errs drop fifo colls carrier compressed\n");
	return 0;
}

static const struct proc_row rows[] = {
	{"net/dev", 0444, row_dev, NULL},
};
const struct proc_table procfs_net_table = { rows, ARRAY_SIZE(rows), NULL };
