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
#include "fs/xattr.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/xattr.h"

#define VFS_CAP_REVISION_MASK 0xff000000u
#define VFS_CAP_REVISION_1    0x01000000u
#define VFS_CAP_REVISION_2    0x02000000u
#define VFS_CAP_REVISION_3    0x03000000u
#define VFS_CAP_EFFECTIVE     0x1u

/* The value of security.capability, little-endian; revision 3 adds a root id. */
struct vfs_cap {
	u32 magic;
	struct {
		u32 permitted, inheritable;
	} data[2];
	u32 rootid;
};

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
	}
put:
	path_put(&p);
	return err;
}

static void read_caps(struct file *f, struct exec_file_info *out)
{
	struct inode *inode = f->inode;
	struct vfs_cap c;
	s64 n;

	if (!inode->ops->getxattr)
		return;
	inode_lock_shared(inode);
	n = inode->ops->getxattr(inode, XATTR_NAME_CAPS, &c, sizeof c);
	inode_unlock_shared(inode);
	if (n < (s64)(sizeof(u32) * 3))
		return;
	switch (c.magic & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1:
		c.data[1].permitted = 0;
		c.data[1].inheritable = 0;
		break;
	case VFS_CAP_REVISION_3:
		if (n != sizeof c || c.rootid != 0)
			return;
		break;
	case VFS_CAP_REVISION_2:
		if (n < (s64)offsetof(struct vfs_cap, rootid))
			return;
		break;
	default:
		return;
	}
	out->has_caps = true;
	out->caps_effective = c.magic & VFS_CAP_EFFECTIVE;
	out->cap_permitted = c.data[0].permitted | (u64)c.data[1].permitted << 32;
	out->cap_inheritable = c.data[0].inheritable | (u64)c.data[1].inheritable << 32;
}

int exec_file_info(struct file *f, struct exec_file_info *out)
{
	struct kstat st;
	int err = vfs_getattr(&f->path, &st);

	if (err)
		return err;
	*out = (struct exec_file_info){
		.mode = st.mode,
		.uid = st.uid,
		.gid = st.gid,
		.nosuid = f->path.mnt->flags & MNT_NOSUID,
		.size = st.size,
	};
	if (!out->nosuid)
		read_caps(f, out);
	return 0;
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

int exec_root_fs_ctx(struct fs_ctx **out)
{
	return fs_ctx_create(out);
}
