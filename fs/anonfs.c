// SPDX-License-Identifier: Apache-2.0
/*
 * anonfs - open files without a name: one internal mount, one inode each
 *
 * Role      See anonfs.h. Pipes, sockets, eventfd, epoll and the like.
 * Rules     A name that holds a colon or a slash is shown as it is; others become "name:[ino]".
 * See       proc(5), /proc/pid/fd
 */
#include "fs/anonfs.h"

#include "fs/filp.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

static struct super *anon_super;
static struct mount *anon_mount;

static void anon_evict(struct inode *inode)
{
	kfree(inode);
}

static int anon_setattr(struct inode *inode, const struct attr *a)
{
	if (a->valid & ATTR_SIZE)
		return -EINVAL;
	inode_apply_attr(inode, a);
	return 0;
}

static const struct inode_ops anon_inode_ops = {
	.setattr = anon_setattr,
	.evict = anon_evict,
};

static const struct super_ops anon_super_ops = {
	.umount = NULL,
};

static const struct fs_type anon_fs_type = {
	.name = "anon_inodefs",
	.no_dev = true,
};

static int anon_inode_create(u32 mode, struct inode **out)
{
	struct inode *inode = knew(struct inode);

	if (!inode)
		return -ENOMEM;
	inode_init(inode, anon_super, inode_next_ino(), mode, &anon_inode_ops);
	if (anon_mount) {
		inode->uid = current_cred()->fsuid;
		inode->gid = current_cred()->fsgid;
	}
	*out = inode;
	return 0;
}

int anonfs_init(void)
{
	int err = super_create(&anon_fs_type, &anon_super_ops, ANON_INODE_FS_MAGIC, &anon_super);

	if (err)
		return err;
	err = anon_inode_create(S_IFDIR | 0555, &anon_super->root);
	if (err)
		return err;
	return mount_create(anon_super, "anon_inodefs", MNT_INTERNAL, &anon_mount);
}

struct mount *anonfs_mount(void)
{
	return anon_mount;
}

/* A place for one anonymous object; the dentry has the only reference. */
static int anon_place(const char *name, u32 mode, struct path *out)
{
	struct inode *inode;
	char text[64];
	bool is_whole = strchr(name, ':') || strchr(name, '/');
	int err = anon_inode_create(mode, &inode);

	if (err)
		return err;
	if (!is_whole)
		snprintf(text, sizeof text, "%s:[%llu]", name, (unsigned long long)inode->ino);
	err = dentry_create_root(inode, is_whole ? name : text, anon_super, &out->dentry);
	if (err) {
		inode_put(inode);
		return err;
	}
	out->mnt = anon_mount;
	return 0;
}

int file_create_anon(const char *name, u32 mode, u32 flags, const struct file_ops *ops, void *priv,
		     struct file **out)
{
	struct path p;
	int err = anon_place(name, mode, &p);

	if (err)
		return err;
	err = file_alloc(&p, flags, out);
	dentry_put(p.dentry);
	if (err)
		return err;
	(*out)->ops = ops;
	(*out)->priv = priv;
	return 0;
}

int file_create_anon_pair(const char *name, u32 mode, const u32 flags[2],
			  const struct file_ops *const ops[2], void *priv, struct file *out[2])
{
	struct file *f[2] = { NULL, NULL };
	struct path p;
	int err = anon_place(name, mode, &p);

	if (err)
		return err;
	err = file_alloc(&p, flags[0], &f[0]);
	if (!err) {
		err = file_alloc(&p, flags[1], &f[1]);
		if (err)
			file_put(f[0]);
	}
	dentry_put(p.dentry);
	if (err)
		return err;
	for (u32 i = 0; i < 2; i++) {
		f[i]->ops = ops[i];
		f[i]->priv = priv;
		out[i] = f[i];
	}
	return 0;
}
