// SPDX-License-Identifier: Apache-2.0
/*
 * strbuf - growing text buffer
 *
 * See       kapi/strbuf.h, tests/unit/strbuf_test.c
 */
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/string.h"

#define STRBUF_MIN 256

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf){ 0 };
}

void strbuf_fini(struct strbuf *sb)
{
	kfree(sb->data);
	strbuf_init(sb);
}

/* Room for n more bytes and a NUL. */
static bool reserve(struct strbuf *sb, size_t n)
{
	size_t cap = sb->cap ? sb->cap : STRBUF_MIN;
	char *p;

	if (sb->failed)
		return false;
	if (n < sb->cap - sb->len)
		return true;
	if (n >= KMALLOC_MAX - sb->len)
		goto fail;
	while (n >= cap - sb->len)
		cap *= 2;
	p = krealloc(sb->data, cap);
	if (!p)
		goto fail;
	sb->data = p;
	sb->cap = cap;
	return true;
fail:
	sb->failed = true;
	return false;
}

void strbuf_add(struct strbuf *sb, const void *p, size_t n)
{
	if (!reserve(sb, n))
		return;
	memcpy(sb->data + sb->len, p, n);
	sb->len += n;
	sb->data[sb->len] = '\0';
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	size_t room = sb->failed ? 0 : sb->cap - sb->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? sb->data + sb->len : NULL, room, fmt, ap);
	va_end(ap);
	if ((size_t)n >= room) {
		if (!reserve(sb, (size_t)n)) {
			if (room)
				sb->data[sb->len] = '\0';
			return;
		}
		va_start(ap, fmt);
		vsnprintf(sb->data + sb->len, sb->cap - sb->len, fmt, ap);
		va_end(ap);
	}
	sb->len += (size_t)n;
}
