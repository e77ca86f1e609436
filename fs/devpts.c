// SPDX-License-Identifier: Apache-2.0
/*
 * devpts - /dev/pts: the slaves of pseudo-terminals, and ptmx
 *
 * Role      A computed directory over the table of terminals in tty_pty.c.
 * Rules     Inode number of slave N is N + 3. Owner and mode live in the terminal, so every inode of one slave
 *           shows the same. An inode holds a reference on its terminal.
 * Missing   One instance for all mounts; mount options (gid, mode, ptmxmode, newinstance) are accepted and
 *           have the values gid=5, mode=620, ptmxmode=666.
 * See       pts(4), tty_pty.c
 */
#include "fs/devfs.h"
#include "fs/synth.h"
#include "fs/tty.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define DEVPTS_MAGIC	 0x1cd1
#define DEVPTS_FIRST_INO 3

static void slave_get(void *ctx)
{
	tty_get(ctx);
}

static void slave_put(void *ctx)
{
	tty_put(ctx);
}

static bool slave_is_stale(void *ctx)
{
	return tty_is_dead(ctx);
}

static void slave_owner(void *ctx, u32 *uid, u32 *gid)
{
	struct tty_owner o;

	tty_get_owner(ctx, &o);
	*uid = o.uid;
	*gid = o.gid;
}

static const struct synth_ctx_ops slave_ctx_ops = {
	.get = slave_get,
	.put = slave_put,
	.is_stale = slave_is_stale,
	.owner = slave_owner,
};

static int slave_getattr(struct inode *inode, struct kstat *st)
{
	struct tty_owner o;

	inode_fill_stat(inode, st);
	tty_get_owner(synth_inode(inode)->ctx, &o);
	st->mode = S_IFCHR | o.mode;
	st->uid = o.uid;
	st->gid = o.gid;
	return 0;
}

static int slave_setattr(struct inode *inode, const struct attr *a)
{
	struct tty *t = synth_inode(inode)->ctx;
	struct tty_owner o;

	tty_get_owner(t, &o);
	if (a->valid & ATTR_MODE)
		o.mode = a->mode & 07777;
	if (a->valid & ATTR_UID)
		o.uid = a->uid;
	if (a->valid & ATTR_GID)
		o.gid = a->gid;
	tty_set_owner(t, &o);
	inode_apply_attr(inode, a);
	return 0;
}

/* Another inode of the same slave may have changed the owner. */
static int slave_permission(const struct cred *c, struct inode *inode, u32 mask)
{
	struct tty_owner o;

	tty_get_owner(synth_inode(inode)->ctx, &o);
	inode->mode = S_IFCHR | o.mode;
	inode->uid = o.uid;
	inode->gid = o.gid;
	return inode_permission_mode(c, inode, mask);
}

static const struct inode_ops slave_iops = {
	.permission = slave_permission,
	.getattr = slave_getattr,
	.setattr = slave_setattr,
	.is_stale = synth_is_stale,
	.evict = synth_evict,
};

static bool parse_index(const struct name *n, u32 *index)
{
	u32 v = 0;

	if (n->len == 0 || n->len > 4 || (n->s[0] == '0' && n->len > 1))
		return false;
	for (u32 i = 0; i < n->len; i++) {
		if (n->s[i] < '0' || n->s[i] > '9')
			return false;
		v = v * 10 + (u32)(n->s[i] - '0');
	}
	*index = v;
	return v < TTY_MAX;
}

static int devpts_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	struct tty_owner o;
	struct tty *t;
	u32 index;
	int ret;

	t = parse_index(n, &index) ? tty_find(index) : NULL;
	if (!t)
		return -ENOENT;
	tty_get_owner(t, &o);
	ret = synth_special_inode(dir->sb, S_IFCHR | o.mode, &slave_iops, t, &slave_ctx_ops,
				  index + DEVPTS_FIRST_INO, out);
	if (!ret) {
		(*out)->rdev = makedev(TTY_PTS_MAJOR, index);
		(*out)->uid = o.uid;
		(*out)->gid = o.gid;
	}
	tty_put(t);
	return ret;
}

static int devpts_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	s32 index = tty_next_index((u32)ctx->pos - 2);
	char name[12];

	while (index >= 0) {
		s32 len = snprintf(name, sizeof name, "%d", index);

		if (!ctx->emit(ctx, name, (u32)len, (u64)index + DEVPTS_FIRST_INO,
			       (u8)mode_to_dtype(S_IFCHR), index + 3))
			return 0;
		ctx->pos = index + 3;
		index = tty_next_index((u32)index + 1);
	}
	return 0;
}

static const struct synth_dir_ops devpts_dir_ops = {
	.lookup = devpts_lookup,
	.iterate = devpts_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

static struct spinlock mount_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct super *instance; /* [mount_lock] one reference for ever */

static int devpts_make(const struct fs_type *t, struct super **out)
{
	struct super *sb;
	int ret = synth_super_create(t, DEVPTS_MAGIC, 0755, &sb);

	if (ret)
		return ret;
	ret = synth_add_dev(synth_root(sb), "ptmx", S_IFCHR | 0666, 0, makedev(5, 2));
	if (ret) {
		super_put(sb);
		return ret;
	}
	synth_set_dir_ops(synth_root(sb), &devpts_dir_ops, NULL);
	*out = sb;
	return 0;
}

static int devpts_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	struct super *sb, *fresh = NULL;
	int ret;

	spin_lock(&mount_lock);
	sb = instance;
	spin_unlock(&mount_lock);
	if (!sb) {
		ret = devpts_make(t, &fresh);
		if (ret)
			return ret;
		spin_lock(&mount_lock);
		sb = instance;
		if (!sb) {
			sb = instance = fresh;
			fresh = NULL;
		}
		spin_unlock(&mount_lock);
		if (fresh)
			super_put(fresh);
	}
	*out = super_get(sb);
	return 0;
}

const struct fs_type devpts_type = {
	.name = "devpts",
	.no_dev = true,
	.user_mountable = true,
	.mount = devpts_mount,
};
