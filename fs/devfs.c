// SPDX-License-Identifier: Apache-2.0
/*
 * devfs - opening character devices; the device directory of a container
 *
 * Role      chrdev_open() maps device numbers to their drivers. "devtmpfs" is a tmpfs filled with the nodes, links
 *           and mount points that container runtimes put into /dev, so that programs may add to it.
 * Rules     Device numbers are Linux's. A number without a driver is -ENXIO, as in Linux.
 * Missing   Block devices. Every mount of devtmpfs is a new instance.
 * See       memdev.c, tty.c, tty_pty.c, devpts.c
 */
#include "fs/devfs.h"
#include "fs/mount.h"
#include "fs/tty.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define MAJOR_MEM 1
#define MAJOR_TTY 5

int chrdev_open(struct inode *inode, struct file *f)
{
	u32 major = dev_major(inode->rdev), minor = dev_minor(inode->rdev);

	if (major == MAJOR_MEM) {
		const struct file_ops *ops = memdev_ops(minor);

		if (!ops)
			return -ENXIO;
		f->ops = ops;
		return 0;
	}
	if (major == TTY_PTS_MAJOR)
		return tty_open_slave(minor, f);
	if (major != MAJOR_TTY)
		return -ENXIO;
	switch (minor) {
	case 0:
		return tty_open_current(f);
	case 1:
		return tty_open_console(f);
	case 2:
		return ptmx_open(f);
	default:
		return -ENXIO;
	}
}

struct dev_node {
	const char *name;
	u32 mode;
	u32 major, minor;
	const char *link;
};

static const struct dev_node dev_nodes[] = {
	{"null",	  S_IFCHR | 0666,  MAJOR_MEM, 3, NULL	     },
	{ "zero",	  S_IFCHR | 0666,  MAJOR_MEM, 5, NULL	     },
	{ "full",	  S_IFCHR | 0666,  MAJOR_MEM, 7, NULL	     },
	{ "random",  S_IFCHR | 0666,  MAJOR_MEM, 8, NULL	       },
	{ "urandom", S_IFCHR | 0666,  MAJOR_MEM, 9, NULL		},
	{ "tty",	 S_IFCHR | 0666,	 MAJOR_TTY, 0, NULL		    },
	{ "console", S_IFCHR | 0620,  MAJOR_TTY, 1, NULL		},
	{ "ptmx",	  S_IFLNK | 0777,  0,	     0, "pts/ptmx"	   },
	{ "fd",	S_IFLNK | 0777,	0,	   0, "/proc/self/fd"  },
	{ "stdin",   S_IFLNK | 0777,  0,	      0, "/proc/self/fd/0"},
	{ "stdout",  S_IFLNK | 0777,  0,	       0, "/proc/self/fd/1"},
	{ "stderr",  S_IFLNK | 0777,  0,	       0, "/proc/self/fd/2"},
	{ "core",	  S_IFLNK | 0777,  0,	     0, "/proc/kcore"    },
	{ "pts",	 S_IFDIR | 0755,	 0,	    0, NULL		    },
	{ "shm",	 S_IFDIR | 01777, 0,	     0, NULL	     },
	{ "mqueue",  S_IFDIR | 01777, 0,		0, NULL		},
};

static int dev_node_add(struct inode *dir, const struct dev_node *dn)
{
	struct new_inode ni = {
		.mode = dn->mode,
		.rdev = S_ISCHR(dn->mode) ? makedev(dn->major, dn->minor) : 0,
		.link = dn->link,
	};
	struct name n = name_make(dn->name, (u32)strlen(dn->name));
	struct inode *made;
	int ret;

	inode_lock(dir);
	ret = dir->ops->create(dir, &n, &ni, &made);
	inode_unlock(dir);
	if (!ret)
		inode_put(made);
	return ret;
}

static int devfs_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	const struct fs_type *tmpfs = fs_type_find("tmpfs", 5);
	struct mount_args args = { .source = a->source, .data = "mode=755", .flags = a->flags };
	struct super *sb;
	int ret;

	if (!tmpfs)
		return -ENODEV;
	ret = tmpfs->mount(tmpfs, &args, &sb);
	if (ret)
		return ret;
	for (u32 i = 0; i < ARRAY_SIZE(dev_nodes) && !ret; i++)
		ret = dev_node_add(sb->root, &dev_nodes[i]);
	if (ret) {
		super_put(sb);
		return ret;
	}
	*out = sb;
	return 0;
}

const struct fs_type devfs_type = {
	.name = "devtmpfs",
	.no_dev = true,
	.user_mountable = true,
	.mount = devfs_mount,
};
