// SPDX-License-Identifier: Apache-2.0
/*
 * slab - object caches of one frame each, and kmalloc on top
 *
 * Role      Implements kapi/alloc.h.
 * Rules     A slab is one frame of equal objects. Objects are carved off in an order of the slab's own, so that
 *           neighbours cannot be foreseen; freed ones go on the slab's list. A free object holds the next one,
 *           encoded, and a mark nobody can guess: a write to a freed object or a second free is noticed
 *           before it does harm (the kernel panics). The debug kernel also fills free objects. Empty slabs go
 *           back except the last of a cache. Above OBJECT_MAX, kmalloc takes whole frames (PG_LARGE, the order in
 *           page->index).
 * Locking   cache->lock (RANK_SLAB) covers the cache and its slabs' fields.
 */
#include "guestkernel/mm/slab.h"

#include "arch/mmu.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/disturb.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/poison.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/leak.h"

#define OBJECT_MAX 2048

/* INVARIANTS
 * A slab (struct page with PG_SLAB) of which inuse < per_slab is on its cache's partial list, any other on none.
 * nr_empty counts those with inuse == 0: at most one, when the lock is free. Objects are inuse, on the slab's list
 * (next_free), or not carved yet: per_slab - carved of them. Each object on the list has its mark, no object in
 * use has it (but by a chance of 2^-64). */
struct kmem_cache {
	const char *name;   /* [I] */
	u32 size, per_slab; /* [I] */
	struct spinlock lock;
	struct list partial; /* [lock] slabs with room */
	u32 nr_empty;	     /* [lock] */
	u64 random;	     /* [lock] order of the next slab */
};

/* At the start of a free object. */
struct free_object {
	u64 next; /* encoded */
	u64 mark;
};

static u64 key_next, key_mark; /* [I] */

static const u16 class_size[] = { 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048 };
static struct kmem_cache classes[ARRAY_SIZE(class_size)];
static u8 class_of[OBJECT_MAX / 16 + 1]; /* by size in 16-byte steps, rounded up */
static atomic64_t nr_frames;

static void cache_init(struct kmem_cache *c, const char *name, u32 size)
{
	c->name = name;
	c->size = size;
	c->per_slab = (u32)PAGE_SIZE / size;
	spin_init(&c->lock, RANK_SLAB);
	list_init(&c->partial);
	c->nr_empty = 0;
	c->random = rand_u64() | 1;
}

static u64 encode(const void *next, const void *at)
{
	return (u64)next ^ key_next ^ __builtin_bswap64((u64)at);
}

static void *decode(u64 next, const void *at)
{
	return (void *)(next ^ key_next ^ __builtin_bswap64((u64)at));
}

static u64 mark_of(const void *at)
{
	return (u64)at ^ key_mark;
}

static u64 next_random(struct kmem_cache *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

void slab_init(void)
{
	u32 i, step, c = 0;

	key_next = rand_u64();
	key_mark = rand_u64();
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		cache_init(&classes[i], "kmalloc", class_size[i]);
	for (step = 0; step < ARRAY_SIZE(class_of); step++) {
		if (step * 16 > class_size[c])
			c++;
		class_of[step] = (u8)c;
	}
}

void slab_stats(u64 *frames)
{
	*frames = atomic64_read(&nr_frames);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c;

	size = ALIGN_UP(MAX(size, (size_t)16), MAX(align, (size_t)16));
	if (size > PAGE_SIZE)
		return NULL;
	c = kzalloc(sizeof *c);
	if (c) {
		leak_forget(c);
		cache_init(c, name, (u32)size);
	}
	return c;
}

/* Primes above the number of objects in a slab: each of them leads past every object once. */
static const u16 carve_steps[16] = { 257, 263, 269, 271, 277, 281, 283, 293,
				     307, 311, 313, 317, 331, 337, 347, 349 };

static struct page *slab_new(struct kmem_cache *c)
{
	struct page *pg;

	if (page_alloc(0, &pg))
		return NULL;
	leak_forget(pg);
	atomic64_add(&nr_frames, 1);
	pg->flags = PG_SLAB;
	pg->cache = c;
	pg->inuse = 0;
	pg->carved = 0;
	pg->next_free = NULL;
	pg->carve_at = (u32)(next_random(c) % c->per_slab);
	pg->carve_step = carve_steps[c->random >> 60];
	return pg;
}

static void *slab_take(struct kmem_cache *c, struct page *pg)
{
	struct free_object *p = pg->next_free;

	if (p) {
		BUG_ON(p->mark != mark_of(p)); /* written to after it was freed */
		poison_check_freed(p + 1, c->size - sizeof *p);
		pg->next_free = decode(p->next, p);
		p->mark = 0;
	} else {
		p = (struct free_object *)((u8 *)page_kaddr(pg) + (size_t)c->size * pg->carve_at);
		pg->carve_at = (pg->carve_at + pg->carve_step) % c->per_slab;
		pg->carved++;
		p->mark = 0; /* the page may have been a slab before: its marks are not ours */
	}
	if (pg->inuse++ == 0)
		c->nr_empty--;
	if (pg->inuse == c->per_slab)
		list_del(&pg->link);
	return p;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	struct page *pg;
	void *p;

	if (disturb_alloc_fails())
		return NULL;
	spin_lock(&c->lock);
	pg = list_first(&c->partial, struct page, link);
	if (unlikely(!pg)) {
		pg = slab_new(c);
		if (!pg) {
			spin_unlock(&c->lock);
			return NULL;
		}
		list_add(&c->partial, &pg->link);
		c->nr_empty++;
	}
	p = slab_take(c, pg);
	spin_unlock(&c->lock);
	leak_note(p, c->size);
	poison_fresh(p, c->size);
	return p;
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	void *p = kmem_cache_alloc(c);

	if (p)
		memset(p, 0, c->size);
	return p;
}

static void slab_free(struct page *pg, void *p)
{
	struct kmem_cache *c = pg->cache;
	struct free_object *f = p;
	struct page *release = NULL;

	leak_forget(p);
	spin_lock(&c->lock);
	BUG_ON(pg->inuse == 0 || f->mark == mark_of(f)); /* freed twice */
	f->next = encode(pg->next_free, f);
	f->mark = mark_of(f);
	poison_freed(f + 1, c->size - sizeof *f);
	pg->next_free = f;
	if (pg->inuse-- == c->per_slab)
		list_add(&c->partial, &pg->link);
	if (pg->inuse == 0 && c->nr_empty++ > 0) {
		c->nr_empty--;
		list_del(&pg->link);
		release = pg;
	}
	spin_unlock(&c->lock);
	if (release) {
		atomic64_sub(&nr_frames, 1);
		page_put(release);
	}
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	struct page *pg;

	if (!p)
		return;
	pg = kaddr_page(p);
	BUG_ON(!pg || pg->cache != c);
	slab_free(pg, p);
}

static u32 order_for(size_t size)
{
	u32 order = 0;

	while (((size_t)PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *kmalloc(size_t size)
{
	struct page *pg;
	u32 order;

	if (likely(size <= OBJECT_MAX))
		return kmem_cache_alloc(&classes[class_of[(size + 15) / 16]]);
	if (size > KMALLOC_MAX)
		return NULL;
	order = order_for(size);
	if (page_alloc_order(order, 0, &pg))
		return NULL;
	atomic64_add(&nr_frames, 1ull << order);
	leak_forget(pg);
	leak_note(page_kaddr(pg), size);
	pg->flags = PG_LARGE;
	pg->index = order;
	return page_kaddr(pg);
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

size_t ksize(const void *p)
{
	struct page *pg = kaddr_page(p);

	return pg->flags & PG_LARGE ? PAGE_SIZE << pg->index : pg->cache->size;
}

void kfree(void *p)
{
	struct page *pg;
	u32 order;

	if (!p)
		return;
	pg = kaddr_page(p);
	BUG_ON(!pg || !(pg->flags & (PG_SLAB | PG_LARGE)));
	if (likely(pg->flags & PG_SLAB)) {
		slab_free(pg, p);
		return;
	}
	leak_forget(p);
	order = (u32)pg->index;
	atomic64_sub(&nr_frames, 1ull << order);
	page_free_order(pg, order);
}

void *krealloc(void *p, size_t new_size)
{
	size_t old;
	void *q;

	if (!p)
		return kmalloc(new_size);
	old = ksize(p);
	if (new_size <= old && new_size > old / 4)
		return p;
	q = kmalloc(new_size);
	if (!q)
		return new_size <= old ? p : NULL;
	memcpy(q, p, MIN(old, new_size));
	kfree(p);
	return q;
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
