// SPDX-License-Identifier: Apache-2.0
/*
 * tlb - which address space a CPU has loaded, and making other CPUs forget one
 *
 * Role      See arch/mmu.h: activate, kernel mappings, and the requests behind flush and destroy.
 * Rules     One request at a time, kernel wide. The sender publishes it, marks the bit in each target's
 *           ipi_pending, interrupts it, and waits until every target has cleared its bit. A target in
 *           the kernel answers from arch_spin_relax() or on its way out, because interrupts are then
 *           taken at once. active_cpus is set before the tables are loaded and cleared after, so no
 *           CPU with old translations is missed.
 * Locking   shoot_lock (RANK_LEAF) inside the callers' page table lock.
 */
#include "arch/common/guest/tlb.h"

#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/param.h"
#include "arch/pte.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/lock.h"

u64 arch_kmap_base = KMAP_BASE, arch_kmap_end = KMAP_BASE + KMAP_BYTES;

const struct arch_fault_sizes arch_fault_sizes = { .window = 16, .anon = 1, .anon_row = 1 };

static struct spinlock shoot_lock = SPINLOCK_INIT(RANK_LEAF);
static struct {
	struct arch_aspace *as;
	u64 va, npages;
	const u64 *kernel_va; /* not NULL: kernel runs of npages pages instead */
	u32 nr_kernel;
} shoot;

void arch_mmu_activate(struct arch_aspace *as)
{
	struct cpu *c = this_cpu();
	struct arch_aspace *old = c->arch.active_as;

	if (as == old || !as)
		return;
	fetch_or(&as->active_cpus, 1ull << c->id);
	mmu_load(as);
	c->arch.active_as = as;
	if (old)
		fetch_and(&old->active_cpus, ~(1ull << c->id));
}

static void leave(struct arch_aspace *as)
{
	struct cpu *c = this_cpu();

	if (c->arch.active_as != as)
		return;
	mmu_load(NULL);
	c->arch.active_as = NULL;
	fetch_and(&as->active_cpus, ~(1ull << c->id));
}

static void flush_kernel_local(const u64 *va, u32 n, u32 npages)
{
	u32 i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < npages; k++)
			mmu_flush_kernel_page(va[i] + k * PAGE_SIZE);
}

void mmu_serve_flush(void)
{
	if (unlikely(shoot.kernel_va)) {
		flush_kernel_local(shoot.kernel_va, shoot.nr_kernel, (u32)shoot.npages);
		return;
	}
	if (this_cpu()->arch.active_as != shoot.as)
		return;
	if (shoot.npages)
		mmu_flush_local(shoot.va, shoot.npages);
	else
		leave(shoot.as);
}

/* [shoot_lock] Returns when all have done what the request says. */
static void ask_others(u64 others)
{
	u64 left;
	u32 i;

	for (left = others; left; left &= left - 1) {
		i = (u32)__builtin_ctzll(left);
		arch_ipi_send(cpus[i], IPI_FLUSH);
	}
	for (left = others; left; left &= left - 1) {
		i = (u32)__builtin_ctzll(left);
		while (load_acquire(&cpus[i]->arch.ipi_pending) & IPI_FLUSH)
			arch_spin_relax();
	}
}

void mmu_flush_others(struct arch_aspace *as, u64 others, u64 va, u64 npages)
{
	spin_lock(&shoot_lock);
	shoot.as = as;
	shoot.va = va;
	shoot.npages = npages;
	ask_others(others);
	spin_unlock(&shoot_lock);
}

void mmu_leave_everywhere(struct arch_aspace *as)
{
	u64 me = 1ull << this_cpu()->id;

	leave(as);
	smp_mb();
	if (READ_ONCE(as->active_cpus) & ~me)
		mmu_flush_others(as, as->active_cpus & ~me, 0, 0);
}

void arch_mmu_retire(struct arch_aspace *as)
{
	(void)as; /* the caller's word is enough */
}

int arch_kmap_page(u64 va, paddr_t pa, bool writable)
{
	u64 *pte;
	int ret = mmu_make_pte(NULL, mmu_boot_root, va, PTE_KERNEL_TABLE, &pte);

	if (ret)
		return ret;
	WRITE_ONCE(*pte, pa.pa | pte_kernel(writable));
	mmu_publish();
	return 0;
}

/* Who comes online later does arch_kmap_join(). */
static u64 other_cpus(void)
{
	u64 mask = 0;
	struct cpu *c;

	for_each_cpu(c) if (c != this_cpu() && READ_ONCE(c->online)) mask |= 1ull << c->id;
	return mask;
}

void arch_kmap_unmap(const u64 *va, u32 n, u32 npages)
{
	u64 others, *pte;
	u32 i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < npages; k++) {
			pte = mmu_find_pte(mmu_boot_root, va[i] + k * PAGE_SIZE);
			if (pte)
				WRITE_ONCE(*pte, 0);
		}
	flush_kernel_local(va, n, npages);
	smp_mb(); /* the stores above before the look at who is online */
	others = mmu_kernel_flush_is_global ? 0 : other_cpus();
	if (!others)
		return;
	spin_lock(&shoot_lock);
	shoot.kernel_va = va;
	shoot.nr_kernel = n;
	shoot.npages = npages;
	ask_others(others);
	shoot.kernel_va = NULL;
	spin_unlock(&shoot_lock);
}
