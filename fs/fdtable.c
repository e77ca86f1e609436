// SPDX-License-Identifier: Apache-2.0
/*
 * fdtable - which descriptor means which open file
 *
 * Role      One per process (CLONE_FILES shares it). current_fds() is the running task's.
 * Rules     A set bit in used means taken: either files[fd] is set, or the number is reserved until fd_publish().
 *           hint is never above the lowest free number.
 * Locking   lock (RANK_FDTABLE) covers everything. While a table has one user only its own thread changes
 *           it, so that thread may look a descriptor up without the lock. Files are put outside the lock.
 * See       dup(2), close_range(2); tests/unit/fdtable_test.c
 */
#include "fs/fdtable.h"

#include "fs/inode.h"
#include "fs/lock.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/resource.h"

#define FDS_FIRST 64u
#define FDS_MAX	  (1u << 20) /* NR_OPEN of Linux */

struct fd_arrays {
	struct file **files;
	u64 *used;
	u64 *cloexec;
	u32 max; /* a multiple of 64 */
};

struct fdtable {
	struct refs refs;
	struct spinlock lock;
	struct fd_arrays a; /* [lock] */
	u32 hint;	    /* [lock] */
	struct file *first_files[FDS_FIRST];
	u64 first_used[FDS_FIRST / 64];
	u64 first_cloexec[FDS_FIRST / 64];
};

static bool bit_test(const u64 *map, u32 i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static void bit_set(u64 *map, u32 i, bool on)
{
	if (on)
		map[i / 64] |= 1ull << (i % 64);
	else
		map[i / 64] &= ~(1ull << (i % 64));
}

int fdtable_create(struct fdtable **out)
{
	struct fdtable *t = knew(struct fdtable);

	if (!t)
		return -ENOMEM;
	refs_init(&t->refs, 1);
	spin_init(&t->lock, RANK_FDTABLE);
	t->a = (struct fd_arrays){ t->first_files, t->first_used, t->first_cloexec, FDS_FIRST };
	*out = t;
	return 0;
}

static int arrays_alloc(u32 max, struct fd_arrays *a)
{
	/* One block: pointers, then the two bit maps. */
	a->files = kcalloc((size_t)max + max / 32, sizeof(u64));
	if (!a->files)
		return -ENOMEM;
	a->used = (u64 *)(a->files + max);
	a->cloexec = a->used + max / 64;
	a->max = max;
	return 0;
}

static void arrays_copy(struct fd_arrays *to, const struct fd_arrays *from)
{
	memcpy(to->files, from->files, from->max * sizeof(struct file *));
	memcpy(to->used, from->used, from->max / 8);
	memcpy(to->cloexec, from->cloexec, from->max / 8);
}

static void arrays_free(struct fdtable *t, struct file **files)
{
	if (files != t->first_files)
		kfree(files);
}

/* Makes room for fd; called and left with the lock held, dropped meanwhile. */
static int fdtable_grow(struct fdtable *t, u32 fd) REQUIRES(&t->lock)
{
	u32 max = t->a.max;
	struct fd_arrays a;
	struct file **old;
	int err;

	while (max <= fd)
		max *= 2;
	spin_unlock(&t->lock);
	err = arrays_alloc(max, &a);
	spin_lock(&t->lock);
	if (err)
		return err;
	if (t->a.max >= max) {
		old = a.files;
	} else {
		arrays_copy(&a, &t->a);
		old = t->a.files;
		t->a = a;
	}
	arrays_free(t, old);
	return 0;
}

int fdtable_clone(struct fdtable *src, struct fdtable **out)
{
	struct fdtable *t;
	int err = fdtable_create(&t);

	if (err)
		return err;
	spin_lock(&src->lock);
	while (t->a.max < src->a.max) {
		u32 max = src->a.max;

		spin_unlock(&src->lock);
		err = arrays_alloc(max, &t->a);
		if (err) {
			kfree(t);
			return err;
		}
		spin_lock(&src->lock);
		if (t->a.max < src->a.max)
			kfree(t->a.files);
	}
	arrays_copy(&t->a, &src->a);
	t->hint = src->hint;
	for (u32 w = 0; w < src->a.max / 64; w++) {
		for (u64 m = src->a.used[w]; m; m &= m - 1) {
			u32 i = w * 64 + (u32)__builtin_ctzll(m);

			/* Reserved numbers belong to another thread's call: free in the copy. */
			if (t->a.files[i])
				file_get(t->a.files[i]);
			else
				bit_set(t->a.used, i, false);
		}
	}
	spin_unlock(&src->lock);
	for (t->hint = 0; t->hint < t->a.max && bit_test(t->a.used, t->hint);)
		t->hint++;
	*out = t;
	return 0;
}

struct fdtable *fdtable_get(struct fdtable *t)
{
	refs_get(&t->refs);
	return t;
}

bool fdtable_is_shared(struct fdtable *t)
{
	return refs_read(&t->refs) > 1;
}

/* What each close of a descriptor does, after it left the table. */
static void file_closed(struct fdtable *t, struct file *f)
{
	if (f->ops->flush)
		f->ops->flush(f);
	if (f->inode->locks)
		lock_posix_close(f, t);
	file_put(f);
}

void fdtable_put(struct fdtable *t)
{
	if (!refs_put(&t->refs))
		return;
	for (u32 w = 0; w < t->a.max / 64; w++)
		for (u64 m = t->a.used[w]; m; m &= m - 1) {
			struct file *f = t->a.files[w * 64 + (u32)__builtin_ctzll(m)];

			if (f)
				file_closed(t, f);
			cond_resched();
		}
	arrays_free(t, t->a.files);
	kfree(t);
}

static struct file *fd_take_locked(struct fdtable *t, u32 fd) REQUIRES(&t->lock)
{
	struct file *f = t->a.files[fd];

	if (!f)
		return NULL;
	t->a.files[fd] = NULL;
	bit_set(t->a.used, fd, false);
	bit_set(t->a.cloexec, fd, false);
	if (fd < t->hint)
		t->hint = fd;
	return f;
}

void fdtable_close_on_exec(struct fdtable *t)
{
	struct file *f;
	u64 m;

	for (u32 w = 0; w < t->a.max / 64; w++)
		while ((m = t->a.cloexec[w]) != 0) {
			spin_lock(&t->lock);
			bit_set(t->a.cloexec, w * 64 + (u32)__builtin_ctzll(m), false);
			f = fd_take_locked(t, w * 64 + (u32)__builtin_ctzll(m));
			spin_unlock(&t->lock);
			if (f)
				file_closed(t, f);
		}
}

void fdtable_close_range(struct fdtable *t, u32 first, u32 last, bool cloexec_only)
{
	struct file *f;

	for (u32 fd = first; fd <= last && fd < READ_ONCE(t->a.max); fd++) {
		/* Whole empty words are skipped: the usual call is close_range(3, ~0). */
		if (fd % 64 == 0 && !READ_ONCE(t->a.used[fd / 64])) {
			fd += 63;
			continue;
		}
		spin_lock(&t->lock);
		f = NULL;
		if (!cloexec_only)
			f = fd_take_locked(t, fd);
		else if (t->a.files[fd])
			bit_set(t->a.cloexec, fd, true);
		spin_unlock(&t->lock);
		if (f)
			file_closed(t, f);
	}
}

static struct file *fd_file(struct fdtable *t, s32 fd)
{
	struct file *f;

	if (refs_read(&t->refs) == 1) {
		f = (u32)fd < t->a.max ? t->a.files[fd] : NULL;
		if (f)
			file_get(f);
		return f;
	}
	spin_lock(&t->lock);
	f = (u32)fd < t->a.max ? t->a.files[fd] : NULL;
	if (f)
		file_get(f);
	spin_unlock(&t->lock);
	return f;
}

bool fd_is_file(s32 fd, const struct file *f)
{
	struct fdtable *t = current_fds();
	bool is;

	spin_lock(&t->lock);
	is = (u32)fd < t->a.max && t->a.files[fd] == f;
	spin_unlock(&t->lock);
	return is;
}

int fd_lookup_path(s32 fd, struct file **out)
{
	struct file *f = fd_file(current_fds(), fd);

	if (!f)
		return -EBADF;
	*out = f;
	return 0;
}

int fd_lookup(s32 fd, struct file **out)
{
	struct file *f = fd_file(current_fds(), fd);

	if (!f)
		return -EBADF;
	if (unlikely(f->flags & O_PATH)) {
		file_put(f);
		return -EBADF;
	}
	*out = f;
	return 0;
}

/* The lowest free number >= min, or max. */
static u32 find_free_locked(const struct fdtable *t, u32 min) REQUIRES(&t->lock)
{
	u32 fd = MAX(min, t->hint);

	while (fd < t->a.max) {
		u64 free = ~t->a.used[fd / 64] & (~0ull << (fd % 64));

		if (free)
			return (fd & ~63u) + (u32)__builtin_ctzll(free);
		fd = (fd | 63u) + 1;
	}
	return fd;
}

static u32 fd_limit(void)
{
	u64 limit = current_rlimit(RLIMIT_NOFILE);

	return limit > FDS_MAX ? FDS_MAX : (u32)limit;
}

static int fd_alloc_locked(struct fdtable *t, u32 min, bool cloexec) REQUIRES(&t->lock)
{
	u32 limit = fd_limit(), fd;
	int err;

	for (;;) {
		fd = find_free_locked(t, min);
		if (fd >= limit)
			return -EMFILE;
		if (fd < t->a.max)
			break;
		err = fdtable_grow(t, fd);
		if (err)
			return err;
	}
	bit_set(t->a.used, fd, true);
	bit_set(t->a.cloexec, fd, cloexec);
	if (min <= t->hint)
		t->hint = fd + 1;
	return (int)fd;
}

int fd_install_min(struct file *f, bool cloexec, s32 min)
{
	struct fdtable *t = current_fds();
	int fd;

	if (min < 0 || (u32)min >= fd_limit())
		return -EINVAL;
	spin_lock(&t->lock);
	fd = fd_alloc_locked(t, (u32)min, cloexec);
	if (fd >= 0)
		t->a.files[fd] = f;
	spin_unlock(&t->lock);
	return fd;
}

int fd_install(struct file *f, bool cloexec)
{
	struct fdtable *t = current_fds();
	int fd;

	spin_lock(&t->lock);
	fd = fd_alloc_locked(t, 0, cloexec);
	if (fd >= 0)
		t->a.files[fd] = f;
	spin_unlock(&t->lock);
	return fd;
}

int fd_reserve(bool cloexec)
{
	struct fdtable *t = current_fds();
	int fd;

	spin_lock(&t->lock);
	fd = fd_alloc_locked(t, 0, cloexec);
	spin_unlock(&t->lock);
	return fd;
}

void fd_publish(s32 fd, struct file *f)
{
	struct fdtable *t = current_fds();

	spin_lock(&t->lock);
	BUG_ON(t->a.files[fd] || !bit_test(t->a.used, (u32)fd));
	t->a.files[fd] = f;
	spin_unlock(&t->lock);
}

void fd_unreserve(s32 fd)
{
	struct fdtable *t = current_fds();

	spin_lock(&t->lock);
	BUG_ON(t->a.files[fd]);
	bit_set(t->a.used, (u32)fd, false);
	bit_set(t->a.cloexec, (u32)fd, false);
	if ((u32)fd < t->hint)
		t->hint = (u32)fd;
	spin_unlock(&t->lock);
}

int fd_install_pair(struct file *const f[2], bool cloexec, uaddr_t out)
{
	s32 fd[2];
	int ret;

	ret = fd[0] = fd_reserve(cloexec);
	if (ret < 0)
		goto put;
	ret = fd[1] = fd_reserve(cloexec);
	if (ret < 0)
		goto unreserve0;
	ret = copy_to_user(out, fd, sizeof fd);
	if (ret)
		goto unreserve1;
	fd_publish(fd[0], f[0]);
	fd_publish(fd[1], f[1]);
	return 0;

unreserve1:
	fd_unreserve(fd[1]);
unreserve0:
	fd_unreserve(fd[0]);
put:
	file_put(f[0]);
	file_put(f[1]);
	return ret;
}

int fd_close(s32 fd)
{
	struct fdtable *t = current_fds();
	struct file *f;

	spin_lock(&t->lock);
	f = (u32)fd < t->a.max ? fd_take_locked(t, (u32)fd) : NULL;
	spin_unlock(&t->lock);
	if (!f)
		return -EBADF;
	file_closed(t, f);
	return 0;
}

int fd_install_at(struct file *f, s32 fd, bool cloexec)
{
	struct fdtable *t = current_fds();
	struct file *old = NULL;
	int err = 0;

	if (fd < 0 || (u32)fd >= fd_limit())
		return -EBADF;
	spin_lock(&t->lock);
	if ((u32)fd >= t->a.max)
		err = fdtable_grow(t, (u32)fd);
	if (!err) {
		old = t->a.files[fd];
		if (!old && bit_test(t->a.used, (u32)fd))
			err = -EBUSY;
	}
	if (!err) {
		t->a.files[fd] = f;
		bit_set(t->a.used, (u32)fd, true);
		bit_set(t->a.cloexec, (u32)fd, cloexec);
	}
	spin_unlock(&t->lock);
	if (err)
		return err;
	if (old)
		file_closed(t, old);
	return fd;
}

int fd_get_cloexec(s32 fd, bool *cloexec)
{
	struct fdtable *t = current_fds();
	int err = -EBADF;

	spin_lock(&t->lock);
	if ((u32)fd < t->a.max && t->a.files[fd]) {
		*cloexec = bit_test(t->a.cloexec, (u32)fd);
		err = 0;
	}
	spin_unlock(&t->lock);
	return err;
}

int fd_set_cloexec(s32 fd, bool cloexec)
{
	struct fdtable *t = current_fds();
	int err = -EBADF;

	spin_lock(&t->lock);
	if ((u32)fd < t->a.max && t->a.files[fd]) {
		bit_set(t->a.cloexec, (u32)fd, cloexec);
		err = 0;
	}
	spin_unlock(&t->lock);
	return err;
}

struct file *fdtable_next(struct fdtable *t, s32 *fd, bool *cloexec)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	for (; *fd >= 0 && (u32)*fd < t->a.max; (*fd)++) {
		f = t->a.files[*fd];
		if (f) {
			file_get(f);
			if (cloexec)
				*cloexec = bit_test(t->a.cloexec, (u32)*fd);
			break;
		}
	}
	spin_unlock(&t->lock);
	return f;
}
