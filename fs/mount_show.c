// SPDX-License-Identifier: Apache-2.0
/*
 * mount_show - /proc/<pid>/mounts, mountinfo and mountstats
 *
 * Rules     Mounts that cannot be reached from root are left out, as Linux does. Blanks and backslashes in
 *           names are written as octal escapes.
 * See       proc(5)
 */
#include "fs/mount_tree.h"
#include "fs/namei.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/mount.h"

static void add_escaped(struct strbuf *sb, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\')
			strbuf_printf(sb, "\\%03o", (u8)*s);
		else
			strbuf_addc(sb, *s);
	}
}

static void add_mount_flags(struct strbuf *sb, const struct mount *m)
{
	static const struct {
		u32 flag;
		const char *text;
	} map[] = {
		{MNT_NOSUID,	      ",nosuid"	},
		     { MNT_NODEV,	  ",nodev"	   },
		{ MNT_NOEXEC,      ",noexec"	},
		     { MNT_NOATIME,	    ",noatime"    },
		{ MNT_NODIRATIME,  ",nodiratime" },
		     { MNT_RELATIME,    ",relatime"	 },
		{ MNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		if (m->flags & map[i].flag)
			strbuf_printf(sb, "%s", map[i].text);
}

static void add_super_options(struct strbuf *sb, const struct mount *m)
{
	if (m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, sb);
}

static bool is_reachable(const struct mount *m, const struct path *root)
{
	for (; m; m = m->parent)
		if (m == root->mnt)
			return true;
	return false;
}

static void show_mounts_line(struct strbuf *sb, struct mount *m, const char *where)
{
	add_escaped(sb, m->source);
	strbuf_addc(sb, ' ');
	add_escaped(sb, where);
	strbuf_printf(sb, " %s %s", m->sb->type->name, mount_want_write(m) ? "ro" : "rw");
	add_mount_flags(sb, m);
	add_super_options(sb, m);
	strbuf_printf(sb, " 0 0\n");
}

static void show_mountinfo_line(struct strbuf *sb, struct mount *m, const char *where, char *buf)
{
	struct path top = { m, m->sb->root_dentry }, inner = { m, m->root };
	char *root = path_text(&inner, &top, buf, PATH_MAX);

	strbuf_printf(sb, "%u %u %u:%u ", m->id, m->parent ? m->parent->id : 1u,
		      dev_major(m->sb->dev), dev_minor(m->sb->dev));
	add_escaped(sb, m->root == m->sb->root_dentry || !root ? "/" : root);
	strbuf_addc(sb, ' ');
	add_escaped(sb, where);
	strbuf_printf(sb, " %s", m->flags & MNT_RDONLY ? "ro" : "rw");
	add_mount_flags(sb, m);
	if (m->flags & MNT_SHARED)
		strbuf_printf(sb, " shared:%u", m->id);
	if (m->flags & MNT_UNBINDABLE)
		strbuf_printf(sb, " unbindable");
	strbuf_printf(sb, " - %s ", m->sb->type->name);
	add_escaped(sb, m->source);
	strbuf_printf(sb, " %s", m->sb->flags & MS_RDONLY ? "ro" : "rw");
	add_super_options(sb, m);
	strbuf_addc(sb, '\n');
}

static void show_mountstats_line(struct strbuf *sb, struct mount *m, const char *where)
{
	strbuf_printf(sb, "device ");
	add_escaped(sb, m->source);
	strbuf_printf(sb, " mounted on ");
	add_escaped(sb, where);
	strbuf_printf(sb, " with fstype %s\n", m->sb->type->name);
}

void mount_show(struct strbuf *sb, enum mount_show_kind kind, struct mount_ns *ns,
		const struct path *root)
{
	char *buf = kmalloc(PATH_MAX * 2), *where;
	struct mount *m;

	if (!buf) {
		sb->failed = true;
		return;
	}
	mutex_lock(&ns->lock);
	list_for_each_entry (m, &ns->mounts, ns_link) {
		struct path p = { m, m->root };

		if (!is_reachable(m, root))
			continue;
		where = path_text(&p, root, buf, PATH_MAX);
		if (!where || *where != '/')
			continue;
		if (kind == MOUNT_SHOW_MOUNTS)
			show_mounts_line(sb, m, where);
		else if (kind == MOUNT_SHOW_MOUNTINFO)
			show_mountinfo_line(sb, m, where, buf + PATH_MAX);
		else
			show_mountstats_line(sb, m, where);
	}
	mutex_unlock(&ns->lock);
	kfree(buf);
}
