// SPDX-License-Identifier: Apache-2.0
/*
 * walk - the path walk itself, shared by namei.c, open.c and names.c
 *
 * Role      walk_init() and walk_run(), then either walk_take() for the place reached, or, with
 *           LOOKUP_PARENT, the directory and the last component; walk_fini() in every case.
 * Rules     A walk is either locked (dcache_lock held; path borrowed) or pinned (no lock; references
 *           in held). It starts locked, becomes pinned around everything that may sleep, and walk_run() leaves it
 *           pinned. The text must outlive the walk.
 * See       path_resolution(7), openat2(2)
 */
#pragma once

#include "guestkernel/kapi/fsctx.h"
#include "fs/namei.h"

#define WALK_MAX_LINKS 40
#define WALK_BUF       160

enum walk_last { WALK_LAST_NONE, WALK_LAST_NORMAL, WALK_LAST_DOT, WALK_LAST_DOTDOT };

struct walk {
	struct path path;	   /* where we are */
	struct path root;	   /* borrowed from fs until pinned */
	struct path held;	   /* references we own; mnt NULL: none */
	struct dentry *held_child; /* one more */
	bool root_held, locked, fs_locked;
	bool trailing; /* the last component was followed by a slash */
	bool jumped;   /* the path was absolute or had a magic link */
	u8 depth;      /* links followed */
	u32 flags;     /* enum lookup_flags */
	enum walk_last last_type;
	struct name last; /* LOOKUP_PARENT */
	const char *rest;
	struct fs_ctx *fs;
	const struct cred *cred;
	u64 move_seq;
	char *heap; /* expanded links that do not fit in buf */
	char buf[WALK_BUF];
};

/* base NULL: dirfd. On failure nothing is held and walk_fini() need not be called. */
int must_check walk_init(struct walk *w, s32 dirfd, const struct path *base, const char *path,
			 u32 flags);
int must_check walk_run(struct walk *w);
/* The place reached becomes the caller's. */
void walk_take(struct walk *w, struct path *out);
void walk_fini(struct walk *w);
/* After LOOKUP_PARENT: the last component is this symbolic link (child of w->path); continue through
 * it. walk_run() again. d is borrowed. */
int must_check walk_follow(struct walk *w, struct dentry *d);
/* dentry_lookup() of the last component; directory locked by the caller. */
int must_check walk_lookup_last(struct walk *w, struct dentry **out);
