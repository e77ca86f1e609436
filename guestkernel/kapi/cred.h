// SPDX-License-Identifier: Apache-2.0
/*
 * cred - credentials of a task or an open file
 *
 * Rules     INVARIANTS. Immutable once published; changing means copy, edit, replace (task/cred.c), by the task itself only.
 *           Others see a task's credentials and memory change together (commit() in task/exec.c): they ask
 *           task_may_access() with the thing they want in hand, or task_access_mm() for both at once.
 *           A right is asked for with the credentials of whoever acts now, or with those a file was opened with, as the
 *           table "What is decided when a descriptor is made" in guestkernel/README.md says; never with a
 *           uid that was noted down somewhere. When the caller gains or changes effective ids or capabilities its memory
 *           stops being dumpable (cred_gains()), and the signal at its parent's death is forgotten.
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
