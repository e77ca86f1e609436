// SPDX-License-Identifier: Apache-2.0
/*
 * trap - exceptions, interrupts and system calls into the portable kernel
 *
 * Role      Called by entry.S with the full frame. Before it goes back to user mode, every path runs
 *           trap_user_exit() until nothing is pending.
 * Rules     A fault of the kernel itself is resolved (application memory), ends at its fixup, or is a panic.
 *           After a permission fault this CPU forgets its translation of the page: rights may grow without a flush.
 * Missing   Reads of ID registers by programs (HWCAP_CPUID is not announced).
 * See       Arm ARM D13.2.37 (ESR_EL1)
 */
#include "guestkernel/trap.h"

#include "arch/aarch64/guest/local.h"
#include "arch/common/guest/extable.h"
#include "arch/cpu.h"
#include "arch/param.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/panic.h"
#include "guestkernel/uapi/signal.h"

enum exception_class {
	EC_UNKNOWN = 0x00,
	EC_WFX = 0x01,
	EC_FP_ACCESS = 0x07,
	EC_PAUTH_USE = 0x09,
	EC_BTI = 0x0d,
	EC_ILLEGAL_STATE = 0x0e,
	EC_SYSREG = 0x18,
	EC_SVE = 0x19,
	EC_FPAC = 0x1c,
	EC_FETCH_USER = 0x20,
	EC_FETCH_KERNEL = 0x21,
	EC_PC_ALIGN = 0x22,
	EC_DATA_USER = 0x24,
	EC_DATA_KERNEL = 0x25,
	EC_SP_ALIGN = 0x26,
	EC_FP_TRAP = 0x2c,
	EC_BREAKPOINT = 0x30,
	EC_STEP = 0x32,
	EC_WATCHPOINT = 0x34,
	EC_BRK = 0x3c,
};

#define ISS_FSC	      0x3fu
#define FSC_ALIGNMENT 0x21u
#define ISS_WNR	      (1u << 6)
#define ISS_CM	      (1u << 8) /* cache maintenance, which reports a write */

static u32 class_of(u64 esr)
{
	return (u32)(esr >> ESR_EC_SHIFT & 63);
}

/* 1 translation, 2 access flag, 3 permission; levels do not matter. */
static u32 fault_kind(u64 esr)
{
	u32 fsc = esr & ISS_FSC;

	return fsc >= 4 && fsc < 16 ? fsc >> 2 : 0;
}

static u32 fault_access(u64 esr)
{
	u32 class = class_of(esr), access = FAULT_READ;

	if (class == EC_FETCH_USER || class == EC_FETCH_KERNEL)
		access = FAULT_EXEC;
	else if ((esr & ISS_WNR) && !(esr & ISS_CM))
		access = FAULT_WRITE;
	return fault_kind(esr) == 3 ? access | FAULT_PRESENT : access;
}

/* Top-byte-ignore: the address as the tables know it. */
static u64 untagged(u64 va)
{
	return (u64)((s64)(va << 8) >> 8);
}

/* New entries are seen by the table walker; a stale one for the page is gone on this CPU. */
static void fault_done(u64 esr, u64 va)
{
	dsb(ishst);
	if (fault_kind(esr) == 3)
		__asm__ volatile("tlbi vaae1, %0; dsb nsh; isb"
				 :
				 : "r"(va >> 12 & 0xfffffffffffull)
				 : "memory");
}

static s32 fp_code(u64 esr)
{
	if (!(esr & 1u << 23))
		return FPE_FLTINV;
	return esr & 1	 ? FPE_FLTINV
	       : esr & 2 ? FPE_FLTDIV
	       : esr & 4 ? FPE_FLTOVF
	       : esr & 8 ? FPE_FLTUND
			 : FPE_FLTRES;
}

static void note_exception(u64 esr, u64 addr)
{
	struct arch_thread *t = (struct arch_thread *)current();

	t->last = (struct exception){ esr, addr };
}

static void user_abort(struct regs *r, u64 esr, u64 far)
{
	u64 va = untagged(far);

	note_exception(esr, va);
	if (fault_kind(esr)) {
		trap_page_fault(va, fault_access(esr));
		fault_done(esr, va);
	} else if ((esr & ISS_FSC) == FSC_ALIGNMENT) {
		trap_user_exception(r, SIGBUS, BUS_ADRALN, va, class_of(esr), esr);
	} else if ((esr & ISS_FSC) < 4) {
		trap_user_exception(r, SIGSEGV, SEGV_MAPERR, va, class_of(esr), esr);
	} else {
		trap_user_exception(r, SIGBUS, BUS_OBJERR, va, class_of(esr), esr);
	}
}

static void user_exception(struct regs *r, u64 esr, u64 far)
{
	u32 class = class_of(esr);

	note_exception(esr, far);
	switch (class) {
	case EC_BRK:
		trap_user_exception(r, SIGTRAP, TRAP_BRKPT, r->pc, class, esr);
		break;
	case EC_STEP:
		r->pstate &= ~PSTATE_SS;
		trap_user_exception(r, SIGTRAP, TRAP_TRACE, r->pc, class, esr);
		break;
	case EC_BREAKPOINT:
	case EC_WATCHPOINT:
		trap_user_exception(r, SIGTRAP, TRAP_HWBKPT, far, class, esr);
		break;
	case EC_PC_ALIGN:
		trap_user_exception(r, SIGBUS, BUS_ADRALN, far, class, esr);
		break;
	case EC_SP_ALIGN:
		trap_user_exception(r, SIGBUS, BUS_ADRALN, r->sp, class, esr);
		break;
	case EC_FP_TRAP:
		trap_user_exception(r, SIGFPE, fp_code(esr), r->pc, class, esr);
		break;
	default:
		trap_user_exception(r, SIGILL, ILL_ILLOPC, r->pc, class, esr);
	}
}

static void user_exit(struct regs *r)
{
	while (unlikely(trap_work_pending()))
		trap_user_exit(r);
}

void arch_syscall(struct regs *r)
{
	trap_syscall(r);
	user_exit(r);
}

void arch_trap_user(struct regs *r, u64 esr, u64 far)
{
	u32 class = class_of(esr);

	if (class == EC_DATA_USER || class == EC_FETCH_USER)
		user_abort(r, esr, far);
	else
		user_exception(r, esr, far);
	user_exit(r);
}

void arch_irq_user(struct regs *r)
{
	irq_take();
	user_exit(r);
}

void arch_trap_kernel(struct regs *r, u64 esr, u64 far)
{
	if (class_of(esr) == EC_DATA_KERNEL && far < USER_VA_END && fault_kind(esr)) {
		bool is_resolved = trap_page_fault(far, fault_access(esr) | FAULT_KERNEL);

		fault_done(esr, far);
		if (is_resolved)
			return;
	}
	if (extable_apply(r))
		return;
	panic_at(r, far, "kernel exception, syndrome 0x%lx, address 0x%lx", esr, far);
}

noreturn_fn void arch_trap_bad(struct regs *r, u64 esr, u64 far)
{
	panic_at(r, far, "exception of a kind that cannot be, syndrome 0x%lx", esr);
}
