// SPDX-License-Identifier: Apache-2.0
/*
 * mm_maps - /proc/<pid>: numa_maps, clear_refs, and what map_files/ and pagemap are made of
 *
 * Rules     Frame numbers are not shown (as to everybody without CAP_SYS_ADMIN on Linux): the guest's would tell nothing.
 * Locking   as->lock shared while regions are looked at; pt_lock while one region's pages are counted.
 * Missing   clear_refs can only reset the high-water mark; pagemap has no soft-dirty bits.
 * See       proc(5), procfs_maps.c
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/mm/kmap.h"
#include "guestkernel/mm/mm_proc.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/task/task.h"

#define PAGEMAP_PRESENT	 (1ull << 63)
#define PAGEMAP_FILE	 (1ull << 61) /* or shared memory */
#define PAGEMAP_ALONE	 (1ull << 56)
#define CLEAR_HIGH_WATER 5

typedef unsigned long long ull;

struct counts {
	u64 anon, file, dirty;
};

static struct counts count(struct region *r)
{
	struct aspace *as = r->as;
	struct counts n = { 0 };
	u64 va = r->start;
	paddr_t pa;
	u32 flags;

	spin_lock(&as->pt_lock);
	for (; arch_mmu_next(&as->arch, &va, r->end, &pa, &flags); va += PAGE_SIZE) {
		struct page *pg = frame_page(pa);

		if (pa.pa == mm_zero_frame.pa)
			continue;
		if (pg && (pg->flags & PG_ANON))
			n.anon++;
		else
			n.file++;
		n.dirty += (flags & MMU_Q_DIRTY) != 0;
	}
	spin_unlock(&as->pt_lock);
	return n;
}

static void show_region(struct strbuf *sb, struct region *r)
{
	struct counts n = count(r);
	char text[256];

	strbuf_printf(sb, "%08llx default", (ull)r->start);
	if (r->file && path_text(&r->file->path, NULL, text, sizeof text))
		strbuf_printf(sb, " file=%s", path_text(&r->file->path, NULL, text, sizeof text));
	else if (r->label && !strcmp(r->label, "[heap]"))
		strbuf_printf(sb, " heap");
	else if (r->label && !strcmp(r->label, "[stack]"))
		strbuf_printf(sb, " stack");
	if (n.anon)
		strbuf_printf(sb, " anon=%llu", (ull)n.anon);
	if (n.dirty || n.anon)
		strbuf_printf(sb, " dirty=%llu", (ull)(n.dirty ? n.dirty : n.anon));
	if (n.file)
		strbuf_printf(sb, " mapped=%llu", (ull)(n.file + n.anon));
	if (n.anon + n.file)
		strbuf_printf(sb, " N0=%llu kernelpagesize_kB=4", (ull)(n.anon + n.file));
	strbuf_addc(sb, '\n');
}

/* bound: of mm_row_open(). */
static int row_numa_maps(struct strbuf *sb, void *bound)
{
	struct aspace *as = bound;
	struct region *r;

	if (!as || !aspace_get_live(as))
		return 0;
	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, 0); r; r = region_next(r))
		show_region(sb, r);
	rwsem_read_unlock(&as->lock);
	aspace_put(as);
	return sb->failed ? -ENOMEM : 0;
}

static int store_clear_refs(const char *text, size_t n, void *ctx)
{
	struct aspace *as;

	if (!n || text[0] < '1' || text[0] > '5' || (n > 1 && text[1] != '\n'))
		return -EINVAL;
	if (text[0] - '0' != CLEAR_HIGH_WATER)
		return -EINVAL;
	as = task_mm_get(ctx);
	if (as) {
		WRITE_ONCE(as->hiwater_rss, mm_rss_pages(as));
		aspace_put(as);
	}
	return 0;
}

static const struct proc_row rows[] = {
	{"numa_maps",   0444, row_numa_maps, NULL, mm_row_open, mm_row_close },
	{ "clear_refs", 0200,    NULL,	    store_clear_refs    },
};
const struct proc_table mm_maps = { rows, ARRAY_SIZE(rows), NULL };

static u64 describe(struct page *pg, paddr_t pa)
{
	u64 v = PAGEMAP_PRESENT;

	if (pa.pa == mm_zero_frame.pa)
		return v;
	if (!pg || !(pg->flags & PG_ANON))
		v |= PAGEMAP_FILE;
	if (pg && refs_read(&pg->refs) <= (pg->flags & PG_ANON ? 1u : 2u))
		v |= PAGEMAP_ALONE;
	return v;
}

int mm_pagemap(void *bound, u64 first, u64 *out, u32 n)
{
	struct aspace *as = bound;
	u64 va = first << PAGE_SHIFT, end = va + ((u64)n << PAGE_SHIFT);
	paddr_t pa;
	u32 flags;

	memset(out, 0, n * sizeof *out);
	if (!as || !aspace_get_live(as))
		return -ESRCH;
	spin_lock(&as->pt_lock);
	for (; arch_mmu_next(&as->arch, &va, end, &pa, &flags); va += PAGE_SIZE)
		out[(va >> PAGE_SHIFT) - first] = describe(frame_page(pa), pa);
	spin_unlock(&as->pt_lock);
	aspace_put(as);
	return 0;
}

int mm_map_next(struct task *t, u64 after, u64 *start, u64 *end, struct file **out)
{
	struct aspace *as;
	int ret = -ENOENT;
	struct region *r;

	if (!task_access_mm(t, ACCESS_FS, &as))
		return -EACCES;
	if (!as)
		return ret;
	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, after); r && (!r->file || r->start < after);
	     r = region_next(r))
		;
	if (r) {
		*start = r->start;
		*end = r->end;
		if (out)
			file_get(*out = r->file);
		ret = 0;
	}
	rwsem_read_unlock(&as->lock);
	aspace_put(as);
	return ret;
}
