// SPDX-License-Identifier: Apache-2.0
/*
 * alloc_model - mm/phys.c and mm/slab.c: random allocations against a list of who owns what
 *
 * Rules     Every block is filled with its number and checked before it is freed; nothing may overlap, and
 *           in the end every frame is back.
 */
#include "arch/mmu.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/phys.h"
#include "guestkernel/mm/slab.h"
#include "tests/lib/harness.h"
#include "tests/lib/host_os.h"

#define FIRST_PFN 256
#define RESERVED  37 /* frames the kernel image takes: an odd start for the buddies */
#define FRAMES	  8192
#define SLOTS	  600

bool arch_prefers_fresh_pages;
struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = 1;

static u8 *memory;
static bool touched[FRAMES]; /* handed out at least once */

void *arch_phys_to_virt(paddr_t pa)
{
	return memory + (pa.pa - FIRST_PFN * PAGE_SIZE);
}

paddr_t arch_virt_to_phys(const void *p)
{
	return PADDR((u64)((const u8 *)p - memory) + FIRST_PFN * PAGE_SIZE);
}

enum kind { NOTHING, HEAP, FRAME, BLOCK };

struct slot {
	enum kind kind;
	u8 *p;
	size_t len;
	u32 order;
	struct page *pg;
};

static struct slot slots[SLOTS];

static void boot(void)
{
	struct page *map = host_alloc(64, FRAMES * sizeof *map);

	memory = host_alloc(1 << 22, FRAMES * PAGE_SIZE); /* as aligned as the largest block */
	CHECK(map && memory);
	memset(map, 0, FRAMES * sizeof *map);
	memset(memory, 0, FRAMES * PAGE_SIZE);
	memset(this_cpu(), 0, sizeof *this_cpu());
	cpus[0] = this_cpu();
	phys_init(FIRST_PFN, FIRST_PFN + FRAMES, FIRST_PFN + RESERVED, map);
	slab_init();
}

static u64 free_frames(void)
{
	struct page_stats st;

	page_stats(&st);
	CHECK(st.total == FRAMES - RESERVED && st.never_used <= st.free && st.free <= st.total);
	return st.free;
}

static void own(struct slot *s, u32 id)
{
	u64 first = (u64)(s->p - memory) / PAGE_SIZE,
	    last = (u64)(s->p + s->len - 1 - memory) / PAGE_SIZE;

	CHECK(s->p >= memory && last < FRAMES && first >= RESERVED);
	for (u64 i = first; i <= last; i++)
		touched[i] = true;
	memset(s->p, (int)(id % 251) + 1, s->len);
}

static void check_owned(const struct slot *s, u32 id)
{
	for (size_t i = 0; i<s->len; i += s->len> 512 ? 37 : 1)
		CHECK(s->p[i] == id % 251 + 1);
	CHECK(s->p[s->len - 1] == id % 251 + 1);
}

static bool is_zero(const u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static size_t random_size(u64 *seed)
{
	switch (test_rand(seed) % 8) {
	case 0:
		return 1 + test_rand(seed) % 100000;
	case 1:
		return 2000 + test_rand(seed) % 4000;
	default:
		return 1 + test_rand(seed) % 600;
	}
}

static void allocate(struct slot *s, u64 *seed)
{
	u32 flags = test_rand(seed) & PAGE_ZERO;

	s->kind = HEAP + test_rand(seed) % 3;
	s->order = s->kind == BLOCK ? test_rand(seed) % 5 : 0;
	if (s->kind == HEAP) {
		s->len = random_size(seed);
		s->p = flags ? kzalloc(s->len) : kmalloc(s->len);
		if (!s->p)
			goto none;
		CHECK(ksize(s->p) >= s->len && ((uintptr_t)s->p & 15) == 0);
	} else {
		if (s->kind == FRAME ? page_alloc(flags, &s->pg)
				     : page_alloc_order(s->order, flags, &s->pg))
			goto none;
		s->len = PAGE_SIZE << s->order;
		s->p = page_kaddr(s->pg);
		CHECK(kaddr_page(s->p) == s->pg && refs_read(&s->pg->refs) == 1);
		CHECK(IS_ALIGNED(page_pfn(s->pg), 1u << s->order));
	}
	CHECK(!flags || is_zero(s->p, s->len));
	return;
none:
	s->kind = NOTHING;
	CHECK(free_frames() < 1024);
}

static void release(struct slot *s)
{
	if (s->kind == HEAP)
		kfree(s->p);
	else if (s->kind == FRAME)
		page_put(s->pg);
	else if (s->kind == BLOCK)
		page_free_order(s->pg, s->order);
	s->kind = NOTHING;
}

static void resize(struct slot *s, u32 id, u64 *seed)
{
	size_t n = random_size(seed);
	u8 *p = krealloc(s->p, n);

	if (!p)
		return;
	s->p = p;
	s->len = MIN(s->len, n);
	check_owned(s, id);
	s->len = n;
	own(s, id);
}

/* What the idle loop and the host do: memory given back reads as zero. How many frames. */
static u64 give_back(u32 max, u64 most)
{
	struct page_range r[128];
	u32 n = page_release_begin(r, max, most);
	u64 frames = 0;

	CHECK(n <= max);
	for (u32 i = 0; i < n; i++) {
		CHECK(r[i].nr >= 64 && IS_ALIGNED(r[i].start.pa, r[i].nr << PAGE_SHIFT));
		memset(arch_phys_to_virt(r[i].start), 0, r[i].nr << PAGE_SHIFT);
		frames += r[i].nr;
	}
	CHECK(frames <= most);
	page_release_end(r, n);
	return frames;
}

static void random_steps(u32 steps)
{
	u64 seed = test_seed();

	for (u32 step = 0; step < steps; step++) {
		u32 id = (u32)(test_rand(&seed) % SLOTS);
		struct slot *s = &slots[id];

		if (test_rand(&seed) % 64 == 0)
			(void)give_back((u32)(test_rand(&seed) % 128), test_rand(&seed) % 4096);
		if (s->kind == NOTHING) {
			allocate(s, &seed);
			if (s->kind != NOTHING)
				own(s, id);
			continue;
		}
		check_owned(s, id);
		if (s->kind == HEAP && test_rand(&seed) % 3 == 0)
			resize(s, id, &seed);
		else
			release(s);
	}
	for (u32 id = 0; id < SLOTS; id++) {
		if (slots[id].kind != NOTHING)
			check_owned(&slots[id], id);
		release(&slots[id]);
	}
}

TEST(allocations_never_overlap_and_come_back)
{
	u64 slab;

	boot();
	random_steps(60000);
	slab_stats(&slab);
	CHECK(slab <= 13); /* each size keeps one empty slab */
	CHECK(free_frames() == FRAMES - RESERVED - slab);
}

TEST(fresh_frames_first_gives_the_same_guarantees)
{
	boot();
	arch_prefers_fresh_pages = true;
	random_steps(60000);
	CHECK(free_frames() + 13 >= FRAMES - RESERVED);
}

TEST(memory_that_was_not_needed_is_not_touched)
{
	struct page_stats st;

	boot();
	random_steps(3000);
	page_stats(&st);
	for (u64 i = FRAMES - st.never_used; i < FRAMES; i++)
		CHECK(!touched[i] && is_zero(memory + i * PAGE_SIZE, PAGE_SIZE));
	CHECK(st.never_used > 0);
}

TEST(everything_can_be_taken_and_the_last_reserve_is_the_kernels)
{
	struct list taken = LIST_INIT(taken);
	struct page *pg, *tmp;
	u64 user = 0, n = 0;

	boot();
	while (page_alloc(PAGE_USER, &pg) == 0) {
		list_add(&taken, &pg->link);
		user++;
	}
	CHECK(user < FRAMES - RESERVED && user > FRAMES / 2);
	while (page_alloc(0, &pg) == 0) {
		list_add(&taken, &pg->link);
		n++;
	}
	CHECK(user + n == FRAMES - RESERVED && free_frames() == 0);
	CHECK(!kmalloc(5000) && page_alloc_order(1, 0, &pg) == -ENOMEM);
	list_for_each_entry_safe (pg, tmp, &taken, link)
		page_put(pg);
	CHECK(free_frames() == FRAMES - RESERVED);
	CHECK(page_alloc_order(10, 0, &pg) == 0); /* buddies have merged again */
	page_free_order(pg, 10);
	CHECK(page_alloc_order(11, 0, &pg) == -ENOMEM);
}

TEST(free_memory_is_given_back_once)
{
	struct list taken = LIST_INIT(taken);
	struct page *pg, *tmp;
	u64 given = 0, part;

	boot();
	CHECK(!page_release_wanted());
	for (u32 i = 0; i < 7000; i++) {
		CHECK(page_alloc(0, &pg) == 0);
		memset(page_kaddr(pg), 0xaa, PAGE_SIZE);
		list_add(&taken, &pg->link);
	}
	list_for_each_entry_safe (pg, tmp, &taken, link)
		page_put(pg);
	CHECK(page_release_wanted());
	for (u32 i = 0; i < 100 && page_release_wanted(); i++) {
		part = give_back(128, 2000);
		CHECK(part <= free_frames() / 4 + 1);
		given += part;
	}
	CHECK(!page_release_wanted());
	while ((part = give_back(128, 4096)) != 0)
		given += part;
	CHECK(given > 6500 && given <= 7000);
	CHECK(free_frames() == FRAMES - RESERVED);
	/* blocks given back serve as zeroed memory, and only what was used since is given back again */
	CHECK(page_alloc_order(10, PAGE_ZERO, &pg) == 0);
	CHECK(is_zero(page_kaddr(pg), PAGE_SIZE << 10));
	page_free_order(pg, 10);
	CHECK(page_release_wanted() && give_back(128, 8000) == 1024);
	CHECK(!page_release_wanted());
}

TEST(caches_give_aligned_objects_of_their_own)
{
	struct kmem_cache *c;
	void *p[200];

	boot();
	c = kmem_cache_create("test", 200, 64);
	CHECK(c);
	for (u32 i = 0; i < 200; i++) {
		p[i] = kmem_cache_zalloc(c);
		CHECK(p[i] && ((uintptr_t)p[i] & 63) == 0 && is_zero(p[i], 200));
		memset(p[i], 0xff, 200);
	}
	for (u32 i = 0; i < 200; i++)
		kmem_cache_free(c, p[i]);
	CHECK(!kmem_cache_create("large", 5000, 8));
	CHECK(!kmalloc(KMALLOC_MAX + 1) && !kcalloc(1ull << 33, 1ull << 33));
	kfree(NULL);
}
