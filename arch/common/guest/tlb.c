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
#include "arch/pte.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/lock.h"

u64 arch_kmap_base = KMAP_BASE, arch_kmap_end = KMAP_BASE + KMAP_BYTES;

const struct arch_fault_sizes arch_fault_sizes = { .window = 16, .anon = 1, .anon_row = 1 };

static struct spinlock shoot_lock = SPINLOCK_INIT(RANK_LEAF);
static struct {
	struct arch_aspace *as;
	u64 va, npages;
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

void mmu_serve_flush(void)
{
	if (this_cpu()->arch.active_as != shoot.as)
		return;
	if (shoot.npages)
		mmu_flush_local(shoot.va, shoot.npages);
	else
		leave(shoot.as);
}

void mmu_flush_others(struct arch_aspace *as, u64 others, u64 va, u64 npages)
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

void arch_kmap_unpage(u64 va)
{
	u64 *pte = mmu_find_pte(mmu_boot_root, va);

	if (pte)
		WRITE_ONCE(*pte, 0);
	mmu_flush_kernel_page(va);
}
