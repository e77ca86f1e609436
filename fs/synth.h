// SPDX-License-Identifier: Apache-2.0
/*
 * synth - file systems made of generated text files
 *
 * Role      procfs, sysfs and devfs build their trees from it: a static tree of nodes (directories, text files
 *           from proc_row tables, links, devices), and, hung into it or below it, directories whose content
 *           is computed (/proc/<pid>).
 * Rules     Nodes live as long as their super block. Text is produced when a reader starts at
 *           offset 0 and kept in the open file until the next such read. Names are copied.
 * Locking   The tree's own lock (RANK_MUTEX_LEAF); show and store run without it.
 */
#pragma once

#include "fs/inode.h"
#include "guestkernel/kapi/proc.h"

#define SYNTH_PROC_MAGIC 0x9fa0

struct synth_node;

/* Who keeps a row's or directory's ctx alive. Both may be NULL for things that live forever. */
struct synth_ctx_ops {
	void (*get)(void *ctx);
	void (*put)(void *ctx);
	bool (*is_stale)(void *ctx); /* cached names must be asked again; must not sleep */
	void (*owner)(void *ctx, u32 *uid, u32 *gid); /* who owns the files; NULL: root */
};

/* A directory whose entries are computed. */
struct synth_dir_ops {
	int (*lookup)(struct inode *dir, const struct name *n, struct inode **out);
	/* Positions from 2 on; "." and ".." are done by the caller. */
	int (*iterate)(struct inode *dir, struct dir_ctx *ctx);
	/* 0 or -errno: may the caller list it, beyond what the mode says? NULL: yes. */
	int (*may_list)(struct inode *dir);
	/* What stat shows as its size; NULL: 0. */
	u64 (*size)(struct inode *dir);
	u32 inode_flags; /* INODE_NO_DCACHE ... */
};

struct synth_inode {
	struct inode vfs;
	const struct proc_row *row;	     /* text file */
	const struct synth_dir_ops *dir_ops; /* computed directory */
	struct synth_node *node;	     /* static tree */
	const struct synth_ctx_ops *ctx_ops;
	void *ctx; /* referenced through ctx_ops */
	u64 tag;   /* free for the driver (descriptor number ...) */
};

static inline struct synth_inode *synth_inode(struct inode *inode)
{
	return container_of(inode, struct synth_inode, vfs);
}

/* Static tree. The super block owns it. */
int must_check synth_super_create(const struct fs_type *t, u64 magic, u32 root_mode,
				  struct super **out);
struct synth_node *synth_root(struct super *sb);
/* build fills the tree when somebody first looks into it; after a failure the next one tries again. Before the mount. */
void synth_set_build(struct super *sb, int (*build)(struct synth_node *root));
/* path may have several components; directories on the way are made with mode 0555. -EEXIST for files. */
int must_check synth_mkdir(struct synth_node *parent, const char *path, u32 mode,
			   struct synth_node **out);
int must_check synth_add_row(struct synth_node *parent, const struct proc_row *row, void *ctx);
int must_check synth_add_table(struct synth_node *parent, const struct proc_table *table);
int must_check synth_add_link(struct synth_node *parent, const char *path, const char *target);
/* mode with S_IFCHR or S_IFBLK. */
int must_check synth_add_dev(struct synth_node *parent, const char *path, u32 mode, u32 gid,
			     u32 rdev);
/* A file or link with operations of its own. fops for open files (NULL: iops->open). */
int must_check synth_add_special(struct synth_node *parent, const char *path, u32 mode,
				 const struct inode_ops *iops, const struct file_ops *fops,
				 void *ctx);
/* Entries computed by ops appear after the static ones of the directory (the pids in /proc). */
void synth_set_dir_ops(struct synth_node *dir, const struct synth_dir_ops *ops, void *ctx);

/* Inodes for computed directories. Each takes a reference on ctx. ino 0: inode_next_ino(). */
int must_check synth_file_inode(struct super *sb, const struct proc_row *row, void *ctx,
				const struct synth_ctx_ops *co, u64 ino, struct inode **out);
int must_check synth_dir_inode(struct super *sb, u32 mode, const struct synth_dir_ops *ops,
			       void *ctx, const struct synth_ctx_ops *co, u64 ino,
			       struct inode **out);
/* iops: must use synth_evict as evict, or call it last. */
int must_check synth_special_inode(struct super *sb, u32 mode, const struct inode_ops *iops,
				   void *ctx, const struct synth_ctx_ops *co, u64 ino,
				   struct inode **out);
void synth_evict(struct inode *inode);
/* Permission, getattr and setattr of the above, for iops tables of drivers. */
int synth_setattr(struct inode *inode, const struct attr *a);
bool synth_is_stale(struct inode *inode);
/* Looks n up among rows (direct children only); NULL when absent. */
const struct proc_row *synth_row_find(const struct proc_row *rows, size_t nr, const struct name *n);

/* A file system with one instance however often it is mounted; made at the first mount. */
struct synth_single {
	struct spinlock lock;
	struct super *sb;	   /* [lock] referenced */
	struct synth_single *next; /* [lock of the list] all that have an instance */
	int (*make)(const struct fs_type *t, struct super **out);
};
#define SYNTH_SINGLE_INIT(fn)                                \
	{                                                    \
		SPINLOCK_INIT(RANK_OBJECT), NULL, NULL, (fn) \
	}
int must_check synth_mount_single(struct synth_single *s, const struct fs_type *t,
				  struct super **out);
/* The end: gives up all instances. */
void synth_drop_singles(void);
