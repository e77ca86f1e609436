// SPDX-License-Identifier: Apache-2.0
/*
 * mount_ns - mount namespaces: copying a tree of mounts, entering one, its end
 *
 * Role      task/ns.c makes and enters namespaces through kapi/ns.h; mount_ops.c copies subtrees (rbind).
 * Rules     A copy is complete before anybody can reach it. Mounts of a copy remember the number of the mount they
 *           were made from: that is how a task's root and working directory find their place in it.
 * Locking   The source's ns->lock while its tree is walked; a namespace at its end has no other user.
 * Missing   propagation between namespaces (types are recorded and shown): every namespace is on its own.
 * See       mount_namespaces(7)
 */
#include "fs/mount_tree.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/fsctx.h"
#include "guestkernel/uapi/capability.h"

_Static_assert(offsetof(struct mount_ns, ns) == 0,
	       "task/ns.c takes the address of mount_ns_init for its ns");

struct mount_ns *current_mount_ns(void)
{
	return container_of(current_ns(NS_MNT), struct mount_ns, ns);
}

static void mnt_ns_free(struct ns *ns)
{
	struct mount_ns *mns = container_of(ns, struct mount_ns, ns);

	mount_ns_empty(mns);
	kfree(mns);
}

static int copy_one(const struct copy_tree *c, struct mount *m, struct mount *parent_copy,
		    struct mount **out)
{
	struct path at = { parent_copy, m->mountpoint };
	int err = mount_clone(m, m == c->top ? c->root : m->root, out);

	if (err)
		return err;
	if (c->whole_ns)
		(*out)->flags |= m->flags & (MNT_SHARED | MNT_SLAVE | MNT_UNBINDABLE);
	if (parent_copy)
		mount_attach(NULL, *out, &at);
	return 0;
}

static bool is_copied(struct mount *m, const struct copy_tree *c)
{
	if (m->parent == c->top && !dentry_is_below(m->mountpoint, c->root))
		return false;
	return c->whole_ns || !(m->flags & MNT_UNBINDABLE);
}

/* The mounts below c->top, in order; twin is the copy of m's parent. */
static int copy_children(const struct copy_tree *c, struct mount *copy)
{
	struct mount *m = list_first(&c->top->children, struct mount, child_link), *twin = copy;
	u32 nr = 1;
	int err;

	while (m) {
		if (is_copied(m, c)) {
			if (++nr > MOUNTS_MAX)
				return -ENOSPC;
			err = copy_one(c, m, twin, &copy);
			if (err)
				return err;
			if (!list_empty(&m->children)) {
				twin = copy;
				m = list_first(&m->children, struct mount, child_link);
				continue;
			}
		}
		while (m->child_link.next == &m->parent->children) {
			m = m->parent;
			if (m == c->top)
				return 0;
			twin = twin->parent;
		}
		m = list_entry(m->child_link.next, struct mount, child_link);
	}
	return 0;
}

int mount_copy_tree(const struct copy_tree *c, struct mount **out)
{
	struct list dead = LIST_INIT(dead);
	struct mount *copy;
	int err = copy_one(c, c->top, NULL, &copy);

	if (err)
		return err;
	if (c->recursive)
		err = copy_children(c, copy);
	if (err) {
		mount_umount_tree(copy, &dead);
		mount_put_dead(&dead);
		return err;
	}
	*out = copy;
	return 0;
}

int mnt_ns_copy(struct ns *from, struct ns **out)
{
	struct mount_ns *src = container_of(from, struct mount_ns, ns),
			*mns = knew(struct mount_ns);
	struct copy_tree c = { .recursive = true, .whole_ns = true };
	int err;

	if (!mns)
		return -ENOMEM;
	mount_ns_setup(mns);
	mutex_lock(&src->lock);
	c.top = src->root;
	c.root = src->root->root;
	err = mount_copy_tree(&c, &mns->root);
	mutex_unlock(&src->lock);
	if (err) {
		kfree(mns);
		return err;
	}
	ns_init(&mns->ns, NS_MNT, mnt_ns_free);
	mount_tree_join(mns, mns->root);
	*out = &mns->ns;
	return 0;
}

/* The copy of mnt in mns, borrowed: nobody else knows mns yet. */
static struct mount *find_copy(struct mount_ns *mns, const struct mount *mnt)
{
	struct mount *m;

	list_for_each_entry (m, &mns->mounts, ns_link)
		if (m->copy_of == mnt->id)
			return m;
	return NULL;
}

void mnt_ns_adopt(struct ns *ns, struct fs_ctx *fs)
{
	struct mount_ns *mns = container_of(ns, struct mount_ns, ns);
	struct path root, cwd, p;

	fs_ctx_root(fs, &root);
	fs_ctx_cwd(fs, &cwd);
	p = (struct path){ find_copy(mns, root.mnt), root.dentry };
	if (p.mnt)
		fs_ctx_set_root(fs, &p);
	p = (struct path){ find_copy(mns, cwd.mnt), cwd.dentry };
	if (p.mnt)
		fs_ctx_set_cwd(fs, &p);
	path_put(&root);
	path_put(&cwd);
}

int mnt_ns_enter(struct ns *ns)
{
	struct mount_ns *mns = container_of(ns, struct mount_ns, ns);
	struct fs_ctx *fs = current_fs();
	struct path root;

	if (!capable(CAP_SYS_CHROOT))
		return -EPERM;
	if (fs_ctx_is_shared(fs))
		return -EINVAL;
	mutex_lock(&mns->lock);
	root = (struct path){ mns->root, mns->root->root };
	path_get(&root);
	mutex_unlock(&mns->lock);
	path_climb(&root);
	fs_ctx_set_root(fs, &root);
	fs_ctx_set_cwd(fs, &root);
	path_put(&root);
	return 0;
}
