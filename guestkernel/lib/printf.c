// SPDX-License-Identifier: Apache-2.0
/*
 * printf - formatted output into a buffer
 *
 * Role      snprintf and vsnprintf of kapi/string.h; log, panic, strbuf and strace stand on them.
 * Rules     Returns what the whole text would need, like C. Unknown conversions are copied as they are.
 * Missing   Floating point, %n, positional arguments.
 * See       tests/unit/printf_test.c
 */
#include "guestkernel/kapi/string.h"

struct sink {
	char *buf;
	size_t cap, len; /* len counts what did not fit, too */
};

struct spec {
	bool left, zero, plus, space, alt, upper, is_signed;
	s32 width, precision; /* precision -1: none */
	u32 base;
	s32 size; /* bytes of an integer argument */
};

static void emit(struct sink *o, char c)
{
	if (o->len < o->cap)
		o->buf[o->len] = c;
	o->len++;
}

static void emit_fill(struct sink *o, char c, s32 n)
{
	while (n-- > 0)
		emit(o, c);
}

static void emit_mem(struct sink *o, const char *s, size_t n)
{
	while (n--)
		emit(o, *s++);
}

static void emit_padded(struct sink *o, const struct spec *sp, const char *s, size_t n)
{
	s32 pad = sp->width > (s32)n ? sp->width - (s32)n : 0;

	if (!sp->left)
		emit_fill(o, ' ', pad);
	emit_mem(o, s, n);
	if (sp->left)
		emit_fill(o, ' ', pad);
}

/* Writes the digits of v at the end of buf[24]; returns their count. */
static s32 make_digits(char *buf, u64 v, u32 base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	s32 n = 0;

	do {
		buf[23 - n++] = digits[v % base];
		v /= base;
	} while (v);
	return n;
}

static void emit_number(struct sink *o, const struct spec *sp, u64 v, bool negative)
{
	char digits[24], prefix[3];
	s32 nd, np = 0, zeros = 0, pad;

	nd = v || sp->precision != 0 ? make_digits(digits, v, sp->base, sp->upper) : 0;
	if (negative)
		prefix[np++] = '-';
	else if (sp->plus)
		prefix[np++] = '+';
	else if (sp->space)
		prefix[np++] = ' ';
	if (sp->alt && sp->base == 16 && v) {
		prefix[np++] = '0';
		prefix[np++] = sp->upper ? 'X' : 'x';
	}
	if (sp->precision > nd)
		zeros = sp->precision - nd;
	if (sp->alt && sp->base == 8 && !zeros && (v || !nd))
		zeros = 1;
	pad = sp->width - nd - np - zeros;
	if (sp->zero && !sp->left && sp->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!sp->left)
		emit_fill(o, ' ', pad);
	emit_mem(o, prefix, (size_t)np);
	emit_fill(o, '0', zeros);
	emit_mem(o, digits + 24 - nd, (size_t)nd);
	if (sp->left)
		emit_fill(o, ' ', pad);
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			sp->left = true;
			break;
		case '0':
			sp->zero = true;
			break;
		case '+':
			sp->plus = true;
			break;
		case ' ':
			sp->space = true;
			break;
		case '#':
			sp->alt = true;
			break;
		default:
			return f;
		}
	}
}

/* A decimal count; formats are ours, so it only has to be safe against overflow. */
static const char *parse_count(const char *f, s32 *out)
{
	s32 v = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		v = v > 100000 ? v : v * 10 + (*f - '0');
	*out = v;
	return f;
}

static const char *parse_size(const char *f, struct spec *sp)
{
	sp->size = sizeof(int);
	if (*f == 'l') {
		sp->size = sizeof(long);
		f += f[1] == 'l' ? 2 : 1;
	} else if (*f == 'h') {
		sp->size = f[1] == 'h' ? 1 : 2;
		f += f[1] == 'h' ? 2 : 1;
	} else if (*f == 'z' || *f == 'j' || *f == 't') {
		sp->size = sizeof(size_t);
		f++;
	}
	return f;
}

/* Knows whether c is an integer conversion and how it looks. */
static bool integer_spec(char c, struct spec *sp)
{
	sp->base = 10;
	switch (c) {
	case 'd':
	case 'i':
		sp->is_signed = true;
		return true;
	case 'u':
		return true;
	case 'o':
		sp->base = 8;
		return true;
	case 'X':
		sp->upper = true;
		sp->base = 16;
		return true;
	case 'x':
		sp->base = 16;
		return true;
	default:
		return false;
	}
}

static void emit_integer(struct sink *o, const struct spec *sp, u64 v)
{
	u32 shift = 64 - 8 * (u32)sp->size;
	s64 sv;

	if (!sp->is_signed) {
		emit_number(o, sp, v << shift >> shift, false);
		return;
	}
	sv = (s64)(v << shift) >> shift;
	emit_number(o, sp, sv < 0 ? 0 - (u64)sv : (u64)sv, sv < 0);
}

static void emit_string(struct sink *o, const struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	emit_padded(o, sp, s, sp->precision >= 0 ? strnlen(s, (size_t)sp->precision) : strlen(s));
}

int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
{
	struct sink o = { .buf = buf, .cap = n ? n - 1 : 0 };
	const char *start;
	char c;

	for (; *fmt; fmt++) {
		struct spec sp = { .precision = -1 };

		if (*fmt != '%') {
			emit(&o, *fmt);
			continue;
		}
		start = fmt;
		fmt = parse_flags(fmt + 1, &sp);
		if (*fmt == '*') {
			sp.width = va_arg(ap, int);
			sp.left |= sp.width < 0;
			sp.width = sp.width < 0 ? -sp.width : sp.width;
			fmt++;
		} else {
			fmt = parse_count(fmt, &sp.width);
		}
		if (*fmt == '.') {
			fmt++;
			if (*fmt == '*') {
				sp.precision = va_arg(ap, int);
				fmt++;
			} else {
				fmt = parse_count(fmt, &sp.precision);
			}
		}
		fmt = parse_size(fmt, &sp);
		if (*fmt == 's') {
			emit_string(&o, &sp, va_arg(ap, const char *));
		} else if (*fmt == 'c') {
			c = (char)va_arg(ap, int);
			emit_padded(&o, &sp, &c, 1);
		} else if (*fmt == 'p') {
			sp.base = 16;
			sp.alt = true;
			emit_number(&o, &sp, (uintptr_t)va_arg(ap, void *), false);
		} else if (*fmt == '%') {
			emit(&o, '%');
		} else if (integer_spec(*fmt, &sp)) {
			emit_integer(&o, &sp,
				     sp.size == 8 ? va_arg(ap, u64) : va_arg(ap, unsigned int));
		} else {
			emit_mem(&o, start, (size_t)(fmt - start) + (*fmt != '\0'));
			if (!*fmt)
				break;
		}
	}
	if (n)
		buf[o.len < o.cap ? o.len : o.cap] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return ret;
}
