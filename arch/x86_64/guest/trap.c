// SPDX-License-Identifier: Apache-2.0
/*
 * trap - exceptions, interrupts and system calls into the portable kernel
 *
 * Role      Called by entry.S with the full frame. Before it goes back to user mode, every path runs
 *           trap_user_exit() until nothing is pending and the instruction pointer is one to go to.
 * Rules     A fault of the kernel itself is resolved (application memory), ends at its fixup, or is a panic.
 * See       Intel SDM volume 3, chapter 6
 */
#include "guestkernel/trap.h"

#include "arch/common/guest/extable.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/irq.h"
#include "arch/param.h"
#include "arch/x86_64/guest/admit.h"
#include "arch/x86_64/guest/fpu.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/panic.h"
#include "guestkernel/uapi/signal.h"

enum vector {
	VEC_DE = 0,
	VEC_DB = 1,
	VEC_NMI = 2,
	VEC_BP = 3,
	VEC_OF = 4,
	VEC_UD = 6,
	VEC_DF = 8,
	VEC_SS = 12,
	VEC_GP = 13,
	VEC_PF = 14,
	VEC_MF = 16,
	VEC_AC = 17,
	VEC_XM = 19,
};

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER	   4u
#define PF_FETCH   16u

static u32 fault_access(u64 error_code)
{
	u32 access = error_code & PF_WRITE   ? FAULT_WRITE
		     : error_code & PF_FETCH ? FAULT_EXEC
					     : FAULT_READ;

	return error_code & PF_PRESENT ? access | FAULT_PRESENT : access;
}

/* Read from the saved image: not every host's ring 0 has the instructions that store a control word (quirk_pvm.c). */
static const struct fpu_state *saved_fpu(void)
{
	struct fpu_state *s = ((struct arch_thread *)current())->fpu;

	arch_fpu_save(s);
	return s;
}

static void user_exception(struct regs *r, u32 vec, u64 err)
{
	switch (vec) {
	case VEC_DE:
		trap_user_exception(r, SIGFPE, FPE_INTDIV, r->ip, vec, err);
		break;
	case VEC_DB:
		trap_user_exception(r, SIGTRAP, TRAP_TRACE, r->ip, vec, err);
		break;
	case VEC_BP:
		trap_user_exception(r, SIGTRAP, SI_KERNEL, 0, vec, err);
		break;
	case VEC_UD:
		trap_user_exception(r, SIGILL, ILL_ILLOPN, r->ip, vec, err);
		break;
	case VEC_MF:
		trap_user_exception(r, SIGFPE, fpu_x87_code(saved_fpu()), r->ip, vec, err);
		break;
	case VEC_XM:
		trap_user_exception(r, SIGFPE, fpu_simd_code(saved_fpu()), r->ip, vec, err);
		break;
	case VEC_AC:
		trap_user_exception(r, SIGBUS, BUS_ADRALN, 0, vec, err);
		break;
	case VEC_SS:
		trap_user_exception(r, SIGBUS, SI_KERNEL, 0, vec, err);
		break;
	case VEC_DF:
	case VEC_NMI:
	case 18:
		panic("exception %u from user mode", vec);
	default:
		trap_user_exception(r, SIGSEGV, SI_KERNEL, 0, vec, err);
	}
}

/* Interrupts are the same from user mode and from the idle loop. */
static bool interrupt(u32 vec)
{
	switch (vec) {
	case VEC_TIMER:
		irq_eoi();
		trap_timer();
		return true;
	case VEC_IPI:
		irq_eoi();
		ipi_serve();
		trap_resched();
		return true;
	case VEC_EVENT:
		irq_eoi();
		trap_host_event();
		return true;
	case VEC_SPURIOUS:
		return true;
	}
	return false;
}

static void user_exit(struct regs *r)
{
	for (;;) {
		while (unlikely(trap_work_pending()))
			trap_user_exit(r);
		if (likely(r->ip < USER_VA_END))
			return;
		admit_bad_ip((struct arch_thread *)current(), r);
	}
}

noreturn_fn void arch_user_enter(struct regs *r)
{
	user_exit(r);
	user_enter_frame(r);
}

/* Apart, so that the common way saves no registers for it. */
static __attribute__((noinline)) bool exit_by_iret(struct regs *r)
{
	user_exit(r);
	return false;
}

/* True when sysret restores the frame exactly: to an address of the lower half, lest it fault in the kernel. */
bool arch_syscall(struct regs *r)
{
	r->flags |= FLAGS_IF;
	trap_syscall(r);
	while (unlikely(trap_work_pending()))
		trap_user_exit(r);
	if (likely(!((r->cx ^ r->ip) | ((r->r11 ^ r->flags) & ~(u64)FLAGS_RF) |
		     (r->flags & FLAGS_TF) | r->ip >> 47)))
		return true;
	return exit_by_iret(r);
}

static void note_exception(u32 vec, u64 err, u64 addr)
{
	struct arch_thread *t = (struct arch_thread *)current();

	t->last = (struct exception){ vec, err, addr };
}

static void user_page_fault(struct regs *r, u64 err)
{
	u64 addr = read_cr2();

	/* What is mapped in the kernel's half is not told: always a protection fault, as on Linux. */
	note_exception(VEC_PF, addr >= USER_VA_END ? err | PF_PRESENT : err, addr);
	/* An access of the CPU itself, to a descriptor table (QEMU: also to the stack of a far return): no page helps. */
	if (unlikely(!(err & PF_USER)))
		trap_user_exception(r, SIGSEGV, SI_KERNEL, 0, VEC_PF, err);
	else
		trap_page_fault(addr, fault_access(err));
}

void arch_trap_user(struct regs *r, u32 vec)
{
	u64 err = r->orig_ax;

	if (vec == VEC_UD && features.syscall_by_ud && quirk_take_syscall(r)) {
		trap_syscall(r);
		user_exit(r);
		return;
	}
	if (unlikely(vec == VEC_UD)) {
		quirk_end_probe(r);
		quirk_end_fpu(r);
	}
	r->orig_ax = (u64)-1;
	if (vec == VEC_PF) {
		user_page_fault(r, err);
	} else if (!interrupt(vec)) {
		note_exception(vec, err, 0);
		user_exception(r, vec, err);
	}
	user_exit(r);
}

void arch_trap_kernel(struct regs *r, u32 vec)
{
	u64 addr;

	if (unlikely(vec == VEC_UD))
		quirk_end_probe(r);
	if (interrupt(vec)) {
		irq_leave_idle(r);
		return;
	}
	if (vec == VEC_PF) {
		addr = read_cr2();
		if (addr < USER_VA_END &&
		    trap_page_fault(addr, fault_access(r->orig_ax) | FAULT_KERNEL))
			return;
		if (extable_apply(r))
			return;
		panic_at(r, addr, "kernel page fault at 0x%lx, error 0x%lx", addr, r->orig_ax);
	}
	if (extable_apply(r))
		return;
	panic_at(r, 0, "kernel exception %u, error 0x%lx", vec, r->orig_ax);
}
