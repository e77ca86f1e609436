// SPDX-License-Identifier: Apache-2.0
/*
 * fsctx - what a task knows of the file tree: root, working directory, umask
 *
 * Role      Shared by CLONE_FS, copied otherwise. current_fs() (kapi/current.h) lends the running task's.
 * Locking   lock (RANK_FSCTX) covers all fields.
 */
#pragma once

#include "guestkernel/kapi/file.h"

struct fs_ctx {
	struct refs refs;
	atomic_t users; /* tasks; refs counts those who only look as well */
	struct spinlock lock;
	struct path root, cwd; /* [lock] */
	u32 umask;	       /* [lock] */
	struct list link;      /* all contexts */
};

/* Root and working directory at the root of the initial mount namespace, umask 022. */
int must_check fs_ctx_create(struct fs_ctx **out);
int must_check fs_ctx_clone(struct fs_ctx *src, struct fs_ctx **out);
struct fs_ctx *fs_ctx_get(struct fs_ctx *fs);
void fs_ctx_put(struct fs_ctx *fs);
bool fs_ctx_is_shared(const struct fs_ctx *fs); /* by tasks */
/* Of somebody else's, to look at: does not count as sharing. */
void fs_ctx_look(struct fs_ctx *fs);
void fs_ctx_unlook(struct fs_ctx *fs);

/* With references. */
void fs_ctx_root(struct fs_ctx *fs, struct path *out);
void fs_ctx_cwd(struct fs_ctx *fs, struct path *out);
/* Take references of their own. */
void fs_ctx_set_root(struct fs_ctx *fs, const struct path *p);
void fs_ctx_set_cwd(struct fs_ctx *fs, const struct path *p);
u32 fs_ctx_umask(struct fs_ctx *fs);
u32 fs_ctx_swap_umask(struct fs_ctx *fs, u32 mask);
/* pivot_root: every context whose root or working directory is old moves to new. */
void fs_ctx_move_all(const struct path *old, const struct path *new);
