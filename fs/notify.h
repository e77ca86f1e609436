// SPDX-License-Identifier: Apache-2.0
/*
 * notify - hooks through which the file system tells inotify what happened
 *
 * Role      struct inode embeds a notify_hook; the VFS calls the inline functions below after an operation
 *           succeeded. notify.c turns them into inotify events.
 * Rules     Costs one load and one predictable branch when nothing in the system is watched. May be called
 *           with sleeping locks held (directory mutexes), never under a spinlock of rank >= RANK_OBJECT_OUTER.
 *           A watch holds a reference on its inode; the VFS calls notify_inode_deleted() when the last
 *           link of an inode went away, which ends its watches.
 * Locking   One spinlock in notify.c covers every hook's list of watches.
 * See       inotify(7)
 */
#pragma once

#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/list.h"
#include "guestkernel/uapi/inotify.h"

struct dentry;
struct file;
struct inode;

struct notify_hook {
	u32 mask;	     /* [notify lock] union of the watches' masks; 0: nobody */
	struct list watches; /* [notify lock] valid while mask != 0 or once initialised */
};

/* Watches in the whole system. */
extern atomic_t notify_nr_watches;

static inline void notify_hook_init(struct notify_hook *h)
{
	h->mask = 0;
	list_init(&h->watches);
}

static inline bool notify_active(void)
{
	return unlikely(atomic_read(&notify_nr_watches) != 0);
}

void notify_name_slow(struct inode *dir, u32 mask, const char *name, u32 len, u32 cookie);
void notify_inode_slow(struct inode *inode, u32 mask);
void notify_dentry_slow(struct dentry *d, u32 mask);
u32 notify_next_cookie(void);

/* Something happened to the entry `name` of dir: IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO (the
 * last two with one cookie from notify_next_cookie()), with IN_ISDIR where it is a directory. */
static inline void notify_name(struct inode *dir, u32 mask, const char *name, u32 len, u32 cookie)
{
	if (notify_active())
		notify_name_slow(dir, mask, name, len, cookie);
}

/* Something happened to the inode itself only: IN_MOVE_SELF, IN_ATTRIB after the link count changed. */
static inline void notify_inode(struct inode *inode, u32 mask)
{
	if (notify_active())
		notify_inode_slow(inode, mask);
}

/* Access, modification, attribute change, open, close through a name: told to the inode's watches and, with
 * the name, to the parent directory's. Adds IN_ISDIR itself. */
static inline void notify_dentry(struct dentry *d, u32 mask)
{
	if (notify_active())
		notify_dentry_slow(d, mask);
}

/* The last link is gone: IN_DELETE_SELF, IN_IGNORED, watches end. unmounted: IN_UNMOUNT instead. */
void notify_inode_deleted_slow(struct inode *inode, bool unmounted);
static inline void notify_inode_deleted(struct inode *inode, bool unmounted)
{
	if (notify_active())
		notify_inode_deleted_slow(inode, unmounted);
}
