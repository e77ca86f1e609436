// SPDX-License-Identifier: Apache-2.0
/*
 * kmap - kernel stacks
 *
 * Role      Each stack has a slot of the kernel's address space, an unmapped guard page below it.
 * Rules     Freed stacks wait for the next tasks, KEEP of them: mapping one costs more than the rest of a fork.
 *           Beyond KEEP + BATCH, BATCH of them are unmapped at once, for one TLB shootdown, and their frames
 *           given back. How many stacks there are at most is for task/clone.c to say (threads_max).
 * Locking   lock (RANK_KMAP), also of the kernel's page tables. Unmapping waits for other CPUs and happens outside.
 */
#include "guestkernel/mm/kmap.h"

#include "arch/mmu.h"
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/leak.h"

#define STACK_PAGES ((u32)(KSTACK_SIZE / PAGE_SIZE))
#define SLOT_BYTES  (KSTACK_SIZE + PAGE_SIZE)
#define CHUNK_SLOTS 64u
#define CHUNKS	    1024u
#define KEEP	    16u
#define BATCH	    16u

/* The frames of CHUNK_SLOTS slots, in a frame of its own; made when the first of them is wanted, kept for good. */
struct chunk {
	u64 used; /* [lock] bit n: slot n has a stack, or is getting or losing one */
	struct page *first[CHUNK_SLOTS]; /* of the slot's stack, the others linked by next_free */
};

/* INVARIANTS
 * A slot whose bit is clear has no frames, and no CPU has a translation of it: unmap_batch() clears the bit after the
 * shootdown. A slot whose bit is set is written (chunk->first) by whoever maps or unmaps it, without the lock.
 * kept[0..nr_kept) are mapped stacks nobody uses, so their bits are set. */
static struct {
	struct spinlock lock;
	struct chunk *chunk[CHUNKS]; /* [lock] for writing; NULL: no slot of it was ever used */
	u32 lowest;		     /* [lock] chunks below are full */
	void *kept[KEEP + BATCH];    /* [lock] tops */
	u32 nr_kept;		     /* [lock] */
	u64 nr_frames;		     /* [lock] */
} kmap;

void kmap_init(void)
{
	BUG_ON((u64)CHUNKS * CHUNK_SLOTS * SLOT_BYTES > arch_kmap_end - arch_kmap_base);
	spin_init(&kmap.lock, RANK_KMAP);
}

u64 kstack_frames(void)
{
	return READ_ONCE(kmap.nr_frames);
}

static u64 slot_base(u32 slot)
{
	return arch_kmap_base + (u64)slot * SLOT_BYTES + PAGE_SIZE;
}

static u32 top_slot(const void *top)
{
	return (u32)(((u64)top - KSTACK_SIZE - PAGE_SIZE - arch_kmap_base) / SLOT_BYTES);
}

static struct page **slot_frames(u32 slot)
{
	return &kmap.chunk[slot / CHUNK_SLOTS]->first[slot % CHUNK_SLOTS];
}

static struct chunk *chunk_new(void)
{
	struct page *pg;

	if (page_alloc(PAGE_ZERO, &pg))
		return NULL;
	leak_forget(pg);
	return page_kaddr(pg);
}

static int slot_take(u32 *out)
{
	int ret = -ENOMEM;
	u32 i, bit;

	spin_lock(&kmap.lock);
	for (i = kmap.lowest; i < CHUNKS; i++) {
		if (!kmap.chunk[i])
			kmap.chunk[i] = chunk_new();
		if (!kmap.chunk[i])
			break;
		if (kmap.chunk[i]->used == U64_MAX)
			continue;
		bit = (u32)__builtin_ctzll(~kmap.chunk[i]->used);
		kmap.chunk[i]->used |= 1ull << bit;
		kmap.nr_frames += STACK_PAGES;
		kmap.lowest = i;
		*out = i * CHUNK_SLOTS + bit;
		ret = 0;
		break;
	}
	spin_unlock(&kmap.lock);
	return ret;
}

static void slots_give_back(const u32 *slot, u32 n)
{
	u32 i, c;

	spin_lock(&kmap.lock);
	for (i = 0; i < n; i++) {
		c = slot[i] / CHUNK_SLOTS;
		kmap.chunk[c]->used &= ~(1ull << slot[i] % CHUNK_SLOTS);
		kmap.lowest = MIN(kmap.lowest, c);
		kmap.nr_frames -= STACK_PAGES;
	}
	spin_unlock(&kmap.lock);
}

static void put_frames(struct page *pg)
{
	while (pg) {
		struct page *next = pg->next_free;

		page_put(pg);
		pg = next;
	}
}

/* n <= BATCH */
static void unmap_batch(void *const *tops, u32 n)
{
	u32 i, slot[BATCH];
	u64 va[BATCH];

	for (i = 0; i < n; i++) {
		slot[i] = top_slot(tops[i]);
		va[i] = slot_base(slot[i]);
	}
	arch_kmap_unmap(va, n, STACK_PAGES);
	for (i = 0; i < n; i++) {
		put_frames(*slot_frames(slot[i]));
		*slot_frames(slot[i]) = NULL;
	}
	slots_give_back(slot, n);
}

static int map_slot(u32 slot)
{
	struct page **first = slot_frames(slot), *pg;
	u64 base = slot_base(slot);
	int ret;
	u32 i;

	for (i = 0; i < STACK_PAGES; i++) {
		ret = page_alloc(0, &pg);
		if (ret)
			return ret;
		leak_forget(pg);
		pg->next_free = *first;
		*first = pg;
		spin_lock(&kmap.lock); /* of the tables, too */
		ret = arch_kmap_page(base + i * PAGE_SIZE, page_paddr(pg), true);
		spin_unlock(&kmap.lock);
		if (ret)
			return ret;
	}
	return 0;
}

int kstack_alloc(void **top)
{
	void *kept = NULL;
	u32 slot;
	int ret;

	spin_lock(&kmap.lock);
	if (kmap.nr_kept)
		kept = kmap.kept[--kmap.nr_kept];
	spin_unlock(&kmap.lock);
	if (kept) {
		*top = kept;
		return 0;
	}
	ret = slot_take(&slot);
	if (ret)
		return ret;
	kept = (void *)(slot_base(slot) + KSTACK_SIZE);
	ret = map_slot(slot);
	if (ret)
		unmap_batch(&kept, 1); /* what there is of it */
	else
		*top = kept;
	return ret;
}

void kstack_free(void *top)
{
	void *batch[BATCH];
	u32 i, n = 0;

	spin_lock(&kmap.lock);
	kmap.kept[kmap.nr_kept++] = top;
	if (kmap.nr_kept == KEEP + BATCH) {
		for (n = BATCH, i = 0; i < BATCH; i++)
			batch[i] = kmap.kept[--kmap.nr_kept];
	}
	spin_unlock(&kmap.lock);
	if (n)
		unmap_batch(batch, n);
}
