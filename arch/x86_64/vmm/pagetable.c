// SPDX-License-Identifier: Apache-2.0
/*
 * pagetable - the four-level page tables the guest kernel starts with
 *
 * Role      Written by the monitor into guest memory before the first instruction: kernel segments with their
 *           rights, the direct map of RAM, the file windows.
 * Rules     Every mapping is global and supervisor-only. Nothing is writable and executable.
 * See       arch/boot_pte.h of the machine
 */
#include "arch/x86_64/vmm/pagetable.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "arch/layout.h"
#include "arch/vcpu.h"
#include "vmm/vm.h"

#define PTE_TABLE 0x023ull /* present, writable, accessed */
#define PTE_LARGE 0x080ull
#define PTE_NX	  (1ull << 63)
#define CPUID_MAX 256

enum { PT_WRITE = 1, PT_EXEC = 2 };

/* Allocated from [next, end) of guest memory. */
struct tables {
	struct gmem *mem;
	uint64_t root, next, end;
	bool has_1g;
};

static bool has_1g_pages(int kvm_fd)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[CPUID_MAX];
	} c = { .head.nent = CPUID_MAX };
	uint32_t i;

	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &c))
		return false; /* arch_vcpu_init() will say so */
	for (i = 0; i < c.head.nent; i++)
		if (c.entry[i].function == 0x80000001u)
			return c.entry[i].edx & 1u << 26;
	return false;
}

static uint64_t direct_map(uint64_t gpa)
{
	return DIRECT_MAP_BASE + gpa;
}

static uint64_t leaf(int flags, int level)
{
	uint64_t bits = 0x161; /* present, accessed, dirty, global */

	if (flags & PT_WRITE)
		bits |= 2;
	if (!(flags & PT_EXEC))
		bits |= PTE_NX;
	return bits | (level > 1 ? PTE_LARGE : 0);
}

static uint64_t *table_at(struct tables *pt, uint64_t gpa)
{
	return gmem_setup_ptr(pt->mem, gpa, HYP_PAGE_SIZE);
}

static uint64_t table_alloc(struct tables *pt)
{
	uint64_t gpa = pt->next;

	if (gpa + HYP_PAGE_SIZE > pt->end || !table_at(pt, gpa))
		return 0;
	pt->next += HYP_PAGE_SIZE;
	return gpa;
}

/* The entry for va at the given level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB), creating the tables above it. */
static uint64_t *entry_at(struct tables *pt, uint64_t va, int level)
{
	uint64_t *table = table_at(pt, pt->root);
	int l;

	for (l = 4; l > level; l--) {
		uint64_t *e = &table[va >> (12 + 9 * (l - 1)) & 511];

		if (!(*e & BOOT_PTE_VALID)) {
			uint64_t next = table_alloc(pt);

			if (!next)
				return NULL;
			*e = next | PTE_TABLE;
		} else if (boot_pte_is_block(*e)) {
			return NULL;
		}
		table = table_at(pt, *e & BOOT_PTE_ADDR);
	}
	return &table[va >> (12 + 9 * (level - 1)) & 511];
}

static int level_for(const struct tables *pt, uint64_t va, uint64_t gpa, uint64_t len)
{
	if (pt->has_1g && len >= 1ull << 30 && ((va | gpa) & ((1ull << 30) - 1)) == 0)
		return 3;
	if (len >= 2ull << 20 && ((va | gpa) & ((2ull << 20) - 1)) == 0)
		return 2;
	return 1;
}

static int map(struct tables *pt, uint64_t va, uint64_t gpa, uint64_t len, int flags, struct err *e)
{
	while (len) {
		int level = level_for(pt, va, gpa, len);
		uint64_t size = 1ull << (12 + 9 * (level - 1));
		uint64_t *entry = entry_at(pt, va, level);

		if (!entry)
			return err_set(e, ENOMEM, "no room for the guest's page tables");
		*entry = gpa | leaf(flags, level);
		va += size;
		gpa += size;
		len -= size;
	}
	return 0;
}

static int map_kernel(struct vm *vm, struct tables *pt, struct err *e)
{
	uint64_t first_free = round_up_u64(vm->kimage.gpa_end, 2u << 20);
	uint64_t ram_end = HYP_RAM_BASE + vm->mem.ram_size;
	uint32_t i;
	int ret;

	for (i = 0; i < vm->kimage.nr_segs; i++) {
		const struct kimage_segment *s = &vm->kimage.seg[i];

		ret = map(pt, s->va, s->gpa, s->len,
			  (s->writable ? PT_WRITE : 0) | (s->executable ? PT_EXEC : 0), e);
		/* In the direct map, what is not writable stays so. */
		if (!ret)
			ret = map(pt, direct_map(s->gpa), s->gpa, s->len,
				  s->writable ? PT_WRITE : 0, e);
		if (ret)
			return ret;
	}
	if (first_free > ram_end)
		first_free = ram_end;
	ret = map(pt, direct_map(vm->kimage.gpa_end), vm->kimage.gpa_end,
		  first_free - vm->kimage.gpa_end, PT_WRITE, e);
	if (!ret)
		ret = map(pt, direct_map(first_free), first_free, ram_end - first_free, PT_WRITE,
			  e);
	for (i = 0; !ret && i < vm->mem.nr_windows; i++)
		ret = map(pt, direct_map(vm->mem.window[i].gpa), vm->mem.window[i].gpa,
			  vm->mem.window[i].len, 0, e);
	return ret;
}

uint64_t arch_vm_table_pages(const struct vm *vm)
{
	/* one per GiB of RAM and window, and some */
	return 24 + (vm->mem.ram_size >> 30) + (round_up_u64(vm->cfg.image_len, 1 << 21) >> 30) +
	       2 * (vm->kimage.gpa_end - HYP_RAM_BASE) / (2u << 20);
}

int pagetable_make(struct vm *vm, struct err *e)
{
	struct tables pt = { .mem = &vm->mem,
			     .next = vm->at.tables,
			     .end = vm->at.tables_end,
			     .has_1g = has_1g_pages(vm->kvm_fd) };

	pt.root = table_alloc(&pt);
	vm->root_gpa = pt.root;
	return map_kernel(vm, &pt, e);
}
