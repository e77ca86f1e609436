// SPDX-License-Identifier: Apache-2.0
/*
 * exit - what a KVM exit of an x86-64 vCPU means
 *
 * Role      See arch/vcpu.h: doorbell, go on, or broken with one sentence.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arch/common/vmm/broken.h"
#include "arch/vcpu.h"
#include "vmm/vm.h"

static enum arch_exit port_io(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	if (run->io.port != HYP_DOORBELL_PORT || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.size != 4 || run->io.count != 1)
		return exit_broken(v, e, "used an I/O port that does not exist");
	return ARCH_EXIT_DOORBELL;
}

enum arch_exit arch_vcpu_exit(struct vcpu *v, struct kvm_run *run, struct err *e)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return port_io(v, run, e);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI:
		return ARCH_EXIT_AGAIN;
	case KVM_EXIT_HLT:
		return exit_broken(v, e, "halted for good");
	case KVM_EXIT_SHUTDOWN:
		return exit_broken(v, e, "crashed with a triple fault");
	case KVM_EXIT_MMIO:
		return exit_nothing_there(v, run->mmio.phys_addr, e);
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_broken(v, e, "ran an instruction that KVM cannot emulate");
	case KVM_EXIT_FAIL_ENTRY:
		return exit_broken(v, e, "has a CPU state that the hardware refuses");
	default:
		err_set(e, EIO, "KVM ended CPU %u with exit reason %u", v->id, run->exit_reason);
		return ARCH_EXIT_BROKEN;
	}
}
