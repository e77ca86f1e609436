// SPDX-License-Identifier: Apache-2.0
/*
 * pagetable - the four-level page tables the guest kernel starts with
 *
 * Role      Written by the monitor into guest memory before the first instruction: kernel segments with their
 *           rights, the direct map of RAM, the file windows.
 * Rules     Every mapping is global and supervisor-only. Nothing is writable and executable.
 * See       arch/boot_pte.h of the machine
 */
#include <errno.h>
#include <string.h>

#include "arch/boot_pte.h"
#include "arch/layout.h"
#include "arch/vcpu.h"
#include "vmm/gmem.h"

uint64_t arch_direct_map(uint64_t gpa)
{
	return DIRECT_MAP_BASE + gpa;
}

static uint64_t *table_at(struct arch_pagetables *pt, uint64_t gpa)
{
	return gmem_setup_ptr(pt->mem, gpa, HYP_PAGE_SIZE);
}

static uint64_t table_alloc(struct arch_pagetables *pt)
{
	uint64_t gpa = pt->next;

	if (gpa + HYP_PAGE_SIZE > pt->end || !table_at(pt, gpa))
		return 0;
	pt->next += HYP_PAGE_SIZE;
	return gpa;
}

int arch_pt_init(struct arch_pagetables *pt, struct gmem *m, uint64_t start, uint64_t end,
		 bool has_1g)
{
	pt->mem = m;
	pt->next = start;
	pt->end = end;
	pt->has_1g = has_1g;
	pt->root = table_alloc(pt);
	return pt->root ? 0 : -ENOMEM;
}

/* The entry for va at the given level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB), creating the tables above it. */
static uint64_t *entry_at(struct arch_pagetables *pt, uint64_t va, int level)
{
	uint64_t *table = table_at(pt, pt->root);
	int l;

	for (l = 4; l > level; l--) {
		uint64_t *e = &table[va >> (12 + 9 * (l - 1)) & 511];

		if (!(*e & BOOT_PTE_VALID)) {
			uint64_t next = table_alloc(pt);

			if (!next)
				return NULL;
			*e = next | BOOT_PTE_TABLE;
		} else if (boot_pte_is_block(*e)) {
			return NULL;
		}
		table = table_at(pt, *e & BOOT_PTE_ADDR);
	}
	return &table[va >> (12 + 9 * (level - 1)) & 511];
}

static int level_for(const struct arch_pagetables *pt, uint64_t va, uint64_t gpa, uint64_t len)
{
	if (pt->has_1g && len >= 1ull << 30 && ((va | gpa) & ((1ull << 30) - 1)) == 0)
		return 3;
	if (len >= 2ull << 20 && ((va | gpa) & ((2ull << 20) - 1)) == 0)
		return 2;
	return 1;
}

int arch_pt_map(struct arch_pagetables *pt, uint64_t va, uint64_t gpa, uint64_t len, int flags,
		struct err *e)
{
	while (len) {
		int level = level_for(pt, va, gpa, len);
		uint64_t size = 1ull << (12 + 9 * (level - 1));
		uint64_t *entry = entry_at(pt, va, level);

		if (!entry)
			return err_set(e, ENOMEM, "no room for the guest's page tables");
		*entry = gpa | boot_pte_leaf(flags, level);
		va += size;
		gpa += size;
		len -= size;
	}
	return 0;
}
