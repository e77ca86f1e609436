// SPDX-License-Identifier: Apache-2.0
/*
 * mount - mounts, their tree, and the list of file system types
 *
 * Role      A mount shows one super block (or a subtree of it) at a place in a namespace's tree.
 * Rules     A mount in the tree is referenced by the tree; files and walks take more. Lookups by
 *           (mount, dentry) are in a hash covered by dcache_lock.
 * Locking   mount_ns.lock (RANK_MOUNT_TREE) is held for every change of shape; dcache_lock as well while the
 *           links change.
 */
#pragma once

#include "fs/dentry.h"
#include "guestkernel/kapi/ns.h"

enum mount_flags {
	MNT_RDONLY = 1u << 0,
	MNT_NOSUID = 1u << 1,
	MNT_NODEV = 1u << 2,
	MNT_NOEXEC = 1u << 3,
	MNT_NOATIME = 1u << 4,
	MNT_NODIRATIME = 1u << 5,
	MNT_RELATIME = 1u << 6,
	MNT_NOSYMFOLLOW = 1u << 7,
	MNT_UNMOUNTED = 1u << 8,
	MNT_INTERNAL = 1u << 9, /* in no namespace: anonymous objects */
	MNT_SHARED = 1u << 10,	/* propagation type as set; nothing propagates yet */
	MNT_SLAVE = 1u << 11,
	MNT_UNBINDABLE = 1u << 12,
};

struct mount_ns;

/*
 * INVARIANTS
 * - A mount in a tree: one reference of the tree, parent and mountpoint set, hashed by (parent, mountpoint) and by
 *   mountpoint; taken out of all four places at once (mount_detach()) under ns->lock and dcache_lock. A walk that found
 *   it takes a reference under dcache_lock and may go on in it after it was unmounted.
 * - DENTRY_MOUNTED is set on a dentry exactly while it is the mountpoint of some mount.
 * - sb and root outlive the mount's last reference; parent does not need one: a mount is detached before its parent goes.
 * - writers counts files open for writing regular data, mappings of them included, from before the check for read-only
 *   until after the release. Whoever makes mount or super block read-only sets the flag first and looks at the
 *   writers then: either he sees a writer, or the writer sees the flag.
 */
struct mount {
	struct refs refs;
	atomic_t writers;
	u32 flags;		   /* enum mount_flags */
	u32 id;			   /* [I] */
	u32 copy_of;		   /* [I] id of the mount it is a copy of, 0: none */
	struct super *sb;	   /* [I] referenced */
	struct dentry *root;	   /* [I] referenced */
	struct mount *parent;	   /* [dcache_lock] NULL: root of the namespace or detached */
	struct dentry *mountpoint; /* [dcache_lock] referenced, in parent */
	struct mount *hash_next;   /* [dcache_lock] */
	struct mount *point_next;  /* [dcache_lock] of those with a mountpoint in the same bucket */
	struct list children;	   /* [ns->lock] */
	struct list child_link;	   /* [ns->lock] */
	struct list ns_link;	   /* [ns->lock] in order of mounting */
	struct mount_ns *ns;	   /* [ns->lock] NULL: in none, or being built */
	char *source;		   /* [I] first field of /proc/mounts */
};

struct mount_ns {
	struct ns ns;
	struct mutex lock;  /* RANK_MOUNT_TREE */
	struct mount *root; /* [lock] */
	struct list mounts; /* [lock] */
	u32 nr_mounts;	    /* [lock] */
	u64 event;	    /* [lock] counts changes, for poll on /proc/self/mounts */
	struct waitq changed;
};

/* Of the current task, borrowed. */
struct mount_ns *current_mount_ns(void);

static inline struct mount *mount_get(struct mount *m)
{
	refs_get(&m->refs);
	return m;
}
void mount_put(struct mount *m);
static inline void path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}
static inline void path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mnt);
}
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* The mount on top of (mnt, dentry), borrowed, or NULL. */
struct mount *mount_find_locked(struct mount *mnt, struct dentry *d) REQUIRES(&dcache_lock);
/* Replaces *p (referenced) by the root of the topmost mount on it. */
void path_climb(struct path *p);
/* -EROFS when the mount or its super block is read-only. */
int must_check mount_want_write(const struct mount *m);
/* A file is opened for writing: as above, and until mount_put_write() neither can become read-only. */
int must_check mount_get_write(struct mount *m);
void mount_put_write(struct mount *m);

/* File system types, listed once by main.c. */
int must_check vfs_init(void);
void fs_type_add(const struct fs_type *t);
const struct fs_type *fs_type_find(const char *name, size_t len);
void fs_types_show(struct strbuf *sb); /* /proc/filesystems */

/* A mount outside any namespace. Takes over the reference on sb. */
int must_check mount_create(struct super *sb, const char *source, u32 mnt_flags,
			    struct mount **out);

/* Boot: the first mount of the namespace; becomes root and working directory of *fs. */
int must_check vfs_mount_root(const struct fs_type *t, const struct mount_args *a);
/* Boot: mount t at an absolute path, made as a directory when missing. flags: MS_*. */
int must_check vfs_kern_mount(const char *fs_name, const char *target, u32 flags, const char *data,
			      const void *kdata);
/* Boot: creates or replaces a file (for /etc/hostname and friends), following links. */
int must_check vfs_write_file(const char *path, const void *data, size_t n, u32 mode);
int must_check vfs_mkdir_p(const char *path, u32 mode);

/* mount(2) and relatives; capabilities are checked here. */
int must_check vfs_mount(const char *source, const struct path *at, const char *fs_name, u32 flags,
			 const char *data);
int must_check vfs_bind(const struct path *from, const struct path *at, u32 flags);
int must_check vfs_move_mount(const struct path *from, const struct path *at);
int must_check vfs_remount(const struct path *at, u32 flags, const char *data);
int must_check vfs_set_propagation(const struct path *at, u32 flags);
/* The whole first tree: nothing uses it any more. */
void vfs_umount_all(void);
int must_check vfs_umount(const struct path *at, u32 flags);
int must_check vfs_pivot_root(const struct path *new_root, const struct path *put_old);

enum mount_show_kind { MOUNT_SHOW_MOUNTS, MOUNT_SHOW_MOUNTINFO, MOUNT_SHOW_MOUNTSTATS };
/* /proc/<pid>/mounts and mountinfo of a namespace as seen from root. */
void mount_show(struct strbuf *sb, enum mount_show_kind kind, struct mount_ns *ns,
		const struct path *root);
