// SPDX-License-Identifier: Apache-2.0
/*
 * backtrace - where a stopped vCPU stands, read from outside
 *
 * Role      See arch/vcpu.h. Last words about a guest that cannot give its own.
 * Rules     Registers, page tables and stack belong to a hostile guest: every table and every frame is read with
 *           gmem_copy_in(), the chain must rise and is bounded, other CPUs may rewrite all of it meanwhile.
 * See       arch/boot_pte.h of the machine
 */
#include <errno.h>
#include <string.h>

#include "arch/boot_pte.h"
#include "arch/layout.h"
#include "arch/vcpu.h"
#include "vmm/vm.h"

#define FRAME_STRIDE_MAX (64u << 10) /* no kernel stack is larger */

static int translate(const struct gmem *m, uint64_t root, uint64_t va, uint64_t *gpa)
{
	uint64_t table = root & BOOT_PTE_ADDR, pte;
	int level;

	for (level = 4; level >= 1; level--) {
		uint64_t index = va >> (12 + 9 * (level - 1)) & 511;
		uint64_t mask = (1ull << (12 + 9 * (level - 1))) - 1;

		if (gmem_copy_in(m, &pte, (hyp_ptr){ table + 8 * index }, sizeof pte) ||
		    !(pte & BOOT_PTE_VALID))
			return -EFAULT;
		if (level == 1 || (level < 4 && boot_pte_is_block(pte))) {
			*gpa = (pte & BOOT_PTE_ADDR & ~mask) | (va & mask);
			return 0;
		}
		table = pte & BOOT_PTE_ADDR;
	}
	return -EFAULT;
}

static int read_word(const struct gmem *m, uint64_t root, uint64_t va, uint64_t *out)
{
	uint64_t gpa;

	if (va % 8 || translate(m, root, va, &gpa))
		return -EFAULT;
	return gmem_copy_in(m, out, (hyp_ptr){ gpa }, sizeof *out);
}

uint32_t arch_vcpu_backtrace(struct vcpu *v, uint64_t *frames, uint32_t max)
{
	const struct gmem *m = &v->vm->mem;
	uint64_t root, fp, next, ip;
	uint32_t n = 0;

	if (!max || !arch_vcpu_frame(v, &root, &ip, &fp))
		return 0;
	frames[n++] = ip;
	for (; n < max && fp >= KERNEL_HALF; fp = next) {
		if (read_word(m, root, fp, &next) || read_word(m, root, fp + 8, &ip) ||
		    ip < KERNEL_HALF)
			break;
		frames[n++] = ip;
		if (next <= fp || next - fp > FRAME_STRIDE_MAX)
			break;
	}
	return n;
}
