// SPDX-License-Identifier: Apache-2.0
/*
 * nsfs - namespaces as files
 *
 * Role      /proc/<pid>/ns/<kind> leads here; an open file keeps its namespace alive, setns(2) enters it.
 * Rules     One inode for each walk that reaches it, with the namespace's number: programs compare device and
 *           inode number, which are equal for one namespace.
 * Missing   NS_GET_USERNS, NS_GET_PARENT, NS_GET_OWNER_UID; bind mounts of a namespace
 * See       ioctl_nsfs(2)
 */
#include "fs/anonfs.h"
#include "fs/synth.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/ns.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/ioctl.h"
#include "guestkernel/uapi/sched.h"

struct ns_inode {
	struct inode vfs;
	struct ns *ns; /* referenced */
};

static struct ns *ns_of(struct inode *inode)
{
	return container_of(inode, struct ns_inode, vfs)->ns;
}

static void nsfs_evict(struct inode *inode)
{
	ns_put(ns_of(inode));
	kfree(container_of(inode, struct ns_inode, vfs));
}

static s64 nsfs_ioctl(struct file *f, u32 cmd, u64 arg)
{
	static const u32 flag[NS_KINDS] = { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS,
					    CLONE_NEWNET,    CLONE_NEWPID, CLONE_NEWTIME,
					    CLONE_NEWUSER,   CLONE_NEWUTS };

	return cmd == NS_GET_NSTYPE ? (s64)flag[ns_of(f->inode)->kind] : -ENOTTY;
}

static const struct file_ops nsfs_fops = {
	.ioctl = nsfs_ioctl,
};

static int nsfs_open(struct inode *inode, struct file *f)
{
	if (file_can_write(f))
		return -EPERM;
	f->ops = &nsfs_fops;
	return 0;
}

static const struct inode_ops nsfs_iops = {
	.open = nsfs_open,
	.evict = nsfs_evict,
};

static const struct super_ops nsfs_super_ops = {
	.umount = NULL,
};

static const struct fs_type nsfs_type = {
	.name = "nsfs",
	.no_dev = true,
};

static int make(const struct fs_type *t, struct super **out)
{
	return super_create(t, &nsfs_super_ops, NSFS_MAGIC, out);
}

int nsfs_path(struct ns *ns, struct path *out)
{
	static struct synth_single single = SYNTH_SINGLE_INIT(make);
	struct ns_inode *ni = knew(struct ns_inode);
	struct super *sb;
	char text[48];
	int err;

	if (!ni)
		return -ENOMEM;
	err = synth_mount_single(&single, &nsfs_type, &sb);
	if (err) {
		kfree(ni);
		return err;
	}
	ni->ns = ns_get(ns);
	inode_init(&ni->vfs, sb, ns->ino, S_IFREG | 0444, &nsfs_iops);
	snprintf(text, sizeof text, "%s:[%llu]", ns_names[ns->kind], (unsigned long long)ns->ino);
	err = dentry_create_root(&ni->vfs, text, sb, &out->dentry);
	super_put(sb); /* the single instance stays */
	if (err) {
		inode_put(&ni->vfs);
		return err;
	}
	out->mnt = mount_get(anonfs_mount());
	return 0;
}

struct ns *nsfs_file_ns(struct file *f)
{
	return f->ops == &nsfs_fops ? ns_of(f->inode) : NULL;
}
