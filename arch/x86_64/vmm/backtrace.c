// SPDX-License-Identifier: Apache-2.0
/*
 * backtrace - where a stopped vCPU stands, read from outside
 *
 * Role      See arch/vcpu.h. Last words about a guest that cannot give its own.
 * Rules     Registers, page tables and stack belong to a hostile guest: every table and every frame is read with
 *           gmem_copy_in(), the chain must rise and is bounded, other CPUs may rewrite all of it meanwhile.
 * See       Intel SDM volume 3, 4.5
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "arch/vcpu.h"
#include "vmm/vm.h"

#define PTE_P		 0x001ull
#define PTE_PS		 0x080ull
#define PTE_ADDR	 0x000ffffffffff000ull
#define KERNEL_HALF	 (1ull << 63)
#define FRAME_STRIDE_MAX (64u << 10) /* no kernel stack is larger */
#define FLAGS_IF	 0x200u

static int translate(const struct gmem *m, uint64_t root, uint64_t va, uint64_t *gpa)
{
	uint64_t table = root & PTE_ADDR, pte;
	int level;

	for (level = 4; level >= 1; level--) {
		uint64_t index = va >> (12 + 9 * (level - 1)) & 511;
		uint64_t mask = (1ull << (12 + 9 * (level - 1))) - 1;

		if (gmem_copy_in(m, &pte, (hyp_ptr){ table + 8 * index }, sizeof pte) ||
		    !(pte & PTE_P))
			return -EFAULT;
		if (level == 1 || (level < 4 && (pte & PTE_PS))) {
			*gpa = (pte & PTE_ADDR & ~mask) | (va & mask);
			return 0;
		}
		table = pte & PTE_ADDR;
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
	struct kvm_sregs s;
	struct kvm_regs r;
	uint64_t fp, next, ip;
	uint32_t n = 0;

	if (!max || ioctl(v->fd, KVM_GET_REGS, &r) || ioctl(v->fd, KVM_GET_SREGS, &s))
		return 0;
	frames[n++] = r.rip;
	for (fp = r.rbp; n < max && fp >= KERNEL_HALF; fp = next) {
		if (read_word(m, s.cr3, fp, &next) || read_word(m, s.cr3, fp + 8, &ip) ||
		    ip < KERNEL_HALF)
			break;
		frames[n++] = ip;
		if (next <= fp || next - fp > FRAME_STRIDE_MAX)
			break;
	}
	return n;
}

bool arch_vcpu_sleeps_for_good(struct vcpu *v)
{
	struct kvm_mp_state mp;
	struct kvm_regs r;

	return !ioctl(v->fd, KVM_GET_MP_STATE, &mp) && mp.mp_state == KVM_MP_STATE_HALTED &&
	       !ioctl(v->fd, KVM_GET_REGS, &r) && !(r.rflags & FLAGS_IF);
}
