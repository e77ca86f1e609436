// SPDX-License-Identifier: Apache-2.0
/*
 * exit - what a KVM exit of an aarch64 vCPU means
 *
 * Role      See arch/vcpu.h: doorbell, go on, or broken with one sentence.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arch/common/vmm/broken.h"
#include "arch/vcpu.h"
#include "vmm/vm.h"

static enum arch_exit mmio(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	if (run->mmio.phys_addr / HYP_PAGE_SIZE != HYP_DOORBELL_GPA / HYP_PAGE_SIZE)
		return exit_nothing_there(v, run->mmio.phys_addr, e);
	if (run->mmio.phys_addr != HYP_DOORBELL_GPA || !run->mmio.is_write || run->mmio.len != 4)
		return exit_broken(v, e, "misused the doorbell");
	return ARCH_EXIT_DOORBELL;
}

enum arch_exit arch_vcpu_exit(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		return mmio(v, run, e);
	case KVM_EXIT_INTR:
		return ARCH_EXIT_AGAIN;
	case KVM_EXIT_ARM_NISV:
		return exit_nothing_there(v, run->arm_nisv.fault_ipa, e);
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_broken(v, e, "asked for the machine to be turned off");
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_broken(v, e, "ran an instruction that KVM cannot emulate");
	case KVM_EXIT_FAIL_ENTRY:
		return exit_broken(v, e, "has a CPU state that the hardware refuses");
	default:
		err_set(e, EIO, "KVM ended CPU %u with exit reason %u", v->id, run->exit_reason);
		return ARCH_EXIT_BROKEN;
	}
}
