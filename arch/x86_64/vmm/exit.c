// SPDX-License-Identifier: Apache-2.0
/*
 * exit - what a KVM exit of an x86-64 vCPU means
 *
 * Role      See arch/vcpu.h: doorbell, go on, or broken with one sentence.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arch/vcpu.h"
#include "vmm/vm.h"

static enum arch_exit broken(struct vcpu *v, struct err *e, const char *what)
{
	uint64_t ip, sp, fp;
	char name[128];

	arch_vcpu_where(v, &ip, &sp, &fp);
	kimage_symbol(&v->vm->kimage, ip, name, sizeof name);
	err_set(e, EIO, "the guest kernel %s on CPU %u at 0x%lx (%s)", what, v->id, ip, name);
	return ARCH_EXIT_BROKEN;
}

static enum arch_exit port_io(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	if (run->io.port != HYP_DOORBELL_PORT || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4 ||
	    run->io.count != 1)
		return broken(v, e, "used an I/O port that does not exist");
	return ARCH_EXIT_DOORBELL;
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
		err_set(e, EIO, "the guest kernel touched guest-physical 0x%llx, where nothing is, at 0x%lx",
			run->mmio.phys_addr, ip);
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
