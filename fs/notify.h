// SPDX-License-Identifier: Apache-2.0
/*
 * notify - file system events for inotify
 *
 * Role      The VFS calls notify_*; fs/notify.c delivers. Cheap when nobody watches: one load.
 * Rules     Called without spinlocks, after the change. mask: IN_*.
 */
#pragma once

#include "fs/inode.h"
#include "guestkernel/uapi/inotify.h"

/* fs.inotify.max_*: see sysctl(5), inotify(7). The first is what an instance made later gets. */
extern s32 inotify_max_queued_events, inotify_max_user_instances, inotify_max_user_watches;
extern atomic_t notify_nr_marks; /* inotify watches in the whole system */

/* To watchers of the inode itself. name NULL, or the child's when inode is a directory. */
void notify_inode(struct inode *inode, u32 mask, const char *name, u32 cookie);
/* The inode goes away: IN_IGNORED. inode->marks is not NULL. */
void notify_inode_gone(struct inode *inode);
u32 notify_next_cookie(void);

static inline bool notify_active(void)
{
	return unlikely(atomic_read(&notify_nr_marks) != 0);
}
/* To watchers of the object and of its parent directory (with its name). */
void notify_dentry(struct dentry *d, u32 mask);
static inline void notify_file(struct file *f, u32 mask)
{
	if (notify_active())
		notify_dentry(f->path.dentry, mask);
}
