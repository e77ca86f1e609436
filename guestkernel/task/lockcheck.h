// SPDX-License-Identifier: Apache-2.0
/*
 * lockcheck - what the lock rank checker remembers of one task or one CPU
 *
 * Role      Only debug kernels (DEBUG_LOCKS) have it; task.h embeds it, lockcheck.c works on it.
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define LOCKS_HELD_MAX 16

struct held_locks {
	u32 n;
	struct {
		const void *lock;
		u32 rank;
	} e[LOCKS_HELD_MAX];
};
