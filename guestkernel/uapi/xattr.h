// SPDX-License-Identifier: Apache-2.0
/*
 * xattr - Linux ABI: extended attributes
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       xattr(7)
 */
#pragma once

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
