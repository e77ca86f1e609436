// SPDX-License-Identifier: Apache-2.0
/*
 * string - the freestanding string functions
 *
 * Role      See kapi/string.h. memcpy, memmove and memset are in mem.c or the architecture's guest/mem.c.
 * See       tests/unit/string_test.c
 */
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/string.h"

typedef u64 __attribute__((may_alias, aligned(1))) word_t;

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n >= sizeof(word_t) && *(const word_t *)x == *(const word_t *)y;
	     n -= sizeof(word_t)) {
		x += sizeof(word_t);
		y += sizeof(word_t);
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *p, int c, size_t n)
{
	const u8 *s = p;

	for (; n; n--, s++)
		if (*s == (u8)c)
			return (void *)(uintptr_t)s;
	return NULL;
}

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The lowest set bit is the highest of the first zero byte; bits above it may be wrong. */
static inline u64 zero_bytes(u64 w)
{
	return (w - ONES) & ~w & HIGHS;
}

/* By aligned words, which never reach into a page the string is not in. */
__attribute__((no_sanitize("address"))) size_t strlen(const char *s)
{
	u32 skip = (u32)((uintptr_t)s % sizeof(word_t));
	const char *p = s - skip;
	u64 zero = zero_bytes(*(const word_t *)p | ((1ull << 8 * skip) - 1));

	while (!zero) {
		p += sizeof(word_t);
		zero = zero_bytes(*(const word_t *)p);
	}
	return (size_t)(p - s) + (u32)__builtin_ctzll(zero) / 8;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;
	u64 zero;

	for (; n < max && (uintptr_t)(s + n) % sizeof(word_t); n++)
		if (!s[n])
			return n;
	for (; n + sizeof(word_t) <= max; n += sizeof(word_t)) {
		zero = zero_bytes(*(const word_t *)(s + n));
		if (zero)
			return n + (u32)__builtin_ctzll(zero) / 8;
	}
	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)(uintptr_t)last;
	}
}

size_t strlcpy(char *dst, const char *src, size_t n)
{
	size_t len = strlen(src);

	if (n) {
		size_t m = len < n ? len : n - 1;

		memcpy(dst, src, m);
		dst[m] = '\0';
	}
	return len;
}

static u32 digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (u32)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (u32)(c - 'A') + 10;
	return U32_MAX;
}

bool parse_u64(const char *s, u32 base, u64 *out)
{
	u64 v = 0;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		u32 d = digit_value(*s);

		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

u64 hash_bytes(const void *p, size_t n, u64 seed)
{
	const u8 *s = p;
	u64 h = seed ^ hash_seed ^ (n * 0x9e3779b97f4a7c15ull);
	u64 tail = 0;

	for (; n >= sizeof(word_t); n -= sizeof(word_t), s += sizeof(word_t)) {
		h = (h ^ *(const word_t *)s) * 0x9fb21c651e98df25ull;
		h ^= h >> 29;
	}
	while (n--)
		tail = tail << 8 | s[n];
	h = (h ^ tail) * 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	h *= 0x9fb21c651e98df25ull;
	return h ^ (h >> 29);
}
