// SPDX-License-Identifier: Apache-2.0
/*
 * fsctx - root, working directory and umask of tasks
 *
 * Role      See fsctx.h. task/ creates, clones and drops them.
 * Locking   all_lock (RANK_FDTABLE) covers the list of all contexts and is taken before a context's lock.
 *           References are dropped after both.
 */
#include "guestkernel/kapi/fsctx.h"

#include "fs/mount.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"

static struct spinlock all_lock = SPINLOCK_INIT(RANK_FDTABLE);
static struct list all = LIST_INIT(all);

static int fs_ctx_alloc(const struct path *root, const struct path *cwd, u32 umask,
			struct fs_ctx **out)
{
	struct fs_ctx *fs = knew(struct fs_ctx);

	if (!fs)
		return -ENOMEM;
	refs_init(&fs->refs, 1);
	atomic_set(&fs->users, 1);
	spin_init(&fs->lock, RANK_FSCTX);
	fs->root = *root;
	fs->cwd = *cwd;
	fs->umask = umask;
	spin_lock(&all_lock);
	list_add_tail(&all, &fs->link);
	spin_unlock(&all_lock);
	*out = fs;
	return 0;
}

int fs_ctx_create(struct fs_ctx **out)
{
	struct mount *m = mount_ns_init.root;
	struct path p = { m, m->root };
	int err = fs_ctx_alloc(&p, &p, 022, out);

	if (err)
		return err;
	path_get(&p);
	path_get(&p);
	return 0;
}

int fs_ctx_clone(struct fs_ctx *src, struct fs_ctx **out)
{
	struct path root, cwd;
	int err;

	fs_ctx_root(src, &root);
	fs_ctx_cwd(src, &cwd);
	err = fs_ctx_alloc(&root, &cwd, src->umask, out);
	if (err) {
		path_put(&root);
		path_put(&cwd);
	}
	return err;
}

struct fs_ctx *fs_ctx_get(struct fs_ctx *fs)
{
	refs_get(&fs->refs);
	atomic_add(&fs->users, 1);
	return fs;
}

void fs_ctx_look(struct fs_ctx *fs)
{
	refs_get(&fs->refs);
}

void fs_ctx_put(struct fs_ctx *fs)
{
	atomic_sub(&fs->users, 1);
	fs_ctx_unlook(fs);
}

void fs_ctx_unlook(struct fs_ctx *fs)
{
	if (!refs_put(&fs->refs))
		return;
	spin_lock(&all_lock);
	list_del(&fs->link);
	spin_unlock(&all_lock);
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

bool fs_ctx_is_shared(const struct fs_ctx *fs)
{
	return atomic_read(&fs->users) > 1;
}

static void path_read(struct fs_ctx *fs, const struct path *from, struct path *out)
{
	spin_lock(&fs->lock);
	*out = *from;
	path_get(out);
	spin_unlock(&fs->lock);
}

static void path_replace(struct fs_ctx *fs, struct path *to, const struct path *p)
{
	struct path old;

	path_get(p);
	spin_lock(&fs->lock);
	old = *to;
	*to = *p;
	spin_unlock(&fs->lock);
	path_put(&old);
}

void fs_ctx_root(struct fs_ctx *fs, struct path *out)
{
	path_read(fs, &fs->root, out);
}

void fs_ctx_cwd(struct fs_ctx *fs, struct path *out)
{
	path_read(fs, &fs->cwd, out);
}

void fs_ctx_set_root(struct fs_ctx *fs, const struct path *p)
{
	path_replace(fs, &fs->root, p);
}

void fs_ctx_set_cwd(struct fs_ctx *fs, const struct path *p)
{
	path_replace(fs, &fs->cwd, p);
}

u32 fs_ctx_umask(struct fs_ctx *fs)
{
	return READ_ONCE(fs->umask);
}

u32 fs_ctx_swap_umask(struct fs_ctx *fs, u32 mask)
{
	return xchg(&fs->umask, mask & 0777);
}

void fs_ctx_move_all(const struct path *old, const struct path *new)
{
	struct fs_ctx *fs;
	u32 moved = 0;

	spin_lock(&all_lock);
	list_for_each_entry (fs, &all, link) {
		spin_lock(&fs->lock);
		if (path_equal(&fs->root, old)) {
			fs->root = *new;
			path_get(new);
			moved++;
		}
		if (path_equal(&fs->cwd, old)) {
			fs->cwd = *new;
			path_get(new);
			moved++;
		}
		spin_unlock(&fs->lock);
	}
	spin_unlock(&all_lock);
	while (moved--)
		path_put(old);
}
