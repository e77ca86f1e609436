// SPDX-License-Identifier: Apache-2.0
/*
 * bug - what a broken kernel invariant does
 *
 * Rules     BUG_ON stays on in release: the blast radius is one sandbox. Never reachable from any
 *           application behaviour; never with side effects in the condition.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Stops every CPU, prints registers, backtrace and the message to the monitor, ends the VM. */
noreturn_fn void panic(const char *fmt, ...) printf_like(1, 2);

#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (unlikely(cond))                                           \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)
