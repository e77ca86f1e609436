// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - aarch64 virtual CPUs: features, the registers at the first instruction
 *
 * Role      See arch/vcpu.h.
 * Rules     Entry is at EL1 with the MMU off, at the physical address of the kernel's first instruction, the device
 *           tree's in x0. Page size of the guest is 4 KiB whatever the host's is. Further CPUs are off until
 *           the guest asks PSCI, which KVM serves, for them. SVE and SME are not asked for, so no guest has them.
 * Missing   Telling a CPU that sleeps for good from one that waits for an interrupt.
 * See       Arm ARM D13.2; PSCI 1.1 (DEN 0022); KVM API document
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "arch/aarch64/vmm/gic.h"
#include "arch/layout.h"
#include "arch/vcpu.h"
#include "vmm/vm.h"

#define CORE_REG(name)                                         \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 offsetof(struct kvm_regs, name) / sizeof(uint32_t))
#define TTBR1_EL1 ARM64_SYS_REG(3, 0, 2, 0, 1)

#define PSTATE_ENTRY 0x3c5u /* EL1 with its own stack pointer, everything masked */
#define GPA_BITS     39	    /* HYP_WINDOW_BASE + HYP_WINDOW_MAX and below */

static int set_reg(struct vcpu *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg r = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(v->fd, KVM_SET_ONE_REG, &r) ? -errno : 0;
}

static uint64_t get_reg(struct vcpu *v, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg r = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(v->fd, KVM_GET_ONE_REG, &r) ? 0 : value;
}

int arch_vm_type(int kvm_fd, unsigned long *type, struct err *e)
{
	int most = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	*type = 0; /* hosts that cannot be asked give 40 bits */
	if (most > 0 && most < GPA_BITS)
		return err_set(e, ENOTSUP,
			       "guests here have %d bits of physical addresses, and ours needs %d",
			       most, GPA_BITS);
	if (most > 0)
		*type = KVM_VM_TYPE_ARM_IPA_SIZE(GPA_BITS);
	return 0;
}

/* The guest makes its own (arch/aarch64/guest/boot.c). */
uint64_t arch_vm_table_pages(const struct vm *vm)
{
	(void)vm;
	return 0;
}

int arch_vm_init(struct vm *vm, struct err *e)
{
	struct kvm_enable_cap nisv = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	/* So that an access KVM cannot decode ends the guest, not as an error of ours. Older hosts lack it. */
	(void)ioctl(vm->fd, KVM_ENABLE_CAP, &nisv);
	return gic_create(vm, e);
}

int arch_vm_route_event(struct vm *vm, uint32_t gsi, struct err *e)
{
	return gic_finish(vm, gsi, e);
}

int arch_vcpu_init(struct vm *vm, struct vcpu *v, struct err *e)
{
	struct kvm_vcpu_init init;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return err_set_errno(e, errno, "asking KVM for its CPU model");
	memset(init.features, 0, sizeof init.features);
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (v->id)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0)
		init.features[0] |=
			1u << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1u << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	if (ioctl(v->fd, KVM_ARM_VCPU_INIT, &init))
		return err_set_errno(e, errno, "describing virtual CPU %u", v->id);
	return 0;
}

int arch_vcpu_set_entry(struct vcpu *v, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1,
			struct err *e)
{
	int ret = set_reg(v, CORE_REG(regs.pc), ip);

	if (!ret)
		ret = set_reg(v, CORE_REG(sp_el1), sp);
	if (!ret)
		ret = set_reg(v, CORE_REG(regs.regs[0]), arg0);
	if (!ret)
		ret = set_reg(v, CORE_REG(regs.regs[1]), arg1);
	if (!ret)
		ret = set_reg(v, CORE_REG(regs.pstate), PSTATE_ENTRY);
	if (ret)
		return err_set_errno(e, -ret, "setting the entry of virtual CPU %u", v->id);
	return 0;
}

int arch_vcpu_set_boot(struct vcpu *v, uint64_t entry, uint64_t fdt_gpa, struct err *e)
{
	return arch_vcpu_set_entry(v, entry - KERNEL_VA_BASE + HYP_RAM_BASE, 0, fdt_gpa, 0, e);
}

uint64_t arch_counter_khz(struct vcpu *v)
{
	uint64_t hz;

	(void)v;
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz / 1000;
}

uint64_t arch_counter_now(void)
{
	uint64_t v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

uint64_t arch_counter_offset(struct vcpu *v)
{
	uint64_t before = arch_counter_now();

	return get_reg(v, KVM_REG_ARM_TIMER_CNT) - before;
}

void arch_vcpu_where(struct vcpu *v, uint64_t *ip, uint64_t *sp, uint64_t *fp)
{
	*ip = get_reg(v, CORE_REG(regs.pc));
	*sp = get_reg(v, CORE_REG(sp_el1));
	*fp = get_reg(v, CORE_REG(regs.regs[29]));
}

bool arch_vcpu_frame(struct vcpu *v, uint64_t *root, uint64_t *ip, uint64_t *fp)
{
	uint64_t sp;

	arch_vcpu_where(v, ip, &sp, fp);
	*root = get_reg(v, TTBR1_EL1);
	return *root != 0;
}

/* Turned off by itself, that is. The idle loop waits with interrupts masked, so being quiet says nothing. */
bool arch_vcpu_sleeps_for_good(struct vcpu *v)
{
	struct kvm_mp_state state;

	return !ioctl(v->fd, KVM_GET_MP_STATE, &state) && state.mp_state == KVM_MP_STATE_STOPPED;
}
