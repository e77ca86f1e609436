// SPDX-License-Identifier: Apache-2.0
/*
 * kmap - kernel stacks
 *
 * Rules     Stacks are never unmapped: freed ones wait on a list for the next task, so no TLB shootdown of kernel
 *           addresses is ever needed. The address space for them is 512 GiB: it does not run out before
 *           memory does.
 * Locking   lock (RANK_KMAP).
 */
#include "guestkernel/mm/kmap.h"

#include "arch/mmu.h"
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/leak.h"

#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)

/* Lies at the lower end of a free stack. */
struct free_stack {
	struct free_stack *next;
};

static struct {
	struct spinlock lock;
	u64 next_va;
	struct free_stack *free;
	u64 nr_frames;
} kmap;

void kmap_init(void)
{
	spin_init(&kmap.lock, RANK_KMAP);
	kmap.next_va = arch_kmap_base;
}

u64 kstack_frames(void)
{
	return kmap.nr_frames;
}

static int map_stack(u64 base)
{
	u64 i;

	for (i = 0; i < STACK_PAGES; i++) {
		struct page *pg;
		int ret = page_alloc(0, &pg);

		if (!ret)
			ret = arch_kmap_page(base + i * PAGE_SIZE, page_paddr(pg), true);
		if (ret)
			return ret; /* what is mapped stays with its addresses: unused, but counted */
		leak_forget(pg);
		kmap.nr_frames++;
	}
	return 0;
}

int kstack_alloc(void **top)
{
	struct free_stack *s;
	u64 base;
	int ret;

	spin_lock(&kmap.lock);
	s = kmap.free;
	if (s) {
		kmap.free = s->next;
		spin_unlock(&kmap.lock);
		*top = (u8 *)s + KSTACK_SIZE;
		return 0;
	}
	base = kmap.next_va + PAGE_SIZE;
	kmap.next_va = base + KSTACK_SIZE;
	ret = kmap.next_va > arch_kmap_end ? -ENOMEM : map_stack(base);
	spin_unlock(&kmap.lock);
	if (!ret)
		*top = (void *)(base + KSTACK_SIZE);
	return ret;
}

void kstack_free(void *top)
{
	struct free_stack *s = (struct free_stack *)((u8 *)top - KSTACK_SIZE);

	spin_lock(&kmap.lock);
	s->next = kmap.free;
	kmap.free = s;
	spin_unlock(&kmap.lock);
}
