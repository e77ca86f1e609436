// SPDX-License-Identifier: Apache-2.0
/*
 * advise - locking into memory, residency, write-back: calls on ranges that do not change what is mapped
 *
 * Rules     Ranges are page aligned and inside the user range. Each takes and drops as->lock itself.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct aspace;

/* mlock/munlock of a range; -ENOMEM: holes in it, or over the limit. */
int must_check aspace_mlock(struct aspace *as, u64 va, u64 len, bool on);
/* mlockall/munlockall; flags: MCL_*, 0 unlocks everything. */
int must_check aspace_mlockall(struct aspace *as, u32 flags);
/* Faults every page of the range in, private writable ones for writing. Skips what is inaccessible; -ENOMEM at a
 * hole, -EFAULT at a page that cannot be had. */
int aspace_populate(struct aspace *as, u64 va, u64 len);
/* One byte a page into out. -ENOMEM: not mapped. */
int must_check aspace_mincore(struct aspace *as, u64 va, u64 npages, u8 *out);
/* Writes shared file mappings back. -ENOMEM: holes (after the rest was done); -EBUSY: locked with MS_INVALIDATE. */
int must_check aspace_msync(struct aspace *as, u64 va, u64 len, u32 flags);
