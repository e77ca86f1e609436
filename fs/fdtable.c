// SPDX-License-Identifier: Apache-2.0
/*
 * fdtable - which descriptor means which open file
 *
 * Role      One per process (CLONE_FILES shares it). current_fds() is the running task's.
 * Rules     64 numbers are a word: their files, who is taken, who is closed on exec. A word gets memory for its files
 *           when a number in it is taken first, so a high number costs its word and 24 bytes for each word
 *           below. Everything that goes through a table goes through taken numbers, words at a time.
 *
 *           INVARIANTS
 *           Taken     A set bit in `used` means: file[] is set, or the number is reserved until fd_publish() or
 *                     fd_unreserve() by the thread that reserved it. cloexec is within used.
 *           hint      Never above the lowest free number.
 *           Who adds  Tasks that use the table, to their current_fds() only.
 *           Who takes The same, and the last user. What is taken out is put after the lock was dropped.
 *           Life      `users` are tasks (they share it by CLONE_FILES); the last one closes everything. `refs` are
 *                     the users together and whoever looks at it from outside (/proc, pidfd_getfd, kcmp): such
 *                     a look keeps the memory, not the files, and makes no table shared.
 *           Words     w and nr_words change under the lock and never shrink; a word's file[] stays until the end. Who
 *                     drops the lock looks at them again.
 * Locking   lock (RANK_FDTABLE) covers everything. While a table has one user only its own thread changes
 *           it, so that thread may look a descriptor up without the lock. Files are put outside the lock.
 * See       dup(2), close_range(2); tests/unit/lock_test.c, tests/syscalls/dup.c
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

#define WORD_FDS    64u
#define FIRST_WORDS 4u
#define FDS_MAX	    (1u << 20) /* NR_OPEN of Linux */

struct fd_word {
	struct file **file; /* WORD_FDS; NULL: none was ever taken */
	u64 used, cloexec;
};

struct fdtable {
	struct refs users, refs;
	struct spinlock lock;
	u32 nr_words;	   /* [lock] */
	struct fd_word *w; /* [lock] */
	u32 hint;	   /* [lock] */
	bool owns_locks;   /* POSIX record locks were set; stays */
	struct fd_word first_words[FIRST_WORDS];
	struct file *first_files[WORD_FDS];
};

static u64 bit_of(u32 fd)
{
	return 1ull << (fd % WORD_FDS);
}

/* The file at fd; NULL also where there is no memory yet. */
static struct file *file_at(const struct fdtable *t, u32 fd)
{
	const struct fd_word *w = &t->w[fd / WORD_FDS];

	return fd / WORD_FDS < t->nr_words && w->file ? w->file[fd % WORD_FDS] : NULL;
}

static bool is_used(const struct fdtable *t, u32 fd)
{
	return fd / WORD_FDS < t->nr_words && t->w[fd / WORD_FDS].used & bit_of(fd);
}

int fdtable_create(struct fdtable **out)
{
	struct fdtable *t = knew(struct fdtable);

	if (!t)
		return -ENOMEM;
	refs_init(&t->users, 1);
	refs_init(&t->refs, 1);
	spin_init(&t->lock, RANK_FDTABLE);
	t->w = t->first_words;
	t->nr_words = FIRST_WORDS;
	t->w[0].file = t->first_files;
	*out = t;
	return 0;
}

static void words_free(struct fdtable *t, struct fd_word *w)
{
	if (w != t->first_words)
		kfree(w);
}

static int words_grow(struct fdtable *t, u32 nr) REQUIRES(&t->lock)
{
	struct fd_word *w, *old;

	spin_unlock(&t->lock);
	w = kcalloc(nr, sizeof *w);
	spin_lock(&t->lock);
	if (!w)
		return -ENOMEM;
	if (t->nr_words >= nr) {
		kfree(w);
		return 0;
	}
	memcpy(w, t->w, t->nr_words * sizeof *w);
	old = t->w;
	t->w = w;
	t->nr_words = nr;
	words_free(t, old);
	return 0;
}

/* Makes room for fd; called and left with the lock held, dropped meanwhile. */
static int fdtable_grow(struct fdtable *t, u32 fd) REQUIRES(&t->lock)
{
	u32 i = fd / WORD_FDS, nr = t->nr_words;
	struct file **file;
	int err = 0;

	while (nr <= i)
		nr *= 2;
	if (nr > t->nr_words)
		err = words_grow(t, nr);
	if (err || t->w[i].file)
		return err;
	spin_unlock(&t->lock);
	file = kcalloc(WORD_FDS, sizeof *file);
	spin_lock(&t->lock);
	if (!file)
		return -ENOMEM;
	if (t->w[i].file)
		kfree(file);
	else
		t->w[i].file = file;
	return 0;
}

static bool has_room(const struct fdtable *t, u32 fd)
{
	return fd / WORD_FDS < t->nr_words && t->w[fd / WORD_FDS].file;
}

/* Words up to the last one with something taken. */
static u32 words_in_use(const struct fdtable *t)
{
	u32 n = t->nr_words;

	while (n > 1 && !t->w[n - 1].used)
		n--;
	return n;
}

static void memory_free(struct fdtable *t)
{
	for (u32 i = 0; i < t->nr_words; i++)
		if (t->w[i].file != t->first_files)
			kfree(t->w[i].file);
	words_free(t, t->w);
	kfree(t);
}

/* One word of src into t, which has memory for it. Reserved numbers belong to another thread's call: free in t. */
static void word_copy(struct fdtable *t, const struct fdtable *src, u32 i)
{
	const struct fd_word *from = &src->w[i];
	struct fd_word *to = &t->w[i];

	for (u64 m = from->used; m; m &= m - 1) {
		u32 k = (u32)__builtin_ctzll(m);

		if (!from->file[k])
			continue;
		file_get(from->file[k]);
		to->file[k] = from->file[k];
		to->used |= 1ull << k;
	}
	to->cloexec = from->cloexec & to->used;
}

/* src's lock held; true: t has memory for everything in src. */
static bool covers(const struct fdtable *t, const struct fdtable *src)
{
	u32 n = words_in_use(src);

	for (u32 i = 0; i < n; i++)
		if (src->w[i].used && !has_room(t, i * WORD_FDS))
			return false;
	return true;
}

/* Makes it so, a word at a time, each after a new look: src may change while memory is allocated. */
static int room_for_locked(struct fdtable *t, struct fdtable *src) REQUIRES(&src->lock)
{
	int err = 0;

	while (!err && !covers(t, src))
		for (u32 i = 0; i < words_in_use(src) && !err; i++) {
			if (!src->w[i].used || has_room(t, i * WORD_FDS))
				continue;
			spin_unlock(&src->lock);
			spin_lock(&t->lock);
			err = fdtable_grow(t, i * WORD_FDS);
			spin_unlock(&t->lock);
			spin_lock(&src->lock);
		}
	return err;
}

int fdtable_clone(struct fdtable *src, struct fdtable **out)
{
	struct fdtable *t;
	u32 n;
	int err = fdtable_create(&t);

	if (err)
		return err;
	spin_lock(&src->lock);
	err = room_for_locked(t, src);
	n = words_in_use(src);
	for (u32 i = 0; i < n && !err; i++)
		word_copy(t, src, i);
	spin_unlock(&src->lock);
	if (err) {
		memory_free(t);
		return err;
	}
	for (t->hint = 0; is_used(t, t->hint);)
		t->hint++;
	*out = t;
	return 0;
}

struct fdtable *fdtable_get(struct fdtable *t)
{
	refs_get(&t->users);
	return t;
}

struct fdtable *fdtable_hold(struct fdtable *t)
{
	refs_get(&t->refs);
	return t;
}

void fdtable_drop(struct fdtable *t)
{
	if (refs_put(&t->refs))
		memory_free(t);
}

bool fdtable_is_shared(struct fdtable *t)
{
	return refs_read(&t->users) > 1;
}

/* What each close of a descriptor does, after it left the table. */
static void file_closed(struct fdtable *t, struct file *f)
{
	if (f->ops->flush)
		f->ops->flush(f);
	/* What others have locked is not looked through by who never locked anything. */
	if (READ_ONCE(t->owns_locks) && f->inode->locks)
		lock_posix_close(f, t);
	file_put(f);
}

static struct file *fd_take_locked(struct fdtable *t, u32 fd) REQUIRES(&t->lock)
{
	struct fd_word *w = &t->w[fd / WORD_FDS];
	struct file *f = file_at(t, fd);

	if (!f)
		return NULL;
	w->file[fd % WORD_FDS] = NULL;
	w->used &= ~bit_of(fd);
	w->cloexec &= ~bit_of(fd);
	if (fd < t->hint)
		t->hint = fd;
	return f;
}

/* Which bits of word i are in [first, last]. */
static u64 range_mask(u32 i, u32 first, u32 last)
{
	u64 mask = ~0ull;

	if (first / WORD_FDS == i)
		mask &= ~0ull << (first % WORD_FDS);
	if (last / WORD_FDS == i)
		mask &= ~0ull >> (WORD_FDS - 1 - last % WORD_FDS);
	return mask;
}

/* Closes all open descriptors in [first, last], with the one lock held for one at a time. */
static void close_all(struct fdtable *t, u32 first, u32 last, bool cloexec_only)
{
	struct file *f;
	u64 m;

	spin_lock(&t->lock);
	for (u32 i = first / WORD_FDS; i <= last / WORD_FDS && i < t->nr_words; i++) {
		m = (cloexec_only ? t->w[i].cloexec : t->w[i].used) & range_mask(i, first, last);
		for (; m; m &= m - 1) {
			f = fd_take_locked(t, i * WORD_FDS + (u32)__builtin_ctzll(m));
			if (!f)
				continue;
			spin_unlock(&t->lock);
			file_closed(t, f);
			cond_resched();
			spin_lock(&t->lock);
		}
	}
	spin_unlock(&t->lock);
}

void fdtable_put(struct fdtable *t)
{
	if (!refs_put(&t->users))
		return;
	close_all(t, 0, FDS_MAX - 1, false);
	fdtable_drop(t);
}

void fdtable_close_on_exec(struct fdtable *t)
{
	close_all(t, 0, FDS_MAX - 1, true);
}

void fdtable_close_range(struct fdtable *t, u32 first, u32 last, bool cloexec_only)
{
	if (!cloexec_only) {
		close_all(t, first, last, false);
		return;
	}
	spin_lock(&t->lock);
	for (u32 i = first / WORD_FDS; i <= last / WORD_FDS && i < t->nr_words; i++)
		t->w[i].cloexec |= t->w[i].used & range_mask(i, first, last);
	spin_unlock(&t->lock);
}

static struct file *fd_file(struct fdtable *t, s32 fd)
{
	struct file *f;

	if (refs_read(&t->users) == 1) {
		f = file_at(t, (u32)fd);
		if (f)
			file_get(f);
		return f;
	}
	spin_lock(&t->lock);
	f = file_at(t, (u32)fd);
	if (f)
		file_get(f);
	spin_unlock(&t->lock);
	return f;
}

void fdtable_will_own_locks(struct fdtable *t)
{
	WRITE_ONCE(t->owns_locks, true);
}

bool fd_is_file(s32 fd, const struct file *f)
{
	struct fdtable *t = current_fds();
	bool is;

	spin_lock(&t->lock);
	is = file_at(t, (u32)fd) == f;
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

/* The lowest free number >= min; it may need room. */
static u32 find_free_locked(const struct fdtable *t, u32 min) REQUIRES(&t->lock)
{
	u32 fd = MAX(min, t->hint);

	while (fd / WORD_FDS < t->nr_words) {
		u64 free = ~t->w[fd / WORD_FDS].used & (~0ull << (fd % WORD_FDS));

		if (free)
			return ALIGN_DOWN(fd, WORD_FDS) + (u32)__builtin_ctzll(free);
		fd = ALIGN_DOWN(fd, WORD_FDS) + WORD_FDS;
	}
	return fd;
}

static u32 fd_limit(void)
{
	u64 limit = current_rlimit(RLIMIT_NOFILE);

	return limit > FDS_MAX ? FDS_MAX : (u32)limit;
}

static void mark_used(struct fdtable *t, u32 fd, bool cloexec) REQUIRES(&t->lock)
{
	struct fd_word *w = &t->w[fd / WORD_FDS];

	w->used |= bit_of(fd);
	w->cloexec = cloexec ? w->cloexec | bit_of(fd) : w->cloexec & ~bit_of(fd);
}

static void set_file(struct fdtable *t, u32 fd, struct file *f) REQUIRES(&t->lock)
{
	t->w[fd / WORD_FDS].file[fd % WORD_FDS] = f;
}

static int fd_alloc_locked(struct fdtable *t, u32 min, bool cloexec) REQUIRES(&t->lock)
{
	u32 limit = fd_limit(), fd;
	int err;

	for (;;) {
		fd = find_free_locked(t, min);
		if (fd >= limit)
			return -EMFILE;
		if (likely(has_room(t, fd)))
			break;
		err = fdtable_grow(t, fd);
		if (err)
			return err;
	}
	mark_used(t, fd, cloexec);
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
		set_file(t, (u32)fd, f);
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
		set_file(t, (u32)fd, f);
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
	BUG_ON(file_at(t, (u32)fd) || !is_used(t, (u32)fd));
	set_file(t, (u32)fd, f);
	spin_unlock(&t->lock);
}

void fd_unreserve(s32 fd)
{
	struct fdtable *t = current_fds();

	spin_lock(&t->lock);
	BUG_ON(file_at(t, (u32)fd) || !is_used(t, (u32)fd));
	t->w[fd / WORD_FDS].used &= ~bit_of((u32)fd);
	t->w[fd / WORD_FDS].cloexec &= ~bit_of((u32)fd);
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
	f = fd_take_locked(t, (u32)fd);
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
	if (!has_room(t, (u32)fd))
		err = fdtable_grow(t, (u32)fd);
	if (!err) {
		old = file_at(t, (u32)fd);
		if (!old && is_used(t, (u32)fd))
			err = -EBUSY;
	}
	if (!err) {
		set_file(t, (u32)fd, f);
		mark_used(t, (u32)fd, cloexec);
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
	if (file_at(t, (u32)fd)) {
		*cloexec = t->w[fd / WORD_FDS].cloexec & bit_of((u32)fd);
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
	if (file_at(t, (u32)fd)) {
		mark_used(t, (u32)fd, cloexec);
		err = 0;
	}
	spin_unlock(&t->lock);
	return err;
}

struct file *fdtable_next(struct fdtable *t, s32 *fd, bool *cloexec)
{
	struct file *f = NULL;
	u32 at = (u32)*fd;

	spin_lock(&t->lock);
	while (!f && at / WORD_FDS < t->nr_words) {
		u64 m = t->w[at / WORD_FDS].used & (~0ull << (at % WORD_FDS));

		at = ALIGN_DOWN(at, WORD_FDS) + (m ? (u32)__builtin_ctzll(m) : WORD_FDS);
		if (!m)
			continue;
		f = file_at(t, at);
		at += !f;
	}
	if (f) {
		file_get(f);
		if (cloexec)
			*cloexec = t->w[at / WORD_FDS].cloexec & bit_of(at);
	}
	spin_unlock(&t->lock);
	*fd = (s32)at;
	return f;
}
