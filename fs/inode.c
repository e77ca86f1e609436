// SPDX-License-Identifier: Apache-2.0
/*
 * inode - life of inodes and super blocks, attribute defaults
 *
 * Role      Drivers create inodes with inode_init(); the last inode_put() tears them down in a fixed order:
 *           hash, inotify marks, locks, FIFO, pages, driver.
 * Rules     An inode with 0 references is never found again: the hash takes references only from a
 *           positive count.
 * Locking   icache_lock (RANK_ICACHE) covers the hash chains.
 * Missing   write-back: all storage is memory or read-only
 * See       tests/unit/vfs_test.c
 */
#include "fs/inode.h"

#include "fs/dentry.h"
#include "fs/lock.h"
#include "fs/notify.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mount.h"

#define ICACHE_BUCKETS 4096u

static struct spinlock icache_lock = SPINLOCK_INIT(RANK_ICACHE);
static struct inode *icache[ICACHE_BUCKETS];
static atomic64_t next_ino;
static atomic_t next_dev;

u32 name_hash(const char *s, u32 len)
{
	u64 h = hash_seed, word;
	u32 i = 0;

	for (; i + 8 <= len; i += 8) {
		__builtin_memcpy(&word, s + i, 8);
		h = name_hash_step(h, word);
	}
	word = 0;
	for (u32 shift = 0; i < len; i++, shift += 8)
		word |= (u64)(u8)s[i] << shift;
	if (len % 8)
		h = name_hash_step(h, word);
	return name_hash_end(h);
}

u64 inode_next_ino(void)
{
	return atomic64_add(&next_ino, 1);
}

struct timespec inode_now(void)
{
	return ns_to_timespec(clock_realtime_ns());
}

static enum lock_rank inode_rank(const struct super *sb, u32 mode)
{
	if (sb->type && sb->type->is_stacked)
		return S_ISDIR(mode) ? RANK_STACKED_DIR : RANK_STACKED_INODE;
	return S_ISDIR(mode) ? RANK_INODE_DIR : RANK_INODE;
}

void inode_init(struct inode *inode, struct super *sb, u64 ino, u32 mode,
		const struct inode_ops *ops)
{
	refs_init(&inode->refs, 1);
	inode->mode = mode;
	inode->nlink = 1;
	inode->blkbits = PAGE_SHIFT;
	inode->sb = sb;
	inode->ops = ops;
	inode->ino = ino;
	inode->seals = F_SEAL_SEAL;
	inode->atime = inode_now();
	inode->mtime = inode->atime;
	inode->ctime = inode->atime;
	inode->btime = inode->atime;
	rwsem_init(&inode->lock, inode_rank(sb, mode));
	pagecache_init(&inode->pages, NULL);
}

static struct inode **icache_bucket(const struct super *sb, u64 ino)
{
	return &icache[hash_u64(ino ^ (u64)sb) & (ICACHE_BUCKETS - 1)];
}

static struct inode *icache_find_locked(struct super *sb, u64 ino)
{
	struct inode *i;

	for (i = *icache_bucket(sb, ino); i; i = i->hash_next)
		if (i->ino == ino && i->sb == sb && refs_get_unless_zero(&i->refs))
			return i;
	return NULL;
}

struct inode *inode_hash_find(struct super *sb, u64 ino)
{
	struct inode *i;

	spin_lock(&icache_lock);
	i = icache_find_locked(sb, ino);
	spin_unlock(&icache_lock);
	return i;
}

struct inode *inode_hash_insert(struct inode *inode)
{
	struct inode **bucket = icache_bucket(inode->sb, inode->ino);
	struct inode *old;

	spin_lock(&icache_lock);
	old = icache_find_locked(inode->sb, inode->ino);
	if (!old) {
		inode->hash_next = *bucket;
		*bucket = inode;
		fetch_or(&inode->flags, INODE_HASHED);
	}
	spin_unlock(&icache_lock);
	return old;
}

static void inode_unhash(struct inode *inode)
{
	struct inode **p;

	spin_lock(&icache_lock);
	for (p = icache_bucket(inode->sb, inode->ino); *p; p = &(*p)->hash_next) {
		if (*p == inode) {
			*p = inode->hash_next;
			break;
		}
	}
	spin_unlock(&icache_lock);
}

void inode_put(struct inode *inode)
{
	if (!refs_put(&inode->refs))
		return;
	if (inode->flags & INODE_HASHED)
		inode_unhash(inode);
	if (inode->marks)
		notify_inode_gone(inode);
	if (inode->locks)
		lock_inode_gone(inode);
	if (inode->special && S_ISFIFO(inode->mode))
		fifo_evict(inode);
	if (inode->pages.pages.count)
		pagecache_drop(inode);
	inode->ops->evict(inode);
}

void inode_lock(struct inode *inode)
{
	rwsem_write_lock(&inode->lock);
}

void inode_lock_child(struct inode *inode)
{
	rwsem_write_lock_child(&inode->lock);
}

void inode_unlock(struct inode *inode)
{
	rwsem_write_unlock(&inode->lock);
}

void inode_lock_shared(struct inode *inode)
{
	rwsem_read_lock(&inode->lock);
}

void inode_unlock_shared(struct inode *inode)
{
	rwsem_read_unlock(&inode->lock);
}

void inode_lock_pair(struct inode *a, struct inode *b)
{
	struct inode *first = a < b ? a : b;

	inode_lock(first);
	if (a != b)
		inode_lock(first == a ? b : a);
}

void inode_unlock_pair(struct inode *a, struct inode *b)
{
	inode_unlock(a);
	if (a != b)
		inode_unlock(b);
}

void inode_fill_stat(struct inode *inode, struct kstat *st)
{
	u64 pages = S_ISREG(inode->mode) ? pagecache_nr_pages(inode) : 0;

	memset(st, 0, sizeof *st);
	st->dev = inode->sb->dev;
	st->ino = inode->ino;
	st->rdev = inode->rdev;
	st->mode = inode->mode;
	st->nlink = inode->nlink;
	st->uid = inode->uid;
	st->gid = inode->gid;
	st->size = READ_ONCE(inode->size);
	st->blocks = pages << (PAGE_SHIFT - 9);
	st->blksize = 1u << inode->blkbits;
	st->atime = inode->atime;
	st->mtime = inode->mtime;
	st->ctime = inode->ctime;
	st->btime = inode->btime;
	st->has_btime = true;
	if (inode->flags & INODE_IMMUTABLE)
		st->attributes |= STATX_ATTR_IMMUTABLE;
	if (inode->flags & INODE_APPEND)
		st->attributes |= STATX_ATTR_APPEND;
	if (inode->flags & INODE_NODUMP)
		st->attributes |= STATX_ATTR_NODUMP;
}

void inode_apply_attr(struct inode *inode, const struct attr *a)
{
	if (a->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (a->mode & S_IALLUGO);
	if (a->valid & ATTR_UID)
		inode->uid = a->uid;
	if (a->valid & ATTR_GID)
		inode->gid = a->gid;
	if (a->valid & ATTR_ATIME)
		inode->atime = a->atime;
	if (a->valid & ATTR_MTIME)
		inode->mtime = a->mtime;
	inode->ctime = a->valid & ATTR_CTIME ? a->ctime : inode_now();
}

void inode_touch(struct inode *inode)
{
	inode->mtime = inode_now();
	inode->ctime = inode->mtime;
}

u32 mode_to_dtype(u32 mode)
{
	return (mode & S_IFMT) >> 12; /* DT_* are defined as these bits */
}

int inode_get_write(struct inode *inode)
{
	s32 n = READ_ONCE(inode->write_count);

	while (n >= 0)
		if (__atomic_compare_exchange_n(&inode->write_count, &n, n + 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return 0;
	return -ETXTBSY;
}

void inode_put_write(struct inode *inode)
{
	__atomic_fetch_sub(&inode->write_count, 1, __ATOMIC_SEQ_CST);
}

int inode_deny_write(struct inode *inode)
{
	s32 n = READ_ONCE(inode->write_count);

	while (n <= 0)
		if (__atomic_compare_exchange_n(&inode->write_count, &n, n - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return 0;
	return -ETXTBSY;
}

void inode_allow_write(struct inode *inode)
{
	__atomic_fetch_add(&inode->write_count, 1, __ATOMIC_SEQ_CST);
}

int super_create(const struct fs_type *t, const struct super_ops *ops, u64 magic,
		 struct super **out)
{
	struct super *sb = knew(struct super);

	if (!sb)
		return -ENOMEM;
	refs_init(&sb->refs, 1);
	/* Major 0 as for all file systems without a device; minor 0 stays unused. */
	sb->dev = makedev(0, atomic_add(&next_dev, 1));
	sb->magic = magic;
	sb->max_bytes = S64_MAX;
	sb->type = t;
	sb->ops = ops;
	mutex_init(&sb->rename_lock, t && t->is_stacked ? RANK_STACKED_RENAME : RANK_RENAME);
	*out = sb;
	return 0;
}

void super_put(struct super *sb)
{
	if (!refs_put(&sb->refs))
		return;
	if (sb->root_dentry) {
		dentry_prune_below(sb->root_dentry);
		dentry_put(sb->root_dentry);
	}
	if (sb->root)
		inode_put(sb->root);
	if (sb->ops->umount)
		sb->ops->umount(sb);
	kfree(sb);
}
