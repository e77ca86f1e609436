// SPDX-License-Identifier: Apache-2.0
/*
 * xattr - extended attributes: permission rules, and a store for file systems in memory
 *
 * Role      sys/sys_xattr.c calls vfs_*xattr; tmpfs keeps its attributes in a struct xattr_store.
 * Rules     user.* on regular files and directories only; trusted.* and security.* need CAP_SYS_ADMIN to write
 *           (security.capability: CAP_SETFCAP). Sizes are limited by XATTR_SIZE_MAX.
 *           system.posix_acl_* are not stored here: fs/acl.h.
 * See       xattr(7)
 */
#pragma once

#include "fs/mount.h"

/* Each attribute is charged to the user who set it (CHARGE_KMEM). */
struct xattr_store {
	struct list entries;
	u64 bytes; /* of all entries, for the file system's own limit */
};

void xattr_store_init(struct xattr_store *s);
void xattr_store_fini(struct xattr_store *s);
/* As the inode_ops of the same names; the owner's lock is held. */
s64 must_check xattr_store_get(const struct xattr_store *s, const char *name, void *value,
			       size_t size);
int must_check xattr_store_set(struct xattr_store *s, const char *name, const void *value,
			       size_t size, u32 flags);
/* By how many bytes the store grows when this is set. */
s64 xattr_store_growth(const struct xattr_store *s, const char *name, const void *value,
		       size_t size);
s64 must_check xattr_store_list(const struct xattr_store *s, char *list, size_t size);

/* value NULL: size only. */
s64 must_check vfs_getxattr(const struct path *p, const char *name, void *value, size_t size);
int must_check vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size,
			    u32 flags);
int must_check vfs_removexattr(const struct path *p, const char *name);
s64 must_check vfs_listxattr(const struct path *p, char *list, size_t size);

/* Is this a value of security.capability that exec understands? settable: one that may be attached as well. */
bool xattr_caps_valid(const void *value, size_t size, bool settable);
