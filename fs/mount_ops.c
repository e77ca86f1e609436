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
	struct mount_ns *ns = &mount_ns_init;
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

/* Copies the mounts below src that lie under root onto the copy dst (rbind). */
static int mount_copy_children(struct mount *src, struct dentry *root, struct mount *dst)
{
	struct mount *child, *copy;
	struct path at = { .mnt = dst };
	int err;

	list_for_each_entry (child, &src->children, child_link) {
		if (!dentry_is_below(child->mountpoint, root) || child->flags & MNT_UNBINDABLE)
			continue;
		err = mount_clone(child, child->root, &copy);
		if (err)
			return err;
		at.dentry = child->mountpoint;
		mount_attach(&mount_ns_init, copy, &at);
		/* Depth is bounded by the number of mounts; each level is one bind inside another. */
		err = mount_copy_children(child, child->root, copy);
		if (err)
			return err;
	}
	return 0;
}

int vfs_bind(const struct path *from, const struct path *at, u32 flags)
{
	struct mount_ns *ns = &mount_ns_init;
	struct mount *m;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (from->mnt->ns != ns || from->mnt->flags & MNT_UNBINDABLE)
		return -EINVAL;
	err = mount_clone(from->mnt, from->dentry, &m);
	if (err)
		return err;
	err = mount_graft(m, at);
	if (err) {
		mount_put(m);
		return err;
	}
	if (!(flags & MS_REC))
		return 0;
	mutex_lock(&ns->lock);
	if (m->ns)
		err = mount_copy_children(from->mnt, from->dentry, m);
	mutex_unlock(&ns->lock);
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
	struct mount_ns *ns = &mount_ns_init;
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

int vfs_remount(const struct path *at, u32 flags, const char *data)
{
	struct mount_ns *ns = &mount_ns_init;
	struct mount *m = at->mnt;
	u32 sb_flags = flags & MS_RDONLY;
	int err = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (at->dentry != m->root || m->ns != ns)
		return -EINVAL;
	mutex_lock(&ns->lock);
	if (!(flags & MS_BIND)) {
		if (m->sb->ops->remount)
			err = m->sb->ops->remount(m->sb, &sb_flags, data);
		else if (!sb_flags && m->sb->flags & MS_RDONLY)
			err = -EROFS;
		if (!err)
			m->sb->flags = (m->sb->flags & ~(u32)MS_RDONLY) | sb_flags;
	}
	if (!err) {
		m->flags = (m->flags & ~MNT_COPIED) | mount_flags_from_ms(flags);
		mount_changed(ns);
	}
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
	struct mount_ns *ns = &mount_ns_init;
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

/* Takes m and everything below it out of the tree onto list dead (linked through ns_link). */
static void umount_tree(struct mount_ns *ns, struct mount *m, struct list *dead)
{
	struct mount *o, *tmp;
	bool again;

	/* Leaves first, so that parents stay valid while their children are asked about them. */
	do {
		again = false;
		list_for_each_entry_safe (o, tmp, &ns->mounts, ns_link) {
			if (o == m || !mount_is_below(o, m) || !list_empty(&o->children))
				continue;
			list_del(&o->ns_link);
			list_add_tail(dead, &o->ns_link);
			again = true;
			dentry_put(mount_detach(o));
		}
	} while (again);
	list_del(&m->ns_link);
	list_add_tail(dead, &m->ns_link);
	if (m->parent)
		dentry_put(mount_detach(m));
}

static void put_dead(struct mount_ns *ns, struct list *dead)
{
	struct mount *m;

	while ((m = list_first(dead, struct mount, ns_link))) {
		list_del(&m->ns_link);
		m->ns = NULL;
		m->flags |= MNT_UNMOUNTED;
		ns->nr_mounts--;
		mount_put(m);
	}
}

void vfs_umount_all(void)
{
	struct mount_ns *ns = &mount_ns_init;
	struct list dead = LIST_INIT(dead);

	mutex_lock(&ns->lock);
	umount_tree(ns, ns->root, &dead);
	ns->root = NULL;
	mutex_unlock(&ns->lock);
	put_dead(ns, &dead);
	synth_drop_singles();
}

int vfs_umount(const struct path *at, u32 flags)
{
	struct mount_ns *ns = &mount_ns_init;
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
	umount_tree(ns, m, &dead);
	mount_changed(ns);
	err = 0;
unlock:
	mutex_unlock(&ns->lock);
	put_dead(ns, &dead);
	return err;
}

int vfs_pivot_root(const struct path *new_root, const struct path *put_old)
{
	struct mount_ns *ns = &mount_ns_init;
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
	if (new_root->dentry != new->root || root.dentry != old->root || !new->parent)
		goto unlock;
	err = -EBUSY;
	if (new == old || put_old->mnt == old)
		goto unlock;
	err = -EINVAL;
	if (put_old->mnt != new ? !mount_is_below(put_old->mnt, new)
				: !dentry_is_below(put_old->dentry, new->root))
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
