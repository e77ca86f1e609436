// SPDX-License-Identifier: Apache-2.0
/*
 * thread - kernel stacks, switching, the user state of a task
 *
 * Role      See arch/thread.h.
 * Rules     Keys of pointer authentication are a program's: fresh at exec, inherited by clone; the kernel uses none.
 *           While a task runs its thread pointer and vector registers live in the CPU; arch_switch() moves them.
 *           A task's vector state is saved whenever it is switched out and loaded when it is switched in,
 *           unless this CPU still holds it (fpu_owner): going idle and back costs no load.
 * Missing   PR_PAC_SET_ENABLED_KEYS, PR_SET_TAGGED_ADDR_CTRL.
 */
#include "arch/thread.h"

#include "arch/aarch64/guest/local.h"
#include "arch/common/guest/thread.h"
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/trace.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/prctl.h"

void arch_thread_set_entry(struct arch_thread *t, void (*fn)(void *arg), void *arg)
{
	u64 *sp = (u64 *)thread_regs(t) - 12;

	memset(sp, 0, 96);
	sp[1] = (u64)thread_start; /* x30 */
	sp[2] = (u64)fn;	   /* x19 */
	sp[3] = (u64)arg;	   /* x20 */
	t->ksp = (u64)sp;
}

static void load_keys(const struct arch_thread *t)
{
	if (!features.pauth)
		return;
	write_sysreg(s3_0_c2_c1_0, t->pauth_key[0]);
	write_sysreg(s3_0_c2_c1_1, t->pauth_key[1]);
	write_sysreg(s3_0_c2_c1_2, t->pauth_key[2]);
	write_sysreg(s3_0_c2_c1_3, t->pauth_key[3]);
	write_sysreg(s3_0_c2_c2_0, t->pauth_key[4]);
	write_sysreg(s3_0_c2_c2_1, t->pauth_key[5]);
	write_sysreg(s3_0_c2_c2_2, t->pauth_key[6]);
	write_sysreg(s3_0_c2_c2_3, t->pauth_key[7]);
	write_sysreg(s3_0_c2_c3_0, t->pauth_key[8]);
	write_sysreg(s3_0_c2_c3_1, t->pauth_key[9]);
}

int arch_thread_clone(struct arch_thread *child, const struct regs *parent_regs, u64 new_sp,
		      bool set_tls, u64 tls)
{
	struct regs *r = thread_regs(child);
	int ret = thread_fpu_alloc(&child->fpu);

	if (ret)
		return ret;
	arch_fpu_save(child->fpu);
	*r = *parent_regs;
	r->x[0] = 0;
	if (new_sp)
		r->sp = new_sp;
	memcpy(child->pauth_key, ((struct arch_thread *)current())->pauth_key,
	       sizeof child->pauth_key);
	child->tls = set_tls ? tls : read_sysreg(tpidr_el0);
	return 0;
}

void arch_thread_exec(struct arch_thread *t, struct regs *r, u64 entry, u64 sp)
{
	if (!t->fpu && thread_fpu_alloc(&t->fpu))
		panic("no memory for the first program's registers");
	arch_fpu_init_state(t->fpu);
	arch_fpu_restore(t->fpu);
	this_cpu()->arch.fpu_owner = t->fpu;
	rand_bytes(t->pauth_key, sizeof t->pauth_key);
	load_keys(t);
	t->tls = 0;
	write_sysreg(tpidr_el0, 0);
	write_sysreg(tpidrro_el0, 0);
	memset(r, 0, offsetof(struct regs, orig_x0)); /* debuggers ask which call it was */
	r->pc = entry;
	r->sp = sp;
}

void arch_switch(struct arch_thread *prev, struct arch_thread *next)
{
	struct cpu *c = this_cpu();

	if (prev->fpu) {
		arch_fpu_save(prev->fpu);
		prev->tls = read_sysreg(tpidr_el0);
		c->arch.fpu_owner = prev->fpu;
		prev->fpu_cpu = c->id;
	}
	if (unlikely(prev->is_stepped != next->is_stepped))
		step_load(next->is_stepped);
	c->arch.current = (struct task *)next;
	if (next->fpu) {
		if (c->arch.fpu_owner != next->fpu || next->fpu_cpu != c->id) {
			arch_fpu_restore(next->fpu);
			c->arch.fpu_owner = next->fpu;
		}
		write_sysreg(tpidr_el0, next->tls);
		load_keys(next);
	}
	switch_stacks(&prev->ksp, next->ksp);
}

void arch_set_idle_thread(struct arch_thread *t)
{
	this_cpu()->arch.current = (struct task *)t;
}

s64 arch_thread_prctl(struct task *t, s32 code, u64 addr)
{
	(void)t;
	(void)code;
	(void)addr;
	return -EINVAL;
}

/* Which words of pauth_key an option of PR_PAC_RESET_KEYS names. */
static const struct {
	u64 option;
	u32 first;
} keys[] = {
	{PR_PAC_APIAKEY,  0},
	       { PR_PAC_APIBKEY, 2},
	      { PR_PAC_APDAKEY, 4},
	{ PR_PAC_APDBKEY, 6},
	       { PR_PAC_APGAKEY, 8},
};

/* The keys of the calling thread alone. */
static s64 reset_keys(u64 which)
{
	struct arch_thread *t = (struct arch_thread *)current();
	u64 known = 0;
	u32 i;

	if (!features.pauth)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		known |= keys[i].option;
	if (which & ~known)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!which || (which & keys[i].option))
			rand_bytes(&t->pauth_key[keys[i].first], 2 * sizeof t->pauth_key[0]);
	load_keys(t);
	return 0;
}

s64 arch_thread_option(s32 option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	if (option == PR_PAC_RESET_KEYS)
		return a3 || a4 || a5 ? -EINVAL : reset_keys(a2);
	return -EINVAL; /* PR_SVE_SET_VL too: as on a CPU without */
}

/* Programs run what they wrote. */
void arch_trace_begin(struct aspace *as)
{
	(void)as;
}
