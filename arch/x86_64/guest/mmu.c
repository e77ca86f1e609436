// SPDX-License-Identifier: Apache-2.0
/*
 * mmu - CR3, INVLPG and the direct map
 *
 * Role      What is left of arch/mmu.h beside arch/common/guest/pagetable.c and tlb.c.
 * Rules     The upper half of every top-level table is the same and never changes after boot: kernel image,
 *           direct map, kmap area.
 * Missing   PCID.
 */
#include "arch/mmu.h"

#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/pte.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"

#define FLUSH_SINGLE_MAX 32

u64 mmu_boot_root;

void mmu_setup(void)
{
	mmu_boot_root = read_cr3() & PTE_ADDR;
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa.pa);
}

paddr_t arch_virt_to_phys(const void *p)
{
	return PADDR((u64)p - DIRECT_MAP_BASE);
}

void mmu_flush_local(u64 va, u64 npages)
{
	if (npages > FLUSH_SINGLE_MAX) {
		write_cr3(read_cr3());
		return;
	}
	for (; npages; npages--, va += PAGE_SIZE)
		__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
	struct cpu *c = this_cpu();
	u64 me = 1ull << c->id, others;

	smp_mb(); /* the caller's page table stores before the look at who may have cached the old ones */
	others = READ_ONCE(as->active_cpus) & ~me;
	if (c->arch.active_as == as)
		mmu_flush_local(va, npages);
	if (unlikely(others))
		mmu_flush_others(as, others, va, npages);
}

void arch_kmap_join(void)
{
	u64 cr4 = read_cr4();

	/* the kernel's entries are global: loading CR3 does not reach them */
	write_cr4(cr4 & ~(u64)CR4_PGE);
	write_cr4(cr4);
}
