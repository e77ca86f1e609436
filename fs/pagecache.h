// SPDX-License-Identifier: Apache-2.0
/*
 * pagecache - the pages of a regular file, and its pager
 *
 * Role      Embedded in every inode. tmpfs and memfd use it as their only storage; EROFS for the parts that
 *           cannot be mapped straight from the image.
 * Rules     A page in the array holds one reference. Absent index: hole (reads as zero) or not read yet
 *           (inode_ops.readpage). Pages at or beyond the size do not exist, and the tail of the last page is
 *           zero, except for what a shared mapping wrote there.
 * Locking   lock (RANK_PAGECACHE) covers pages. Fault path: no inode lock; truncation drops pages after it
 *           shrank the size, then unmaps, so a racing fault sees the new size.
 */
#pragma once

#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/kapi/xarray.h"

struct inode;

struct pagecache {
	struct pager pager;
	struct spinlock lock;
	struct xarray pages; /* [lock] of struct page */
};

/* ops NULL: the page cache's own pager operations. */
void pagecache_init(struct pagecache *pc, const struct pager_ops *ops);
extern const struct pager_ops pagecache_pager_ops;

/* The page with a reference. create: allocate and charge a hole; else *out NULL for a hole. */
int must_check pagecache_get(struct inode *inode, u64 pgoff, bool create, struct page **out);
/* Copies file data, holes as zeroes, up to the size; advances *pos. No lock needed. */
s64 must_check pagecache_read(struct inode *inode, struct iov_cursor *dst, s64 *pos);
/* Inode locked exclusively. Extends the size; touches times. */
s64 must_check pagecache_write(struct inode *inode, struct iov_cursor *src, s64 *pos);
/* Inode locked exclusively: sets the size, drops what is beyond, zeroes the tail. */
int must_check pagecache_truncate(struct inode *inode, u64 size);
/* Inode locked exclusively: zeroes [off, off+len), freeing whole pages. Size unchanged. */
int must_check pagecache_punch(struct inode *inode, u64 off, u64 len);
/* Inode locked exclusively: allocates every page of the range. */
int must_check pagecache_reserve(struct inode *inode, u64 off, u64 len);
/* Drops everything; the inode dies. */
void pagecache_drop(struct inode *inode);
/* First offset >= off that is data (or a hole), at most the size; -ENXIO beyond the end. */
s64 must_check pagecache_seek(struct inode *inode, u64 off, bool want_hole);
u64 pagecache_nr_pages(struct inode *inode);
