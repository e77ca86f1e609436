// SPDX-License-Identifier: Apache-2.0
/*
 * xattr - Linux ABI: extended attributes
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       xattr(7)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define XATTR_CREATE   1
#define XATTR_REPLACE  2
#define XATTR_NAME_MAX 255
#define XATTR_LIST_MAX 65536
#define XATTR_SIZE_MAX 65536

#define XATTR_USER_PREFIX	     "user."
#define XATTR_TRUSTED_PREFIX	     "trusted."
#define XATTR_SECURITY_PREFIX	     "security."
#define XATTR_SYSTEM_PREFIX	     "system."
#define XATTR_NAME_CAPS		     "security.capability"
#define XATTR_NAME_POSIX_ACL_ACCESS  "system.posix_acl_access"
#define XATTR_NAME_POSIX_ACL_DEFAULT "system.posix_acl_default"

/* The value of the last two, little-endian: a header, then entries. */
#define POSIX_ACL_VERSION 2
struct posix_acl_header {
	u32 version;
};
enum posix_acl_tag {
	ACL_TAG_USER_OBJ = 0x01,
	ACL_TAG_USER = 0x02,
	ACL_TAG_GROUP_OBJ = 0x04,
	ACL_TAG_GROUP = 0x08,
	ACL_TAG_MASK = 0x10,
	ACL_TAG_OTHER = 0x20,
};
struct posix_acl_entry {
	u16 tag, perm;
	u32 id;
};
