// SPDX-License-Identifier: Apache-2.0
/*
 * thread - kernel stacks, switching, the user state of a task
 *
 * Role      See arch/thread.h.
 * Rules     While a task runs its FS/GS bases and vector registers live in the CPU; arch_switch() moves them.
 *           The GS base of the application sits in KERNEL_GS_BASE while the kernel runs.
 *           A task's vector state is saved whenever it is switched out and loaded when it is switched in,
 *           unless this CPU still holds it (fpu_owner): going idle and back costs no load.
 */
#include "arch/thread.h"

#include "arch/common/guest/thread.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/trace.h"
#include "arch/param.h"
#include "arch/x86_64/guest/admit.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/main.h"
#include "guestkernel/uapi/prctl.h"

void arch_thread_set_entry(struct arch_thread *t, void (*fn)(void *arg), void *arg)
{
	u64 *sp = (u64 *)thread_regs(t);

	*--sp = 0; /* keeps the stack 16-byte aligned at the call in thread_start */
	*--sp = (u64)thread_start;
	*--sp = 0;	  /* rbp */
	*--sp = 0;	  /* rbx */
	*--sp = (u64)fn;  /* r12 */
	*--sp = (u64)arg; /* r13 */
	*--sp = 0;	  /* r14 */
	*--sp = 0;	  /* r15 */
	t->ksp = (u64)sp;
}

static void read_bases(struct arch_thread *t)
{
	if (features.fsgsbase)
		__asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
	else
		t->fs_base = rdmsr(MSR_FS_BASE);
	t->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

static void load_bases(const struct arch_thread *t)
{
	if (features.fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(t->fs_base));
	else
		wrmsr(MSR_FS_BASE, t->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, t->gs_base);
}

int arch_thread_clone(struct arch_thread *child, const struct regs *parent_regs, u64 new_sp,
		      bool set_tls, u64 tls)
{
	struct regs *r = thread_regs(child);
	int ret;

	if (set_tls && !admit_base(tls))
		return -EPERM;
	ret = thread_fpu_alloc(&child->fpu);
	if (ret)
		return ret;
	arch_fpu_save(child->fpu);
	read_bases(child);
	*r = *parent_regs;
	r->ax = 0;
	if (new_sp)
		r->sp = new_sp;
	if (set_tls)
		child->fs_base = tls;
	return 0;
}

void arch_thread_exec(struct arch_thread *t, struct regs *r, u64 entry, u64 sp)
{
	if (!t->fpu && thread_fpu_alloc(&t->fpu))
		panic("no memory for the first program's registers");
	arch_fpu_init_state(t->fpu);
	arch_fpu_restore(t->fpu);
	this_cpu()->arch.fpu_owner = t->fpu;
	t->fs_base = 0;
	t->gs_base = 0;
	load_bases(t);
	memset(r, 0, offsetof(struct regs, orig_ax)); /* debuggers ask which call it was */
	r->ip = entry;
	r->sp = sp;
	r->cs = USER_CS;
	r->ss = USER_DS;
	r->flags = FLAGS_FIXED | FLAGS_IF;
}

void arch_switch(struct arch_thread *prev, struct arch_thread *next)
{
	struct cpu *c = this_cpu();

	if (prev->fpu) {
		arch_fpu_save(prev->fpu);
		read_bases(prev);
		c->arch.fpu_owner = prev->fpu;
		prev->fpu_cpu = c->id;
	}
	c->arch.current = (struct task *)next;
	cpu_set_kernel_stack(c, next->kstack_top);
	if (next->fpu) {
		if (c->arch.fpu_owner != next->fpu || next->fpu_cpu != c->id) {
			arch_fpu_restore(next->fpu);
			c->arch.fpu_owner = next->fpu;
		}
		load_bases(next);
	}
	switch_stacks(&prev->ksp, next->ksp);
}

void arch_set_idle_thread(struct arch_thread *t)
{
	struct cpu *c = this_cpu();

	c->arch.current = (struct task *)t;
	cpu_set_kernel_stack(c, t->kstack_top);
}

s64 arch_thread_prctl(struct task *t, s32 code, u64 addr)
{
	u64 v;

	(void)t;
	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (!admit_base(addr))
			return -EPERM;
		if (code == ARCH_SET_GS)
			wrmsr(MSR_KERNEL_GS_BASE, addr);
		else if (features.fsgsbase)
			__asm__ volatile("wrfsbase %0" : : "r"(addr));
		else
			wrmsr(MSR_FS_BASE, addr);
		return 0;
	case ARCH_GET_FS:
		v = rdmsr(MSR_FS_BASE);
		return put_user(UADDR(addr), v);
	case ARCH_GET_GS:
		v = rdmsr(MSR_KERNEL_GS_BASE);
		return put_user(UADDR(addr), v);
	}
	return -EINVAL;
}

s64 arch_thread_option(s32 option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	return -EINVAL;
}

/* Programs run what they wrote. */
void arch_trace_begin(struct aspace *as)
{
	(void)as;
}
