// SPDX-License-Identifier: Apache-2.0
/*
 * lockrank - the lock order of the whole kernel, outermost first
 *
 * Rules     While holding a lock of rank R, only locks of a greater rank may be taken. Equal ranks are
 *           allowed in address order (mutex_lock_pair and friends), and for directories from parent to child
 *           through the _child functions.
 *           Sleeping locks come first: nothing sleeps under a spinlock.
 *           The debug kernel (build target kernel_debug.elf) checks all this: task/lockcheck.c.
 */
#pragma once

enum lock_rank {
	/* Sleeping locks (mutex, rwsem). User memory may be touched only above RANK_ASPACE. */
	RANK_EXEC = 1,	 /* task group: one exec or credential change at a time */
	RANK_MOUNT_TREE, /* mount tree shape of one namespace */
	RANK_FILE_POS,	 /* file position of one open file */
	RANK_EPOLL_NEST, /* one for the system: an epoll instance is being put into another */
	RANK_EPOLL,	 /* one epoll instance's interest set; outer instances first (fs/epoll.c) */
	RANK_EPOLL_LAST = RANK_EPOLL + 5,
	RANK_PIPE,	     /* one end of a pipe: readers or writers of it copy one at a time */
	RANK_STACKED_RENAME, /* as the three below, of a file system on top of others (overlay) */
	RANK_STACKED_DIR,
	RANK_STACKED_INODE,
	RANK_RENAME,	 /* one per superblock: renames of directories */
	RANK_INODE_DIR,	 /* a directory inode's contents; parents before children */
	RANK_INODE,	 /* a non-directory inode's size, data and attributes */
	RANK_SOCKET,	 /* one socket's protocol state that may sleep */
	RANK_SOCKET_GC,	 /* one for the system: descriptors in flight between AF_UNIX sockets */
	RANK_TTY,	 /* a terminal's line discipline state */
	RANK_ASPACE,	 /* regions of one address space; the page-fault path takes it shared */
	RANK_PAGER,	 /* a pager's page index while a page is brought in */
	RANK_MUTEX_LEAF, /* any sleeping lock that takes no other */
	/* Spinlocks. */
	RANK_SPIN = 100,  /* first spinlock rank */
	RANK_ASYNC = 100, /* one for the system: owners of files and lists of O_ASYNC files */
	RANK_TASKLIST,	  /* parent/child/thread/pgrp/session links of all tasks, pid tables */
	RANK_SIGHAND, /* one thread group's dispositions, shared pending queue, group stop state */
	RANK_FDTABLE, /* one descriptor table */
	RANK_FSCTX,   /* cwd, root, umask of a task */
	RANK_DCACHE,  /* dentry tree links and hash */
	RANK_ICACHE,  /* inode hash and state */
	RANK_OBJECT_OUTER, /* outer of two nested object locks (listening socket, epoll ready list) */
	RANK_OBJECT, /* an object's own lock: pipe, eventfd, socket queue, tty buffer, inotify queue */
	RANK_OBJECT_INNER, /* an object's lock taken under another object's */
	RANK_FILE,	   /* file flags, fasync, epoll back links of one open file */
	RANK_FUTEX,	   /* one futex hash bucket; two are taken in address order */
	RANK_MAPPING,	   /* list of regions that map one pager */
	RANK_PGTABLE,	   /* page table of one address space */
	RANK_PAGECACHE,	   /* a pager's page index */
	RANK_SWAPLESS_LRU, /* reclaim lists */
	RANK_WAITQ, /* one wait queue's entries: the wake path may come from under any object lock */
	RANK_EPOLL_WAKE, /* ready list and wait queue of epoll instances, two ranks a nesting level: the */
			 /* wake path of a watched object leads through them */
	RANK_EPOLL_WAKE_LAST = RANK_EPOLL_WAKE + 12,
	RANK_TIMER,    /* one CPU's timer tree */
	RANK_RUNQUEUE, /* one CPU's run queue; two are taken in CPU order */
	RANK_SLAB,     /* one object cache */
	RANK_KMAP,     /* kernel address space */
	RANK_PHYS,     /* frame free lists */
	RANK_RAND,     /* random generator */
	RANK_HYP,      /* channel page and stream rings to the monitor */
	RANK_LEAF,     /* takes nothing else */
};
