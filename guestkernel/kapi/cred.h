// SPDX-License-Identifier: Apache-2.0
/*
 * cred - credentials of a task or an open file
 *
 * Rules     Immutable once published; changing means copy, edit, replace (task/cred.c).
 */
#pragma once

#include "guestkernel/kapi/refs.h"

#define NGROUPS_MAX_KERNEL 65536

struct user_account;

struct cred {
	struct refs refs;
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u64 cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
	u32 securebits;
	u32 nr_groups;
	u32 *groups;		      /* sorted */
	struct user_account *account; /* of uid: who pays (kapi/charge.h); referenced */
};

static inline const struct cred *cred_get(const struct cred *c)
{
	refs_get(&((struct cred *)(u64)c)->refs);
	return c;
}
void cred_put(const struct cred *c);
bool cred_in_group(const struct cred *c, u32 gid); /* fsgid or supplementary */
bool cred_capable(const struct cred *c, u32 cap);
/* Capability of the current task's effective set. */
bool capable(u32 cap);
