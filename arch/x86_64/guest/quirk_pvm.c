// SPDX-License-Identifier: Apache-2.0
/*
 * quirk_pvm - living on a software KVM that emulates ring 0
 *
 * Role      Some hosts have a /dev/kvm without hardware behind it: ring 3 runs natively, ring 0 is emulated one
 *           instruction at a time. There `syscall` jumps to LSTAR but leaves the CPU in ring 3, and the
 *           emulator lacks sysret, xsave, clac/stac and other newer instructions that CPUID announces.
 *           quirk_probe() finds out with one harmless system call at boot; hosts with hardware KVM pay for
 *           the probe and nothing else.
 * Rules     The probe runs `syscall` in ring 3 with LSTAR on a page that ring 3 may execute and that holds ud2.
 *           Real hardware arrives there in ring 0, the software KVM in ring 3; the #UD handler sees which.
 *           If it was ring 3, LSTAR stays there: every system call then is a #UD whose RCX and R11 hold the
 *           return address and flags, and goes back by iretq like any exception. Features the emulator
 *           lacks are switched off (SMAP, SMEP, UMIP).
 *           Programs see the real CPU's vector registers, which only ring 3 can save: the kernel goes there
 *           for one xsave or xrstor, with interrupts off, on a page of this CPU that ring 3 may write, and comes back
 *           by #UD. Only the components in use are copied.
 * Missing   On such hosts the page that vector state passes through can be read and written by the programs of
 *           the same sandbox.
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/param.h"
#include "arch/regs.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define PTE_U	 0x004ull
#define PTE_ADDR 0x000ffffffffff000ull

extern const char kernel_utext[], quirk_probe_user[];
extern const char quirk_xsave_user[], quirk_xsave_done[], quirk_xrstor_user[], quirk_xrstor_done[];

bool arch_prefers_fresh_pages;
static bool is_probing;

/* The user-executable page, and the jump to ring 3 and back. */
__asm__(".pushsection .utext, \"ax\"\n"
	"	.align 64\n"
	"	ud2\n" /* where LSTAR points */
	"	.align 64\n"
	"	.globl quirk_probe_user\n"
	"quirk_probe_user:\n"
	"	syscall\n"
	"	ud2\n"
	"	.globl quirk_xsave_user, quirk_xsave_done, quirk_xrstor_user, quirk_xrstor_done\n"
	"quirk_xsave_user:\n"
	"	xsave64 (%r8)\n"
	"quirk_xsave_done:\n"
	"	ud2\n"
	"quirk_xrstor_user:\n"
	"	xrstor64 (%r8)\n"
	"quirk_xrstor_done:\n"
	"	ud2\n"
	".popsection\n"
	".pushsection .text\n"
	"quirk_enter:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%r9)\n" /* where to come back to */
	"	pushq %rsi\n"	    /* ss */
	"	pushq %rcx\n"	    /* sp: ring 0 faults on it when syscall works as it should */
	"	pushq $2\n"	    /* flags: interrupts stay off */
	"	pushq %rdx\n"	    /* cs */
	"	pushq %rdi\n"	    /* ip */
	"	movl $-1, %eax\n"   /* component mask of xsave */
	"	movl $-1, %edx\n"
	"	swapgs\n"
	"	iretq\n"
	"	.globl quirk_resume\n"
	"quirk_resume:\n" /* rdi: saved stack pointer */
	"	movq %rdi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".popsection\n");
/* Returns when the code at ip runs into an ud2 that quirk_end_probe() or quirk_end_fpu() knows. */
void quirk_enter(u64 ip, u64 ss, u64 cs, u64 sp, void *area, u64 *saved_sp);
static u64 saved_sp[MAX_CPUS];
static u8 fpu_area[MAX_CPUS][PAGE_SIZE] __attribute__((aligned(4096)));

static noreturn_fn void resume(void)
{
	__asm__ volatile("jmp quirk_resume" : : "D"(saved_sp[this_cpu()->id]));
	__builtin_unreachable();
}

/* The page is mapped like kernel text until now; give ring 3 access to it, at every level. */
static void set_user_page(u64 va, bool user)
{
	u64 *table = (u64 *)(0xffff800000000000ull + (read_cr3() & PTE_ADDR));
	u64 cr0 = read_cr0();
	u32 level;

	write_cr0(cr0 & ~(u64)CR0_WP);
	for (level = 4; level >= 1; level--) {
		u64 *e = &table[va >> (12 + 9 * (level - 1)) & 511];

		if (user || level == 1)
			*e = user ? *e | PTE_U : *e & ~PTE_U;
		table = (u64 *)(0xffff800000000000ull + (*e & PTE_ADDR));
	}
	write_cr0(cr0);
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

u64 quirk_syscall_entry(void)
{
	return (u64)kernel_utext;
}

void quirk_probe(void)
{
	struct cpu *c = this_cpu();
	static u8 probe_stack[1024] __attribute__((aligned(16)));

	set_user_page((u64)kernel_utext, true);
	wrmsr(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)kernel_utext);
	wrmsr(MSR_SFMASK, FLAGS_IF | FLAGS_TF | FLAGS_DF | FLAGS_AC | FLAGS_NT);
	cpu_set_kernel_stack(c, (u64)probe_stack + sizeof probe_stack);
	is_probing = true;
	quirk_enter((u64)quirk_probe_user, USER_DS, USER_CS,
		    (u64)probe_stack + sizeof probe_stack / 2, NULL, &saved_sp[0]);
	is_probing = false;
	if (!features.syscall_by_ud) {
		set_user_page((u64)kernel_utext, false);
		return;
	}
	arch_prefers_fresh_pages = true;
	features.smap = false;
	features.umip = false;
	features.smep = false;
	features.xsaveopt = false;
	features.xsave_in_user = features.xsave;
	for (u32 i = 0; features.xsave && i < MAX_CPUS; i++)
		set_user_page((u64)fpu_area[i], true);
}

/* The #UD of the probe, in ring 3 (software KVM) or in ring 0 with the application's GS still in place. */
void quirk_end_probe(struct regs *r)
{
	if (!is_probing || r->ip != (u64)kernel_utext)
		return;
	features.syscall_by_ud = regs_from_user(r);
	if (!regs_from_user(r))
		__asm__ volatile("swapgs");
	resume();
}

/* The ud2 behind the xsave or xrstor of quirk_fpu(). */
void quirk_end_fpu(struct regs *r)
{
	if (features.xsave_in_user &&
	    (r->ip == (u64)quirk_xsave_done || r->ip == (u64)quirk_xrstor_done))
		resume();
}

/* The stack of the running task is in use up to here: the way back in must not start at its top. */
static void run_in_user(const char *code)
{
	struct cpu *c = this_cpu();
	u64 top = c->arch.kstack_top;

	cpu_set_trap_stack(c, cpu_scratch_stack(c));
	quirk_enter((u64)code, USER_DS, USER_CS, 0, fpu_area[c->id], &saved_sp[c->id]);
	cpu_set_trap_stack(c, top);
}

#define XSTATE_BV	 512
#define XSAVE_BASE_BYTES 576

static void copy_components(u8 *dst, const u8 *src, u64 bv)
{
	u32 i;

	memcpy(dst, src, XSAVE_BASE_BYTES);
	for (i = 2; i < 8; i++)
		if (bv >> i & 1 && features.xcr0 >> i & 1)
			memcpy(dst + features.xcomp[i].offset, src + features.xcomp[i].offset,
			       features.xcomp[i].size);
}

void quirk_fpu_save(void *state)
{
	const u8 *area = fpu_area[this_cpu()->id];
	u64 bv;

	run_in_user(quirk_xsave_user);
	memcpy(&bv, area + XSTATE_BV, sizeof bv);
	copy_components(state, area, bv);
}

void quirk_fpu_restore(const void *state)
{
	u64 bv;

	memcpy(&bv, (const u8 *)state + XSTATE_BV, sizeof bv);
	copy_components(fpu_area[this_cpu()->id], state, bv);
	run_in_user(quirk_xrstor_user);
}

bool quirk_take_syscall(struct regs *r)
{
	if (r->ip != (u64)kernel_utext)
		return false;
	r->ip = r->cx;
	r->flags = (r->r11 & FLAGS_USER) | FLAGS_FIXED | FLAGS_IF;
	r->orig_ax = r->ax;
	return true;
}
