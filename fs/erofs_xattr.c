// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_xattr - extended attributes of EROFS, inline and shared
 *
 * Rules     Entry: name length, prefix index, value size, name, value, padded to 4 bytes. All bounds are
 *           checked against the image for shared entries and against the inode's area for inline ones.
 * Missing   long prefixes (index with bit 7)
 */
#include "fs/erofs_impl.h"

#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

static const char *const prefixes[] = {
	[1] = "user.",
	[2] = "system.posix_acl_access",
	[3] = "system.posix_acl_default",
	[4] = "trusted.",
	[6] = "security.",
};

struct xattr_view {
	const char *prefix;
	const char *name;
	const u8 *value;
	u32 name_len, value_len;
	u32 total; /* bytes to the next entry */
};

static int view_entry(const struct erofs_super *es, u64 off, u64 max, struct xattr_view *v)
{
	const struct erofs_xattr_entry *e = max >= sizeof *e ? erofs_at(es, off, sizeof *e) : NULL;
	u64 need;

	if (!e)
		return -EUCLEAN;
	v->name_len = e->name_len;
	v->value_len = e->value_size;
	need = sizeof *e + (u64)v->name_len + v->value_len;
	if (need > max || !erofs_at(es, off, need))
		return -EUCLEAN;
	v->prefix = e->name_index < ARRAY_SIZE(prefixes) ? prefixes[e->name_index] : NULL;
	v->name = (const char *)(e + 1);
	v->value = (const u8 *)(e + 1) + v->name_len;
	v->total = (u32)ALIGN_UP(need, 4ull);
	return 0;
}

/* Calls fn for each attribute until it returns other than 0. */
static s64 for_each_xattr(struct inode *inode, s64 (*fn)(const struct xattr_view *v, void *arg),
			  void *arg)
{
	struct erofs_inode *ei = erofs_i(inode);
	const struct erofs_super *es = erofs_sb(inode->sb);
	const struct erofs_xattr_header *h;
	struct xattr_view v;
	u64 off, end = ei->xattr_off + ei->xattr_len;
	u32 shared, id;
	s64 ret;

	if (!ei->xattr_off)
		return 0;
	h = erofs_at(es, ei->xattr_off, sizeof *h);
	if (!h)
		return -EUCLEAN;
	shared = h->shared_count;
	off = ei->xattr_off + sizeof *h;
	if (off + shared * 4ull > end)
		return -EUCLEAN;
	for (u32 i = 0; i < shared; i++, off += 4) {
		memcpy(&id, es->w.base + off, sizeof id);
		ret = view_entry(es, es->xattr_off + id * 4ull, U64_MAX, &v);
		if (!ret && v.prefix)
			ret = fn(&v, arg);
		if (ret)
			return ret;
	}
	for (; off < end; off += v.total) {
		ret = view_entry(es, off, end - off, &v);
		if (!ret && v.prefix)
			ret = fn(&v, arg);
		if (ret)
			return ret;
	}
	return 0;
}

struct get_arg {
	const char *name;
	void *value;
	size_t size;
	s64 ret;
};

static s64 get_one(const struct xattr_view *v, void *arg)
{
	struct get_arg *g = arg;
	size_t plen = strlen(v->prefix);

	if (strncmp(g->name, v->prefix, plen) || strlen(g->name) != plen + v->name_len ||
	    memcmp(g->name + plen, v->name, v->name_len))
		return 0;
	g->ret = v->value_len;
	if (g->value) {
		if (g->size < v->value_len)
			g->ret = -ERANGE;
		else
			memcpy(g->value, v->value, v->value_len);
	}
	return 1;
}

s64 erofs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct get_arg g = { name, value, size, -ENODATA };
	s64 ret = for_each_xattr(inode, get_one, &g);

	return ret < 0 ? ret : g.ret;
}

struct list_arg {
	char *list;
	size_t size, need;
};

static s64 list_one(const struct xattr_view *v, void *arg)
{
	struct list_arg *l = arg;
	size_t plen = strlen(v->prefix), len = plen + v->name_len + 1;

	if (l->list) {
		if (l->size - l->need < len)
			return -ERANGE;
		memcpy(l->list + l->need, v->prefix, plen);
		memcpy(l->list + l->need + plen, v->name, v->name_len);
		l->list[l->need + len - 1] = 0;
	}
	l->need += len;
	return 0;
}

s64 erofs_listxattr(struct inode *inode, char *list, size_t size)
{
	struct list_arg l = { list, size, 0 };
	s64 ret = for_each_xattr(inode, list_one, &l);

	return ret < 0 ? ret : (s64)l.need;
}
