// SPDX-License-Identifier: Apache-2.0
/*
 * exit - what a KVM exit of an aarch64 vCPU means
 *
 * Role      See arch/vcpu.h: doorbell, go on, or broken with one sentence. Names of
 *           addresses are looked up later, by the main thread: that needs system calls a vCPU thread may not make.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arch/vcpu.h"
#include "vmm/vm.h"

static enum arch_exit broken(struct vcpu *v, struct err *e, const char *what)
{
	uint64_t ip, sp, fp;

	arch_vcpu_where(v, &ip, &sp, &fp);
	err_set(e, EIO, "the guest kernel %s on CPU %u at 0x%lx", what, v->id, ip);
	return ARCH_EXIT_BROKEN;
}

static bool in_window(const struct vm *vm, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < vm->mem.nr_windows; i++)
		if (gpa >= vm->mem.window[i].gpa &&
		    gpa - vm->mem.window[i].gpa < vm->mem.window[i].len)
			return true;
	return false;
}

static enum arch_exit nothing_there(struct vcpu *v, uint64_t gpa, struct err *e)
{
	uint64_t ip, sp, fp;

	arch_vcpu_where(v, &ip, &sp, &fp);
	err_set(e, EIO, "the guest kernel touched guest-physical 0x%lx, %s, on CPU %u at 0x%lx",
		gpa, in_window(v->vm, gpa) ? "which is read-only" : "where nothing is", v->id, ip);
	return ARCH_EXIT_BROKEN;
}

static enum arch_exit mmio(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	if (run->mmio.phys_addr / HYP_PAGE_SIZE != HYP_DOORBELL_GPA / HYP_PAGE_SIZE)
		return nothing_there(v, run->mmio.phys_addr, e);
	if (run->mmio.phys_addr != HYP_DOORBELL_GPA || !run->mmio.is_write || run->mmio.len != 4)
		return broken(v, e, "misused the doorbell");
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
		return nothing_there(v, run->arm_nisv.fault_ipa, e);
	case KVM_EXIT_SYSTEM_EVENT:
		return broken(v, e, "asked for the machine to be turned off");
	case KVM_EXIT_INTERNAL_ERROR:
		return broken(v, e, "ran an instruction that KVM cannot emulate");
	case KVM_EXIT_FAIL_ENTRY:
		return broken(v, e, "has a CPU state that the hardware refuses");
	default:
		err_set(e, EIO, "KVM ended CPU %u with exit reason %u", v->id, run->exit_reason);
		return ARCH_EXIT_BROKEN;
	}
}
