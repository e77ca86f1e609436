// SPDX-License-Identifier: Apache-2.0
/*
 * tmpfs_opts - parse and show mount options of tmpfs
 *
 * Rules     Sizes take the suffixes k, m, g, t and %; 0 means no limit. Unknown options are errors, except those
 *           that only tune what does not exist here (huge, mpol, noswap, inode32, inode64).
 */
#include "fs/tmpfs_opts.h"

#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"

static u64 total_pages(void)
{
	struct page_stats st;

	page_stats(&st);
	return st.total;
}

void tmpfs_opts_default(struct tmpfs_opts *o, u32 percent)
{
	u64 total = total_pages();

	*o = (struct tmpfs_opts){
		.max_pages = total / 100 * percent,
		.max_inodes = total / 2,
		.mode = 01777,
	};
}

/* A number with a suffix; bytes, or with % a share of memory in bytes. */
static bool parse_size(const char *s, u64 *out)
{
	char digits[24];
	size_t n = strlen(s);
	u32 shift = 0;
	bool percent = false;

	if (!n || n >= sizeof digits)
		return false;
	memcpy(digits, s, n + 1);
	switch (digits[n - 1] | 0x20) {
	case 't':
		shift += 10;
		fallthrough;
	case 'g':
		shift += 10;
		fallthrough;
	case 'm':
		shift += 10;
		fallthrough;
	case 'k':
		shift += 10;
		digits[n - 1] = 0;
		break;
	case '%' | 0x20:
		percent = digits[n - 1] == '%';
		digits[n - 1] = 0;
		break;
	}
	if (!parse_u64(digits, 10, out))
		return false;
	if (percent)
		*out = total_pages() * PAGE_SIZE / 100 * *out;
	if (shift && *out >> (64 - shift))
		return false;
	*out <<= shift;
	return true;
}

static bool is_ignored(const char *key)
{
	static const char *const names[] = { "huge", "mpol",   "noswap", "inode32", "inode64", "rw",
					     "ro",   "noexec", "nosuid", "nodev",   "defaults" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(key, names[i]))
			return true;
	return false;
}

static int parse_one(const char *key, const char *value, struct tmpfs_opts *o)
{
	u64 n;

	if (is_ignored(key))
		return 0;
	if (!value)
		return -EINVAL;
	if (!strcmp(key, "mode")) {
		if (!parse_u64(value, 8, &n) || n > S_IALLUGO)
			return -EINVAL;
		o->mode = (u32)n;
		return 0;
	}
	if (!parse_size(value, &n))
		return -EINVAL;
	if (!strcmp(key, "size"))
		o->max_pages = (n + PAGE_SIZE - 1) >> PAGE_SHIFT;
	else if (!strcmp(key, "nr_blocks"))
		o->max_pages = n;
	else if (!strcmp(key, "nr_inodes"))
		o->max_inodes = n;
	else if (!strcmp(key, "uid") && n < U32_MAX)
		o->uid = (u32)n;
	else if (!strcmp(key, "gid") && n < U32_MAX)
		o->gid = (u32)n;
	else
		return -EINVAL;
	return 0;
}

int tmpfs_opts_parse(const char *data, struct tmpfs_opts *o)
{
	char item[64], *eq;
	const char *end;
	size_t n;
	int err;

	while (data && *data) {
		end = strchr(data, ',');
		n = end ? (size_t)(end - data) : strlen(data);
		if (n >= sizeof item)
			return -EINVAL;
		memcpy(item, data, n);
		item[n] = 0;
		eq = strchr(item, '=');
		if (eq)
			*eq++ = 0;
		err = n ? parse_one(item, eq, o) : 0;
		if (err)
			return err;
		data = end ? end + 1 : NULL;
	}
	return 0;
}

void tmpfs_opts_show(const struct tmpfs_opts *o, const struct inode *root, struct strbuf *out)
{
	if (o->max_pages)
		strbuf_printf(out, ",size=%lluk",
			      (unsigned long long)(o->max_pages << (PAGE_SHIFT - 10)));
	if (o->max_inodes != total_pages() / 2)
		strbuf_printf(out, ",nr_inodes=%llu", (unsigned long long)o->max_inodes);
	if ((root->mode & S_IALLUGO) != 01777)
		strbuf_printf(out, ",mode=%03o", root->mode & S_IALLUGO);
	if (root->uid)
		strbuf_printf(out, ",uid=%u", root->uid);
	if (root->gid)
		strbuf_printf(out, ",gid=%u", root->gid);
}
