// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - aarch64 virtual CPUs: features, the registers at the first instruction
 *
 * Role      See arch/vcpu.h.
 * Rules     Entry is at EL1 with the MMU on, over tables of the monitor's making: the guest never runs uncached.
 *           Page size of the guest is 4 KiB whatever the host's is. Further CPUs wait in their threads, not in
 *           PSCI, and the guest has no PSCI to ask for.
 * Missing   Telling a CPU that sleeps for good from one that waits for an interrupt.
 * See       Arm ARM D13.2; KVM API document
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
#define SCTLR_EL1	 ARM64_SYS_REG(3, 0, 1, 0, 0)
#define TTBR0_EL1	 ARM64_SYS_REG(3, 0, 2, 0, 0)
#define TTBR1_EL1	 ARM64_SYS_REG(3, 0, 2, 0, 1)
#define TCR_EL1		 ARM64_SYS_REG(3, 0, 2, 0, 2)
#define MAIR_EL1	 ARM64_SYS_REG(3, 0, 10, 2, 0)
#define ID_AA64MMFR0_EL1 ARM64_SYS_REG(3, 0, 0, 7, 0)

#define PSTATE_ENTRY 0x3c5u	   /* EL1 with its own stack pointer, everything masked */
#define SCTLR_ENTRY  0x30d01805ull /* M C I and bits that are one */
#define MAIR_ENTRY   0x04ffull	   /* 0: normal write-back memory; 1: device nGnRE */
/* 48 bits each way, 4 KiB, walks cached and inner shareable, top byte of user addresses ignored */
#define TCR_ENTRY                                                                              \
	(16ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 16ull << 16 | 1ull << 24 | 1ull << 26 | \
	 3ull << 28 | 2ull << 30 | 1ull << 37)
#define TCR_ASID16 (1ull << 36)
#define PA_48_BITS 5u

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

/* Part of the architecture with 4 KiB pages. */
bool arch_has_1g_pages(int kvm_fd)
{
	(void)kvm_fd;
	return true;
}

int arch_pt_map_devices(struct arch_pagetables *pt, struct err *e)
{
	return arch_pt_map(pt, arch_direct_map(HYP_DOORBELL_GPA), HYP_DOORBELL_GPA, HYP_PAGE_SIZE,
			   PT_WRITE | PT_DEVICE, e);
}

int arch_vcpu_init(struct vm *vm, struct vcpu *v, struct err *e)
{
	struct kvm_vcpu_init init;
	uint64_t mmfr0, tcr = TCR_ENTRY, pa;
	int ret;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return err_set_errno(e, errno, "asking KVM for its CPU model");
	memset(init.features, 0, sizeof init.features);
	if (ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0)
		init.features[0] |=
			1u << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1u << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	if (ioctl(v->fd, KVM_ARM_VCPU_INIT, &init))
		return err_set_errno(e, errno, "describing virtual CPU %u", v->id);
	mmfr0 = get_reg(v, ID_AA64MMFR0_EL1);
	pa = mmfr0 & 15;
	tcr |= (pa > PA_48_BITS ? PA_48_BITS : pa) << 32;
	if ((mmfr0 >> 4 & 15) == 2)
		tcr |= TCR_ASID16;
	ret = set_reg(v, MAIR_EL1, MAIR_ENTRY);
	if (!ret)
		ret = set_reg(v, TCR_EL1, tcr);
	if (!ret)
		ret = set_reg(v, TTBR0_EL1, vm->root_gpa);
	if (!ret)
		ret = set_reg(v, TTBR1_EL1, vm->root_gpa);
	if (!ret)
		ret = set_reg(v, SCTLR_EL1, SCTLR_ENTRY);
	if (ret)
		return err_set_errno(e, -ret, "setting the registers of virtual CPU %u", v->id);
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

/* The idle loop waits with interrupts masked here, so that says nothing. */
bool arch_vcpu_sleeps_for_good(struct vcpu *v)
{
	(void)v;
	return false;
}
