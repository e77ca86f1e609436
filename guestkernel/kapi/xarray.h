// SPDX-License-Identifier: Apache-2.0
/*
 * xarray - sparse array of pointers indexed by u64 (radix tree, 64 slots a level)
 *
 * Role      Page cache (index -> page), id tables (pid, mq, timer ids). Implementation in lib/xarray.c.
 * Locking   None inside: the owner's lock covers every call. kmalloc never sleeps, so storing under a
 *           spinlock is allowed.
 * Rules     NULL means absent. Nodes are freed when they become empty.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct xa_node;
struct xarray {
	struct xa_node *root;
	u32 levels;
	u64 count; /* entries present */
};

#define XARRAY_INIT        \
	{                  \
		NULL, 0, 0 \
	}

void xa_init(struct xarray *xa);
/* Frees the nodes; the caller has already dropped the entries. */
void xa_fini(struct xarray *xa);
void *xa_load(const struct xarray *xa, u64 index);
/* Replaces; *old (may be NULL) gets the previous entry. -ENOMEM leaves the array as it was. */
int must_check xa_store(struct xarray *xa, u64 index, void *entry, void **old);
/* Returns the removed entry or NULL. */
void *xa_erase(struct xarray *xa, u64 index);
/* First entry at or after *index; sets *index. NULL at the end. */
void *xa_find(const struct xarray *xa, u64 *index);
/* Stores entry at the lowest free index in [min, max]; -ENOSPC when full. */
int must_check xa_alloc(struct xarray *xa, u64 min, u64 max, void *entry, u64 *index);

#define xa_for_each(xa, index, entry)                                       \
	for ((index) = 0, (entry) = xa_find(xa, &(index)); (entry) != NULL; \
	     (index)++, (entry) = xa_find(xa, &(index)))
