// SPDX-License-Identifier: Apache-2.0
/*
 * mem - memcpy, memmove, memset for any architecture
 *
 * Role      What the compiler calls for structure copies, and everybody else. An architecture with
 *           something faster lists its own guest/mem.c instead of this file.
 * Rules     Words of eight bytes; unaligned access is allowed on all our machines. KEEP_LOOP stops the
 *           compiler from recognising the loops as calls of the very functions they implement.
 */
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"

#define KEEP_LOOP() barrier()

typedef u64 __attribute__((may_alias, aligned(1))) word_t;

void *memcpy(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
		*(word_t *)d = *(const word_t *)s;
		d += sizeof(word_t);
		s += sizeof(word_t);
		KEEP_LOOP();
	}
	while (n--) {
		*d++ = *s++;
		KEEP_LOOP();
	}
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = (u8 *)dst + n;
	const u8 *s = (const u8 *)src + n;

	/* Upwards is right unless dst lies inside the source. */
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);
	for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
		d -= sizeof(word_t);
		s -= sizeof(word_t);
		*(word_t *)d = *(const word_t *)s;
		KEEP_LOOP();
	}
	while (n--) {
		*--d = *--s;
		KEEP_LOOP();
	}
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ull;
	u8 *d = dst;

	for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
		*(word_t *)d = pattern;
		d += sizeof(word_t);
		KEEP_LOOP();
	}
	while (n--) {
		*d++ = (u8)c;
		KEEP_LOOP();
	}
	return dst;
}
