// SPDX-License-Identifier: Apache-2.0
/*
 * mem - memcpy, memmove, memset with string instructions
 *
 * Rules     Up to 64 bytes, where starting a string instruction costs more than the copy, words overlapping in the
 *           middle do it, all loaded before the first is stored; above, `rep movsq` for the words and one
 *           unaligned word for the end. The last word is loaded before anything is stored, so a
 *           forward copy also serves memmove when dst is below src.
 */
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"

typedef u64 __attribute__((may_alias, aligned(1))) u64_any;
typedef u32 __attribute__((may_alias, aligned(1))) u32_any;
typedef u16 __attribute__((may_alias, aligned(1))) u16_any;

#define WORD(p, at)	  (*(u64_any *)((p) + (at)))
#define CONST_WORD(p, at) (*(const u64_any *)((p) + (at)))

/* 17 to 32 bytes. */
static inline void copy_four(u8 *d, const u8 *s, size_t n)
{
	u64 a = CONST_WORD(s, 0), b = CONST_WORD(s, 8);
	u64 y = CONST_WORD(s, n - 16), z = CONST_WORD(s, n - 8);

	WORD(d, 0) = a;
	WORD(d, 8) = b;
	WORD(d, n - 16) = y;
	WORD(d, n - 8) = z;
}

/* 33 to 64 bytes. */
static inline void copy_eight(u8 *d, const u8 *s, size_t n)
{
	u64 a = CONST_WORD(s, 0), b = CONST_WORD(s, 8), c = CONST_WORD(s, 16),
	    e = CONST_WORD(s, 24);
	u64 w = CONST_WORD(s, n - 32), x = CONST_WORD(s, n - 24);
	u64 y = CONST_WORD(s, n - 16), z = CONST_WORD(s, n - 8);

	WORD(d, 0) = a;
	WORD(d, 8) = b;
	WORD(d, 16) = c;
	WORD(d, 24) = e;
	WORD(d, n - 32) = w;
	WORD(d, n - 24) = x;
	WORD(d, n - 16) = y;
	WORD(d, n - 8) = z;
}

static inline void copy_small(u8 *d, const u8 *s, size_t n)
{
	if (n > 32) {
		copy_eight(d, s, n);
	} else if (n > 16) {
		copy_four(d, s, n);
	} else if (n >= 8) {
		u64 a = *(const u64_any *)s, b = *(const u64_any *)(s + n - 8);

		*(u64_any *)d = a;
		*(u64_any *)(d + n - 8) = b;
	} else if (n >= 4) {
		u32 a = *(const u32_any *)s, b = *(const u32_any *)(s + n - 4);

		*(u32_any *)d = a;
		*(u32_any *)(d + n - 4) = b;
	} else if (n >= 2) {
		u16 a = *(const u16_any *)s, b = *(const u16_any *)(s + n - 2);

		*(u16_any *)d = a;
		*(u16_any *)(d + n - 2) = b;
	} else if (n) {
		*d = *s;
	}
}

static inline void copy_up(u8 *d, const u8 *s, size_t n)
{
	u64 last = *(const u64_any *)(s + n - 8);
	u8 *end = d + n - 8;
	size_t words = n / 8;

	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	*(u64_any *)end = last;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	if (n <= 64)
		copy_small(dst, src, n);
	else
		copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (n <= 64) {
		copy_small(d, s, n);
		return dst;
	}
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		copy_up(d, s, n);
		return dst;
	}
	/* dst lies inside the source: downwards, word by word (the backward string form is slow). */
	for (; n >= 8; n -= 8) {
		*(u64_any *)(d + n - 8) = *(const u64_any *)(s + n - 8);
		barrier();
	}
	while (n--) {
		d[n] = s[n];
		barrier();
	}
	return dst;
}

/* 8 to 64 bytes, the last 8 of them set already. */
static inline void set_small(u8 *d, u64 pattern, size_t n)
{
	WORD(d, 0) = pattern;
	if (n <= 16)
		return;
	WORD(d, 8) = pattern;
	WORD(d, n - 16) = pattern;
	if (n <= 32)
		return;
	WORD(d, 16) = pattern;
	WORD(d, 24) = pattern;
	WORD(d, n - 32) = pattern;
	WORD(d, n - 24) = pattern;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ull;
	u8 *d = dst;
	size_t words = n / 8;

	if (n < 8) {
		while (n--) {
			*d++ = (u8)c;
			barrier();
		}
		return dst;
	}
	WORD(d, n - 8) = pattern;
	if (n <= 64) {
		set_small(d, pattern, n);
		return dst;
	}
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	return dst;
}
