// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_mem - heap and page frames for host tests
 *
 * Role      Every block is the host allocator's, so that its sanitizer sees overruns; failure injection and
 *           leak counts (kapi_host.h). Tests of mm/slab.c and mm/phys.c link those instead.
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/host_os.h"
#include "tests/lib/kapi_host.h"

#define HOST_PAGES 16384

struct page *page_map;
u64 page_first_pfn = 16, page_end_pfn = 16 + HOST_PAGES;

static atomic_t fail_countdown;
static bool fail_done;
static atomic64_t blocks_in_use, pages_in_use;

void fail_at(u32 n)
{
	fail_done = false;
	atomic_set(&fail_countdown, n);
}

bool fail_happened(void)
{
	return fail_done;
}

static bool must_fail(void)
{
	u32 n = atomic_read(&fail_countdown);

	if (n == 0)
		return false;
	atomic_set(&fail_countdown, n - 1);
	fail_done |= n == 1;
	return n == 1;
}

u64 host_blocks_in_use(void)
{
	return atomic64_read(&blocks_in_use);
}

u64 host_pages_in_use(void)
{
	return atomic64_read(&pages_in_use);
}

/* Heap: the size stands in front of each block. */
struct block {
	size_t size;
	u64 pad;
};

static struct block *block_of(const void *p)
{
	return (struct block *)(uintptr_t)p - 1;
}

void *kmalloc(size_t size)
{
	struct block *b;

	if (size > KMALLOC_MAX || must_fail())
		return NULL;
	b = host_alloc(16, sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	memset(b + 1, 0xa5, size);
	atomic64_add(&blocks_in_use, 1);
	return b + 1;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t count, size_t size)
{
	size_t n;

	return __builtin_mul_overflow(count, size, &n) ? NULL : kzalloc(n);
}

void *krealloc(void *p, size_t new_size)
{
	void *q = kmalloc(new_size);

	if (q && p) {
		memcpy(q, p, MIN(new_size, block_of(p)->size));
		kfree(p);
	}
	return q;
}

void kfree(void *p)
{
	if (!p)
		return;
	memset(p, 0xdd, block_of(p)->size);
	atomic64_sub(&blocks_in_use, 1);
	host_free(block_of(p));
}

void *kmemdup(const void *p, size_t n)
{
	void *q = kmalloc(n);

	if (q)
		memcpy(q, p, n);
	return q;
}

char *kstrdup(const char *s)
{
	return kmemdup(s, strlen(s) + 1);
}

size_t ksize(const void *p)
{
	return block_of(p)->size;
}

struct kmem_cache {
	size_t size;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c = host_alloc(16, sizeof *c);

	BUG_ON(align > 16);
	if (c)
		c->size = size;
	return c;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	return kmalloc(c->size);
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	return kzalloc(c->size);
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	kfree(p);
}

/* Pages: struct page of a frame and its memory are made when it is handed out. */
static u8 *page_memory;
static u8 page_used[HOST_PAGES];
static struct spinlock page_lock = SPINLOCK_INIT(RANK_PHYS);

static int find_run_locked(u32 nr, u64 *first) REQUIRES(&page_lock)
{
	u32 run = 0;

	for (u64 i = 0; i < HOST_PAGES; i++) {
		run = page_used[i] || (run == 0 && i % nr) ? 0 : run + 1;
		if (run == nr) {
			*first = i + 1 - nr;
			return 0;
		}
	}
	return -ENOMEM;
}

int page_alloc_order(u32 order, u32 flags, struct page **out)
{
	u32 nr = 1u << order;
	u64 first = 0;
	int ret;

	if (must_fail())
		return -ENOMEM;
	spin_lock(&page_lock);
	if (!page_map) {
		page_map = host_alloc(64, HOST_PAGES * sizeof *page_map);
		page_memory = host_alloc(PAGE_SIZE, HOST_PAGES * PAGE_SIZE);
		BUG_ON(!page_map || !page_memory);
	}
	ret = find_run_locked(nr, &first);
	if (!ret)
		memset(page_used + first, 1, nr);
	spin_unlock(&page_lock);
	if (ret)
		return ret;
	memset(page_map + first, 0, nr * sizeof *page_map);
	memset(page_memory + first * PAGE_SIZE, flags & PAGE_ZERO ? 0 : 0xa5, nr * PAGE_SIZE);
	refs_init(&page_map[first].refs, 1);
	atomic64_add(&pages_in_use, nr);
	*out = &page_map[first];
	return 0;
}

int page_alloc_run(u32 order, u32 flags, struct page **out)
{
	int ret = page_alloc_order(order, flags, out);
	u32 i;

	for (i = 1; !ret && i < 1u << order; i++)
		refs_init(&(*out + i)->refs, 1);
	return ret;
}

int page_alloc(u32 flags, struct page **out)
{
	return page_alloc_order(0, flags, out);
}

void page_free_order(struct page *pg, u32 order)
{
	u64 first = (u64)(pg - page_map);
	u32 nr = 1u << order;

	memset(page_memory + first * PAGE_SIZE, 0xdd, nr * PAGE_SIZE);
	spin_lock(&page_lock);
	BUG_ON(!page_used[first]);
	memset(page_used + first, 0, nr);
	spin_unlock(&page_lock);
	atomic64_sub(&pages_in_use, nr);
}

void page_put(struct page *pg)
{
	if (refs_put(&pg->refs))
		page_free_order(pg, 0);
}

void *page_kaddr(const struct page *pg)
{
	return page_memory + (u64)(pg - page_map) * PAGE_SIZE;
}

struct page *kaddr_page(const void *kaddr)
{
	return &page_map[((const u8 *)kaddr - page_memory) / PAGE_SIZE];
}

void page_stats(struct page_stats *out)
{
	*out = (struct page_stats){ .total = HOST_PAGES, .free = HOST_PAGES - host_pages_in_use() };
}
