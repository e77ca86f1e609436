// SPDX-License-Identifier: Apache-2.0
/*
 * string - the freestanding string functions and printf (lib/string.c, lib/printf.c)
 *
 * Rules     mem* use rep string instructions where that is fastest. No locale, no float formats.
 *           snprintf knows d i u x X o c s p % with flags, width, precision and l/ll/z/h modifiers.
 */
#pragma once

#include <stdarg.h>

#include "guestkernel/kapi/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
/* Always terminates; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t n);
int snprintf(char *buf, size_t n, const char *fmt, ...) printf_like(3, 4);
int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap);
/* Decimal, 0x hex or 0 octal by base 0; false on junk or overflow. Stops at the end of string. */
bool parse_u64(const char *s, u32 base, u64 *out);
