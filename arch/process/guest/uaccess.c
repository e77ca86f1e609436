// SPDX-License-Identifier: Apache-2.0
/*
 * uaccess - the kernel's access to application memory: a walk of the tables and the direct map
 *
 * Role      See arch/uaccess.h.
 * Rules     One page at a time, with this CPU's uaccess count odd: arch_mmu_flush() on another CPU waits for the copy to
 *           end before a frame can go to somebody else.
 */
#include "arch/uaccess.h"

#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/param.h"
#include "arch/pte.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/trap.h"

static void copy_begin(void)
{
	struct arch_cpu *c = &this_cpu()->arch;

	WRITE_ONCE(c->uaccess, c->uaccess + 1);
	if (nr_cpus > 1)
		smp_mb();
}

static void copy_end(void)
{
	struct arch_cpu *c = &this_cpu()->arch;

	store_release(&c->uaccess, c->uaccess + 1);
}

/* Kernel address of va, with a copy begun; NULL: no such memory. */
static void *user_begin(u64 va, bool write)
{
	for (;;) {
		struct arch_aspace *as = this_cpu()->arch.active_as;
		u64 *pte, e = 0;
		u32 access = (write ? FAULT_WRITE : FAULT_READ) | FAULT_KERNEL;

		if (unlikely(!as || !as->root_pa))
			return NULL;
		copy_begin();
		pte = mmu_find_pte(as->root_pa, va);
		if (pte)
			e = READ_ONCE(*pte);
		if (likely((e & PTE_P) && (!write || (e & PTE_W))))
			return (u8 *)pte_direct(e & PTE_ADDR) + (va & (PAGE_SIZE - 1));
		copy_end();
		if (!trap_page_fault(va, e & PTE_P ? access | FAULT_PRESENT : access))
			return NULL;
	}
}

static size_t in_page(u64 va, size_t n)
{
	return MIN(n, (size_t)(PAGE_SIZE - (va & (PAGE_SIZE - 1))));
}

size_t arch_copy_from_user(void *dst, u64 src, size_t n)
{
	u8 *to = dst;

	while (n) {
		size_t len = in_page(src, n);
		const void *from = user_begin(src, false);

		if (!from)
			break;
		memcpy(to, from, len);
		copy_end();
		to += len;
		src += len;
		n -= len;
	}
	return n;
}

size_t arch_copy_to_user(u64 dst, const void *src, size_t n)
{
	const u8 *from = src;

	while (n) {
		size_t len = in_page(dst, n);
		void *to = user_begin(dst, true);

		if (!to)
			break;
		memcpy(to, from, len);
		copy_end();
		from += len;
		dst += len;
		n -= len;
	}
	return n;
}

size_t arch_clear_user(u64 dst, size_t n)
{
	while (n) {
		size_t len = in_page(dst, n);
		void *to = user_begin(dst, true);

		if (!to)
			break;
		memset(to, 0, len);
		copy_end();
		dst += len;
		n -= len;
	}
	return n;
}

int arch_strncpy_from_user(char *dst, u64 src, size_t n, size_t *done)
{
	size_t left = n;

	while (left) {
		size_t len = in_page(src, left), i;
		const char *from = user_begin(src, false);

		if (!from) {
			*done = n - left;
			return -EFAULT;
		}
		for (i = 0; i < len && from[i]; i++)
			dst[i] = from[i];
		if (i < len) {
			dst[i] = 0;
			copy_end();
			*done = n - left + i;
			return 0;
		}
		copy_end();
		dst += len;
		src += len;
		left -= len;
	}
	*done = n;
	return 1;
}

int arch_user_load_u32(u64 src, u32 *val)
{
	const u32 *from = user_begin(src, false);

	if (!from)
		return -EFAULT;
	*val = READ_ONCE(*from);
	copy_end();
	return 0;
}

int arch_user_cmpxchg_u32(u64 dst, u32 old, u32 new, u32 *seen)
{
	u32 *to = user_begin(dst, true);

	if (!to)
		return -EFAULT;
	*seen = old;
	__atomic_compare_exchange_n(to, seen, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	copy_end();
	return 0;
}
