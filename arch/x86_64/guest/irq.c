// SPDX-License-Identifier: Apache-2.0
/*
 * irq - the local APIC in x2APIC mode: interrupts between CPUs, end of interrupt, idling
 *
 * Role      See arch/irq.h and arch/cpu.h.
 * Rules     ipi_pending carries the meaning, the interrupt only carries the news; a bit is cleared after
 *           its work was done, which is the acknowledgement the sender waits for.
 *           An interrupt that came between sti and hlt after all would leave the CPU asleep with work to do: QEMU's
 *           emulated SVM forgets the interrupt shadow when the host takes an interrupt there. So whoever is interrupted
 *           at the hlt goes on behind it.
 * See       Intel SDM volume 3, 10.12
 */
#include "arch/irq.h"

#include "arch/clock.h"
#include "arch/common/guest/tlb.h"
#include "arch/cpu.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cpu.h"

#define APIC_ENABLE		0x100u
#define TIMER_MODE_TSC_DEADLINE (2u << 17)

void irq_setup_cpu(void)
{
	wrmsr(MSR_X2APIC_SVR, APIC_ENABLE | VEC_SPURIOUS);
	wrmsr(MSR_X2APIC_LVT_TIMER, TIMER_MODE_TSC_DEADLINE | VEC_TIMER);
}

void arch_timer_set(u64 at)
{
	wrmsr(MSR_TSC_DEADLINE, at);
}

void irq_eoi(void)
{
	wrmsr(MSR_X2APIC_EOI, 0);
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

void arch_ipi_send(struct cpu *to, u32 ipi)
{
	/* One interrupt is enough for all bits set before the target looks. */
	if (fetch_or(&to->arch.ipi_pending, ipi) & ipi)
		return;
	wrmsr(MSR_X2APIC_ICR, (u64)to->arch.apic_id << 32 | VEC_IPI);
}

extern const u8 idle_hlt[];

/* Not inlined: there is one idle_hlt. */
__attribute__((noinline)) void arch_cpu_idle(void)
{
	/* sti takes effect after the next instruction: no interrupt can slip between the two. */
	__asm__ volatile("sti\n"
			 "	.globl idle_hlt\n"
			 "idle_hlt: hlt\n"
			 "	cli"
			 :
			 :
			 : "memory");
}

void irq_leave_idle(struct regs *r)
{
	if (unlikely(r->ip == (u64)idle_hlt))
		r->ip++;
}
