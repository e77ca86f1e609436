// SPDX-License-Identifier: Apache-2.0
/*
 * thread - kernel stacks, switching, the user state of a task
 *
 * Role      See arch/thread.h.
 * Rules     The application's FS and GS bases are in arch_thread whenever the kernel runs: user.c copies them from
 *           and to the application thread. Vector state: fpu.c.
 */
#include "arch/thread.h"

#include "arch/common/guest/thread.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/trace.h"
#include "arch/param.h"
#include "arch/process/guest/local.h"
#include "arch/x86_64/guest/admit.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/main.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/uapi/prctl.h"

void switch_stacks(u64 *save_sp, u64 load_sp);
void thread_start(void);

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

int arch_thread_clone(struct arch_thread *child, const struct regs *parent_regs, u64 new_sp,
		      bool set_tls, u64 tls)
{
	const struct arch_thread *parent = (const struct arch_thread *)current();
	struct regs *r = thread_regs(child);
	int ret;

	if (set_tls && !admit_base(tls))
		return -EPERM;
	ret = thread_fpu_alloc(&child->fpu);
	if (ret)
		return ret;
	arch_fpu_save(child->fpu);
	child->fpu_cpu = FPU_IN_MEMORY;
	child->fs_base = set_tls ? tls : parent->fs_base;
	child->gs_base = parent->gs_base;
	*r = *parent_regs;
	r->ax = 0;
	if (new_sp)
		r->sp = new_sp;
	return 0;
}

void arch_thread_exec(struct arch_thread *t, struct regs *r, u64 entry, u64 sp)
{
	if (!t->fpu && thread_fpu_alloc(&t->fpu))
		panic("no memory for the first program's registers");
	arch_fpu_init_state(t->fpu);
	t->fpu_cpu = FPU_IN_MEMORY;
	t->fs_base = 0;
	t->gs_base = 0;
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

	if (prev->fpu && prev->fpu_cpu == c->id)
		arch_fpu_save(prev->fpu);
	c->arch.current = (struct task *)next;
	c->arch.kstack_top = next->kstack_top;
	switch_stacks(&prev->ksp, next->ksp);
}

void arch_set_idle_thread(struct arch_thread *t)
{
	struct cpu *c = this_cpu();

	c->arch.current = (struct task *)t;
	c->arch.kstack_top = t->kstack_top;
}

s64 arch_thread_prctl(struct task *task, s32 code, u64 addr)
{
	struct arch_thread *t = (struct arch_thread *)task;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (!admit_base(addr))
			return -EPERM;
		if (code == ARCH_SET_GS)
			t->gs_base = addr;
		else
			t->fs_base = addr;
		return 0;
	case ARCH_GET_FS:
		return put_user(UADDR(addr), t->fs_base);
	case ARCH_GET_GS:
		return put_user(UADDR(addr), t->gs_base);
	}
	return -EINVAL;
}

s64 arch_thread_option(s32 option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	return -EINVAL;
}

void arch_trace_begin(struct aspace *as)
{
	struct space *sp = (struct space *)as->arch.context;

	rewrite_undo(as, sp ? &sp->rewrite : NULL);
}
