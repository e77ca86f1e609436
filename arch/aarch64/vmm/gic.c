// SPDX-License-Identifier: Apache-2.0
/*
 * gic - the virtual interrupt controller: a GICv3, or a GICv2 where the host has no more
 *
 * Role      What is shared is set up here, by KVM's save-and-restore interface: those interrupts we use are enabled,
 *           with one priority, and sent to their CPUs. To the guest is left the CPU interface, which is system
 *           registers (v3) or a page that needs no exit (v2), and one register for interrupts between CPUs.
 * Rules     Event interrupts are shared ones, edge triggered: EVENT (an irqfd) for CPU 0, PING + n from any thread for
 *           CPU n. Numbers 0 to 15 are between CPUs, 27 is the virtual timer. A GICv2 has eight CPUs at most.
 * See       KVM API document, devices/arm-vgic-v3, devices/arm-vgic
 */
#include "arch/aarch64/vmm/gic.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/vm.h"

/* Below guest memory; nobody maps them. */
#define GICR_GPA	0x08100000ull
#define NR_IRQS		160u
#define SPI_BASE	32u
#define SPI_PING	64u /* of the monitor's direct interrupts: one for each CPU */
#define PPI_TIMER	27u
#define PRIORITY_ALL	0x80808080u
#define GICD_CTLR	0x0000
#define GICD_IGROUPR	0x0080
#define GICD_ISENABLER	0x0100
#define GICD_IPRIORITYR 0x0400
#define GICD_ITARGETSR	0x0800
#define GICD_ICFGR	0x0c00
#define GICD_IROUTER	0x6000
#define GICR_SGI	0x10000 /* the second page of a redistributor */
#define CTLR_ENABLE_V3	0x12	/* affinity routing, group 1 */
#define CTLR_ENABLE_V2	1
#define CPUS_V2		8

static int set(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &a) ? -errno : 0;
}

static int set_dist(int fd, uint32_t reg, uint32_t value)
{
	return set(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, reg, &value);
}

static int get_dist(int fd, uint32_t reg, uint32_t *value)
{
	struct kvm_device_attr a = { .group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
				     .attr = reg,
				     .addr = (uintptr_t)value };

	*value = 0;
	return ioctl(fd, KVM_GET_DEVICE_ATTR, &a) ? -errno : 0;
}

static uint64_t affinity(uint32_t cpu)
{
	return (cpu >> 4) << 8 | (cpu & 15);
}

/* A register of the interrupts that each CPU has for itself. */
static int set_private_reg(const struct vm *vm, uint32_t cpu, uint32_t reg, uint32_t value)
{
	if (vm->irqchip == 2)
		return set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
			   (uint64_t)cpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT | reg, &value);
	return set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
		   affinity(cpu) << 32 | (GICR_SGI + reg), &value);
}

static int place_v3(struct vm *vm)
{
	uint64_t dist = HYP_GICD_GPA, redist = (uint64_t)vm->nr_cpus << 52 | GICR_GPA;
	int ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);

	return ret ? ret
		   : set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			 KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
}

static int place_v2(struct vm *vm)
{
	uint64_t dist = HYP_GICD_GPA, cpu = HYP_GICC_GPA;
	int ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist);

	return ret ? ret
		   : set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU,
			 &cpu);
}

int gic_create(struct vm *vm, struct err *e)
{
	struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint32_t nr = NR_IRQS;
	int ret;

	vm->irqchip = 3;
	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &d)) {
		vm->irqchip = 2;
		d.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		if (ioctl(vm->fd, KVM_CREATE_DEVICE, &d))
			return err_set_errno(e, errno, "KVM here has no virtual GIC");
		if (vm->nr_cpus > CPUS_V2)
			return err_set(e, EINVAL,
				       "with this host's GICv2 a sandbox has at most %d CPUs",
				       CPUS_V2);
	}
	vm->irqchip_fd = (int)d.fd;
	ret = vm->irqchip == 2 ? place_v2(vm) : place_v3(vm);
	if (!ret)
		ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr);
	return ret ? err_set_errno(e, -ret, "placing the interrupt controller") : 0;
}

/* Sends a shared interrupt to one CPU and enables it. */
static int route(const struct vm *vm, uint32_t irq, uint32_t cpu)
{
	uint32_t target; /* v2: a byte for each of four interrupts */
	uint64_t to = affinity(cpu);
	int ret;

	if (vm->irqchip == 2) {
		ret = get_dist(vm->irqchip_fd, GICD_ITARGETSR + irq / 4 * 4, &target);
		target |= 1u << cpu << irq % 4 * 8;
		if (!ret)
			ret = set_dist(vm->irqchip_fd, GICD_ITARGETSR + irq / 4 * 4, target);
	} else {
		ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IROUTER + 8 * irq,
			  &to);
		if (!ret)
			ret = set_dist(vm->irqchip_fd, GICD_IROUTER + 8 * irq + 4, 0);
	}
	return ret ? ret : set_dist(vm->irqchip_fd, GICD_ISENABLER + irq / 32 * 4, 1u << irq % 32);
}

static int set_shared(const struct vm *vm, uint32_t gsi)
{
	int fd = vm->irqchip_fd, ret = 0;
	uint32_t i, cpu;

	for (i = SPI_BASE; i < NR_IRQS && !ret; i += 32) {
		ret = vm->irqchip == 2 ? 0 : set_dist(fd, GICD_IGROUPR + i / 8, ~0u);
		if (!ret)
			ret = set_dist(fd, GICD_ICFGR + i / 4, 0xaaaaaaaau);
		if (!ret)
			ret = set_dist(fd, GICD_ICFGR + i / 4 + 4, 0xaaaaaaaau);
	}
	for (i = SPI_BASE; i < NR_IRQS && !ret; i += 4)
		ret = set_dist(fd, GICD_IPRIORITYR + i, PRIORITY_ALL);
	for (cpu = 0; cpu < vm->nr_cpus && !ret; cpu++)
		ret = route(vm, SPI_PING + cpu, cpu);
	return ret ? ret : route(vm, SPI_BASE + gsi, 0);
}

static int set_private(const struct vm *vm, uint32_t cpu)
{
	uint32_t i;
	int ret = vm->irqchip == 2 ? 0 : set_private_reg(vm, cpu, GICD_IGROUPR, ~0u);

	for (i = 0; i < SPI_BASE && !ret; i += 4)
		ret = set_private_reg(vm, cpu, GICD_IPRIORITYR + i, PRIORITY_ALL);
	return ret ? ret : set_private_reg(vm, cpu, GICD_ISENABLER, 0xffff | 1u << PPI_TIMER);
}

int gic_finish(struct vm *vm, uint32_t gsi, struct err *e)
{
	int fd = vm->irqchip_fd, ret;
	uint32_t cpu;

	ret = set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	if (!ret)
		ret = set_dist(fd, GICD_CTLR, vm->irqchip == 2 ? CTLR_ENABLE_V2 : CTLR_ENABLE_V3);
	if (!ret)
		ret = set_shared(vm, gsi);
	for (cpu = 0; cpu < vm->nr_cpus && !ret; cpu++)
		ret = set_private(vm, cpu);
	return ret ? err_set_errno(e, -ret, "setting up the interrupt controller") : 0;
}

void arch_vm_interrupt(struct vm *vm, uint32_t cpu)
{
	struct kvm_irq_level irq = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (SPI_PING + cpu),
		.level = 1,
	};

	(void)ioctl(vm->fd, KVM_IRQ_LINE, &irq); /* edge triggered: one call is one interrupt */
}
