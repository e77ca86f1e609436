// SPDX-License-Identifier: Apache-2.0
/*
 * mm_proc - the rows of /proc about memory
 *
 * Rules     Text is in Linux's format to the blank: programs parse it.
 * Locking   as->lock shared while regions are listed; pt_lock while one region's pages are counted.
 * Missing   Swap, huge pages and NUMA lines are zero, because there are none. vmstat has the lines programs read.
 */
#include "guestkernel/mm/mm_proc.h"

#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/kmap.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/mman.h"

#define NAME_COLUMN 73
#define KIB(pages)  ((unsigned long long)(pages) << (PAGE_SHIFT - 10))

static void pad_to_column(struct strbuf *sb, size_t line_start, size_t column)
{
	while (!sb->failed && sb->len - line_start < column)
		strbuf_addc(sb, ' ');
}

/* Newlines in names are shown as \012. */
static void add_name(struct strbuf *sb, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n')
			strbuf_printf(sb, "\\012");
		else
			strbuf_addc(sb, *name);
	}
}

/* The path of a mapped file however long; false: it has none that could be told. */
static bool add_path(struct strbuf *sb, const struct path *p, size_t start)
{
	char text[256], *big = NULL, *name = path_text(p, NULL, text, sizeof text);

	if (!name) {
		big = kmalloc(PATH_MAX);
		name = big ? path_text(p, NULL, big, PATH_MAX) : NULL;
	}
	if (name && *name) {
		pad_to_column(sb, start, NAME_COLUMN);
		add_name(sb, name);
	}
	kfree(big);
	return name != NULL;
}

static void show_region(struct strbuf *sb, struct region *r)
{
	struct pager_desc d = { 0 };
	size_t start = sb->len;
	const char *name;

	if (r->pager && r->pager->ops->describe)
		r->pager->ops->describe(r->pager, &d);
	strbuf_printf(sb, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
		      (unsigned long long)r->start, (unsigned long long)r->end,
		      r->prot & PROT_READ ? 'r' : '-', r->prot & PROT_WRITE ? 'w' : '-',
		      r->prot & PROT_EXEC ? 'x' : '-', r->flags & REGION_SHARED ? 's' : 'p',
		      r->pager ? (unsigned long long)r->pgoff << PAGE_SHIFT : 0,
		      (u32)(d.dev >> 8 & 0xfff), (u32)((d.dev & 0xff) | (d.dev >> 12 & 0xfff00)),
		      (unsigned long long)d.ino);
	if (!r->file || r->label || !add_path(sb, &r->file->path, start)) {
		name = r->label ? r->label : d.path;
		if (name[0]) {
			pad_to_column(sb, start, NAME_COLUMN);
			add_name(sb, name);
		}
	}
	strbuf_addc(sb, '\n');
}

void mm_show_maps(struct strbuf *sb, struct aspace *as)
{
	struct region *r;

	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, 0); r; r = region_next(r))
		show_region(sb, r);
	rwsem_read_unlock(&as->lock);
}

struct usage {
	u64 size, rss, pss_bytes, pss_anon_bytes, pss_shmem_bytes, shared_clean, shared_dirty,
		private_clean, private_dirty, referenced, anon;
};

static void count_page(struct usage *u, const struct region *r, paddr_t pa, u32 flags)
{
	struct page *pg = frame_page(pa);
	bool is_anon = pg && (pg->flags & PG_ANON);
	u32 refs = pg ? refs_read(&pg->refs) : 2;
	/* a page cache frame is held by its file too */
	bool is_shared = is_anon ? refs > 1 : refs > 2;
	bool is_dirty = (flags & MMU_Q_DIRTY) || is_anon;
	u64 pss;

	if (pa.pa == mm_zero_frame.pa)
		return;
	u->rss++;
	pss = PAGE_SIZE / MAX(is_anon ? refs : refs - 1, 1u);
	u->pss_bytes += pss;
	if (is_anon)
		u->pss_anon_bytes += pss;
	else if (!r->file)
		u->pss_shmem_bytes += pss;
	u->anon += is_anon;
	u->referenced += (flags & MMU_Q_ACCESSED) != 0;
	if (is_shared)
		*(is_dirty ? &u->shared_dirty : &u->shared_clean) += 1;
	else
		*(is_dirty ? &u->private_dirty : &u->private_clean) += 1;
}

static void count_region(struct usage *u, struct region *r)
{
	struct aspace *as = r->as;
	u64 va = r->start;
	u32 flags;
	paddr_t pa;

	u->size += (r->end - r->start) >> PAGE_SHIFT;
	spin_lock(&as->pt_lock);
	for (; arch_mmu_next(&as->arch, &va, r->end, &pa, &flags); va += PAGE_SIZE)
		count_page(u, r, pa, flags);
	spin_unlock(&as->pt_lock);
}

static void show_kib(struct strbuf *sb, const char *name, u64 kib)
{
	strbuf_printf(sb, "%-15s %8llu kB\n", name, (unsigned long long)kib);
}

static void show_usage(struct strbuf *sb, const struct usage *u, u64 locked, bool is_sum)
{
	show_kib(sb, "Rss:", KIB(u->rss));
	show_kib(sb, "Pss:", u->pss_bytes >> 10);
	show_kib(sb, "Pss_Dirty:", KIB(u->private_dirty));
	if (is_sum) {
		show_kib(sb, "Pss_Anon:", u->pss_anon_bytes >> 10);
		show_kib(sb, "Pss_File:",
			 (u->pss_bytes - u->pss_anon_bytes - u->pss_shmem_bytes) >> 10);
		show_kib(sb, "Pss_Shmem:", u->pss_shmem_bytes >> 10);
	}
	show_kib(sb, "Shared_Clean:", KIB(u->shared_clean));
	show_kib(sb, "Shared_Dirty:", KIB(u->shared_dirty));
	show_kib(sb, "Private_Clean:", KIB(u->private_clean));
	show_kib(sb, "Private_Dirty:", KIB(u->private_dirty));
	show_kib(sb, "Referenced:", KIB(u->referenced));
	show_kib(sb, "Anonymous:", KIB(u->anon));
	show_kib(sb, "KSM:", 0);
	show_kib(sb, "LazyFree:", 0);
	show_kib(sb, "AnonHugePages:", 0);
	show_kib(sb, "ShmemPmdMapped:", 0);
	show_kib(sb, "FilePmdMapped:", 0);
	show_kib(sb, "Shared_Hugetlb:", 0);
	show_kib(sb, "Private_Hugetlb:", 0);
	show_kib(sb, "Swap:", 0);
	show_kib(sb, "SwapPss:", 0);
	show_kib(sb, "Locked:", KIB(locked));
}

static void show_vmflags(struct strbuf *sb, const struct region *r)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{REGION_GROWSDOWN,    "gd"},
		    { REGION_LOCKED,	     "lo"},
		{ REGION_SEQ_READ,	   "sr"},
		    { REGION_RANDOM_READ, "rr"},
		{ REGION_DONTFORK,	   "dc"},
		    { REGION_WIPEONFORK,	 "wf"},
		{ REGION_NORESERVE,   "nr"},
		    { REGION_SPECIAL,     "de"},
	};
	u32 i;

	strbuf_printf(sb, "VmFlags: %s%s%s%s%s%s%s", r->prot & PROT_READ ? "rd " : "",
		      r->prot & PROT_WRITE ? "wr " : "", r->prot & PROT_EXEC ? "ex " : "",
		      r->flags & REGION_SHARED ? "sh " : "", r->max_prot & PROT_READ ? "mr " : "",
		      r->max_prot & PROT_WRITE ? "mw " : "", r->max_prot & PROT_EXEC ? "me " : "");
	if (r->prot & PROT_BTI)
		strbuf_printf(sb, "bt ");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (r->flags & names[i].flag)
			strbuf_printf(sb, "%s ", names[i].name);
	strbuf_addc(sb, '\n');
}

void mm_show_smaps(struct strbuf *sb, struct aspace *as)
{
	struct region *r;

	rwsem_read_lock(&as->lock);
	for (r = aspace_find_first(as, 0); r; r = region_next(r)) {
		struct usage u = { 0 };

		show_region(sb, r);
		count_region(&u, r);
		show_kib(sb, "Size:", KIB(u.size));
		show_kib(sb, "KernelPageSize:", PAGE_SIZE >> 10);
		show_kib(sb, "MMUPageSize:", PAGE_SIZE >> 10);
		show_usage(sb, &u, r->flags & REGION_LOCKED ? u.rss : 0, false);
		strbuf_printf(sb, "THPeligible:           0\n");
		show_vmflags(sb, r);
	}
	rwsem_read_unlock(&as->lock);
}

void mm_show_smaps_rollup(struct strbuf *sb, struct aspace *as)
{
	struct usage u = { 0 };
	struct region *r, *last = NULL;
	size_t start = sb->len;

	rwsem_read_lock(&as->lock);
	r = aspace_find_first(as, 0);
	strbuf_printf(sb, "%08llx-", r ? (unsigned long long)r->start : 0);
	for (; r; r = region_next(r)) {
		count_region(&u, r);
		last = r;
	}
	strbuf_printf(sb, "%08llx ---p 00000000 00:00 0 ",
		      last ? (unsigned long long)last->end : 0);
	pad_to_column(sb, start, NAME_COLUMN);
	strbuf_printf(sb, "[rollup]\n");
	show_usage(sb, &u, 0, true);
	rwsem_read_unlock(&as->lock);
}

u64 mm_total_bytes(struct aspace *as)
{
	return as->total_pages << PAGE_SHIFT;
}

u64 mm_rss_pages(struct aspace *as)
{
	return atomic64_read(&as->rss_anon) + atomic64_read(&as->rss_file) +
	       atomic64_read(&as->rss_shmem);
}

static u64 text_pages(const struct aspace *as)
{
	return (ALIGN_UP(as->end_code, PAGE_SIZE) - ALIGN_DOWN(as->start_code, PAGE_SIZE)) >>
	       PAGE_SHIFT;
}

void mm_show_statm(struct strbuf *sb, struct aspace *as)
{
	strbuf_printf(
		sb, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)as->total_pages,
		(unsigned long long)mm_rss_pages(as),
		(unsigned long long)(atomic64_read(&as->rss_file) + atomic64_read(&as->rss_shmem)),
		(unsigned long long)text_pages(as),
		(unsigned long long)(as->data_pages + as->stack_pages));
}

static void status_line(struct strbuf *sb, const char *name, u64 kib)
{
	strbuf_printf(sb, "%s\t%8llu kB\n", name, (unsigned long long)kib);
}

void mm_show_status(struct strbuf *sb, struct aspace *as)
{
	u64 rss = mm_rss_pages(as), text = text_pages(as);

	status_line(sb, "VmPeak:", KIB(MAX(as->hiwater_vm, as->total_pages)));
	status_line(sb, "VmSize:", KIB(as->total_pages));
	status_line(sb, "VmLck:", KIB(as->locked_pages));
	status_line(sb, "VmPin:", 0);
	status_line(sb, "VmHWM:", KIB(MAX(as->hiwater_rss, rss)));
	status_line(sb, "VmRSS:", KIB(rss));
	status_line(sb, "RssAnon:", KIB(atomic64_read(&as->rss_anon)));
	status_line(sb, "RssFile:", KIB(atomic64_read(&as->rss_file)));
	status_line(sb, "RssShmem:", KIB(atomic64_read(&as->rss_shmem)));
	status_line(sb, "VmData:", KIB(as->data_pages));
	status_line(sb, "VmStk:", KIB(as->stack_pages));
	status_line(sb, "VmExe:", KIB(text));
	status_line(sb, "VmLib:", KIB(as->exec_pages > text ? as->exec_pages - text : 0));
	status_line(sb, "VmPTE:", KIB(as->arch.nr_tables));
	status_line(sb, "VmSwap:", 0);
}

int mm_row_open(void *ctx, void **bound)
{
	struct aspace *as;

	if (!task_access_mm(ctx, ACCESS_FS, &as))
		return -EACCES;
	*bound = as ? aspace_hold(as) : NULL;
	aspace_put(as);
	return 0;
}

void mm_row_close(void *bound)
{
	if (bound)
		aspace_unhold(bound);
}

static int with_aspace(struct strbuf *sb, struct aspace *as,
		       void (*show)(struct strbuf *sb, struct aspace *as))
{
	if (!as || !aspace_get_live(as))
		return 0; /* kernel threads, zombies, and what has ended since: empty */
	show(sb, as);
	aspace_put(as);
	return 0;
}

static int row_maps(struct strbuf *sb, void *as)
{
	return with_aspace(sb, as, mm_show_maps);
}

static int row_smaps(struct strbuf *sb, void *as)
{
	return with_aspace(sb, as, mm_show_smaps);
}

static int row_smaps_rollup(struct strbuf *sb, void *as)
{
	return with_aspace(sb, as, mm_show_smaps_rollup);
}

static int row_statm(struct strbuf *sb, void *ctx)
{
	struct aspace *as = task_mm_get(ctx);

	if (!as) {
		strbuf_printf(sb, "0 0 0 0 0 0 0\n");
		return 0;
	}
	mm_show_statm(sb, as);
	aspace_put(as);
	return 0;
}

static void mem_line(struct strbuf *sb, const char *name, u64 kib)
{
	strbuf_printf(sb, "%-15s %8llu kB\n", name, (unsigned long long)kib);
}

static int row_meminfo(struct strbuf *sb, void *ctx)
{
	struct page_stats st;

	(void)ctx;
	page_stats(&st);
	mem_line(sb, "MemTotal:", KIB(st.total));
	mem_line(sb, "MemFree:", KIB(st.free));
	mem_line(sb, "MemAvailable:", KIB(st.free));
	mem_line(sb, "Buffers:", 0);
	mem_line(sb, "Cached:", KIB(st.cache));
	mem_line(sb, "SwapCached:", 0);
	mem_line(sb, "Active:", KIB(st.total - st.free - st.slab));
	mem_line(sb, "Inactive:", 0);
	mem_line(sb, "SwapTotal:", 0);
	mem_line(sb, "SwapFree:", 0);
	mem_line(sb, "Dirty:", 0);
	mem_line(sb, "Writeback:", 0);
	mem_line(sb, "AnonPages:",
		 KIB(st.total - st.free - st.slab - MIN(st.cache, st.total - st.free - st.slab)));
	mem_line(sb, "Mapped:", KIB(st.cache));
	mem_line(sb, "Shmem:", KIB(st.cache));
	mem_line(sb, "Slab:", KIB(st.slab));
	mem_line(sb, "SReclaimable:", 0);
	mem_line(sb, "SUnreclaim:", KIB(st.slab));
	mem_line(sb, "KernelStack:", KIB(kstack_frames()));
	mem_line(sb, "PageTables:", KIB(st.tables));
	mem_line(sb, "CommitLimit:", KIB(st.total));
	mem_line(sb, "Committed_AS:", KIB(st.total - st.free));
	mem_line(sb, "VmallocTotal:", (u64)34359738367ull);
	mem_line(sb, "VmallocUsed:", 0);
	strbuf_printf(
		sb,
		"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
		"HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

static int row_vmstat(struct strbuf *sb, void *ctx)
{
	struct page_stats st;

	(void)ctx;
	page_stats(&st);
	strbuf_printf(
		sb,
		"nr_free_pages %llu\nnr_file_pages %llu\nnr_slab_unreclaimable %llu\npgpgin 0\npgpgout 0\n"
		"pswpin 0\npswpout 0\noom_kill 0\n",
		(unsigned long long)st.free, (unsigned long long)st.cache,
		(unsigned long long)st.slab);
	return 0;
}

static const struct proc_row root_rows[] = {
	{"meminfo", 0444, row_meminfo, NULL},
	{ "vmstat", 0444, row_vmstat,  NULL},
};
const struct proc_table mm_proc_root = { root_rows, ARRAY_SIZE(root_rows), NULL };

#define ROW(name, mode, show, store)    \
	{                               \
		name, mode, show, store \
	}
static const struct proc_row process_rows[] = {
	MM_ROW("maps", 0444, row_maps),
	MM_ROW("smaps", 0444, row_smaps),
	MM_ROW("smaps_rollup", 0444, row_smaps_rollup),
	ROW("statm", 0444, row_statm, NULL),
};
const struct proc_table mm_proc_process = { process_rows, ARRAY_SIZE(process_rows), NULL };
