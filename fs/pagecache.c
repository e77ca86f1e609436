// SPDX-License-Identifier: Apache-2.0
/*
 * pagecache - pages of a file in memory: read, write, map, truncate
 *
 * Role      See pagecache.h. The storage of tmpfs and memfd, the copy store of EROFS tails.
 * Rules     A page appears in the array complete: filled or zeroed before it is inserted, so that readers, which
 *           take no inode lock, never see stale memory. Whoever inserts a page has accounted for it.
 * Locking   pages.lock for array accesses only; user memory is copied with at most the inode lock held. Fault
 *           path: see the header.
 * Missing   write-back and reclaim: all users are memory file systems
 * See       tests/unit/tmpfs_test.c
 */
#include "fs/pagecache.h"

#include "fs/inode.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"

static struct inode *pc_inode(struct pager *p)
{
	return container_of(p, struct inode, pages.pager);
}

void pagecache_init(struct pagecache *pc, const struct pager_ops *ops)
{
	pager_init(&pc->pager, ops ? ops : &pagecache_pager_ops);
	spin_init(&pc->lock, RANK_PAGECACHE);
	xa_init(&pc->pages);
}

static u64 size_to_pages(u64 size)
{
	return (size >> PAGE_SHIFT) + ((size & (PAGE_SIZE - 1)) != 0);
}

static struct page *pc_find(struct pagecache *pc, u64 pgoff)
{
	struct page *pg;

	spin_lock(&pc->lock);
	pg = xa_load(&pc->pages, pgoff);
	if (pg)
		page_get(pg);
	spin_unlock(&pc->lock);
	return pg;
}

static int pc_charge(struct inode *inode, s64 npages)
{
	return inode->ops->charge ? inode->ops->charge(inode, npages) : 0;
}

static void pc_uncharge(struct inode *inode, s64 npages)
{
	if (inode->ops->charge && npages)
		(void)!inode->ops->charge(inode, -npages);
}

/* An accounted page that is in no array yet. */
static int pc_new_page(struct inode *inode, u32 flags, struct page **out)
{
	int err = pc_charge(inode, 1);

	if (err)
		return err;
	err = page_alloc(flags | PAGE_USER, out);
	if (err)
		pc_uncharge(inode, 1);
	return err;
}

static void pc_discard(struct inode *inode, struct page *pg)
{
	page_put(pg);
	pc_uncharge(inode, 1);
}

/* Takes over pg. *out: the page that is in the array now, referenced: pg or one that was faster.
 * in_size: refuse pages beyond the size (-EINVAL). */
static int pc_insert(struct inode *inode, u64 pgoff, struct page *pg, bool in_size,
		     struct page **out)
{
	struct pagecache *pc = &inode->pages;
	struct page *old;
	void *unused;
	int err = 0;

	spin_lock(&pc->lock);
	old = xa_load(&pc->pages, pgoff);
	if (old) {
		page_get(old);
	} else if (in_size && pgoff >= size_to_pages(READ_ONCE(inode->size))) {
		err = -EINVAL;
	} else {
		pg->owner = &pc->pager;
		pg->index = pgoff;
		err = xa_store(&pc->pages, pgoff, pg, &unused);
		if (!err)
			page_get(pg);
	}
	spin_unlock(&pc->lock);
	if (err || old)
		pc_discard(inode, pg);
	if (!err)
		*out = old ? old : pg;
	return err;
}

static int pc_fill(struct inode *inode, u64 pgoff, bool in_size, struct page **out)
{
	struct page *pg;
	int err = pc_new_page(inode, inode->ops->readpage ? 0 : PAGE_ZERO, &pg);

	if (err)
		return err;
	if (inode->ops->readpage) {
		err = inode->ops->readpage(inode, pgoff, pg);
		if (err) {
			pc_discard(inode, pg);
			return err;
		}
	}
	return pc_insert(inode, pgoff, pg, in_size, out);
}

int pagecache_get(struct inode *inode, u64 pgoff, bool create, struct page **out)
{
	struct page *pg = pc_find(&inode->pages, pgoff);

	if (!pg && (create || inode->ops->readpage))
		return pc_fill(inode, pgoff, false, out);
	*out = pg;
	return 0;
}

s64 pagecache_read(struct inode *inode, struct iov_cursor *dst, s64 *pos)
{
	u64 size = READ_ONCE(inode->size), off, in_page, n;
	s64 done = 0, copied = 0;
	struct page *pg;
	int err;

	while (iov_left(dst) && (u64)*pos < size) {
		off = (u64)*pos;
		in_page = off & (PAGE_SIZE - 1);
		n = MIN(PAGE_SIZE - in_page, size - off);
		n = MIN(n, iov_left(dst));
		err = pagecache_get(inode, off >> PAGE_SHIFT, false, &pg);
		if (err)
			return done ? done : err;
		if (pg) {
			copied = iov_put_some(dst, (char *)page_kaddr(pg) + in_page, n);
			page_put(pg);
		} else {
			copied = iov_zero_some(dst, n);
		}
		if (copied < 0)
			return done ? done : copied;
		done += copied;
		*pos += copied;
		if ((u64)copied < n)
			break;
	}
	return done;
}

/* A hole is written: fill a page first, show it afterwards. */
static s64 write_new_page(struct inode *inode, struct iov_cursor *src, u64 off, u64 n)
{
	u64 in_page = off & (PAGE_SIZE - 1);
	struct page *pg, *shown;
	s64 copied;
	int err;

	err = pc_new_page(inode, n == PAGE_SIZE ? 0 : PAGE_ZERO, &pg);
	if (err)
		return err;
	copied = iov_get_some(src, (char *)page_kaddr(pg) + in_page, n);
	if (copied <= 0) {
		pc_discard(inode, pg);
		return copied;
	}
	if (n == PAGE_SIZE && copied < (s64)n)
		memset((char *)page_kaddr(pg) + copied, 0, PAGE_SIZE - (u64)copied);
	page_get(pg);
	err = pc_insert(inode, off >> PAGE_SHIFT, pg, false, &shown);
	if (!err) {
		if (shown != pg)
			memcpy((char *)page_kaddr(shown) + in_page,
			       (char *)page_kaddr(pg) + in_page, (size_t)copied);
		page_put(shown);
	}
	page_put(pg);
	return err ? err : copied;
}

static s64 write_page(struct inode *inode, struct iov_cursor *src, u64 off, u64 n)
{
	struct page *pg = pc_find(&inode->pages, off >> PAGE_SHIFT);
	s64 copied;

	if (!pg)
		return write_new_page(inode, src, off, n);
	copied = iov_get_some(src, (char *)page_kaddr(pg) + (off & (PAGE_SIZE - 1)), n);
	page_put(pg);
	return copied;
}

/* What a mapping wrote behind the end of the file must not become visible when the file grows. */
static void zero_tail(struct inode *inode, u64 size)
{
	u64 in_page = size & (PAGE_SIZE - 1);
	struct page *pg = in_page ? pc_find(&inode->pages, size >> PAGE_SHIFT) : NULL;

	if (!pg)
		return;
	memset((char *)page_kaddr(pg) + in_page, 0, PAGE_SIZE - in_page);
	page_put(pg);
}

s64 pagecache_write(struct inode *inode, struct iov_cursor *src, s64 *pos)
{
	s64 done = 0, copied;
	u64 off, n;

	if ((u64)*pos > inode->size)
		zero_tail(inode, inode->size);
	while (iov_left(src)) {
		off = (u64)*pos;
		n = MIN(PAGE_SIZE - (off & (PAGE_SIZE - 1)), iov_left(src));
		copied = write_page(inode, src, off, n);
		if (copied < 0) {
			if (!done)
				done = copied;
			break;
		}
		done += copied;
		*pos += copied;
		if ((u64)*pos > inode->size)
			WRITE_ONCE(inode->size, (u64)*pos);
		if ((u64)copied < n)
			break;
	}
	if (done > 0)
		inode_touch(inode);
	return done;
}

/* Drops pages [from, to); returns with the pages unmapped everywhere. */
static void drop_range(struct inode *inode, u64 from, u64 to, bool private_too)
{
	struct pagecache *pc = &inode->pages;
	struct page *pg, *batch[16];
	u64 index = from, total = 0;
	u32 n;

	do {
		n = 0;
		spin_lock(&pc->lock);
		while (n < ARRAY_SIZE(batch) && (pg = xa_find(&pc->pages, &index)) && index < to) {
			(void)xa_erase(&pc->pages, index);
			batch[n++] = pg;
			index++;
		}
		spin_unlock(&pc->lock);
		/* Unmap before the reference goes, so that no mapping outlives the page's membership. */
		if (n && private_too == false)
			pager_unmap(&pc->pager, batch[0]->index,
				    batch[n - 1]->index + 1 - batch[0]->index, false);
		for (u32 i = 0; i < n; i++)
			page_put(batch[i]);
		total += n;
		cond_resched();
	} while (n == ARRAY_SIZE(batch));
	pc_uncharge(inode, (s64)total);
	if (private_too)
		pager_unmap(&pc->pager, from, to - from, true);
}

int pagecache_truncate(struct inode *inode, u64 size)
{
	u64 old = inode->size, first = size_to_pages(size);

	if (size >= old) {
		zero_tail(inode, old);
		WRITE_ONCE(inode->size, size);
		return 0;
	}
	WRITE_ONCE(inode->size, size);
	if (inode->pages.pages.count || !list_empty(&inode->pages.pager.regions))
		drop_range(inode, first, U64_MAX >> PAGE_SHIFT, true);
	zero_tail(inode, size);
	return 0;
}

static void zero_part(struct inode *inode, u64 off, u64 len)
{
	struct page *pg = len ? pc_find(&inode->pages, off >> PAGE_SHIFT) : NULL;

	if (!pg)
		return;
	memset((char *)page_kaddr(pg) + (off & (PAGE_SIZE - 1)), 0, len);
	page_put(pg);
}

int pagecache_punch(struct inode *inode, u64 off, u64 len)
{
	u64 end = off + len;
	u64 first = ALIGN_UP(off, PAGE_SIZE), last = ALIGN_DOWN(end, PAGE_SIZE);

	if (first > last) {
		zero_part(inode, off, len);
		return 0;
	}
	zero_part(inode, off, first - off);
	zero_part(inode, last, end - last);
	if (first < last)
		drop_range(inode, first >> PAGE_SHIFT, last >> PAGE_SHIFT, false);
	return 0;
}

int pagecache_reserve(struct inode *inode, u64 off, u64 len)
{
	u64 last = (off + len - 1) >> PAGE_SHIFT;
	struct page *pg;
	int err;

	for (u64 i = off >> PAGE_SHIFT; i <= last; i++) {
		err = pagecache_get(inode, i, true, &pg);
		if (err)
			return err;
		page_put(pg);
		cond_resched();
	}
	return 0;
}

void pagecache_drop(struct inode *inode)
{
	drop_range(inode, 0, U64_MAX >> PAGE_SHIFT, false);
	xa_fini(&inode->pages.pages);
}

s64 pagecache_seek(struct inode *inode, u64 off, bool want_hole)
{
	struct pagecache *pc = &inode->pages;
	u64 size = inode->size, index = off >> PAGE_SHIFT, found;

	if (off >= size)
		return -ENXIO;
	spin_lock(&pc->lock);
	found = index;
	if (want_hole)
		while (xa_load(&pc->pages, found))
			found++;
	else if (!xa_find(&pc->pages, &found))
		found = U64_MAX >> PAGE_SHIFT;
	spin_unlock(&pc->lock);
	if (found > index)
		off = found << PAGE_SHIFT;
	if (off >= size)
		return want_hole ? (s64)size : -ENXIO;
	return (s64)off;
}

u64 pagecache_nr_pages(struct inode *inode)
{
	return READ_ONCE(inode->pages.pages.count);
}

static int pc_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	struct inode *inode = pc_inode(p);
	struct page *pg;
	int err;

	if (pgoff >= size_to_pages(READ_ONCE(inode->size)))
		return -EINVAL;
	pg = pc_find(&inode->pages, pgoff);
	if (!pg) {
		err = pc_fill(inode, pgoff, true, &pg);
		if (err)
			return err == -ENOSPC ? -EINVAL : err;
	}
	out->page = pg;
	out->pa = page_paddr(pg);
	return 0;
}

static u32 pc_get_around(struct pager *p, u64 pgoff, u32 max, struct pager_page *out)
{
	struct pagecache *pc = container_of(p, struct pagecache, pager);
	u64 end = size_to_pages(READ_ONCE(pc_inode(p)->size));
	u32 n;

	spin_lock(&pc->lock);
	for (n = 0; n < max && pgoff + n < end; n++) {
		struct page *pg = xa_load(&pc->pages, pgoff + n);

		if (!pg)
			break;
		page_get(pg);
		out[n] = (struct pager_page){ page_paddr(pg), pg };
	}
	spin_unlock(&pc->lock);
	return n;
}

static bool pc_is_resident(struct pager *p, u64 pgoff)
{
	struct page *pg = pc_find(container_of(p, struct pagecache, pager), pgoff);

	if (pg)
		page_put(pg);
	return pg != NULL;
}

static void pc_ref_get(struct pager *p)
{
	inode_get(pc_inode(p));
}

static void pc_ref_put(struct pager *p)
{
	inode_put(pc_inode(p));
}

static void pc_describe(struct pager *p, struct pager_desc *out)
{
	struct inode *inode = pc_inode(p);

	out->dev = inode->sb->dev;
	out->ino = inode->ino;
	out->path[0] = 0;
}

const struct pager_ops pagecache_pager_ops = {
	.get_page = pc_get_page,
	.get_around = pc_get_around,
	.is_resident = pc_is_resident,
	.get = pc_ref_get,
	.put = pc_ref_put,
	.describe = pc_describe,
};
