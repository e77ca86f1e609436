// SPDX-License-Identifier: Apache-2.0
/*
 * aspace_model - random mmap, munmap, mprotect, mremap, madvise, fork, writes and truncations of several address
 *                spaces against plain arrays
 *
 * Role      The model keeps for each page of a window what is mapped there, with which rights, and one byte of
 *           content. The real thing runs over fake_mmu, which also finds forgotten flushes.
 */
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/region.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/mman.h"
#include "tests/lib/fake_mmu.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define NPAGES	  48
#define BASE	  0x10000000ull
#define NPROC	  3
#define NFILE	  24 /* pages of the test file */
#define NSHM	  400
#define SHM_PAGES NPAGES

int file_fallocate(struct file *f, s32 mode, s64 off, s64 len)
{
	return f->ops->fallocate(f, mode, off, len);
}

void file_put(struct file *f)
{
}

/* The file: a pager over frames of its own. */
static struct {
	struct pager pager;
	struct page *page[NFILE];
	u32 size;
	u64 refs;
} file;

static u8 *file_byte(u64 i)
{
	return page_kaddr(file.page[i]);
}

static int file_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	if (pgoff >= file.size)
		return -EINVAL;
	page_get(file.page[pgoff]);
	*out = (struct pager_page){ page_paddr(file.page[pgoff]), file.page[pgoff] };
	return 0;
}

static u32 file_get_around(struct pager *p, u64 pgoff, u32 max, struct pager_page *out)
{
	u32 n = 0;

	for (; n < max && pgoff + n < file.size; n++)
		if (file_get_page(p, pgoff + n, false, &out[n]))
			break;
	return n;
}

static void file_ref(struct pager *p)
{
	file.refs++;
}

static void file_unref(struct pager *p)
{
	file.refs--;
}

static const struct pager_ops file_ops = {
	.get_page = file_get_page, .get_around = file_get_around, .get = file_ref, .put = file_unref
};

enum kind { NOTHING, ANON, FILE_PRIVATE, FILE_SHARED, SHM };

struct mpage {
	u8 kind, prot;
	bool has_copy; /* FILE_PRIVATE: own content */
	u8 value;      /* private content */
	u16 obj;       /* SHM: object */
	u32 off;       /* page in the object */
	bool wipe;     /* WIPEONFORK */
};

struct proc {
	struct aspace *as;
	struct mpage page[NPAGES];
};

static struct proc procs[NPROC];
static u8 shm[NSHM][SHM_PAGES];
static u32 nr_shm;
static u64 rng;

static u32 rnd(u32 n)
{
	return (u32)(test_rand(&rng) % n);
}

static u8 rights(u32 prot)
{
	return (u8)(prot & (PROT_READ | PROT_WRITE));
}

static u64 addr(u32 i)
{
	return BASE + i * PAGE_SIZE;
}

static u8 model_value(const struct mpage *m)
{
	switch (m->kind) {
	case SHM:
		return shm[m->obj][m->off];
	case FILE_SHARED:
		return *file_byte(m->off);
	case FILE_PRIVATE:
		return m->has_copy ? m->value : *file_byte(m->off);
	default:
		return m->value;
	}
}

static int model_access(const struct mpage *m, bool write)
{
	if (m->kind == NOTHING)
		return -EFAULT;
	if (write ? !(m->prot & PROT_WRITE) : !m->prot)
		return -EACCES;
	if ((m->kind == FILE_SHARED || (m->kind == FILE_PRIVATE && !m->has_copy)) &&
	    m->off >= file.size)
		return -EIO;
	return 0;
}

/* One access of an application, with the faults it takes. */
static int touch(struct proc *p, u32 i, bool write, u8 *value)
{
	u64 va = addr(i) + 17;
	u32 tries;

	for (tries = 0; tries < 4; tries++) {
		bool present;
		u8 *b;
		int ret;

		if (fake_mmu_access(&p->as->arch, va, write, &b, &present)) {
			b -= 17;
			if (write)
				*b = *value;
			else
				*value = *b;
			return 0;
		}
		ret = aspace_fault(p->as, va,
				   (write ? FAULT_WRITE : FAULT_READ) |
					   (present ? FAULT_PRESENT : 0));
		if (ret)
			return ret;
	}
	return -EAGAIN;
}

static void check_page(struct proc *p, u32 i)
{
	struct mpage *m = &p->page[i];
	u8 got = 0;

	CHECK(touch(p, i, false, &got) == model_access(m, false));
	if (!model_access(m, false))
		CHECK(got == model_value(m));
}

static void op_write(struct proc *p)
{
	u32 i = rnd(NPAGES);
	struct mpage *m = &p->page[i];
	u8 v = (u8)rnd(256);
	int want = model_access(m, true);

	CHECK(touch(p, i, true, &v) == want);
	if (want)
		return;
	if (m->kind == SHM)
		shm[m->obj][m->off] = v;
	else if (m->kind == FILE_SHARED)
		CHECK(*file_byte(m->off) == v);
	else
		m->value = v;
	m->has_copy = m->kind == FILE_PRIVATE;
}

static void op_remote(struct proc *p)
{
	u32 i = rnd(NPAGES);
	struct mpage *m = &p->page[i];
	bool write = rnd(2);
	u8 v = (u8)rnd(256), want = v;
	s64 ret = aspace_access(p->as, addr(i), &v, 1, write, false);
	int model = model_access(m, write);

	CHECK(ret == (model ? -EFAULT : 1));
	if (model)
		return;
	if (!write) {
		CHECK(v == model_value(m));
		return;
	}
	if (m->kind == SHM)
		shm[m->obj][m->off] = want;
	else if (m->kind != FILE_SHARED)
		m->value = want;
	m->has_copy = m->kind == FILE_PRIVATE;
}

static void range(u32 *i, u32 *n)
{
	*i = rnd(NPAGES);
	*n = 1 + rnd(MIN(NPAGES - *i, 12u));
}

static void op_map(struct proc *p)
{
	static const u32 prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE };
	struct map_req req = { .flags = MAP_FIXED, .prot = prots[rnd(4)] };
	u32 i, n, k, kind = ANON + rnd(4), off = rnd(NFILE);
	u64 va;

	range(&i, &n);
	if (kind == SHM && nr_shm == NSHM)
		kind = ANON;
	req.addr = addr(i);
	req.len = n * PAGE_SIZE;
	req.flags |= kind == SHM || kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (kind == FILE_PRIVATE || kind == FILE_SHARED) {
		req.pager = &file.pager;
		req.pgoff = off;
	} else if (kind == SHM) {
		CHECK(pager_create_anon(n, &req.pager) == 0);
	}
	CHECK(aspace_map(p->as, &req, &va) == 0);
	CHECK(va == req.addr);
	if (kind == SHM)
		req.pager->ops->put(req.pager);
	for (k = 0; k < n; k++)
		p->page[i + k] = (struct mpage){ .kind = (u8)kind,
						 .prot = rights(req.prot),
						 .obj = (u16)nr_shm,
						 .off = kind == SHM ? k : off + k };
	nr_shm += kind == SHM;
}

static void op_unmap(struct proc *p)
{
	u32 i, n;

	range(&i, &n);
	CHECK(aspace_unmap(p->as, addr(i), n * PAGE_SIZE) == 0);
	memset(&p->page[i], 0, n * sizeof p->page[0]);
}

static void op_protect(struct proc *p)
{
	static const u32 prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	u32 i, n, k, prot = prots[rnd(3)];
	bool hole = false;

	range(&i, &n);
	for (k = i; k < i + n; k++)
		hole |= p->page[k].kind == NOTHING;
	CHECK(aspace_protect(p->as, addr(i), n * PAGE_SIZE, prot) == (hole ? -ENOMEM : 0));
	for (k = i; k < i + n && !hole; k++)
		p->page[k].prot = rights(prot);
}

static void op_dontneed(struct proc *p)
{
	u32 i, n, k;
	bool hole = false;

	range(&i, &n);
	for (k = i; k < i + n; k++)
		hole |= p->page[k].kind == NOTHING;
	CHECK(aspace_madvise(p->as, addr(i), n * PAGE_SIZE, MADV_DONTNEED) == (hole ? -ENOMEM : 0));
	for (k = i; k < i + n; k++) {
		p->page[k].has_copy = false;
		p->page[k].value = 0;
	}
}

static void op_wipe(struct proc *p)
{
	u32 i = rnd(NPAGES);
	bool wipe = rnd(2);
	int ret =
		aspace_madvise(p->as, addr(i), PAGE_SIZE, wipe ? MADV_WIPEONFORK : MADV_KEEPONFORK);
	struct mpage *m = &p->page[i];

	CHECK(ret == (m->kind == NOTHING ? -ENOMEM : wipe && m->kind != ANON ? -EINVAL : 0));
	if (!ret)
		m->wipe = wipe;
}

/* Are the pages [i, i+n) one region in the eyes of mremap? The kernel tells; the model only predicts the move. */
static void op_remap(struct proc *p)
{
	struct remap_req req;
	struct mpage moved[NPAGES];
	u32 i, n, to, k;
	u64 va;
	int ret;

	range(&i, &n);
	to = rnd(NPAGES - n + 1);
	req = (struct remap_req){ addr(i), n * PAGE_SIZE, n * PAGE_SIZE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, addr(to) };
	ret = aspace_remap(p->as, &req, &va);
	if (to < i + n && i < to + n)
		CHECK(ret == -EINVAL);
	if (ret) {
		CHECK(ret == -EINVAL || ret == -EFAULT);
		return;
	}
	CHECK(va == addr(to));
	memcpy(moved, &p->page[i], n * sizeof moved[0]);
	for (k = 0; k < n; k++) {
		CHECK(moved[k].kind != NOTHING);
		p->page[i + k] = (struct mpage){ 0 };
	}
	memcpy(&p->page[to], moved, n * sizeof moved[0]);
}

static void op_fork(struct proc *p)
{
	struct proc *child = &procs[rnd(NPROC)];
	u32 i;

	if (child == p)
		return;
	aspace_put(child->as);
	CHECK(aspace_clone(p->as, &child->as) == 0);
	memcpy(child->page, p->page, sizeof p->page);
	for (i = 0; i < NPAGES; i++)
		if (child->page[i].wipe)
			child->page[i].value = 0;
}

static void op_truncate(void)
{
	u32 old = file.size, i, k;

	file.size = rnd(NFILE + 1);
	if (file.size >= old)
		return;
	pager_unmap(&file.pager, file.size, U64_MAX, true);
	for (i = 0; i < NPROC; i++)
		for (k = 0; k < NPAGES; k++)
			if (procs[i].page[k].kind == FILE_PRIVATE &&
			    procs[i].page[k].off >= file.size)
				procs[i].page[k].has_copy = false;
	for (i = file.size; i < NFILE; i++)
		*file_byte(i) = 0;
}

/* Write-back of a page, then the next write must come through the pager again: only that nothing breaks. */
static void op_wrprotect(void)
{
	pager_wrprotect(&file.pager, rnd(NFILE), 4);
}

static void check_tree(struct proc *p)
{
	struct region *r;
	u64 at = 0, pages = 0, n = 0, rss;

	rwsem_read_lock(&p->as->lock);
	for (r = aspace_find_first(p->as, 0); r; r = region_next(r)) {
		CHECK(r->start >= at && r->end > r->start);
		CHECK(r->as == p->as);
		at = r->end;
		pages += (r->end - r->start) >> PAGE_SHIFT;
		n++;
	}
	rwsem_read_unlock(&p->as->lock);
	CHECK(n == p->as->nr_regions);
	CHECK(pages == p->as->total_pages);
	rss = atomic64_read(&p->as->rss_anon) + atomic64_read(&p->as->rss_file) +
	      atomic64_read(&p->as->rss_shmem);
	CHECK(rss <= fake_mmu_count(&p->as->arch));
}

static void check_all(void)
{
	u32 i, k;

	for (i = 0; i < NPROC; i++) {
		check_tree(&procs[i]);
		for (k = 0; k < NPAGES; k++)
			check_page(&procs[i], k);
	}
}

static void step(void)
{
	struct proc *p = &procs[rnd(NPROC)];

	switch (rnd(20)) {
	case 0:
	case 1:
		op_map(p);
		break;
	case 2:
		op_unmap(p);
		break;
	case 3:
	case 4:
		op_protect(p);
		break;
	case 5:
		op_dontneed(p);
		break;
	case 6:
		op_remap(p);
		break;
	case 7:
		op_fork(p);
		break;
	case 8:
		op_truncate();
		break;
	case 9:
		op_wrprotect();
		break;
	case 10:
		op_wipe(p);
		break;
	case 11:
	case 12:
		op_remote(p);
		break;
	case 13:
		check_page(p, rnd(NPAGES));
		break;
	default:
		op_write(p);
	}
}

static void start(void)
{
	u32 i;

	pager_init(&file.pager, &file_ops);
	file.size = NFILE;
	for (i = 0; i < NFILE; i++) {
		CHECK(page_alloc(PAGE_ZERO, &file.page[i]) == 0);
		*file_byte(i) = (u8)(100 + i);
	}
	for (i = 0; i < NPROC; i++) {
		CHECK(aspace_create(&procs[i].as) == 0);
		memset(procs[i].page, 0, sizeof procs[i].page);
	}
	nr_shm = 0;
	memset(shm, 0, sizeof shm);
}

static void finish(void)
{
	u32 i;

	for (i = 0; i < NPROC; i++)
		aspace_put(procs[i].as);
	CHECK(file.refs == 0 && list_empty(&file.pager.regions));
	for (i = 0; i < NFILE; i++) {
		CHECK(refs_read(&file.page[i]->refs) == 1);
		page_put(file.page[i]);
	}
}

TEST(random_operations_match_plain_arrays)
{
	u32 round, i;

	rng = test_seed();
	for (round = 0; round < 40; round++) {
		start();
		for (i = 0; i < 1500; i++) {
			step();
			if (i % 100 == 0)
				check_all();
		}
		check_all();
		finish();
		CHECK(host_pages_in_use() <= 1); /* the zero page */
		CHECK(host_blocks_in_use() == 0);
	}
}

TEST(a_fork_that_runs_out_of_memory_changes_nothing)
{
	struct aspace *child;
	u32 i;

	rng = test_seed();
	start();
	for (i = 0; i < 300; i++)
		step();
	FAIL_LOOP(n)
	{
		int ret = aspace_clone(procs[0].as, &child);

		if (!fail_happened()) {
			CHECK(ret == 0);
			aspace_put(child);
			break;
		}
		CHECK(ret == -ENOMEM);
		fail_at(0);
		check_all();
	}
	fail_at(0);
	finish();
	CHECK(host_blocks_in_use() == 0);
}

TEST(free_ranges_are_found_highest_first_and_reused)
{
	struct map_req req = { .flags = MAP_PRIVATE, .prot = PROT_READ | PROT_WRITE };
	u64 va[200], used;
	u32 i, k;

	rng = test_seed();
	start();
	for (i = 0; i < 200; i++) {
		req.len = (1 + rnd(9)) * PAGE_SIZE;
		req.region_flags = rnd(2) ? REGION_DONTFORK : 0; /* neighbours that do not join */
		CHECK(aspace_map(procs[0].as, &req, &va[i]) == 0);
		for (k = 0; k < i; k++)
			CHECK(va[i] != va[k]);
	}
	used = procs[0].as->mmap_base - va[199];
	CHECK(used >> PAGE_SHIFT == procs[0].as->total_pages); /* no holes */
	CHECK(aspace_unmap(procs[0].as, va[100], PAGE_SIZE) == 0);
	req.len = PAGE_SIZE;
	CHECK(aspace_map(procs[0].as, &req, &va[0]) == 0);
	CHECK(va[0] == va[100]);
	finish();
}
