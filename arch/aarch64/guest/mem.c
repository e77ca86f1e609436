// SPDX-License-Identifier: Apache-2.0
/*
 * mem - memcpy, memmove, memset by pairs of words
 *
 * Rules     The last words are loaded before anything is stored, so a forward copy also serves memmove when dst is
 *           below src. Compiled loops must not become calls of themselves: barrier() in each.
 */
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"

typedef u64 __attribute__((may_alias, aligned(1))) u64_any;
typedef u32 __attribute__((may_alias, aligned(1))) u32_any;
typedef u16 __attribute__((may_alias, aligned(1))) u16_any;

#define WORD(p, at)	  (*(u64_any *)((p) + (at)))
#define CONST_WORD(p, at) (*(const u64_any *)((p) + (at)))
#define ZVA_MIN		  256u
#define ZVA_BYTES	  64u
#define ZVA_OF_64	  4u /* DCZID_EL0: allowed, 64 bytes */

/* Up to 16 bytes. */
static inline void copy_tiny(u8 *d, const u8 *s, size_t n)
{
	if (n >= 8) {
		u64 a = CONST_WORD(s, 0), b = CONST_WORD(s, n - 8);

		WORD(d, 0) = a;
		WORD(d, n - 8) = b;
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

/* More than 16 bytes, upwards. */
static inline void copy_up(u8 *d, const u8 *s, size_t n)
{
	u64 y = CONST_WORD(s, n - 16), z = CONST_WORD(s, n - 8);
	u8 *end = d + n - 16;

	while (n > 32) {
		u64 a, b, c, e;

		__asm__ volatile("ldp %0, %1, [%4]; ldp %2, %3, [%4, #16]"
				 : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(e)
				 : "r"(s)
				 : "memory");
		__asm__ volatile("stp %0, %1, [%4]; stp %2, %3, [%4, #16]"
				 :
				 : "r"(a), "r"(b), "r"(c), "r"(e), "r"(d)
				 : "memory");
		d += 32;
		s += 32;
		n -= 32;
	}
	if (n > 16) {
		u64 a = CONST_WORD(s, 0), b = CONST_WORD(s, 8);

		WORD(d, 0) = a;
		WORD(d, 8) = b;
	}
	WORD(end, 0) = y;
	WORD(end, 8) = z;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	if (n <= 16)
		copy_tiny(dst, src, n);
	else
		copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (n <= 16) {
		copy_tiny(d, s, n);
		return dst;
	}
	if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= 32) {
		copy_up(d, s, n);
		return dst;
	}
	if ((uintptr_t)d < (uintptr_t)s) {
		/* close below the source: word by word upwards */
		for (; n >= 8; n -= 8, d += 8, s += 8) {
			u64 a = CONST_WORD(s, 0);

			barrier();
			WORD(d, 0) = a;
			barrier();
		}
		for (; n; n--) {
			*d++ = *s++;
			barrier();
		}
		return dst;
	}
	/* dst lies inside the source: downwards. */
	for (; n >= 8; n -= 8) {
		u64 a = CONST_WORD(s, n - 8);

		barrier();
		WORD(d, n - 8) = a;
		barrier();
	}
	while (n--) {
		d[n] = s[n];
		barrier();
	}
	return dst;
}

/* Whole blocks of zeroes, without reading what they replace. Returns where they end; at least ZVA_MIN bytes. */
static u8 *zero_blocks(u8 *d, u8 *end)
{
	u64 how;

	__asm__ volatile("mrs %0, dczid_el0" : "=r"(how));
	if (how != ZVA_OF_64)
		return d;
	WORD(d, 0) = 0;
	for (d += 8 - (uintptr_t)d % 8; (uintptr_t)d % ZVA_BYTES; d += 8) {
		WORD(d, 0) = 0;
		barrier();
	}
	for (; end - d >= (ptrdiff_t)ZVA_BYTES; d += ZVA_BYTES)
		__asm__ volatile("dc zva, %0" : : "r"(d) : "memory");
	return d;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ull;
	u8 *d = dst, *end = d + n;

	if (n < 8) {
		while (n--) {
			*d++ = (u8)c;
			barrier();
		}
		return dst;
	}
	WORD(end, -8) = pattern;
	if (!c && n >= ZVA_MIN)
		d = zero_blocks(d, end);
	for (; end - d >= 16; d += 16)
		__asm__ volatile("stp %0, %0, [%1]" : : "r"(pattern), "r"(d) : "memory");
	if (end - d >= 8)
		WORD(d, 0) = pattern;
	return dst;
}
