// SPDX-License-Identifier: Apache-2.0
/*
 * defer - last references whose release may lead to further last references
 *
 * Role      Programs build graphs of objects that hold each other: a socket in the queue of a socket in the queue of
 *           a socket. Released by plain calls, such a chain is as deep a recursion as a program likes, on a
 *           kernel stack of fixed size. So an object that can hold another object of any kind embeds a
 *           struct deferred, and its last put calls defer_run() instead of the release.
 * Rules     Releases never nest: what is put inside a release is released after it, from the task's list, on
 *           its way out to user mode or at its end, in the order of the puts and with no lock held. Nothing
 *           a program can see is late by that: the list is empty before user mode, and before an ending
 *           process tells its parent.
 *           Chains of one kind of object that a loop can take apart (a dentry and its parents, a mount tree)
 *           are a loop, not this.
 * Locking   A list belongs to its task; no other touches it. See task/defer.c for who has no way out.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Embedded in the object; belongs to defer from the last put until run is called, which may free it. */
struct deferred {
	struct deferred *next;
	void (*run)(struct deferred *d);
};

struct defer_list {
	struct deferred *first, *last;
	bool is_running; /* a release is under way */
};

/* Calls d->run now, or after the release that is under way. May sleep as d->run does. */
void defer_run(struct deferred *d);
/* Always later. Also under spinlocks below RANK_WAITQ, in timers and for the monitor's events. */
void defer_add(struct deferred *d);
/* Releases all that is on the current task's list. No lock is held. */
void defer_drain(void);
