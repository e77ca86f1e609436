// SPDX-License-Identifier: Apache-2.0
/*
 * sysctl - text of the files under /proc/sys
 *
 * Role      See kapi/sysctl.h.
 * Missing   Writes behind the file's beginning are taken as if at it.
 * See       proc(5), sysctl(8)
 */
#include "guestkernel/kapi/sysctl.h"

#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define NUMBERS_MAX 4

static s64 number_get(const struct sysctl *k, u32 i)
{
	return k->size == 8 ? (s64)READ_ONCE(((u64 *)k->value)[i])
			    : READ_ONCE(((s32 *)k->value)[i]);
}

int sysctl_show(struct strbuf *sb, void *ctx)
{
	const struct sysctl *k = ctx;

	if (!k->nr)
		strbuf_printf(sb, "%s", (const char *)k->value);
	for (u32 i = 0; i < k->nr; i++)
		strbuf_printf(sb, k->size == 8 ? "%s%llu" : "%s%lld", i ? "\t" : "",
			      (long long)number_get(k, i));
	strbuf_addc(sb, '\n');
	return sb->failed ? -ENOMEM : 0;
}

int sysctl_show_text(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", (const char *)ctx);
	return sb->failed ? -ENOMEM : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static u32 digit_of(char c)
{
	return c >= '0' && c <= '9'		    ? (u32)(c - '0')
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (u32)((c | 32) - 'a') + 10
						    : 99;
}

/* 0 or -EINVAL. *p moves behind the number. */
static int parse_one(const char **p, const char *end, bool *negative, u64 *out)
{
	const char *s = *p;
	u32 base = 10;
	u64 v = 0;

	*negative = s < end && *s == '-';
	s += *negative;
	if (end - s > 1 && *s == '0') {
		base = (s[1] | 32) == 'x' ? 16 : 8;
		s += base == 16 ? 2 : 1;
	}
	if (s == end || digit_of(*s) >= base)
		return -EINVAL;
	for (; s < end && digit_of(*s) < base; s++) {
		if (v > (U64_MAX - digit_of(*s)) / base)
			return -EINVAL;
		v = v * base + digit_of(*s);
	}
	if (s < end && *s && !is_blank(*s))
		return -EINVAL;
	*p = s;
	*out = v;
	return 0;
}

static int check_one(const struct sysctl *k, bool negative, u64 v, s64 *out)
{
	if (k->size == 8) {
		if ((negative && v) || v < (u64)k->min || v > (u64)k->max)
			return -EINVAL;
		*out = (s64)v;
		return 0;
	}
	if (v > 1ull << 31)
		return -EINVAL;
	*out = negative ? -(s64)v : (s64)v;
	return *out < k->min || *out > k->max ? -EINVAL : 0;
}

static int parse_all(const struct sysctl *k, const char *text, size_t n, s64 *v, u32 *count)
{
	const char *p = text, *end = text + strnlen(text, n);
	bool negative;
	u64 number;
	int ret;

	for (*count = 0; *count < k->nr; ++*count) {
		while (p < end && is_blank(*p))
			p++;
		if (p == end)
			break;
		ret = parse_one(&p, end, &negative, &number);
		if (!ret)
			ret = check_one(k, negative, number, &v[*count]);
		if (ret)
			return ret;
	}
	return *count ? 0 : -EINVAL;
}

static void store_word(const struct sysctl *k, const char *text, size_t n)
{
	char *to = k->value;
	size_t i;

	for (i = 0; i < n && i < k->size - 1 && text[i] && text[i] != '\n'; i++)
		to[i] = text[i];
	to[i] = 0;
}

int sysctl_store(const char *text, size_t n, void *ctx)
{
	const struct sysctl *k = ctx;
	s64 v[NUMBERS_MAX];
	u32 count, i;
	int ret;

	if (k->capability && !capable(k->capability - 1))
		return -EPERM;
	if (!n)
		return 0;
	if (!k->nr) {
		store_word(k, text, n);
	} else {
		ret = parse_all(k, text, n, v, &count);
		if (ret)
			return ret;
		for (i = 0; i < count; i++) {
			if (k->size == 8)
				WRITE_ONCE(((u64 *)k->value)[i], (u64)v[i]);
			else
				WRITE_ONCE(((s32 *)k->value)[i], (s32)v[i]);
		}
	}
	if (k->changed)
		k->changed();
	return 0;
}
