// SPDX-License-Identifier: Apache-2.0
/*
 * gic - the virtual GICv3, configured by the monitor so that the guest never touches its pages
 *
 * Role      Distributor and redistributors are set up here, by KVM's save-and-restore interface: all interrupts in
 *           group 1, those we use enabled. The guest has only the CPU interface, which is system registers.
 * Rules     Event interrupts are shared ones, edge triggered: EVENT (an irqfd) for CPU 0, PING + n from any thread for
 *           CPU n. Numbers 0 to 15 are between CPUs, 27 is the virtual timer.
 * Missing   GICv2.
 * See       KVM API document, devices/arm-vgic-v3
 */
#include "arch/aarch64/vmm/gic.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/vm.h"

/* Below guest memory; nobody maps them. */
#define GICD_GPA	0x08000000ull
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
#define GICD_ICFGR	0x0c00
#define GICD_IROUTER	0x6000
#define GICR_SGI	0x10000 /* the second page of a redistributor */
#define CTLR_ENABLE	0x12	/* affinity routing, group 1 */

static int set(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &a) ? -errno : 0;
}

static int set_dist(int fd, uint32_t reg, uint32_t value)
{
	return set(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, reg, &value);
}

static uint64_t affinity(uint32_t cpu)
{
	return (cpu >> 4) << 8 | (cpu & 15);
}

static int set_redist(int fd, uint32_t cpu, uint32_t reg, uint32_t value)
{
	return set(fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, affinity(cpu) << 32 | reg, &value);
}

int gic_create(struct vm *vm, struct err *e)
{
	struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GICD_GPA, redist = (uint64_t)vm->nr_cpus << 52 | GICR_GPA;
	uint32_t nr = NR_IRQS;
	int ret;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &d))
		return err_set_errno(e, errno, "KVM here has no virtual GICv3");
	vm->irqchip_fd = (int)d.fd;
	ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!ret)
		ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			  KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	if (!ret)
		ret = set(vm->irqchip_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr);
	return ret ? err_set_errno(e, -ret, "placing the interrupt controller") : 0;
}

static int set_shared(int fd, uint32_t gsi, uint32_t nr_cpus)
{
	uint32_t i, cpu;
	uint64_t to;
	int ret = 0;

	for (i = SPI_BASE; i < NR_IRQS && !ret; i += 32) {
		ret = set_dist(fd, GICD_IGROUPR + i / 8, ~0u);
		if (!ret)
			ret = set_dist(fd, GICD_ICFGR + i / 4, 0xaaaaaaaau);
		if (!ret)
			ret = set_dist(fd, GICD_ICFGR + i / 4 + 4, 0xaaaaaaaau);
	}
	for (i = SPI_BASE; i < NR_IRQS && !ret; i += 4)
		ret = set_dist(fd, GICD_IPRIORITYR + i, PRIORITY_ALL);
	for (cpu = 0; cpu < nr_cpus && !ret; cpu++) {
		to = affinity(cpu);
		i = SPI_PING + cpu;
		ret = set(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IROUTER + 8 * i, &to);
		if (!ret)
			ret = set_dist(fd, GICD_IROUTER + 8 * i + 4, 0);
		if (!ret)
			ret = set_dist(fd, GICD_ISENABLER + i / 32 * 4, 1u << i % 32);
	}
	i = SPI_BASE + gsi;
	return ret ? ret : set_dist(fd, GICD_ISENABLER + i / 32 * 4, 1u << i % 32);
}

static int set_private(int fd, uint32_t cpu)
{
	uint32_t i;
	int ret = set_redist(fd, cpu, GICR_SGI + GICD_IGROUPR, ~0u);

	for (i = 0; i < SPI_BASE && !ret; i += 4)
		ret = set_redist(fd, cpu, GICR_SGI + GICD_IPRIORITYR + i, PRIORITY_ALL);
	return ret ? ret : set_redist(fd, cpu, GICR_SGI + GICD_ISENABLER, 0xffff | 1u << PPI_TIMER);
}

int gic_finish(struct vm *vm, uint32_t gsi, struct err *e)
{
	int fd = vm->irqchip_fd, ret;
	uint32_t cpu;

	ret = set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	if (!ret)
		ret = set_dist(fd, GICD_CTLR, CTLR_ENABLE);
	if (!ret)
		ret = set_shared(fd, gsi, vm->nr_cpus);
	for (cpu = 0; cpu < vm->nr_cpus && !ret; cpu++)
		ret = set_private(fd, cpu);
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
