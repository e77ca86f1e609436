// SPDX-License-Identifier: Apache-2.0
/*
 * poll - readiness: how poll, select and epoll ask a file
 *
 * Role      file_ops.poll calls poll_wait() for each queue that may make it ready and returns the
 *           mask of what is true now. A NULL table asks for the mask only.
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
