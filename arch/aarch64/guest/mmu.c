// SPDX-License-Identifier: Apache-2.0
/*
 * mmu - TTBR0, address space numbers, TLB and instruction cache maintenance, the direct map
 *
 * Role      What is left of arch/mmu.h beside arch/common/guest/pagetable.c and tlb.c.
 * Rules     An address space gets a number (ASID) when it is first loaded and keeps it while its generation is the
 *           current one. When the numbers are used up, a new generation begins: all TLBs are emptied, spaces
 *           loaded at that moment keep theirs, the others get one when they are loaded next.
 *           Flushes are broadcast by the hardware; interrupts between CPUs are only for dying address spaces.
 * Locking   asids.lock (RANK_LEAF) covers numbers and every load of TTBR0.
 * Missing   A way to load a space that needs no lock.
 * See       Arm ARM D5.10
 */
#include "arch/mmu.h"

#include "arch/aarch64/guest/local.h"
#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/pte.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/string.h"
#include "vmm/abi/hyp.h"

#define FLUSH_SINGLE_MAX 64
#define ASID_SHIFT	 48
#define ASID_MAX	 65536u
#define NUMBER(context)	 ((context) & (ASID_MAX - 1))
#define VA_PAGE(va)	 ((va) >> 12 & 0xfffffffffffull)

u64 mmu_boot_root;

static u64 no_user_root[512] __attribute__((aligned(4096))); /* TTBR0 when no program is loaded */
static struct {
	struct spinlock lock;
	u64 generation; /* [lock] in units of ASID_MAX; context 0 is never current */
	u32 next;	/* [lock] */
	u64 used[ASID_MAX / 64];
} asids = { .lock = SPINLOCK_INIT(RANK_LEAF), .generation = ASID_MAX, .next = 1 };

static u64 image_pa(const void *p)
{
	return HYP_RAM_BASE + ((u64)p - KERNEL_VA_BASE);
}

void mmu_setup(void)
{
	mmu_boot_root = read_sysreg(ttbr1_el1) & PTE_ADDR;
}

void mmu_setup_cpu(void)
{
	write_sysreg(ttbr0_el1, image_pa(no_user_root));
	isb();
	__asm__ volatile("tlbi vmalle1; dsb nsh; isb" : : : "memory");
}

void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa.pa);
}

paddr_t arch_virt_to_phys(const void *p)
{
	return PADDR((u64)p - DIRECT_MAP_BASE);
}

static void new_generation(void)
{
	struct cpu *c;

	asids.generation += ASID_MAX;
	asids.next = 1;
	memset(asids.used, 0, sizeof asids.used);
	for_each_cpu(c)
	{
		struct arch_aspace *as = c->arch.loaded_as;

		if (!as)
			continue;
		as->context = asids.generation | NUMBER(as->context);
		asids.used[NUMBER(as->context) / 64] |= 1ull << (as->context & 63);
	}
	__asm__ volatile("dsb ishst; tlbi vmalle1is; dsb ish; isb" : : : "memory");
}

static bool find_number(u32 *out)
{
	u32 n = 1u << features.asid_bits;

	for (; asids.next < n; asids.next++) {
		if (asids.used[asids.next / 64] >> (asids.next & 63) & 1)
			continue;
		asids.used[asids.next / 64] |= 1ull << (asids.next & 63);
		*out = asids.next++;
		return true;
	}
	return false;
}

static void give_number(struct arch_aspace *as)
{
	u32 number = 0;

	if ((as->context & ~(u64)(ASID_MAX - 1)) == asids.generation)
		return;
	if (!find_number(&number)) {
		new_generation();
		find_number(&number); /* there are more numbers than CPUs */
	}
	WRITE_ONCE(as->context, asids.generation | number);
}

void mmu_load(struct arch_aspace *as)
{
	u64 ttbr = image_pa(no_user_root);

	spin_lock(&asids.lock);
	if (as) {
		give_number(as);
		ttbr = as->root_pa | NUMBER(as->context) << ASID_SHIFT;
	}
	this_cpu()->arch.loaded_as = as;
	dsb(ish); /* whoever changes entries from now on sees the number */
	write_sysreg(ttbr0_el1, ttbr);
	isb();
	spin_unlock(&asids.lock);
}

/* Requests of other CPUs are only about leaving (tlb.c): flushes are broadcast. */
void mmu_flush_local(u64 va, u64 npages)
{
	(void)va;
	(void)npages;
}

static void flush_number(u64 number)
{
	__asm__ volatile("dsb ishst; tlbi aside1is, %0; dsb ish; isb"
			 :
			 : "r"(number << ASID_SHIFT)
			 : "memory");
}

void arch_mmu_flush(struct arch_aspace *as, u64 va, u64 npages)
{
	u64 number;

	dsb(ish); /* the entries before the look at the number: mmu_load() has the other half */
	number = NUMBER(READ_ONCE(as->context));
	if (!number)
		return; /* never loaded */
	if (npages > FLUSH_SINGLE_MAX) {
		flush_number(number);
		return;
	}
	for (; npages; npages--, va += PAGE_SIZE)
		__asm__ volatile("tlbi vale1is, %0"
				 :
				 : "r"(number << ASID_SHIFT | VA_PAGE(va))
				 : "memory");
	dsb(ish);
	isb();
}

/* The tables are about to be freed: walks may be cached too. */
void mmu_forget(struct arch_aspace *as)
{
	if (as->context)
		flush_number(NUMBER(as->context));
}

void mmu_sync_icache(u64 pa)
{
	u64 start = DIRECT_MAP_BASE + pa, end = start + PAGE_SIZE, at;

	if (!features.idc)
		for (at = start; at < end; at += features.dcache_line)
			__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	dsb(ish);
	if (features.dic)
		return;
	for (at = start; at < end; at += features.icache_line)
		__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	dsb(ish);
	isb();
}

void arch_kmap_join(void)
{
	/* flushes are broadcast to every CPU */
}
