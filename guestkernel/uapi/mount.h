// SPDX-License-Identifier: Apache-2.0
/*
 * mount - Linux ABI: mount(2) and the file system context calls
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       mount(2), umount2(2), mount_setattr(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define MS_RDONLY      0x1
#define MS_NOSUID      0x2
#define MS_NODEV       0x4
#define MS_NOEXEC      0x8
#define MS_SYNCHRONOUS 0x10
#define MS_REMOUNT     0x20
#define MS_MANDLOCK    0x40
#define MS_DIRSYNC     0x80
#define MS_NOSYMFOLLOW 0x100
#define MS_NOATIME     0x400
#define MS_NODIRATIME  0x800
#define MS_BIND	       0x1000
#define MS_MOVE	       0x2000
#define MS_REC	       0x4000
#define MS_SILENT      0x8000
#define MS_VERBOSE     0x8000
#define MS_POSIXACL    0x10000
#define MS_UNBINDABLE  0x20000
#define MS_PRIVATE     0x40000
#define MS_SLAVE       0x80000
#define MS_SHARED      0x100000
#define MS_RELATIME    0x200000
#define MS_I_VERSION   0x800000
#define MS_STRICTATIME 0x1000000
#define MS_LAZYTIME    0x2000000
#define MS_MGC_VAL     0xc0ed0000u
#define MS_MGC_MSK     0xffff0000u

#define MOUNT_ATTR_RELATIME    0x0
#define MOUNT_ATTR_RDONLY      0x1
#define MOUNT_ATTR_NOSUID      0x2
#define MOUNT_ATTR_NODEV       0x4
#define MOUNT_ATTR_NOEXEC      0x8
#define MOUNT_ATTR_NOATIME     0x10
#define MOUNT_ATTR_STRICTATIME 0x20
#define MOUNT_ATTR__ATIME      0x70
#define MOUNT_ATTR_NODIRATIME  0x80
#define MOUNT_ATTR_IDMAP       0x100000
#define MOUNT_ATTR_NOSYMFOLLOW 0x200000

#define FSMOUNT_CLOEXEC		0x1
#define FSOPEN_CLOEXEC		0x1
#define FSPICK_CLOEXEC		0x1
#define MOVE_MOUNT_F_SYMLINKS	0x1
#define OPEN_TREE_CLONE		0x1
#define FSPICK_SYMLINK_NOFOLLOW 0x2
#define MOVE_MOUNT_F_AUTOMOUNTS 0x2
#define FSPICK_NO_AUTOMOUNT	0x4
#define MOVE_MOUNT_F_EMPTY_PATH 0x4
#define FSPICK_EMPTY_PATH	0x8
#define MOVE_MOUNT_T_SYMLINKS	0x10
#define MOVE_MOUNT_T_AUTOMOUNTS 0x20
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#define MOVE_MOUNT_SET_GROUP	0x100
#define MOVE_MOUNT__MASK	0x177

#define MNT_FORCE	  1
#define MNT_DETACH	  2
#define MNT_EXPIRE	  4
#define UMOUNT_NOFOLLOW	  8
#define OPEN_TREE_CLOEXEC 02000000

#define FSCONFIG_SET_FLAG	 0
#define FSCONFIG_SET_STRING	 1
#define FSCONFIG_SET_BINARY	 2
#define FSCONFIG_SET_PATH	 3
#define FSCONFIG_SET_PATH_EMPTY	 4
#define FSCONFIG_SET_FD		 5
#define FSCONFIG_CMD_CREATE	 6
#define FSCONFIG_CMD_RECONFIGURE 7
#define FSCONFIG_CMD_CREATE_EXCL 8

struct mount_attr {
	u64 attr_set;
	u64 attr_clr;
	u64 propagation;
	u64 userns_fd;
};
