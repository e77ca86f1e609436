// SPDX-License-Identifier: Apache-2.0
/*
 * file - an open file, its operations, and descriptor tables
 *
 * Role      struct file is what a descriptor names. Objects (pipe, eventfd, inode of a file system,
 *           socket) supply file_ops. Life cycle in fs/file.c, tables in fs/fdtable.c.
 * Rules     A NULL operation means: read/write -EINVAL, poll always ready, ioctl -ENOTTY, mmap -ENODEV,
 *           lseek -ESPIPE, iterate -ENOTDIR, fsync -EINVAL, fallocate -EOPNOTSUPP. fs/file.c checks access
 *           mode, limits, position locking and signals (SIGPIPE, SIGXFSZ) before and after the call.
 */
#pragma once

#include "guestkernel/kapi/defer.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/poll.h"
#include "guestkernel/kapi/refs.h"
#include "guestkernel/kapi/user.h"

struct dentry;
struct mount;
struct inode;
struct cred;
struct file;
struct strbuf;
struct pager;
struct async_list;
struct async_owner;

/* A name in the mount tree; holds a reference on both. */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* fs/namei.c: what a path is called, for /proc and messages. */
/* Text of a path below root, " (deleted)" appended when unlinked, "(unreachable)" in front when outside. root NULL: the
 * task's root; what is outside goes by its path from the top of its own mounts then, as links in /proc do on Linux.
 * buf[size]; returns a pointer into buf or NULL when it does not fit. */
char *path_text(const struct path *p, const struct path *root, char *buf, u32 size);

/* Directory reading: emit returns false when the buffer is full. */
struct dir_ctx {
	bool (*emit)(struct dir_ctx *ctx, const char *name, u32 len, u64 ino, u8 type,
		     s64 next_pos);
	s64 pos;
};

struct mmap_req {
	u64 off_bytes, len_bytes;
	u32 prot, flags; /* PROT_*, MAP_* */
	bool may_write; /* in/out: whether mprotect(PROT_WRITE) is ever allowed on a shared mapping */
	struct pager *pager; /* out: referenced by the mapping */
};

struct file_ops {
	/* Bytes done or -errno; -EAGAIN when O_NONBLOCK and nothing to do. *pos is advanced by the callee
	 * when the file is seekable (NULL pos: not seekable). */
	s64 (*read)(struct file *f, struct iov_cursor *dst, s64 *pos);
	s64 (*write)(struct file *f, struct iov_cursor *src, s64 *pos);
	u32 (*poll)(struct file *f, struct poll_table *pt);
	s64 (*ioctl)(struct file *f, u32 cmd, u64 arg);
	int (*mmap)(struct file *f, struct mmap_req *req);
	s64 (*lseek)(struct file *f, s64 off, s32 whence);
	int (*iterate)(struct file *f, struct dir_ctx *ctx);
	int (*fsync)(struct file *f, bool data_only);
	int (*fallocate)(struct file *f, s32 mode, s64 off, s64 len);
	/* fcntl commands the generic code does not know (F_SETPIPE_SZ, F_ADD_SEALS ...); -EINVAL default. */
	s64 (*fcntl)(struct file *f, u32 cmd, u64 arg);
	/* Where O_ASYNC puts the file (kapi/async.h); NULL: it cannot be set, and F_SETFL ignores it. */
	struct async_list *(*async)(struct file *f);
	/* Each close of a descriptor (POSIX locks go elsewhere). */
	void (*flush)(struct file *f);
	/* Last reference; f->priv is freed here. May sleep. */
	void (*release)(struct file *f);
	/* What splice(2) and sendfile(2) take as source and as target; pipes are always. */
	bool can_splice_from, can_splice_to;
	/* Extra lines of /proc/<pid>/fdinfo/<fd>. */
	void (*show_fdinfo)(struct file *f, struct strbuf *sb);
};

/* What programs see of file.flags; the bits above belong to fs/ (fs/filp.h). */
#define FILE_STATUS_FLAGS ((1u << 30) - 1)

struct file {
	struct refs refs;
	u32 flags;		    /* O_* status flags and access mode [lock for change] */
	const struct file_ops *ops; /* [I] */
	void *priv;		    /* [I] the object */
	struct path path;	    /* [I] never empty: anonymous files live on an internal mount */
	struct inode *inode;	    /* [I] path.dentry's inode at open */
	const struct cred *cred;    /* [I] opener's credentials */
	struct mutex pos_lock;	    /* RANK_FILE_POS */
	s64 pos;		    /* [pos_lock] */
	struct spinlock lock;	    /* RANK_FILE: flags, owner, epoll links */
	struct list epoll_links;    /* [lock] epoll items that watch this file */
	bool was_watched;	    /* [lock] there was such an item */
	struct async_owner *async;  /* F_SETOWN, F_SETSIG, O_ASYNC: fs/async.c */
	struct deferred last_put;
};

static inline bool file_can_read(const struct file *f)
{
	return (f->flags & 3) != 1 && !(f->flags & 010000000); /* not O_WRONLY, not O_PATH */
}
static inline bool file_can_write(const struct file *f)
{
	return (f->flags & 3) != 0 && !(f->flags & 010000000);
}

/* An open file without a name in any directory (pipe, eventfd, socket): shown as "name" or "type:[ino]" in
 * /proc/<pid>/fd. flags: O_* access mode and status. mode: S_IFxxx|perm for fstat. Owner of priv moves to
 * the file on success only. Implemented by fs/anonfs.c. */
int must_check file_create_anon(const char *name, u32 mode, u32 flags, const struct file_ops *ops,
				void *priv, struct file **out);
static inline void file_get(struct file *f)
{
	refs_get(&f->refs);
}
/* May sleep; the last one releases now or, inside another release, on the way out. */
void file_put(struct file *f);
/* Read/write by the kernel itself or by read(2)-like calls: full checks, position by pointer. */
s64 must_check file_read(struct file *f, struct iov_cursor *dst, s64 *pos);
s64 must_check file_write(struct file *f, struct iov_cursor *src, s64 *pos);
/* Of a file open for writing. */
int must_check file_fallocate(struct file *f, s32 mode, s64 off, s64 len);
u32 file_poll(struct file *f, struct poll_table *pt);
/* Called at last put so that epoll forgets the file (epoll.c implements it). */
void epoll_forget_file(struct file *f);

/* Descriptor tables. Owner: fs/fdtable.c. */
struct fdtable;
#define FD_CLOEXEC_FLAG 1u

int must_check fdtable_create(struct fdtable **out);
/* A private copy, for fork. */
int must_check fdtable_clone(struct fdtable *src, struct fdtable **out);
/* One more task uses t; the last put closes everything. */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t);
/* For a look from outside: keeps t, not what is open in it. */
struct fdtable *fdtable_hold(struct fdtable *t);
void fdtable_drop(struct fdtable *t);
/* Between tasks. */
bool fdtable_is_shared(struct fdtable *t);
void fdtable_close_on_exec(struct fdtable *t);

/* All below act on the current task's table. fd_lookup returns a reference; -EBADF when not open, also for
 * O_PATH files unless fd_lookup_path is used. */
int must_check fd_lookup(s32 fd, struct file **out);
int must_check fd_lookup_path(s32 fd, struct file **out);
/* Lowest free descriptor >= min below RLIMIT_NOFILE; -EMFILE. Consumes the reference on success. */
int must_check fd_install(struct file *f, bool cloexec);
int must_check fd_install_min(struct file *f, bool cloexec, s32 min);
/* Two-step for calls that must not fail after they acted (socketpair, recvmsg): reserve, then publish. */
int must_check fd_reserve(bool cloexec);
void fd_publish(s32 fd, struct file *f);
void fd_unreserve(s32 fd);
/* Two at once (pipe, socketpair): the numbers go to out, s32[2]. Takes over both references, on failure too. */
int must_check fd_install_pair(struct file *const f[2], bool cloexec, uaddr_t out);
int fd_close(s32 fd);
/* Another task's table (procfs, pidfd_getfd): next open descriptor >= *fd with a reference, NULL at the end. */
struct file *fdtable_next(struct fdtable *t, s32 *fd, bool *cloexec);
