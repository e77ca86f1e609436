// SPDX-License-Identifier: Apache-2.0
/*
 * strbuf - growing text buffer for generated files (/proc, /sys, fdinfo)
 *
 * Rules     A failed allocation sets .failed and further appends do nothing; the reader gets -ENOMEM.
 *           lib/strbuf.c.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct strbuf {
	char *data;
	size_t len, cap;
	bool failed;
};

void strbuf_init(struct strbuf *sb);
void strbuf_fini(struct strbuf *sb);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) printf_like(2, 3);
void strbuf_add(struct strbuf *sb, const void *p, size_t n);
void strbuf_addc(struct strbuf *sb, char c);
