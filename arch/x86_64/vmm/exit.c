// SPDX-License-Identifier: Apache-2.0
/*
 * exit - what a KVM exit of an x86-64 vCPU means
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

static enum arch_exit port_io(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	if (run->io.port != HYP_DOORBELL_PORT || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.size != 4 || run->io.count != 1)
		return broken(v, e, "used an I/O port that does not exist");
	return ARCH_EXIT_DOORBELL;
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

enum arch_exit arch_vcpu_exit(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	uint64_t ip, sp, fp;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return port_io(v, run, e);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI:
		return ARCH_EXIT_AGAIN;
	case KVM_EXIT_HLT:
		return broken(v, e, "halted for good");
	case KVM_EXIT_SHUTDOWN:
		return broken(v, e, "crashed with a triple fault");
	case KVM_EXIT_MMIO:
		arch_vcpu_where(v, &ip, &sp, &fp);
		err_set(e, EIO,
			"the guest kernel touched guest-physical 0x%llx, %s, on CPU %u at 0x%lx",
			run->mmio.phys_addr,
			in_window(v->vm, run->mmio.phys_addr) ? "which is read-only"
							      : "where nothing is",
			v->id, ip);
		return ARCH_EXIT_BROKEN;
	case KVM_EXIT_INTERNAL_ERROR:
		return broken(v, e, "ran an instruction that KVM cannot emulate");
	case KVM_EXIT_FAIL_ENTRY:
		return broken(v, e, "has a CPU state that the hardware refuses");
	default:
		err_set(e, EIO, "KVM ended CPU %u with exit reason %u", v->id, run->exit_reason);
		return ARCH_EXIT_BROKEN;
	}
}
