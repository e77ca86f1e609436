// SPDX-License-Identifier: Apache-2.0
/*
 * pager - what a mapping asks of its backing object
 *
 * Role      Anything that can be mapped (page cache of an inode, shared anonymous memory, the read-only
 *           image window, vDSO) is a pager. mm/back_file.c is the only caller of the ops;
 *           owners call the pager_* functions of mm when pages go away.
 * Rules     get_page may sleep (it runs with the address space locked shared, rank RANK_PAGER and up only).
 * Locking   map_lock (RANK_MAPPING) covers regions.
 */
#pragma once

#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/lock.h"

struct pager;

struct pager_page {
	paddr_t pa; /* frame to map */
	struct page
		*page; /* referenced for the caller, or NULL for window frames that live forever */
};

/* How a mapping shows in /proc/<pid>/maps. */
struct pager_desc {
	u64 dev, ino;
	char path[256]; /* NUL-terminated; "" for none */
};

struct pager_ops {
	/* The frame of page index pgoff. for_write: a shared mapping is about to write it (the owner marks it
	 * dirty, allocates holes). -ENOMEM; -EINVAL (beyond the end) becomes SIGBUS. */
	int (*get_page)(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out);
	/* Optional: up to max frames from pgoff on that are at hand without sleeping, for fault-around. Returns
	 * the count; those with a page are referenced. */
	u32 (*get_around)(struct pager *p, u64 pgoff, u32 max, struct pager_page *out);
	/* The same for frames in a row that nobody counts (file windows): *first is that of pgoff. */
	u32 (*get_window)(struct pager *p, u64 pgoff, u32 max, paddr_t *first);
	/* True when the frame is at hand (mincore). */
	bool (*is_resident)(struct pager *p, u64 pgoff);
	void (*get)(struct pager *p);
	void (*put)(struct pager *p);
	/* Path for /proc/<pid>/maps and device/inode numbers; NULL: anonymous. */
	void (*describe)(struct pager *p, struct pager_desc *out);
};

struct pager {
	const struct pager_ops *ops;
	struct spinlock map_lock; /* RANK_MAPPING */
	struct list regions;	  /* [map_lock] regions of address spaces that map this object */
	atomic_t nr_writable;	  /* shared mappings that may write (seals, ETXTBSY) */
	u32 unmap_seq; /* [a] bumped by pager_unmap(): a fault that got its page before starts again */
};

static inline void pager_init(struct pager *p, const struct pager_ops *ops)
{
	p->ops = ops;
	spin_init(&p->map_lock, RANK_MAPPING);
	list_init(&p->regions);
	atomic_set(&p->nr_writable, 0);
	p->unmap_seq = 0;
}

/* Removes every page table entry that maps [pgoff, pgoff + npages) (truncate, hole punch). private_too: also
 * private copies (truncate does, hole punch does not). Called with no spinlock held. */
void pager_unmap(struct pager *p, u64 pgoff, u64 npages, bool private_too);
/* Write-protects mappings so that the next write comes through get_page(for_write) (write-back). */
void pager_wrprotect(struct pager *p, u64 pgoff, u64 npages);
/* Shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS, /dev/zero shared): pages live in a pager of mm. */
int must_check pager_create_anon(u64 npages, struct pager **out);
