// SPDX-License-Identifier: Apache-2.0
/*
 * inode - file system objects, super blocks, and the operations a driver supplies
 *
 * Role      A driver embeds struct inode in its own structure and fills one inode_ops table per kind of object.
 *           The VFS (namei.c, ops.c, file.c) does path walk, permissions, locking, name cache, limits and
 *           notification; the driver does what is specific.
 * Rules     A NULL operation means the default stated at the operation. Inode numbers and types never
 *           change. Drivers set mode, nlink, uid, gid, times, size before they hand an inode out. A driver may
 *           be layered under another (overlayfs): then the layer above calls the operations directly.
 * Locking   inode->lock (rwsem, RANK_INODE_DIR for directories, RANK_INODE else) as stated per operation.
 *           mode, uid, gid are written with it held exclusively, and read without it by permission checks.
 *           Sockets, devices and pipes bring file_ops through open.
 */
#pragma once

#include "fs/pagecache.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/uapi/stat.h"
#include "guestkernel/uapi/statfs.h"

struct inode;
struct super;
struct fs_type;
struct acl;

/* POSIX ACLs: fs/acl.h. */
enum acl_kind { ACL_NONE, ACL_ACCESS, ACL_DEFAULT };

#define NAME_LEN_MAX 255

/* One path component; not terminated. */
struct name {
	const char *s;
	u32 len;
	u32 hash; /* name_hash() */
};

u32 name_hash(const char *s, u32 len);
/* One step of it, eight bytes; the bytes behind a name's end are 0. And the end. */
static inline u64 name_hash_step(u64 h, u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}
static inline u32 name_hash_end(u64 h)
{
	return (u32)(h ^ h >> 32);
}
static inline struct name name_make(const char *s, u32 len)
{
	return (struct name){ s, len, name_hash(s, len) };
}

/* What a new object looks like; the VFS has applied umask, owner and set-group-ID rules. */
struct new_inode {
	u32 mode; /* S_IFxxx | permissions */
	u32 uid, gid;
	u32 rdev;		       /* S_IFCHR, S_IFBLK */
	const char *link;	       /* S_IFLNK: terminated text */
	struct acl *acl, *default_acl; /* inherited; the VFS gives them to what was made */
};

enum attr_valid {
	ATTR_MODE = 1u << 0,
	ATTR_UID = 1u << 1,
	ATTR_GID = 1u << 2,
	ATTR_SIZE = 1u << 3,
	ATTR_ATIME = 1u << 4,
	ATTR_MTIME = 1u << 5,
	ATTR_CTIME = 1u << 6,
	/* Why, for fs/attr.c: drivers never see these. */
	ATTR_CONTENTS = 1u << 7, /* what the file holds changes */
	ATTR_OWNER = 1u << 8,	 /* whom it belongs to, or the caller said so */
};

/* A change of attributes, already permitted. */
struct attr {
	u32 valid; /* enum attr_valid */
	u32 mode;  /* permission bits only */
	u32 uid, gid;
	u64 size;
	struct timespec atime, mtime, ctime;
};

/* What stat and statx show. */
struct kstat {
	u64 dev, ino, rdev;
	u32 mode, nlink, uid, gid;
	u64 size, blocks; /* blocks of 512 bytes */
	u32 blksize;
	u32 attributes; /* STATX_ATTR_* */
	struct timespec atime, mtime, ctime, btime;
	bool has_btime;
};

struct rename_req {
	struct inode *old_dir, *new_dir; /* both locked exclusively (once when equal) */
	struct name old_name, new_name;
	struct inode *inode;  /* what moves */
	struct inode *target; /* what is replaced or exchanged; NULL: nothing there */
	u32 flags; /* RENAME_NOREPLACE has been checked; RENAME_EXCHANGE, RENAME_WHITEOUT */
};

struct inode_ops {
	/* Directories. dir locked shared (exclusively also allowed). *out gets a reference; -ENOENT when there
	 * is none. NULL: -ENOTDIR, and the inode is not a directory for path walk. */
	int (*lookup)(struct inode *dir, const struct name *n, struct inode **out);
	/* dir locked shared. Emits entries from ctx->pos on (2 is the first; "." and ".." are the caller's),
	 * advancing it. For default_dir_fops and for layered file systems. */
	int (*iterate)(struct inode *dir, struct dir_ctx *ctx);
	/* dir locked exclusively, name known to be absent. All types but hard links. NULL: -EPERM. */
	int (*create)(struct inode *dir, const struct name *n, const struct new_inode *ni,
		      struct inode **out);
	/* dir unlocked; an object without a name (O_TMPFILE), nlink 0. NULL: -EOPNOTSUPP. */
	int (*tmpfile)(struct inode *dir, const struct new_inode *ni, struct inode **out);
	/* dir locked exclusively, target not a directory and locked exclusively. NULL: -EPERM. */
	int (*link)(struct inode *dir, const struct name *n, struct inode *target);
	/* dir and victim locked exclusively. NULL: -EPERM. */
	int (*unlink)(struct inode *dir, const struct name *n, struct inode *victim);
	/* The same for directories; -ENOTEMPTY. NULL: -EPERM. */
	int (*rmdir)(struct inode *dir, const struct name *n, struct inode *victim);
	/* Directories as in rename_req; the moved object, if a directory that changes its parent, and the
	 * target are locked exclusively. NULL: -EPERM (-EXDEV never: same super block). */
	int (*rename)(const struct rename_req *r);

	/* Any object. Unlocked, must not change it. NULL: inode_fill_stat(). */
	int (*getattr)(struct inode *inode, struct kstat *st);
	/* Locked exclusively. Must update the inode's fields; sizes: pages beyond are dropped here. NULL: -EPERM. */
	int (*setattr)(struct inode *inode, const struct attr *a);
	/* MAY_* mask; dcache_lock may be held: must not sleep. NULL: inode_permission_mode(). */
	int (*permission)(const struct cred *c, struct inode *inode, u32 mask);
	/* Symbolic links whose text is not in inode->link. Unlocked. Bytes stored (not terminated) or
	 * -errno; the text is cut at size. */
	s64 (*readlink)(struct inode *inode, char *buf, u32 size);
	/* A magic link: where it leads, with references. readlink still supplies its text. */
	int (*get_link_path)(struct inode *inode, struct path *out);
	/* Extended attributes; locked shared/exclusively. value NULL: ask for the size. -ENODATA, -ERANGE.
	 * NULL operations: -EOPNOTSUPP. setxattr with value NULL removes. list: names with their NULs. */
	s64 (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size,
			u32 flags);
	s64 (*listxattr)(struct inode *inode, char *list, size_t size);

	/* Locked exclusively. Keeps a (NULL: none) with acl_attach(); takes over the reference, on failure too. NULL: the
	 * file system has no ACLs. Never fails for an object just made. */
	int (*set_acl)(struct inode *inode, enum acl_kind kind, struct acl *a);

	/* Sets f->ops and f->priv (the data inode for regular files). f->inode, path, flags, cred are set.
	 * Unlocked. May return another errno. NULL: by type (default_open in defaults.c). */
	int (*open)(struct inode *inode, struct file *f);
	/* dcache_lock held, must not sleep: true when a cached name no longer means this object. */
	bool (*is_stale)(struct inode *inode);
	/* Fills a page of a regular file that is not in the page cache. NULL: zeroes (sparse). */
	int (*readpage)(struct inode *inode, u64 pgoff, struct page *pg);
	/* Accounts npages more (or fewer) pages of storage; -ENOSPC. NULL: unlimited. */
	int (*charge)(struct inode *inode, s64 npages);
	/* The last reference is gone and the page cache is empty: free everything including the structure. */
	void (*evict)(struct inode *inode);
};

enum inode_flags {
	INODE_NO_DCACHE =
		1u
		<< 0, /* directory: its names are not cached (procfs task directories), but for INODE_STAYS */
	INODE_NO_NEGATIVE = 1u << 1, /* directory: absent names are not cached */
	INODE_DEAD = 1u << 2,	     /* removed directory: nothing can be created in it any more */
	INODE_HASHED = 1u << 3,	     /* in the inode hash */
	INODE_IMMUTABLE = 1u << 4,   /* FS_IMMUTABLE_FL */
	INODE_APPEND = 1u << 5,	     /* FS_APPEND_FL */
	INODE_NODUMP = 1u << 6,
	INODE_NOATIME = 1u << 7,
	INODE_HAS_CAPS = 1u << 8, /* there may be a security.capability, which a write takes away */
	INODE_LINKABLE = 1u << 9, /* O_TMPFILE without O_EXCL: linkat may give it a name */
	INODE_STAYS = 1u << 10,	  /* its name always means the same: may be cached everywhere */
};

struct inode {
	struct refs refs;
	u32 mode;				    /* [lock] S_IFxxx | permissions */
	u32 uid, gid;				    /* [lock] */
	u32 flags;				    /* enum inode_flags, atomic */
	u32 nlink;				    /* [lock] */
	u32 rdev;				    /* [I] */
	u32 blkbits;				    /* [I] log2 of st_blksize */
	struct super *sb;			    /* [I] */
	const struct inode_ops *ops;		    /* [I] */
	const struct file_ops *fops;		    /* [I] given to files by default_open() */
	u64 ino;				    /* [I] */
	u64 size;				    /* [lock] read atomically */
	struct timespec atime, mtime, ctime, btime; /* [lock] atime: unlocked */
	struct rwsem lock;
	struct inode *hash_next;       /* [icache_lock] */
	struct acl *acl, *default_acl; /* fs/acl.h; freed by drivers that have set_acl */
	const char *link; /* symbolic link text, or NULL: readlink; owned by the driver */
	u32 seals;	  /* [lock] F_SEAL_*; memfd starts with what it wants, others F_SEAL_SEAL */
	s32 write_count;  /* atomic: open for writing n times, or -n denied by exec */
	void *special;	  /* FIFO: struct pipe (fs/pipe.c); socket: the bound socket */
	struct lock_list *locks;   /* fs/lock.c; allocated on first use, xchg */
	struct notify_mark *marks; /* fs/notify.c: inotify watches, or NULL */
	struct pagecache pages;	   /* regular files */
};

struct super_ops {
	/* NULL: magic and zeroes. */
	int (*statfs)(struct super *sb, struct statfs *st);
	/* NULL: nothing to write. */
	int (*sync)(struct super *sb);
	/* Options as in /proc/mounts, each with a leading comma. */
	void (*show_options)(struct super *sb, struct strbuf *out);
	int (*remount)(struct super *sb, u32 *flags, const char *data);
	/* Last user gone, root inode put: free sb->priv. */
	void (*umount)(struct super *sb);
};

struct super {
	struct refs refs;
	atomic_t writers; /* the sum over its mounts: see fs/mount.h */
	u32 flags;	  /* MS_RDONLY and friends */
	u32 dev;	  /* [I] st_dev, an anonymous device number */
	u64 magic;
	u64 max_bytes;		     /* largest file */
	const struct fs_type *type;  /* [I] */
	const struct super_ops *ops; /* [I] */
	struct inode *root;	     /* [I] referenced */
	struct dentry *root_dentry;  /* [I] referenced; made by mount.c, NULL for a layer */
	struct mutex rename_lock;    /* RANK_RENAME */
	void *priv;
};

struct mount_args {
	const char *source; /* may be NULL */
	const char *data;   /* options text, may be NULL */
	const void *kdata;  /* from the kernel itself: window, layers; NULL from mount(2) */
	u32 flags;	    /* MS_* */
};

struct fs_type {
	const char *name;
	bool no_dev;	     /* "nodev" in /proc/filesystems */
	bool user_mountable; /* mount(2) may create it */
	bool is_stacked;     /* locks inodes of other file systems under its own */
	/* *out: super block with root inode, one reference. A driver with a single instance returns it again. */
	int (*mount)(const struct fs_type *t, const struct mount_args *a, struct super **out);
};

/* Super blocks. */
int must_check super_create(const struct fs_type *t, const struct super_ops *ops, u64 magic,
			    struct super **out);
static inline struct super *super_get(struct super *sb)
{
	refs_get(&sb->refs);
	return sb;
}
void super_put(struct super *sb);

/* Inodes. init: refs 1, nlink 1, times now, lock rank by type, empty page cache; holds no reference on sb. */
void inode_init(struct inode *inode, struct super *sb, u64 ino, u32 mode,
		const struct inode_ops *ops);
static inline struct inode *inode_get(struct inode *inode)
{
	refs_get(&inode->refs);
	return inode;
}
/* Last reference: drops pages, locks and marks, calls ops->evict. May sleep. */
void inode_put(struct inode *inode);
/* Inode hash by (sb, number). find takes a reference. insert gives back an inode that raced in, or NULL. */
struct inode *inode_hash_find(struct super *sb, u64 ino);
struct inode *inode_hash_insert(struct inode *inode);
/* A number for an object without its own. */
u64 inode_next_ino(void);

static inline bool inode_is_dir(const struct inode *inode)
{
	return S_ISDIR(inode->mode);
}

void inode_lock(struct inode *inode) NO_LOCK_ANALYSIS;
void inode_unlock(struct inode *inode) NO_LOCK_ANALYSIS;
/* Of a directory below one that is locked. */
void inode_lock_child(struct inode *inode) NO_LOCK_ANALYSIS;
void inode_lock_shared(struct inode *inode) NO_LOCK_ANALYSIS;
void inode_unlock_shared(struct inode *inode) NO_LOCK_ANALYSIS;
/* Two directories: the ancestor first if known, else by address. */
void inode_lock_pair(struct inode *a, struct inode *b) NO_LOCK_ANALYSIS;
void inode_unlock_pair(struct inode *a, struct inode *b) NO_LOCK_ANALYSIS;

/* The default getattr. */
void inode_fill_stat(struct inode *inode, struct kstat *st);
/* Copies the valid fields into the inode (not the size) and sets ctime: what most setattr want. */
void inode_apply_attr(struct inode *inode, const struct attr *a);
struct timespec inode_now(void);
/* mtime and ctime. */
void inode_touch(struct inode *inode);
u32 mode_to_dtype(u32 mode);

/* A writer appears; -ETXTBSY while the file is executed. And the other way round. */
int must_check inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
int must_check inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);

/* Permission checks (perm.c) with the current credentials: fsuid, groups, capabilities. */
enum may { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4, MAY_APPEND = 8 };
int must_check inode_permission(struct inode *inode, u32 mask);
/* The same for other credentials (access(2), path walk). */
int must_check inode_permission_as(const struct cred *c, struct inode *inode, u32 mask);
/* Mode bits alone, for drivers' permission operations. */
int must_check inode_permission_mode(const struct cred *c, const struct inode *inode, u32 mask);
bool inode_owner_or_capable(const struct inode *inode);
/* May the caller make or remove names in dir? victim NULL: make. */
int must_check inode_may_create(struct inode *dir);
int must_check inode_may_delete(struct inode *dir, struct inode *victim, bool want_dir);
/* Owner, group, mode and ACLs of something new in dir: of the mode asked for, what the umask, or the directory's default
 * ACL, leaves. Afterwards inode_made(), whatever came of it. -ENOMEM. */
int must_check inode_new_owner(struct inode *dir, u32 mode, u32 umask, struct new_inode *ni);
/* inode NULL: it was not made. */
void inode_made(struct inode *inode, struct new_inode *ni);

/* In directories that everybody may write the files of others are traps: sys/fs/protected_*. */
struct protect {
	u32 symlinks, hardlinks, fifos, regular;
};
extern struct protect protect;
/* May the link, the last component of a path, be followed in dir? Does not sleep. */
int must_check protect_follow(const struct cred *c, const struct inode *dir,
			      const struct inode *link);
/* May a hard link to inode be made by the caller? */
int must_check protect_link(struct inode *inode);
/* May O_CREAT open what was found in dir? */
int must_check protect_create(const struct inode *dir, const struct inode *found);

/* defaults.c: open by type: regular files and directories get inode->fops, devices chrdev_open(), FIFOs
 * fifo_open(), sockets -ENXIO. */
int must_check default_open(struct inode *inode, struct file *f);
/* Regular files over the page cache of f->priv (a struct inode *). */
extern const struct file_ops pagecache_file_ops;
/* Directories with inode_ops.iterate. */
extern const struct file_ops default_dir_fops;
s64 pagecache_file_read(struct file *f, struct iov_cursor *dst, s64 *pos);
/* lseek for a file of the given size, with SEEK_DATA/SEEK_HOLE as if there were no holes. */
s64 default_lseek(struct file *f, s64 off, s32 whence, u64 size);
/* lseek of directories: SEEK_SET and SEEK_CUR. */
s64 dir_lseek(struct file *f, s64 off, s32 whence);
/* Emits "." and ".." (positions 0 and 1) when ctx->pos says so; false when the buffer is full. */
bool dir_emit_dots(struct file *f, struct dir_ctx *ctx);

/* Supplied by fs/devfs.c and fs/pipe.c. Both fill f->ops and f->priv. */
int must_check chrdev_open(struct inode *inode, struct file *f);
int must_check fifo_open(struct inode *inode, struct file *f);
/* The inode of a FIFO goes away (inode->special not NULL). */
void fifo_evict(struct inode *inode);
