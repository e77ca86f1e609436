// SPDX-License-Identifier: Apache-2.0
/*
 * leak - hooks of the leak guard; empty except in the debug kernel
 *
 * Role      mm/slab.c and mm/phys.c report what they give out and take back, container.c begin and end.
 * See       guestkernel/leakcheck.c
 */
#pragma once

#include "guestkernel/kapi/types.h"

#ifdef DEBUG_LEAKS
/* p was given out; the caller's call chain is remembered with it. */
void leak_note(const void *p, size_t size);
/* p came back, or is kept on purpose until the kernel ends. */
void leak_forget(const void *p);
/* From here on things are remembered. finish() is called at the end when nothing is left. */
void leak_start(void (*finish)(s32 status));
/* Process 1 has ended: a kernel thread ends the others, unmounts everything, and panics when something is left,
 * else calls finish(). False: the guard is not there, the caller finishes. */
bool leak_end(s32 status);
#else
static inline void leak_note(const void *p, size_t size)
{
}
static inline void leak_forget(const void *p)
{
}
static inline void leak_start(void (*finish)(s32 status))
{
}
static inline bool leak_end(s32 status)
{
	return false;
}
#endif
