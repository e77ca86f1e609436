// SPDX-License-Identifier: Apache-2.0
/*
 * poll - waiting for several files at once: the common part of poll(2) and select(2)
 *
 * Role      sys_event.c decodes the two interfaces into an array of poll_slot and calls poll_files().
 */
#pragma once

#include "guestkernel/kapi/file.h"

struct poll_slot {
	struct file *file; /* referenced by the caller; NULL: skipped, revents stays as it is */
	s32 fd;
	u32 want;    /* EPOLL* mask */
	u32 revents; /* out */
};

/* Number of slots with revents != 0; 0 when the deadline (monotonic ns, 0: do not sleep) passed;
 * -ERESTARTSYS when a signal came first, -ENOMEM. */
s64 must_check poll_files(struct poll_slot *slots, u32 nr, u64 deadline_ns);
