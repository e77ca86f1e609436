// SPDX-License-Identifier: Apache-2.0
/*
 * user - leaving for application code and coming back: system calls, faults, exceptions
 *
 * Role      arch_user_enter() runs user_loop() on the task's kernel stack, right below its registers; it never
 *           returns. What the application thread stored in its area becomes struct regs and one of trap_*().
 * Rules     Every field of an area is copied before it is looked at. Addresses at and above USER_VA_END are never
 *           jumped to; a program cannot have its bases where the stub could not load them. A stub that broke its own rules ends the task with SIGKILL.
 * See       arch/process/stub/stub.S
 */
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/process/guest/local.h"
#include "arch/x86_64/guest/admit.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/task.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/signal.h"

#define AUDIT_X86_64 0xc000003eu
#define VEC_DB	     1
#define VEC_PF	     14
#define VEC_AC	     17
#define PF_PRESENT   1u
#define PF_WRITE     2u
#define PF_USER	     4u
#define PF_FETCH     16u

enum reg_word { R8, R9, R10, R11, R12, R13, R14, R15, DI, SI, BP, BX, DX, AX, CX, SP, IP, FLAGS };

/* What the thread said about why it stopped. */
struct entry {
	u32 sig, arch;
	s32 code;
	u64 addr, err, trapno, cr2;
};

__asm__(".pushsection .text\n"
	"	.globl arch_user_enter\n"
	"arch_user_enter:\n"
	"	movq %rdi, %rsp\n"
	"	andq $-16, %rsp\n"
	"	xorl %ebp, %ebp\n"
	"	call user_loop\n"
	"	ud2\n"
	".popsection\n");

/* The GS base of programs that have none: their area's address, for fast_entry. */
static u64 area_address(void)
{
	return PM_STUB_AREA + this_cpu()->id * PM_STUB_AREA_BYTES;
}

static void load_area(struct area *a, const struct regs *r, const struct arch_thread *t)
{
	u64 *w = a->regs;

	w[R8] = r->r8;
	w[R9] = r->r9;
	w[R10] = r->r10;
	w[R11] = r->r11;
	w[R12] = r->r12;
	w[R13] = r->r13;
	w[R14] = r->r14;
	w[R15] = r->r15;
	w[DI] = r->di;
	w[SI] = r->si;
	w[BP] = r->bp;
	w[BX] = r->bx;
	w[DX] = r->dx;
	w[AX] = r->ax;
	w[CX] = r->cx;
	w[SP] = r->sp;
	w[IP] = r->ip;
	w[FLAGS] = (r->flags & FLAGS_USER) | FLAGS_FIXED | FLAGS_IF;
	a->fs_base = t->fs_base;
	a->gs_base = t->gs_base ? t->gs_base : area_address();
}

/* No program's instruction makes another one; a forger gets none. */
static u64 admitted_base(u64 base)
{
	return likely(is_canonical(base)) ? base : 0;
}

static void store_regs(struct regs *r, struct arch_thread *t, const struct area *a)
{
	const volatile u64 *w = a->regs;

	*r = (struct regs){
		.r8 = w[R8],
		.r9 = w[R9],
		.r10 = w[R10],
		.r11 = w[R11],
		.r12 = w[R12],
		.r13 = w[R13],
		.r14 = w[R14],
		.r15 = w[R15],
		.di = w[DI],
		.si = w[SI],
		.bp = w[BP],
		.bx = w[BX],
		.dx = w[DX],
		.ax = w[AX],
		.cx = w[CX],
		.sp = w[SP],
		.ip = w[IP],
		.flags = (w[FLAGS] & FLAGS_USER) | FLAGS_FIXED | FLAGS_IF,
		.cs = USER_CS,
		.ss = USER_DS,
		.orig_ax = (u64)-1,
	};
	t->fs_base = admitted_base(READ_ONCE(a->fs_base));
	t->gs_base = admitted_base(READ_ONCE(a->gs_base));
	if (likely(t->gs_base == area_address()))
		t->gs_base = 0;
}

static void kill_task(const char *why)
{
	log_err("process %u killed: %s", current()->group->tgid, why);
	task_fault_signal(SIGKILL, SI_KERNEL, 0, 0);
}

static void note_exception(const struct entry *e, u64 addr)
{
	struct arch_thread *t = (struct arch_thread *)current();

	t->last = (struct exception){ e->trapno, e->err, addr };
}

static void page_fault(struct regs *r, const struct entry *e)
{
	struct arch_aspace *as = &current()->mm->arch;
	bool is_write = e->err & PF_WRITE, is_exec = e->err & PF_FETCH, present = false;
	u32 access = is_write ? FAULT_WRITE : is_exec ? FAULT_EXEC : FAULT_READ;

	if (e->cr2 < USER_VA_END && space_fault(as, e->cr2, is_write, is_exec, &present))
		return;
	note_exception(e, e->cr2);
	if (e->sig == SIGBUS && present) { /* the host has no memory for it, or the file shrank */
		trap_user_exception(r, SIGBUS, BUS_ADRERR, e->cr2, VEC_PF, e->err);
		return;
	}
	trap_page_fault(e->cr2, present ? access | FAULT_PRESENT : access);
}

static void exception(struct regs *r, const struct entry *e)
{
	u64 addr = e->addr;
	s32 code = e->code;

	note_exception(e, 0);
	if (e->sig == SIGSEGV || (e->sig == SIGBUS && e->trapno != VEC_AC)) {
		code = SI_KERNEL;
		addr = 0;
	}
	trap_user_exception(r, (s32)e->sig, code, addr, (u32)e->trapno, e->err);
}

static bool is_executable(struct arch_aspace *as, u64 va)
{
	paddr_t pa;
	u32 flags = 0;
	bool is_there;

	spin_lock(&current()->mm->pt_lock);
	is_there = arch_mmu_query(as, va, &pa, &flags);
	spin_unlock(&current()->mm->pt_lock);
	return is_there && (flags & MMU_Q_EXEC);
}

/* Whether there is a `syscall` before r->ip. Where a call came from is the area's word; filters of seccomp(2) may rely on it,
 * and may as long as the program could have jumped to that instruction with these registers anyway. */
static bool came_by_instruction(const struct regs *r)
{
	struct aspace *as = current()->mm;
	u8 code[2];

	if (likely(!seccomp_is_on(current())))
		return true;
	return r->ip > sizeof code &&
	       aspace_access(as, r->ip - sizeof code, code, sizeof code, false, true) ==
		       sizeof code &&
	       code[0] == 0x0f && code[1] == 0x05 && is_executable(&as->arch, r->ip - 2) &&
	       is_executable(&as->arch, r->ip - 1);
}

static void system_call(struct regs *r, struct space *space, const struct entry *e)
{
	if (unlikely(e->arch != AUDIT_X86_64 || r->ip >= USER_VA_END)) {
		/* int 0x80 and the old vsyscall page: there is nothing there */
		trap_user_exception(r, SIGSEGV, SI_KERNEL, 0, 13, 0);
		return;
	}
	if (unlikely(!came_by_instruction(r))) {
		kill_task("there is no system call instruction where it says it made one");
		return;
	}
	r->orig_ax = r->ax;
	rewrite_count(&space->rewrite, r);
	trap_syscall(r);
}

static void fast_call(struct regs *r)
{
	if (unlikely(r->ip >= USER_VA_END)) {
		trap_user_exception(r, SIGSEGV, SI_KERNEL, 0, 13, 0);
		return;
	}
	if (unlikely(!came_by_instruction(r))) {
		kill_task("there is no system call instruction where it says it made one");
		return;
	}
	r->orig_ax = r->ax;
	trap_syscall(r);
}

static void dispatch(struct regs *r, struct space *space, const struct entry *e)
{
	switch (e->sig) {
	case ENTRY_FAST:
		fast_call(r);
		break;
	case SIGSYS:
		system_call(r, space, e);
		break;
	case SIGSEGV:
	case SIGBUS:
		if (e->trapno == VEC_PF)
			page_fault(r, e);
		else
			exception(r, e);
		break;
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
		exception(r, e);
		break;
	case SIG_PREEMPT:
		break;
	default:
		stub_break(space->stub);
		kill_task("it damaged the code that runs it");
	}
}

/* The first instruction of a new address space: a fault that is sure to come, taken before there is a stub to fault. */
static bool begins_with_fault(struct arch_aspace *as, u64 ip)
{
	paddr_t pa;
	u32 flags;
	bool missing;

	if (likely(as->context) || ip >= USER_VA_END)
		return false;
	spin_lock(&current()->mm->pt_lock);
	missing = !arch_mmu_query(as, ip, &pa, &flags);
	spin_unlock(&current()->mm->pt_lock);
	if (!missing)
		return false;
	note_exception(&(struct entry){ .trapno = VEC_PF, .err = PF_FETCH | PF_USER }, ip);
	trap_page_fault(ip, FAULT_EXEC);
	return true;
}

static void run_once(struct regs *r)
{
	struct arch_thread *t = (struct arch_thread *)current();
	struct arch_aspace *as = &current()->mm->arch;
	struct stub_thread *st;
	struct space *sp;
	struct entry e;
	struct area *a;

	if (begins_with_fault(as, r->ip))
		return;
	sp = space_ready(as);
	if (unlikely(!sp)) {
		kill_task("no host process to run it in");
		return;
	}
	if (unlikely(r->ip >= USER_VA_END)) {
		admit_bad_ip(t, r);
		return;
	}
	space_settle(as);
	st = &sp->stub->thread[this_cpu()->id];
	if (unlikely(!st->tid) && !space_make_thread(as)) {
		stub_break(sp->stub);
		kill_task("no host thread to run it in");
		return;
	}
	a = st->area;
	fpu_prepare_exit(st);
	load_area(a, r, t);
	if (unlikely(!handover_run(st))) {
		stub_break(sp->stub);
		kill_task("its host process does not answer, or will not stop");
		return;
	}
	e = (struct entry){
		.sig = READ_ONCE(a->sig),
		.arch = READ_ONCE(a->arch),
		.code = READ_ONCE(a->code),
		.addr = READ_ONCE(a->addr),
		.err = READ_ONCE(a->err),
		.trapno = READ_ONCE(a->trapno),
		.cr2 = READ_ONCE(a->cr2),
	};
	store_regs(r, t, a);
	st->fast = e.sig == ENTRY_FAST;
	fpu_note_entry(st, READ_ONCE(a->fp));
	dispatch(r, sp, &e);
}

noreturn_fn void user_loop(struct regs *r)
{
	for (;;) {
		while (unlikely(trap_work_pending()))
			trap_user_exit(r);
		run_once(r);
		interrupts_serve();
	}
}
