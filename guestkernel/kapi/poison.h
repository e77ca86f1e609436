// SPDX-License-Identifier: Apache-2.0
/*
 * poison - what the debug kernel writes into memory that nobody may read; empty in others
 *
 * Role      mm/slab.c fills objects it gives out and takes back, and looks whether a free one was written to.
 */
#pragma once

#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/string.h"

#ifdef DEBUG_LEAKS
#define POISON_FRESH 0x9c
#define POISON_FREED 0x6d

static inline void poison_fresh(void *p, size_t n)
{
	memset(p, POISON_FRESH, n);
}
static inline void poison_freed(void *p, size_t n)
{
	memset(p, POISON_FREED, n);
}
static inline void poison_check_freed(const void *p, size_t n)
{
	const u64 *word = p;

	for (; n >= sizeof *word; n -= sizeof *word)
		BUG_ON(*word++ !=
		       0x0101010101010101ull * POISON_FREED); /* written to after it was freed */
}
#else
static inline void poison_fresh(void *p, size_t n)
{
}
static inline void poison_freed(void *p, size_t n)
{
}
static inline void poison_check_freed(const void *p, size_t n)
{
}
#endif
