// SPDX-License-Identifier: Apache-2.0
/*
 * space - keeps the mappings of a stub process in line with an address space's tables
 *
 * Role      arch/pte.h notes here what changed; arch_mmu_flush() and space_settle() turn the notes into batches
 *           of mmap, munmap and mprotect that the stub's service thread runs.
 * Rules     Stale ranges hold pages that the stub shows and must not, or not so: they are settled in arch_mmu_flush().
 *           Pending ranges hold pages it lacks: they are settled on the way to application code, as far as one
 *           batch reaches; the rest comes by faults. A range that is noted too wide costs time and nothing
 *           else, since the tables say what is right for each page.
 *           A space gets its stub when it first runs. Its teardown begins with arch_mmu_retire(), which gives
 *           the stub back; the tables are then nobody's business.
 *           A batch that fails (the host's limit of mappings) is answered by unmapping everything: faults
 *           bring back what is used.
 * Locking   The page table lock of the address space.
 * See       arch/common/guest/pagetable.c, stub.c
 */
#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/param.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "arch/pte.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/task.h"

#define LEAF_BYTES   (512 * PAGE_SIZE)
#define AROUND_PAGES 32 /* looked at around a fault of the stub alone */

u64 arch_kmap_base = KMAP_BASE, arch_kmap_end = KMAP_BASE + KMAP_BYTES;
bool arch_prefers_fresh_pages;
u32 arch_prot_extra;
const struct arch_fault_sizes arch_fault_sizes = {
	.window = 512, .anon = 16, .anon_row = 64, .fork_copies = 16
};

enum op_kind { OP_NONE, OP_UNMAP, OP_PROTECT, OP_MAP };

/* The batch under construction; the last operation may still grow. */
struct batch {
	struct stub *stub;
	u32 count;
	bool failed;
	bool only_one; /* stop when it is full */
	enum op_kind kind;
	u64 va, len, pa;
	u32 prot;
};

static struct spinlock *table_lock(struct arch_aspace *as)
{
	return &container_of(as, struct aspace, arch)->pt_lock;
}

static struct space *space_of(const struct arch_aspace *as)
{
	return (struct space *)as->context;
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa.pa);
}

paddr_t arch_virt_to_phys(const void *p)
{
	return PADDR((u64)p - DIRECT_MAP_BASE);
}

/* Notes come mostly in ascending order; what does not fit any more widens the last range. */
static void range_add(struct range_list *l, u64 va, u64 end)
{
	u32 i;

	for (i = l->nr; i-- > 0;) {
		if (va <= l->r[i].end && end >= l->r[i].va) {
			l->r[i].va = MIN(l->r[i].va, va);
			l->r[i].end = MAX(l->r[i].end, end);
			return;
		}
	}
	if (l->nr < SPACE_RANGES) {
		l->r[l->nr].va = va;
		l->r[l->nr++].end = end;
		return;
	}
	l->r[SPACE_RANGES - 1].va = MIN(l->r[SPACE_RANGES - 1].va, va);
	l->r[SPACE_RANGES - 1].end = MAX(l->r[SPACE_RANGES - 1].end, end);
}

void space_note_stale(struct arch_aspace *as, u64 va)
{
	struct space *sp = space_of(as);

	if (sp)
		range_add(&sp->stale, va, va + PAGE_SIZE);
}

void space_note_pending(struct arch_aspace *as, u64 va)
{
	struct space *sp = space_of(as);

	if (sp)
		range_add(&sp->pending, va, va + PAGE_SIZE);
}

/* The memory file or the window that holds pa, and where in it. */
static u32 file_of(u64 pa, u64 *off)
{
	u32 i;

	for (i = 0; i < pm_boot->nr_windows; i++) {
		if (pa - pm_boot->window[i].gpa < pm_boot->window[i].bytes) {
			*off = pa - pm_boot->window[i].gpa;
			return PM_FD_WINDOW + i;
		}
	}
	*off = pa - HYP_RAM_BASE;
	return PM_FD_RAM;
}

static void batch_run(struct batch *b)
{
	if (b->count && !stub_run(b->stub, b->count))
		b->failed = true;
	b->count = 0;
}

static void put_op(struct batch *b)
{
	struct command_op *op = &b->stub->cmd->op[b->count++];

	op->arg[0] = b->va;
	op->arg[1] = b->len;
	op->arg[2] = b->prot;
	switch (b->kind) {
	case OP_UNMAP:
		op->nr = HOST_MUNMAP;
		break;
	case OP_PROTECT:
		op->nr = HOST_MPROTECT;
		break;
	default:
		op->nr = HOST_MMAP;
		op->arg[3] = HOST_MAP_SHARED | HOST_MAP_FIXED;
		op->arg[4] = file_of(b->pa, &op->arg[5]);
	}
	b->kind = OP_NONE;
	if (b->count == CMD_OP_MAX && !b->only_one)
		batch_run(b);
}

static bool batch_full(const struct batch *b)
{
	return b->only_one && b->count >= CMD_OP_MAX - 1;
}

static void batch_add(struct batch *b, enum op_kind kind, u64 va, u64 len, u64 pa, u32 prot)
{
	if (b->kind == kind && b->va + b->len == va &&
	    (kind == OP_UNMAP ||
	     (b->prot == prot && (kind == OP_PROTECT || b->pa + b->len == pa)))) {
		b->len += len;
		return;
	}
	if (b->kind != OP_NONE)
		put_op(b);
	b->kind = kind;
	b->va = va;
	b->len = len;
	b->pa = pa;
	b->prot = prot;
}

static u32 host_prot(u64 pte)
{
	return HOST_PROT_READ | (pte & PTE_W ? HOST_PROT_WRITE : 0) |
	       (pte & PTE_NX ? 0 : HOST_PROT_EXEC);
}

static void settle_page(struct batch *b, u64 *pte, u64 va, bool holes)
{
	u64 e = *pte;

	if ((e & PTE_P) && (e & PTE_STUB) == PTE_STUB)
		return;
	if (!(e & PTE_P)) {
		if (holes || (e & PTE_FRAME))
			batch_add(b, OP_UNMAP, va, PAGE_SIZE, 0, 0);
		if (e & PTE_STUB)
			fetch_and(pte, ~PTE_STUB);
		return;
	}
	batch_add(b, e & PTE_FRAME ? OP_PROTECT : OP_MAP, va, PAGE_SIZE, e & PTE_ADDR,
		  host_prot(e));
	fetch_or(pte, PTE_STUB);
}

/* The entries from va on under one last-level table. *stop: where they end, or where the missing table would. */
static u64 *leaf(struct arch_aspace *as, u64 va, u64 end, u64 *stop)
{
	*stop = MIN(ALIGN_DOWN(va, LEAF_BYTES) + LEAF_BYTES, end);
	return mmu_find_pte(as->root_pa, va);
}

/* holes: what the tables do not know must not be mapped. */
static void settle_range(struct arch_aspace *as, struct batch *b, u64 va, u64 end, bool holes)
{
	paddr_t pa;
	u32 flags;

	while (va < end && !b->failed && !batch_full(b)) {
		u64 stop, *pte = leaf(as, va, end, &stop), next = stop;

		if (!pte) {
			if (!arch_mmu_next(as, &next, end, &pa, &flags))
				next = end;
			if (holes)
				batch_add(b, OP_UNMAP, va, next - va, 0, 0);
			va = next;
			continue;
		}
		for (; va < stop && !batch_full(b); va += PAGE_SIZE, pte++)
			if (*pte || holes)
				settle_page(b, pte, va, holes);
	}
}

static void forget_all(struct arch_aspace *as)
{
	u64 va = 0, stop, *pte;
	paddr_t pa;
	u32 flags;

	while (arch_mmu_next(as, &va, USER_VA_END, &pa, &flags)) {
		pte = leaf(as, va, USER_VA_END, &stop);
		for (; va < stop; va += PAGE_SIZE, pte++)
			if (*pte & PTE_STUB)
				fetch_and(pte, ~PTE_STUB);
	}
}

/* The host refused a mapping: back to none. */
static void start_over(struct arch_aspace *as, struct space *sp)
{
	struct command_op *op = &sp->stub->cmd->op[0];

	forget_all(as);
	op->nr = HOST_MUNMAP;
	op->arg[0] = 0;
	op->arg[1] = PM_STUB_BASE;
	if (!stub_run(sp->stub, 1))
		stub_break(sp->stub); /* nothing of ours stays mapped */
	store_release(&sp->stale.nr, 0);
	store_release(&sp->pending.nr, 0);
}

static void settle_list(struct arch_aspace *as, struct batch *b, struct range_list *l, bool holes)
{
	u32 i;

	for (i = 0; i < l->nr; i++)
		settle_range(as, b, l->r[i].va, l->r[i].end, holes);
	if (b->kind != OP_NONE)
		put_op(b);
	batch_run(b);
	/* Only now: a CPU on its way to application code that finds the list empty relies on the stub. */
	store_release(&l->nr, 0);
}

static void settle(struct arch_aspace *as, struct space *sp)
{
	struct batch b = { .stub = sp->stub };

	if (sp->stale.nr)
		settle_list(as, &b, &sp->stale, true);
	b.only_one = true;
	if (sp->pending.nr && !b.failed)
		settle_list(as, &b, &sp->pending, false);
	if (unlikely(b.failed))
		start_over(as, sp);
}

/* Copies that began with the old tables on other CPUs end before their frames are freed. */
static void wait_for_copies(struct arch_aspace *as)
{
	struct cpu *c, *me = this_cpu();

	for_each_cpu(c)
	{
		u32 seq = load_acquire(&c->arch.uaccess);

		if (c == me || !(seq & 1) || READ_ONCE(c->arch.active_as) != as)
			continue;
		while (load_acquire(&c->arch.uaccess) == seq)
			arch_spin_relax();
	}
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
	struct space *sp = space_of(as);

	smp_mb();
	if (nr_cpus > 1)
		wait_for_copies(as);
	if (sp && sp->stub && sp->stale.nr)
		settle(as, sp);
}

void space_settle(struct arch_aspace *as)
{
	struct space *sp = space_of(as);

	if (!READ_ONCE(sp->stale.nr) && !READ_ONCE(sp->pending.nr))
		return;
	spin_lock(table_lock(as));
	settle(as, sp);
	spin_unlock(table_lock(as));
}

bool space_make_thread(struct arch_aspace *as)
{
	bool ok;

	spin_lock(table_lock(as));
	ok = stub_make_thread(space_of(as)->stub);
	spin_unlock(table_lock(as));
	return ok;
}

struct space *space_ready(struct arch_aspace *as)
{
	struct space *sp = space_of(as), *now;
	struct stub *s;

	if (likely(sp))
		return sp->stub->broken ? NULL : sp;
	sp = kzalloc(sizeof *sp);
	if (!sp)
		return NULL;
	s = stub_get();
	if (!s) {
		kfree(sp);
		return NULL;
	}
	sp->stub = s;
	s->tgid = current()->group->tgid;
	range_add(&sp->pending, 0, USER_VA_END); /* what fork or exec put there */
	spin_lock(table_lock(as));
	now = space_of(as);
	if (!now)
		as->context = (u64)sp;
	spin_unlock(table_lock(as));
	if (!now)
		return sp;
	stub_put(s); /* another thread was faster */
	kfree(sp);
	return now;
}

void arch_mmu_retire(struct arch_aspace *as)
{
	struct space *sp = space_of(as);

	as->context = 0;
	if (!sp)
		return;
	stub_put(sp->stub);
	kfree(sp);
}

void mmu_leave_everywhere(struct arch_aspace *as)
{
	struct cpu *c = this_cpu();

	arch_mmu_retire(as);
	if (c->arch.active_as == as)
		c->arch.active_as = NULL;
}

bool space_fault(struct arch_aspace *as, u64 va, bool is_write, bool is_exec, bool *present)
{
	u64 low = ALIGN_DOWN(va, AROUND_PAGES * PAGE_SIZE), *pte, e = 0;
	bool ok;

	spin_lock(table_lock(as));
	pte = mmu_find_pte(as->root_pa, va);
	if (pte)
		e = *pte;
	*present = e & PTE_P;
	ok = (e & PTE_P) && (!is_write || (e & PTE_W)) && (!is_exec || !(e & PTE_NX)) &&
	     (e & PTE_STUB) != PTE_STUB;
	if (ok)
		range_add(&space_of(as)->pending, low, low + AROUND_PAGES * PAGE_SIZE);
	spin_unlock(table_lock(as));
	return ok;
}

void arch_mmu_activate(struct arch_aspace *as)
{
	if (as)
		this_cpu()->arch.active_as = as;
}

int arch_kmap_page(u64 va, paddr_t pa, bool writable)
{
	u64 prot = HOST_PROT_READ | (writable ? HOST_PROT_WRITE : 0);
	s64 ret = host_call(HOST_MMAP, va, PAGE_SIZE, prot, HOST_MAP_SHARED | HOST_MAP_FIXED,
			    PM_FD_RAM, pa.pa - HYP_RAM_BASE);

	return ret < 0 ? (int)ret : 0;
}

void arch_kmap_join(void)
{
}

void arch_kmap_unmap(const u64 *va, u32 n, u32 npages)
{
	for (; n; n--, va++)
		host_call3(HOST_MUNMAP, *va, npages * PAGE_SIZE, 0);
}
