// SPDX-License-Identifier: Apache-2.0
/*
 * unix_path - names of AF_UNIX sockets in the file system
 *
 * Role      Implements kapi/unix_path.h for net/ with the path walk.
 * See       unix(7)
 */
#include "guestkernel/kapi/unix_path.h"
#include "guestkernel/kapi/fsctx.h"
#include "fs/namei.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"

int unix_path_bind(const char *name, const struct file *f, struct path *out)
{
	int ret = vfs_mksocket(name, f->inode->mode & 07777, out); /* applies the umask */

	return ret == -EEXIST ? -EADDRINUSE : ret;
}

int unix_path_lookup(const char *name, struct path *out)
{
	int ret = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, out);

	if (ret)
		return ret;
	ret = inode_permission(path_inode(out), MAY_WRITE);
	if (!ret && !S_ISSOCK(path_inode(out)->mode))
		ret = -ECONNREFUSED;
	if (ret)
		path_put(out);
	return ret;
}

struct inode *unix_path_inode(const struct path *p)
{
	return path_inode(p);
}

void unix_path_put(struct path *p)
{
	path_put(p);
}
