// SPDX-License-Identifier: Apache-2.0
/*
 * probe - how fast KVM runs EL1 here
 *
 * Role      See arch/vcpu.h. A virtual machine of one page, its MMU off, times a loop by its own counter and stores the
 *           result to the doorbell. The counter is slow (16 ns and more), so the loop is long: tens of
 *           microseconds in hardware.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/abi/hyp.h"

#define LOOP	  "10000" /* of two instructions each */
#define LOOP_INSN 20000u
#define PAGE_MAX  65536u /* the host's pages may be larger than the guest's */
#define REG_PC                                                 \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 offsetof(struct kvm_regs, regs.pc) / sizeof(uint32_t))

extern const uint8_t probe_code[], probe_code_end[];

__asm__(".pushsection .rodata\n"
	".globl probe_code, probe_code_end\n"
	"	.balign	4\n"
	"probe_code:\n"
	"	mov	w2, #" LOOP "\n"
	"	isb\n"
	"	mrs	x0, cntvct_el0\n"
	"1:	subs	w2, w2, #1\n"
	"	b.ne	1b\n"
	"	isb\n"
	"	mrs	x1, cntvct_el0\n"
	"	sub	x0, x1, x0\n"
	"	movz	x3, #0x0d0b, lsl #16\n" /* HYP_DOORBELL_GPA */
	"	str	w0, [x3]\n"
	"2:	b	2b\n"
	"probe_code_end:\n"
	".popsection\n");

static int prepare(int vm_fd, int cpu, void *page, struct err *e)
{
	struct kvm_userspace_memory_region r = {
		.guest_phys_addr = HYP_RAM_BASE,
		.memory_size = PAGE_MAX,
		.userspace_addr = (uintptr_t)page,
	};
	uint64_t start = HYP_RAM_BASE;
	struct kvm_one_reg pc = { .id = REG_PC, .addr = (uintptr_t)&start };
	struct kvm_vcpu_init init;

	memcpy(page, probe_code, (size_t)(probe_code_end - probe_code));
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &r))
		return err_set_errno(e, errno, "giving the probe its memory");
	if (ioctl(vm_fd, KVM_ARM_PREFERRED_TARGET, &init))
		return err_set_errno(e, errno, "asking KVM for its CPU model");
	if (ioctl(cpu, KVM_ARM_VCPU_INIT, &init) || ioctl(cpu, KVM_SET_ONE_REG, &pc))
		return err_set_errno(e, errno, "setting the probe's registers");
	return 0;
}

/* Counter ticks of LOOP_INSN instructions. */
static int run(int cpu, struct kvm_run *state, uint32_t *ticks, struct err *e)
{
	int ret;

	do {
		ret = ioctl(cpu, KVM_RUN, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return err_set_errno(e, errno, "running the probe");
	if (state->exit_reason != KVM_EXIT_MMIO || state->mmio.phys_addr != HYP_DOORBELL_GPA ||
	    !state->mmio.is_write || state->mmio.len != 4)
		return err_set(e, EIO, "KVM ended the probe with exit reason %u",
			       state->exit_reason);
	memcpy(ticks, state->mmio.data, sizeof *ticks);
	return 0;
}

int arch_kvm_probe(int kvm_fd, int vm_fd, uint64_t *ps, struct err *e)
{
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0), ret;
	CLEANUP_FD int cpu = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	void *page =
		mmap(NULL, PAGE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_run *state = MAP_FAILED;
	uint32_t ticks = 0;
	uint64_t hz;

	if (page == MAP_FAILED)
		return err_set_errno(e, errno, "making the probe's memory");
	if (cpu >= 0 && size > 0)
		state = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	ret = state == MAP_FAILED ? err_set_errno(e, errno, "creating the probe's CPU") : 0;
	if (!ret)
		ret = prepare(vm_fd, cpu, page, e);
	if (!ret)
		ret = run(cpu, state, &ticks, e);
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	if (!ret && !hz)
		ret = err_set(e, ENOTSUP, "the cycle counter does not tell its frequency");
	if (!ret)
		*ps = (uint64_t)ticks * (1000000000000u / hz) / LOOP_INSN;
	if (state != MAP_FAILED)
		munmap(state, (size_t)size);
	munmap(page, PAGE_MAX);
	return ret;
}
