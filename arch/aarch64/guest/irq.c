// SPDX-License-Identifier: Apache-2.0
/*
 * irq - interrupts between CPUs, the timer, the monitor's event; idling
 *
 * Role      See arch/irq.h and arch/cpu.h. The monitor has configured the controller before the first
 *           instruction (arch/aarch64/vmm/gic.c): here is only the CPU interface of a GICv3, system registers, or of
 *           a GICv2, a page.
 * Rules     ipi_pending carries the meaning, the interrupt only carries the news; a bit is cleared after
 *           its work was done, which is the acknowledgement the sender waits for.
 *           Interrupts are taken by exception from user mode only; the idle loop waits with them masked, where
 *           wfi ends all the same, and then takes them by hand: none can slip between look and sleep.
 * See       Arm GICv3 architecture specification, 12.2; GICv2 architecture specification, 4.4
 */
#include "arch/irq.h"

#include "arch/aarch64/guest/local.h"
#include "arch/clock.h"
#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/trap.h"
#include "vmm/abi/hyp.h"

/* Names older assemblers do not know. */
#define ICC_IAR1_EL1	    s3_0_c12_c12_0
#define ICC_EOIR1_EL1	    s3_0_c12_c12_1
#define ICC_SGI1R_EL1	    s3_0_c12_c11_5
#define ICC_PMR_EL1	    s3_0_c4_c6_0
#define ICC_SRE_EL1	    s3_0_c12_c12_5
#define ICC_CTLR_EL1	    s3_0_c12_c12_4
#define ICC_BPR1_EL1	    s3_0_c12_c12_3
#define ICC_IGRPEN1_EL1	    s3_0_c12_c12_7
#define read_icc(reg)	    read_named(reg)
#define read_named(reg)	    read_sysreg(reg)
#define write_icc(reg, v)   write_named(reg, v)
#define write_named(reg, v) write_sysreg(reg, v)

/* GICv2, by offset */
#define GICD_SGIR 0xf00
#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_BPR  0x08
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define INTID_MASK_V2 1023 /* above: which CPU sent it; EOIR wants both */
#define INTID_MASK_V3 0xffffff
#define INTID_IPI     0
#define INTID_TIMER   27
#define INTID_SPECIAL 1020 /* and above: nothing is pending */
#define TIMER_ENABLE  1u

static bool is_v2(void)
{
	return boot.irqchip == 2;
}

/* One plain access each: KVM cannot decode others. */
static u32 page_read(u64 gpa)
{
	u32 v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(DIRECT_MAP_BASE + gpa) : "memory");
	return v;
}

static void page_write(u64 gpa, u32 v)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(v), "r"(DIRECT_MAP_BASE + gpa) : "memory");
}

void irq_setup_cpu(void)
{
	if (is_v2()) {
		page_write(HYP_GICC_GPA + GICC_PMR, 0xff);
		page_write(HYP_GICC_GPA + GICC_BPR, 0);
		page_write(HYP_GICC_GPA + GICC_CTLR, 1);
	} else {
		write_icc(ICC_SRE_EL1, 1);
		isb();
		write_icc(ICC_PMR_EL1, 0xff);
		write_icc(ICC_BPR1_EL1, 0);
		write_icc(ICC_CTLR_EL1, 0);
		write_icc(ICC_IGRPEN1_EL1, 1);
	}
	write_sysreg(cntv_ctl_el0, 0);
	isb();
}

void arch_timer_set(u64 at)
{
	if (!at) {
		write_sysreg(cntv_ctl_el0, 0);
		return;
	}
	write_sysreg(cntv_cval_el0, at);
	write_sysreg(cntv_ctl_el0, TIMER_ENABLE);
}

void ipi_serve(void)
{
	struct cpu *c = this_cpu();
	u32 pending = load_acquire(&c->arch.ipi_pending);

	if (pending & IPI_STOP)
		arch_cpu_stop();
	if (pending & IPI_FLUSH) {
		mmu_serve_flush();
		fetch_and(&c->arch.ipi_pending, ~(u32)IPI_FLUSH);
	}
	if (pending & IPI_RESCHED)
		fetch_and(&c->arch.ipi_pending, ~(u32)IPI_RESCHED);
}

/* The next pending interrupt, as irq_done() wants it back, and its number. */
static u32 irq_next(u32 *id)
{
	u32 got = is_v2() ? page_read(HYP_GICC_GPA + GICC_IAR) : (u32)read_icc(ICC_IAR1_EL1);

	*id = got & (is_v2() ? INTID_MASK_V2 : INTID_MASK_V3);
	return got;
}

static void irq_done(u32 got)
{
	if (is_v2())
		page_write(HYP_GICC_GPA + GICC_EOIR, got);
	else
		write_icc(ICC_EOIR1_EL1, got);
	isb();
}

void irq_take(void)
{
	for (;;) {
		u32 id, got = irq_next(&id);

		if (id >= INTID_SPECIAL)
			return;
		dsb(sy);
		if (id == INTID_TIMER)
			write_sysreg(cntv_ctl_el0, 0); /* its line is a level */
		irq_done(got);
		if (id == INTID_TIMER) {
			trap_timer();
		} else if (id == INTID_IPI) {
			ipi_serve();
			trap_resched();
		} else {
			trap_host_event();
		}
	}
}

void arch_ipi_send(struct cpu *to, u32 ipi)
{
	/* One interrupt is enough for all bits set before the target looks. */
	if (fetch_or(&to->arch.ipi_pending, ipi) & ipi)
		return;
	dsb(ishst);
	if (is_v2()) {
		page_write(HYP_GICD_GPA + GICD_SGIR, 1u << (16 + to->id) | INTID_IPI);
		return;
	}
	/* KVM numbers CPUs by sixteens: affinity 0 below, affinity 1 above */
	write_icc(ICC_SGI1R_EL1, (u64)(to->id >> 4) << 16 | 1ull << (to->id & 15));
	isb();
}

void arch_cpu_idle(void)
{
	__asm__ volatile("dsb sy; wfi" : : : "memory");
	irq_take();
}
