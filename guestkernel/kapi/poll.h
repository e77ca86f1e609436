// SPDX-License-Identifier: Apache-2.0
/*
 * poll - readiness: how poll, select and epoll ask a file
 *
 * Role      file_ops.poll calls poll_wait() for each queue that may make it ready and returns the
 *           mask of what is true now. A NULL table asks for the mask only.
 * Rules     INVARIANT: a queue named here lives until the release of the file that names it has returned. poll and
 *           epoll leave their entries in it as long as the file is open, and take them out when it is put.
 *           So it is part of the object behind the file or of something that holds on to; what belongs to
 *           the polling task or to a peer is reached through a queue that is never freed (the hashed ones of
 *           signalfd.c and net/unix_io.c).
 */
#pragma once

#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/poll.h"

struct poll_table {
	/* Registers interest in q; failures are remembered by the implementation. */
	void (*add)(struct poll_table *pt, struct waitq *q);
};

static inline void poll_wait(struct poll_table *pt, struct waitq *q)
{
	if (pt)
		pt->add(pt, q);
}
