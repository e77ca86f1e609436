// SPDX-License-Identifier: Apache-2.0
/*
 * exec - what execve and the start of process 1 need of the file systems
 *
 * Role      Implements kapi/exec.h for task/.
 * Rules     A file opened for execution denies writers (ETXTBSY) while it is open.
 * See       execve(2), capabilities(7)
 */
#include "guestkernel/kapi/exec.h"

#include "fs/filp.h"
#include "guestkernel/kapi/fsctx.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/xattr.h"

#define CAPS_KNOWN ((1ull << (CAP_LAST_CAP + 1)) - 1)

int exec_open(s32 dirfd, const char *name, u32 flags, struct file **out)
{
	u32 lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct inode *inode;
	struct path p;
	int err;

	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup(dirfd, name, lookup, &p);
	if (err)
		return err;
	inode = path_inode(&p);
	err = -ELOOP;
	if (S_ISLNK(inode->mode))
		goto put;
	err = -EACCES;
	if (!S_ISREG(inode->mode) || p.mnt->flags & MNT_NOEXEC)
		goto put;
	err = inode_permission(inode, MAY_EXEC);
	if (err)
		goto put;
	err = inode_deny_write(inode);
	if (err)
		goto put;
	/* Reading the program is the kernel's business: no read permission needed. */
	err = file_alloc(&p, O_RDONLY | O_LARGEFILE | FILE_DENIES_WRITE, out);
	if (err) {
		inode_allow_write(inode);
	} else {
		err = file_open(*out);
		if (err)
			file_put(*out);
		else
			notify_file(*out, IN_OPEN);
	}
put:
	path_put(&p);
	return err;
}

/* inode locked. */
static int read_caps(struct inode *inode, struct exec_file_info *out)
{
	struct vfs_cap c;
	s64 n;

	if (!inode->ops->getxattr)
		return 0;
	n = inode->ops->getxattr(inode, XATTR_NAME_CAPS, &c, sizeof c);
	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	if (n < 0 || !xattr_caps_valid(&c, (size_t)n, false))
		return -EINVAL;
	if ((c.magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_1)
		c.data[1].permitted = c.data[1].inheritable = 0;
	/* Given inside a user namespace that is not ours: for nobody here. */
	if ((c.magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && c.rootid)
		return 0;
	out->has_caps = true;
	out->caps_effective = c.magic & VFS_CAP_FLAGS_EFFECTIVE;
	out->cap_permitted = (c.data[0].permitted | (u64)c.data[1].permitted << 32) & CAPS_KNOWN;
	out->cap_inheritable =
		(c.data[0].inheritable | (u64)c.data[1].inheritable << 32) & CAPS_KNOWN;
	return 0;
}

int exec_file_info(struct file *f, struct exec_file_info *out)
{
	struct inode *inode = f->inode;
	struct kstat st;
	int err;

	/* One moment: else a file could be taken for its old mode with its new owner. */
	inode_lock_shared(inode);
	err = vfs_getattr(&f->path, &st);
	if (!err) {
		*out = (struct exec_file_info){
			.mode = st.mode,
			.uid = st.uid,
			.gid = st.gid,
			.nosuid = f->path.mnt->flags & MNT_NOSUID,
			.size = st.size,
		};
		if (!out->nosuid)
			err = read_caps(inode, out);
	}
	inode_unlock_shared(inode);
	return err;
}

bool exec_file_denied(const struct file *f)
{
	return f->path.mnt->flags & MNT_NOEXEC;
}

bool exec_file_readable(struct file *f)
{
	return inode_permission(f->inode, MAY_READ) == 0;
}

void exec_file_name(struct file *f, char *buf, u32 size)
{
	static const char mark[] = " (deleted)";
	const struct dentry *d = f->path.dentry;
	const char *name;
	u32 n;

	spin_lock(&dcache_lock);
	name = d->name;
	n = d->name_len;
	/* Names of files on the internal mount are what /proc shows: "/memfd:x (deleted)". */
	if (f->path.mnt->flags & MNT_INTERNAL) {
		if (n && *name == '/') {
			name++;
			n--;
		}
		if (n >= sizeof mark - 1 &&
		    !memcmp(name + n - (sizeof mark - 1), mark, sizeof mark - 1))
			n -= sizeof mark - 1;
	}
	n = MIN(n, size - 1);
	memcpy(buf, name, n);
	spin_unlock(&dcache_lock);
	buf[n] = 0;
}

int exec_chdir(const char *path)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = inode_permission(path_inode(&p), MAY_EXEC);
	if (!err)
		fs_ctx_set_cwd(current_fs(), &p);
	path_put(&p);
	return err;
}
