// SPDX-License-Identifier: Apache-2.0
/*
 * mmu - four-level page tables behind arch/mmu.h, and TLB shootdown
 *
 * Role      See arch/mmu.h.
 * Rules     The upper half of every top-level table is the same and never changes after boot: kernel image,
 *           direct map, kmap area. User tables are freed with the address space only, so a walk needs no
 *           care beyond the caller's lock.
 *           Shootdown: one request at a time, kernel wide. The sender publishes it, marks the bit in
 *           each target's ipi_pending, interrupts it, and waits until every target has cleared its bit. A target
 *           in the kernel answers from arch_spin_relax() or on its way out, because interrupts are then
 *           taken at once. active_cpus is set before CR3 is loaded and cleared after, so no CPU with
 *           old translations is missed.
 * Locking   Callers hold the address space's page table lock; shoot_lock (RANK_LEAF) is inside.
 * Missing   PCID; large user pages.
 */
#include "arch/mmu.h"

#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/param.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/leak.h"

#define PTE_P	   0x001ull
#define PTE_W	   0x002ull
#define PTE_U	   0x004ull
#define PTE_A	   0x020ull
#define PTE_D	   0x040ull
#define PTE_G	   0x100ull
#define PTE_NONE   0x200ull /* software: mapped without any right, P clear */
#define PTE_MAPPED (PTE_P | PTE_NONE)
#define PTE_NX	   (1ull << 63)
#define PTE_ADDR   0x000ffffffffff000ull

#define DIRECT_MAP_BASE	 0xffff800000000000ull
#define KMAP_BASE	 0xffffc00000000000ull
#define KMAP_BYTES	 (1ull << 39)
#define FLUSH_SINGLE_MAX 32
#define UNROLL_WALK	 _Pragma("GCC unroll 3") /* constant shifts: a third of the instructions */

u64 arch_kmap_base = KMAP_BASE, arch_kmap_end = KMAP_BASE + KMAP_BYTES;

static u64 boot_root; /* tables the monitor made: kernel half only */
static struct spinlock shoot_lock = SPINLOCK_INIT(RANK_LEAF);
static struct {
	struct arch_aspace *as;
	u64 va, npages;
} shoot;

void mmu_setup(void)
{
	boot_root = read_cr3() & PTE_ADDR;
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa.pa);
}

paddr_t arch_virt_to_phys(const void *p)
{
	return PADDR((u64)p - DIRECT_MAP_BASE);
}

static u64 *table_of(u64 entry)
{
	return arch_phys_to_virt(PADDR(entry & PTE_ADDR));
}

static u64 *slot(u64 *table, u64 va, u32 level)
{
	return &table[va >> (12 + 9 * (level - 1)) & 511];
}

/* Tables of dead address spaces, all zero again: clearing a frame is the dearest part of making a table. */
#define SPARE_MAX 128
static struct {
	struct spinlock lock;
	struct page *list; /* [lock] linked by next_free */
	u32 nr;		   /* [lock] */
} spare = { SPINLOCK_INIT(RANK_LEAF), NULL, 0 };

static int table_frame(struct page **out)
{
	struct page *pg;

	spin_lock(&spare.lock);
	pg = spare.list;
	if (pg) {
		spare.list = pg->next_free;
		spare.nr--;
	}
	spin_unlock(&spare.lock);
	*out = pg;
	if (!pg)
		return page_alloc(PAGE_ZERO, out);
	leak_note(pg, PAGE_SIZE);
	return 0;
}

/* owner: the entry that points to this table, so that destroying can clear just that. */
static int table_alloc(struct arch_aspace *as, u64 *entry, u64 bits)
{
	struct page *pg;
	int ret = table_frame(&pg);

	if (ret)
		return ret;
	pg->flags = PG_TABLE;
	pg->owner = entry;
	if (as) {
		as->nr_tables++;
		pg->next_free = as->tables;
		as->tables = pg;
	}
	*entry = page_paddr(pg).pa | bits;
	return 0;
}

static void release_tables(struct page *list)
{
	struct page *pg, *next;

	/* every last-level entry is gone; the upper ones are found through owner */
	for (pg = list; pg; pg = pg->next_free)
		if (pg->owner)
			*(u64 *)pg->owner = 0;
	for (pg = list; pg; pg = next) {
		next = pg->next_free;
		spin_lock(&spare.lock);
		if (spare.nr < SPARE_MAX) {
			pg->next_free = spare.list;
			spare.list = pg;
			spare.nr++;
			leak_forget(pg);
			pg = NULL;
		}
		spin_unlock(&spare.lock);
		if (pg)
			page_put(pg);
	}
}

/* The last-level slot of va, or NULL when tables are missing. */
static u64 *find_pte(u64 root_pa, u64 va)
{
	u64 *table = arch_phys_to_virt(PADDR(root_pa));
	u32 level;

	UNROLL_WALK
	for (level = 4; level > 1; level--) {
		u64 e = *slot(table, va, level);

		if (!(e & PTE_P))
			return NULL;
		table = table_of(e);
	}
	return slot(table, va, 1);
}

static int make_pte(struct arch_aspace *as, u64 root_pa, u64 va, u64 bits, u64 **out)
{
	u64 *table = arch_phys_to_virt(PADDR(root_pa));
	u32 level;

	UNROLL_WALK
	for (level = 4; level > 1; level--) {
		u64 *e = slot(table, va, level);
		int ret;

		if (!(*e & PTE_P)) {
			ret = table_alloc(as, e, bits);
			if (ret)
				return ret;
		}
		table = table_of(*e);
	}
	*out = slot(table, va, 1);
	return 0;
}

int arch_mmu_create(struct arch_aspace *as)
{
	struct page *pg;
	u64 *kernel, *root;
	int ret = table_frame(&pg);

	if (ret)
		return ret;
	memset(as, 0, sizeof *as);
	as->root_pa = page_paddr(pg).pa;
	as->nr_tables = 1;
	as->tables = pg;
	pg->next_free = NULL;
	pg->flags = PG_TABLE;
	pg->owner = NULL;
	kernel = arch_phys_to_virt(PADDR(boot_root));
	root = page_kaddr(pg);
	/* The kernel half has three populated slots; copying only them keeps this short. */
	root[DIRECT_MAP_BASE >> 39 & 511] = kernel[DIRECT_MAP_BASE >> 39 & 511];
	root[KMAP_BASE >> 39 & 511] = kernel[KMAP_BASE >> 39 & 511];
	root[511] = kernel[511];
	return 0;
}

static u64 user_bits(u32 prot)
{
	u64 bits = PTE_P | PTE_U | PTE_A;

	if (!prot)
		return PTE_NONE;
	if (prot & MMU_WRITE)
		bits |= PTE_W | PTE_D;
	if (!(prot & MMU_EXEC))
		bits |= PTE_NX;
	return bits;
}

int arch_mmu_map(struct arch_aspace *as, u64 va, paddr_t pa, u32 prot)
{
	return arch_mmu_map_run(as, va, pa, 1, prot);
}

int arch_mmu_map_run(struct arch_aspace *as, u64 va, paddr_t pa, u32 npages, u32 prot)
{
	u64 bits = user_bits(prot), *pte = NULL;
	u32 i;

	for (i = 0; i < npages; i++, va += PAGE_SIZE, pa.pa += PAGE_SIZE) {
		int ret;

		if (pte && (va & (512 * PAGE_SIZE - 1)) != 0) {
			pte++;
		} else {
			ret = make_pte(as, as->root_pa, va, PTE_P | PTE_W | PTE_U | PTE_A, &pte);
			if (ret)
				return ret;
		}
		WRITE_ONCE(*pte, pa.pa | bits);
	}
	return 0;
}

static u32 query_bits(u64 pte)
{
	BUILD_BUG_ON(MMU_Q_WRITE != PTE_W || MMU_Q_EXEC != 4);
	BUILD_BUG_ON(MMU_Q_ACCESSED != PTE_A >> 2 || MMU_Q_DIRTY != PTE_D >> 2);
	return MMU_Q_PRESENT | (u32)(pte & PTE_W) |
	       (u32)(pte >> 2 & (MMU_Q_ACCESSED | MMU_Q_DIRTY)) | (u32)(~pte >> 63 << 2);
}

/* Goes over the mapped last-level entries of a range; tables are walked down once each. */
struct walk {
	u64 *root;
	u64 va, end; /* va: of the entry walk_next() returned last */
	u64 *pte;    /* of va; NULL: table to be found */
	u64 stop;    /* where this table's part of the range ends */
};

#define LEAF_BYTES (512 * PAGE_SIZE)

static void walk_start(struct walk *w, struct arch_aspace *as, u64 va, u64 end)
{
	w->root = arch_phys_to_virt(PADDR(as->root_pa));
	w->va = va;
	w->end = end;
	w->pte = NULL;
}

/* Sets pte to the slot of va, skipping holes by whole tables. False at the end. */
static bool walk_down(struct walk *w)
{
	while (w->va < w->end) {
		u64 *table = w->root;
		u32 level;

		for (level = 4; level > 1; level--) {
			u64 e = *slot(table, w->va, level);

			if (!(e & PTE_P))
				break;
			table = table_of(e);
		}
		if (level == 1) {
			w->pte = slot(table, w->va, 1);
			return true;
		}
		w->va = ALIGN_DOWN(w->va, 1ull << (12 + 9 * (level - 1))) +
			(1ull << (12 + 9 * (level - 1)));
	}
	return false;
}

/* From va on, which is at or below stop when there is a table. */
static u64 *walk_search(struct walk *w)
{
	for (;;) {
		u64 *pte, va;

		if (!w->pte) {
			if (!walk_down(w))
				return NULL;
			w->stop = MIN(ALIGN_DOWN(w->va, LEAF_BYTES) + LEAF_BYTES, w->end);
		}
		pte = w->pte;
		for (va = w->va; va < w->stop; va += PAGE_SIZE, pte++) {
			/* most of a sparse table is empty */
			while (va + 4 * PAGE_SIZE <= w->stop &&
			       !(pte[0] | pte[1] | pte[2] | pte[3])) {
				pte += 4;
				va += 4 * PAGE_SIZE;
			}
			if (va < w->stop && (*pte & PTE_MAPPED)) {
				w->va = va;
				w->pte = pte;
				return pte;
			}
		}
		w->va = MIN(va, w->stop);
		w->pte = NULL;
	}
}

static inline u64 *walk_next(struct walk *w)
{
	if (w->pte) {
		w->pte++;
		w->va += PAGE_SIZE;
		if (likely(w->va < w->stop && (*w->pte & PTE_MAPPED)))
			return w->pte;
	}
	return walk_search(w);
}

void arch_mmu_unmap(struct arch_aspace *as, u64 va, u64 npages, mmu_unmap_fn fn, void *ctx)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		u64 old = xchg(pte, 0);

		if (fn)
			fn(ctx, w.va, PADDR(old & PTE_ADDR), query_bits(old));
	}
}

void arch_mmu_protect(struct arch_aspace *as, u64 va, u64 npages, u32 prot)
{
	u64 bits = user_bits(prot), *pte;
	struct walk w;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		u64 old = READ_ONCE(*pte);

		/* keep the hardware's dirty bit: write-back must not lose it */
		while (!__atomic_compare_exchange_n(pte, &old, (old & (PTE_ADDR | PTE_D)) | bits,
						    false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
	}
}

void arch_mmu_wrprotect(struct arch_aspace *as, u64 va, u64 npages)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL)
		if (*pte & PTE_W)
			fetch_and(pte, ~PTE_W);
}

int arch_mmu_share(struct arch_aspace *dst, struct arch_aspace *src, u64 va, u64 npages,
		   mmu_share_fn fn, void *ctx)
{
	u64 *pte, *to = NULL, last = 0;
	struct walk w;
	int ret;

	walk_start(&w, src, va, va + npages * PAGE_SIZE);
	while ((pte = walk_next(&w)) != NULL) {
		if (to && ALIGN_DOWN(w.va, LEAF_BYTES) == ALIGN_DOWN(last, LEAF_BYTES)) {
			to += (w.va - last) >> PAGE_SHIFT;
		} else {
			ret = make_pte(dst, dst->root_pa, w.va, PTE_P | PTE_W | PTE_U | PTE_A, &to);
			if (ret)
				return ret;
		}
		last = w.va;
		if (!fn(ctx, w.va, PADDR(*pte & PTE_ADDR)))
			continue;
		if (*pte & PTE_W)
			fetch_and(pte, ~PTE_W);
		WRITE_ONCE(*to, *pte);
	}
	return 0;
}

int arch_mmu_run(struct arch_aspace *as, u64 va, u32 want, struct mmu_run *out)
{
	u64 *pte;
	int ret = make_pte(as, as->root_pa, va, PTE_P | PTE_W | PTE_U | PTE_A, &pte);

	if (unlikely(ret))
		return ret;
	out->entry = pte;
	out->n = MIN(want, 512 - (u32)(va >> PAGE_SHIFT & 511));
	return 0;
}

bool arch_mmu_run_query(const struct mmu_run *run, u32 i, paddr_t *pa, u32 *flags)
{
	u64 pte = ((u64 *)run->entry)[i];

	if (!(pte & PTE_MAPPED))
		return false;
	*pa = PADDR(pte & PTE_ADDR);
	*flags = query_bits(pte);
	return true;
}

bool arch_mmu_run_is_mapped(const struct mmu_run *run, u32 i)
{
	return ((u64 *)run->entry)[i] & PTE_MAPPED;
}

void arch_mmu_run_set(const struct mmu_run *run, u32 i, paddr_t pa, u32 prot)
{
	WRITE_ONCE(((u64 *)run->entry)[i], pa.pa | user_bits(prot));
}

u32 arch_mmu_run_fill(const struct mmu_run *run, u32 i, paddr_t pa, u32 n, u32 prot)
{
	u64 *pte = (u64 *)run->entry + i, entry = pa.pa | user_bits(prot);
	u32 done;

	for (done = 0; done < n && !(*pte & PTE_MAPPED); done++, entry += PAGE_SIZE)
		WRITE_ONCE(*pte++, entry);
	return done;
}

bool arch_mmu_query(struct arch_aspace *as, u64 va, paddr_t *pa, u32 *flags)
{
	u64 *pte = find_pte(as->root_pa, va);

	if (!pte || !(*pte & PTE_MAPPED))
		return false;
	*pa = PADDR(*pte & PTE_ADDR);
	*flags = query_bits(*pte);
	return true;
}

bool arch_mmu_next(struct arch_aspace *as, u64 *va, u64 end, paddr_t *pa, u32 *flags)
{
	struct walk w;
	u64 *pte;

	walk_start(&w, as, *va, end);
	pte = walk_next(&w);
	*va = w.va;
	if (!pte)
		return false;
	*pa = PADDR(*pte & PTE_ADDR);
	*flags = query_bits(*pte);
	return true;
}

void arch_mmu_activate(struct arch_aspace *as)
{
	struct cpu *c = this_cpu();
	struct arch_aspace *old = c->arch.active_as;

	if (as == old || !as)
		return;
	fetch_or(&as->active_cpus, 1ull << c->id);
	write_cr3(as->root_pa);
	c->arch.active_as = as;
	if (old)
		fetch_and(&old->active_cpus, ~(1ull << c->id));
}

static void flush_local(u64 va, u64 npages)
{
	if (npages > FLUSH_SINGLE_MAX) {
		write_cr3(read_cr3());
		return;
	}
	for (; npages; npages--, va += PAGE_SIZE)
		__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static void mmu_leave(struct arch_aspace *as)
{
	struct cpu *c = this_cpu();

	if (c->arch.active_as != as)
		return;
	write_cr3(boot_root);
	c->arch.active_as = NULL;
	fetch_and(&as->active_cpus, ~(1ull << c->id));
}

/* npages 0: the address space goes away. */
void mmu_serve_flush(void)
{
	if (this_cpu()->arch.active_as != shoot.as)
		return;
	if (shoot.npages)
		flush_local(shoot.va, shoot.npages);
	else
		mmu_leave(shoot.as);
}

static void flush_others(struct arch_aspace *as, u64 others, u64 va, u64 npages)
{
	u64 left;
	u32 i;

	spin_lock(&shoot_lock);
	shoot.as = as;
	shoot.va = va;
	shoot.npages = npages;
	for (left = others; left; left &= left - 1) {
		i = (u32)__builtin_ctzll(left);
		arch_ipi_send(cpus[i], IPI_FLUSH);
	}
	for (left = others; left; left &= left - 1) {
		i = (u32)__builtin_ctzll(left);
		while (load_acquire(&cpus[i]->arch.ipi_pending) & IPI_FLUSH)
			arch_spin_relax();
	}
	spin_unlock(&shoot_lock);
}

/* CPUs that went idle or to a kernel thread may still have the space loaded: they go to the boot tables. */
static void leave_everywhere(struct arch_aspace *as)
{
	u64 me = 1ull << this_cpu()->id;

	mmu_leave(as);
	smp_mb();
	if (READ_ONCE(as->active_cpus) & ~me)
		flush_others(as, as->active_cpus & ~me, 0, 0);
}

void arch_mmu_destroy(struct arch_aspace *as)
{
	u64 *root = arch_phys_to_virt(PADDR(as->root_pa));

	leave_everywhere(as);
	root[DIRECT_MAP_BASE >> 39 & 511] = 0;
	root[KMAP_BASE >> 39 & 511] = 0;
	root[511] = 0;
	release_tables(as->tables);
	as->tables = NULL;
	as->root_pa = 0;
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
	struct cpu *c = this_cpu();
	u64 me = 1ull << c->id, others;

	smp_mb(); /* the caller's page table stores before the look at who may have cached the old ones */
	others = READ_ONCE(as->active_cpus) & ~me;
	if (c->arch.active_as == as)
		flush_local(va, npages);
	if (unlikely(others))
		flush_others(as, others, va, npages);
}

int arch_kmap_page(u64 va, paddr_t pa, bool writable)
{
	u64 *pte;
	int ret = make_pte(NULL, boot_root, va, PTE_P | PTE_W | PTE_A, &pte);

	if (ret)
		return ret;
	WRITE_ONCE(*pte, pa.pa | PTE_P | PTE_A | PTE_D | PTE_G | PTE_NX | (writable ? PTE_W : 0));
	return 0;
}

void arch_kmap_unpage(u64 va)
{
	u64 *pte = find_pte(boot_root, va);

	if (pte)
		WRITE_ONCE(*pte, 0);
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
