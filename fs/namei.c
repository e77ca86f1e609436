// SPDX-License-Identifier: Apache-2.0
/*
 * namei - paths to places and places to texts
 *
 * Role      path_lookup() for everyone who has a path; path_text() and path_getcwd() the other way round. The
 *           walk is in walk.c, opening in open.c, changes of names in names.c.
 * Rules     Texts are built from the end of the buffer under dcache_lock, so they are consistent.
 * See       path_resolution(7), getcwd(2)
 */
#include "fs/namei.h"

#include "fs/walk.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

int path_lookup(s32 dirfd, const char *path, u32 lookup, struct path *out)
{
	struct walk w;
	int err = walk_init(&w, dirfd, NULL, path, lookup);

	if (err)
		return err;
	err = walk_run(&w);
	if (!err)
		walk_take(&w, out);
	walk_fini(&w);
	return err;
}

/* Puts s in front of *end; false when it does not fit. */
static bool text_prepend(char *buf, char **end, const char *s, u32 len)
{
	if ((u64)(*end - buf) < len)
		return false;
	*end -= len;
	memcpy(*end, s, len);
	return true;
}

/* Builds the text backwards into buf; *end moves. *reached: the walk ended at root. */
static bool text_build(const struct path *p, const struct path *root, char *buf, char **end,
		       bool *reached) REQUIRES(&dcache_lock)
{
	struct path at = *p;

	*reached = false;
	for (;;) {
		if (path_equal(&at, root)) {
			*reached = true;
			return true;
		}
		if (at.dentry == at.mnt->root) {
			if (!at.mnt->parent)
				return true;
			at.dentry = at.mnt->mountpoint;
			at.mnt = at.mnt->parent;
			continue;
		}
		if (at.dentry->parent == at.dentry)
			return true;
		if (!text_prepend(buf, end, at.dentry->name, at.dentry->name_len) ||
		    !text_prepend(buf, end, "/", 1))
			return false;
		at.dentry = at.dentry->parent;
	}
}

/* mark: says so when p is outside root. */
static char *text_below(const struct path *p, const struct path *root, bool mark, char *buf,
			u32 size)
{
	char *end = buf + size - 1;
	bool reached, ok;

	*end = 0;
	if (p->mnt->flags & MNT_INTERNAL)
		return text_prepend(buf, &end, p->dentry->name, p->dentry->name_len) ? end : NULL;
	if (p->dentry->flags & DENTRY_DELETED && !text_prepend(buf, &end, " (deleted)", 10))
		return NULL;
	spin_lock(&dcache_lock);
	ok = text_build(p, root, buf, &end, &reached);
	spin_unlock(&dcache_lock);
	if (ok && (*end == 0 || *end == ' '))
		ok = text_prepend(buf, &end, "/", 1);
	if (ok && mark && !reached)
		ok = text_prepend(buf, &end, "(unreachable)", 13);
	return ok ? end : NULL;
}

static char *text_below_own(const struct path *p, bool mark, char *buf, u32 size)
{
	struct path own;
	char *text;

	fs_ctx_root(current_fs(), &own);
	text = text_below(p, &own, mark, buf, size);
	path_put(&own);
	return text;
}

char *path_text(const struct path *p, const struct path *root, char *buf, u32 size)
{
	return root ? text_below(p, root, true, buf, size) : text_below_own(p, false, buf, size);
}

s64 path_getcwd(char *buf, u32 size)
{
	struct path cwd;
	s64 ret = -ENOENT;
	char *text;
	size_t len;

	fs_ctx_cwd(current_fs(), &cwd);
	if (cwd.dentry->flags & DENTRY_DELETED)
		goto put;
	ret = -ERANGE;
	text = text_below_own(&cwd, true, buf, size);
	if (!text)
		goto put;
	len = strlen(text) + 1;
	memmove(buf, text, len);
	ret = (s64)len;
put:
	path_put(&cwd);
	return ret;
}
