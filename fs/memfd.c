// SPDX-License-Identifier: Apache-2.0
/*
 * memfd - memfd_create(2): tmpfs files on an instance nobody can mount
 *
 * Role      sys_memfd_create(); System V shared memory may use the same instance.
 * Rules     Seals are in inode->seals: a file made without MFD_ALLOW_SEALING starts sealed against sealing.
 * Locking   make_lock covers the creation of the instance.
 * Missing   MFD_HUGETLB
 * See       memfd_create(2), fcntl(2) F_ADD_SEALS
 */
#include "fs/memfd.h"

#include "fs/anonfs.h"
#include "fs/filp.h"
#include "fs/synth.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mman.h"

#define MEMFD_PERCENT 90u

static int make(const struct fs_type *t, struct super **out)
{
	return tmpfs_create_layer(MEMFD_PERCENT, 01777, out);
}

int memfd_create(const char *name, u32 flags, struct file **out)
{
	static struct synth_single single = SYNTH_SINGLE_INIT(make);
	char shown[MEMFD_NAME_MAX + 24];
	struct path p = { .mnt = anonfs_mount() };
	struct inode *inode;
	struct super *sb;
	struct file *f;
	int err = synth_mount_single(&single, &tmpfs_fs_type, &sb);

	if (err)
		return err;
	err = tmpfs_create_unnamed(sb, flags & MFD_NOEXEC_SEAL ? 0666 : 0777, &inode);
	super_put(sb); /* the single instance stays */
	if (err)
		return err;
	inode->uid = current_cred()->fsuid;
	inode->gid = current_cred()->fsgid;
	inode->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL;
	snprintf(shown, sizeof shown, "/memfd:%s (deleted)", name);
	err = dentry_create_root(inode, shown, sb, &p.dentry);
	if (err) {
		inode_put(inode);
		return err;
	}
	err = file_alloc(&p, O_RDWR | O_LARGEFILE | FILE_UNCOUNTED, &f);
	dentry_put(p.dentry);
	if (err)
		return err;
	err = file_open(f);
	if (err) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}
