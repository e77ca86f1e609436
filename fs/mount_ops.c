// SPDX-License-Identifier: Apache-2.0
/*
 * mount_ops - mount(2), umount2(2), pivot_root(2) and their variants
 *
 * Role      sys/sys_mount.c decodes flags and calls here.
 * Rules     Needs CAP_SYS_ADMIN. A place is only used after ns->lock is held and the place was followed up to
 *           the topmost mount; it must still be in the namespace.
 * Locking   ns->lock around every change; references are dropped after it.
 * Missing   propagation (types are recorded and shown, events do not propagate); MNT_EXPIRE; the file
 *           descriptor based mount calls
 * See       mount(2), umount(2), pivot_root(2)
 */
#include "guestkernel/kapi/fsctx.h"
#include "fs/mount_tree.h"
#include "fs/namei.h"
#include "fs/synth.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mount.h"

static const struct {
	u32 ms, mnt;
} flag_map[] = {
	{MS_RDONLY,	     MNT_RDONLY	},
	{ MS_NOSUID,	     MNT_NOSUID	},
	{ MS_NODEV,	    MNT_NODEV      },
	{ MS_NOEXEC,	     MNT_NOEXEC	},
	{ MS_NOATIME,     MNT_NOATIME	  },
	{ MS_NODIRATIME,	 MNT_NODIRATIME },
	{ MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW},
};

u32 mount_flags_from_ms(u32 ms)
{
	u32 flags = 0;

	for (u32 i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (ms & flag_map[i].ms)
			flags |= flag_map[i].mnt;
	/* Relative access times are the default, as since Linux 2.6.30. */
	if (!(ms & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MNT_RELATIME;
	return flags;
}

/* Attaches m on top of at; consumes m on success. */
static int mount_graft(struct mount *m, const struct path *at)
{
	struct mount_ns *ns = current_mount_ns();
	struct path top = *at;
	int err = 0;

	path_get(&top);
	mutex_lock(&ns->lock);
	path_climb(&top);
	if (top.mnt->ns != ns)
		err = -EINVAL;
	else if (inode_is_dir(top.dentry->inode) != inode_is_dir(m->root->inode))
		err = -ENOTDIR;
	else if (top.dentry->flags & DENTRY_DELETED)
		err = -ENOENT;
	else if (ns->nr_mounts >= MOUNTS_MAX)
		err = -ENOSPC;
	if (!err) {
		mount_attach(ns, m, &top);
		mount_changed(ns);
	}
	mutex_unlock(&ns->lock);
	path_put(&top);
	return err;
}

int mount_new(const char *fs_name, const struct mount_args *a, const struct path *at)
{
	const struct fs_type *t = fs_type_find(fs_name, strlen(fs_name));
	struct super *sb;
	struct mount *m;
	int err;

	if (!t)
		return -ENODEV;
	err = t->mount(t, a, &sb);
	if (err)
		return err;
	err = mount_create(sb, a->source, mount_flags_from_ms(a->flags), &m);
	if (err) {
		super_put(sb);
		return err;
	}
	err = mount_graft(m, at);
	if (err)
		mount_put(m);
	return err;
}

int vfs_mount(const char *source, const struct path *at, const char *fs_name, u32 flags,
	      const char *data)
{
	const struct fs_type *t = fs_type_find(fs_name, strlen(fs_name));
	struct mount_args a = { .source = source, .data = data, .flags = flags };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!t || !t->user_mountable)
		return -ENODEV;
	return mount_new(fs_name, &a, at);
}

int vfs_bind(const struct path *from, const struct path *at, u32 flags)
{
	struct mount_ns *ns = current_mount_ns();
	struct copy_tree c = { from->mnt, from->dentry, .recursive = flags & MS_REC };
	struct list dead = LIST_INIT(dead);
	struct mount *m;
	int err = -EINVAL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&ns->lock);
	if (from->mnt->ns == ns && !(from->mnt->flags & MNT_UNBINDABLE))
		err = mount_copy_tree(&c, &m);
	mutex_unlock(&ns->lock);
	if (err)
		return err;
	err = mount_graft(m, at);
	if (err) {
		mount_umount_tree(m, &dead);
		mount_put_dead(&dead);
	}
	return err;
}

static bool mount_is_below(const struct mount *m, const struct mount *top)
{
	for (; m; m = m->parent)
		if (m == top)
			return true;
	return false;
}

int vfs_move_mount(const struct path *from, const struct path *at)
{
	struct mount_ns *ns = current_mount_ns();
	struct mount *m = from->mnt;
	struct dentry *old = NULL;
	struct path top = *at;
	int err = -EINVAL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (from->dentry != m->root)
		return -EINVAL;
	path_get(&top);
	mutex_lock(&ns->lock);
	path_climb(&top);
	if (m->ns != ns || top.mnt->ns != ns || !m->parent)
		goto unlock;
	err = -ELOOP;
	if (mount_is_below(top.mnt, m))
		goto unlock;
	err = -ENOTDIR;
	if (inode_is_dir(top.dentry->inode) != inode_is_dir(m->root->inode))
		goto unlock;
	old = mount_detach(m);
	mount_attach(ns, m, &top);
	mount_changed(ns);
	err = 0;
unlock:
	mutex_unlock(&ns->lock);
	if (old)
		dentry_put(old);
	path_put(&top);
	return err;
}

/* See INVARIANTS of struct mount: the flag first, then the look. */
static int mount_set_flags(struct mount *m, u32 flags)
{
	bool becomes_ro = flags & MNT_RDONLY && !(m->flags & MNT_RDONLY);

	if (becomes_ro) {
		WRITE_ONCE(m->flags, m->flags | MNT_RDONLY);
		smp_mb();
		if (atomic_read(&m->writers)) {
			WRITE_ONCE(m->flags, m->flags & ~(u32)MNT_RDONLY);
			return -EBUSY;
		}
	}
	WRITE_ONCE(m->flags, flags);
	return 0;
}

static int super_remount(struct super *sb, u32 ro, const char *data)
{
	u32 sb_flags = ro, was = sb->flags & MS_RDONLY;
	int err = 0;

	if (ro && !was) {
		WRITE_ONCE(sb->flags, sb->flags | MS_RDONLY);
		smp_mb();
		if (atomic_read(&sb->writers))
			err = -EBUSY;
	}
	if (!err && sb->ops->remount)
		err = sb->ops->remount(sb, &sb_flags, data);
	else if (!err && !ro && was)
		err = -EROFS;
	WRITE_ONCE(sb->flags, (sb->flags & ~(u32)MS_RDONLY) | (err ? was : sb_flags));
	return err;
}

int vfs_remount(const struct path *at, u32 flags, const char *data)
{
	struct mount_ns *ns = current_mount_ns();
	struct mount *m = at->mnt;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (at->dentry != m->root || m->ns != ns)
		return -EINVAL;
	mutex_lock(&ns->lock);
	err = flags & MS_BIND ? 0 : super_remount(m->sb, flags & MS_RDONLY, data);
	if (!err)
		err = mount_set_flags(m,
				      (m->flags & ~(u32)MNT_COPIED) | mount_flags_from_ms(flags));
	if (!err)
		mount_changed(ns);
	mutex_unlock(&ns->lock);
	return err;
}

static void propagation_set(struct mount *m, u32 type)
{
	m->flags &= ~(u32)(MNT_SHARED | MNT_SLAVE | MNT_UNBINDABLE);
	if (type == MS_SHARED)
		m->flags |= MNT_SHARED;
	else if (type == MS_SLAVE)
		m->flags |= MNT_SLAVE;
	else if (type == MS_UNBINDABLE)
		m->flags |= MNT_UNBINDABLE;
}

int vfs_set_propagation(const struct path *at, u32 flags)
{
	struct mount_ns *ns = current_mount_ns();
	u32 type = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
	struct mount *m;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(type | MS_REC | MS_SILENT) || !IS_POWER_OF_2(type))
		return -EINVAL;
	if (at->dentry != at->mnt->root || at->mnt->ns != ns)
		return -EINVAL;
	mutex_lock(&ns->lock);
	propagation_set(at->mnt, type);
	if (flags & MS_REC) {
		list_for_each_entry (m, &ns->mounts, ns_link) {
			if (mount_is_below(m, at->mnt))
				propagation_set(m, type);
		}
	}
	mount_changed(ns);
	mutex_unlock(&ns->lock);
	return 0;
}

void vfs_umount_all(void)
{
	mount_ns_empty(&mount_ns_init);
	synth_drop_singles();
}

int vfs_umount(const struct path *at, u32 flags)
{
	struct mount_ns *ns = current_mount_ns();
	struct list dead = LIST_INIT(dead);
	struct mount *m = at->mnt;
	int err = -EINVAL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&ns->lock);
	if (at->dentry != m->root || m->ns != ns)
		goto unlock;
	if (!m->parent) {
		err = -EBUSY;
		goto unlock;
	}
	/* One reference of the tree, one of the caller's path. */
	if (!(flags & MNT_DETACH) && (refs_read(&m->refs) > 2 || !list_empty(&m->children))) {
		err = -EBUSY;
		goto unlock;
	}
	mount_umount_tree(m, &dead);
	mount_changed(ns);
	err = 0;
unlock:
	mutex_unlock(&ns->lock);
	mount_put_dead(&dead);
	return err;
}

/* p lies at or below top. */
static bool is_reachable(const struct path *p, const struct path *top)
{
	struct mount *m = p->mnt;
	struct dentry *d = p->dentry;

	for (; m != top->mnt && m->parent; m = m->parent)
		d = m->mountpoint;
	return m == top->mnt && dentry_is_below(d, top->dentry);
}

int vfs_pivot_root(const struct path *new_root, const struct path *put_old)
{
	struct mount_ns *ns = current_mount_ns();
	struct path root, old_root_path, parent_place;
	struct mount *new = new_root->mnt, *old;
	struct dentry *freed;
	int err = -EINVAL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	fs_ctx_root(current_fs(), &root);
	old = root.mnt;
	mutex_lock(&ns->lock);
	if (new->ns != ns || old->ns != ns || put_old->mnt->ns != ns)
		goto unlock;
	err = -ENOENT;
	if (new_root->dentry->flags & DENTRY_DELETED)
		goto unlock;
	err = -EBUSY;
	if (new == old || put_old->mnt == old)
		goto unlock;
	err = -EINVAL;
	/* Linux also refuses a root that is mounted on nothing; here the container's is, and may be left. */
	if (root.dentry != old->root || new_root->dentry != new->root || !new->parent)
		goto unlock;
	if (!is_reachable(put_old, new_root) || !is_reachable(new_root, &root))
		goto unlock;
	freed = mount_detach(new);
	if (old->parent) {
		parent_place = (struct path){ old->parent, dentry_get(old->mountpoint) };
		dentry_put(mount_detach(old));
		mount_attach(ns, new, &parent_place);
		dentry_put(parent_place.dentry);
	} else {
		ns->root = new;
	}
	mount_attach(ns, old, put_old);
	dentry_put(freed);
	mount_changed(ns);
	old_root_path = (struct path){ old, old->root };
	fs_ctx_move_all(&old_root_path, new_root);
	err = 0;
unlock:
	mutex_unlock(&ns->lock);
	path_put(&root);
	return err;
}
