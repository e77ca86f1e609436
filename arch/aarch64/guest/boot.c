// SPDX-License-Identifier: Apache-2.0
/*
 * boot - the page tables of the kernel half
 *
 * Role      boot_tables() makes what the kernel needs to run and to read the boot block: its image with the rights of
 *           each segment, the direct map of it and of what lies right behind, the doorbell. boot_map()
 *           adds the memory and the file window the boot block tells of, and the GICv2 where there is one.
 * Rules     boot_tables() runs at physical addresses (start.S), so it reaches everything relative to itself: no
 *           pointers in tables of constants. Nothing is writable and executable. Tables are taken from
 *           table[], which costs nothing where it is not touched.
 * See       Arm ARM D5.3
 */
#include "arch/aarch64/guest/boot.h"

#include "arch/aarch64/guest/arm64.h"
#include "arch/pte.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/kapi/bug.h"
#include "vmm/abi/hyp.h"

BUILD_BUG_ON(HYP_RAM_BASE != RAM_BASE);
BUILD_BUG_ON(DIRECT_MAP_BASE != DIRECT_MAP);
BUILD_BUG_ON(HYP_ABI_VERSION != 2); /* the note in start.S */

#define TABLES 32
/* Behind the image, the boot block and what else the kernel reads before boot_map(); memory is never less. */
#define FIRST_BYTES	   (4ull << 20)
#define BLOCK_BYTES	   (2ull << 20)
#define LEVEL_SHIFT(level) (12 + 9 * ((level)-1))

#define KERNEL_DATA (PTE_VALID | PTE_INNER | PTE_AF | PTE_PXN | PTE_UXN)
#define KERNEL_CODE (PTE_VALID | PTE_INNER | PTE_AF | PTE_UXN | PTE_RO)

static u64 table[TABLES][512] __attribute__((aligned(4096))); /* the first is the root */
static u32 tables_used = 1;
extern u8 kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

/* Of something in the image, from wherever this runs. */
static u64 image_pa(const void *p)
{
	u64 at = (u64)p;

	return at >= KERNEL_VA_BASE ? at - KERNEL_VA_BASE + HYP_RAM_BASE : at;
}

static u64 *table_at(u64 pa)
{
	return (u64 *)((u64)table + (pa - image_pa(table)));
}

static u64 *entry_at(u64 va, u32 level)
{
	u64 *t = table[0];
	u32 l;

	for (l = 4; l > level; l--) {
		u64 *e = &t[va >> LEVEL_SHIFT(l) & 511];

		if (!*e) {
			BUG_ON(tables_used == TABLES);
			*e = image_pa(table[tables_used++]) | PTE_KERNEL_TABLE;
		}
		t = table_at(*e & PTE_ADDR);
	}
	return &t[va >> LEVEL_SHIFT(level) & 511];
}

static u32 level_for(u64 addresses, u64 len)
{
	if (len >= 1ull << 30 && !(addresses & ((1ull << 30) - 1)))
		return 3;
	return len >= BLOCK_BYTES && !(addresses & (BLOCK_BYTES - 1)) ? 2 : 1;
}

/* With the largest pages that fit; what is under one table is filled in one go. */
static void map(u64 va, u64 pa, u64 len, u64 bits)
{
	while (len) {
		u32 level = level_for(va | pa, len), shift = LEVEL_SHIFT(level);
		u64 n = MIN(len >> shift, 512 - (va >> shift & 511)), i;
		u64 leaf = pa | bits | (level == 1 ? PTE_PAGE : 0), *e = entry_at(va, level);

		for (i = 0; i < n; i++, leaf += 1ull << shift)
			e[i] = leaf;
		va += n << shift;
		pa += n << shift;
		len -= n << shift;
	}
}

static void map_direct(u64 pa, u64 len, u64 bits)
{
	map(DIRECT_MAP_BASE + pa, pa, len, bits);
}

static void map_image(u64 pa, u64 end, u64 bits)
{
	map(pa - HYP_RAM_BASE + KERNEL_VA_BASE, pa, end - pa, bits);
}

static u64 first_end(void)
{
	return ALIGN_UP(image_pa(kernel_end), BLOCK_BYTES) + FIRST_BYTES;
}

u64 boot_tables(void)
{
	u64 start = image_pa(kernel_start), text_end = image_pa(kernel_text_end);
	u64 rodata_end = image_pa(kernel_rodata_end), end = image_pa(kernel_end);

	map_image(start, text_end, KERNEL_CODE | (cpu_has_bti() ? PTE_GUARDED : 0));
	map_image(text_end, rodata_end, KERNEL_DATA | PTE_RO);
	map_image(rodata_end, end, KERNEL_DATA);
	/* In the direct map, what is not writable stays so. */
	map_direct(start, rodata_end - start, KERNEL_DATA | PTE_RO);
	map_direct(rodata_end, first_end() - rodata_end, KERNEL_DATA);
	map_direct(HYP_DOORBELL_GPA, PAGE_SIZE, KERNEL_DATA | PTE_DEVICE);
	return image_pa(table);
}

void boot_map(void)
{
	u64 end = boot.ram_base + boot.ram_size, start = first_end();

	BUG_ON(start > end);
	map_direct(start, end - start, KERNEL_DATA);
	if (boot.image_len)
		map_direct(boot.image_gpa, ALIGN_UP(boot.image_len, PAGE_SIZE),
			   KERNEL_DATA | PTE_RO);
	if (boot.irqchip == 2) {
		map_direct(HYP_GICD_GPA, PAGE_SIZE, KERNEL_DATA | PTE_DEVICE);
		map_direct(HYP_GICC_GPA, 2 * PAGE_SIZE, KERNEL_DATA | PTE_DEVICE);
	}
	mmu_publish();
}
