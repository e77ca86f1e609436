// SPDX-License-Identifier: Apache-2.0
/*
 * trace - register sets and single steps of aarch64
 *
 * Role      See arch/trace.h.
 * Rules     Stepping: MDSCR_EL1.SS of the CPU while the thread runs, and PSTATE.SS, which says that the one instruction is
 *           still to come. The kernel itself is not stepped (MDSCR_EL1.KDE is 0).
 * Missing   hardware breakpoints and watchpoints: their sets say that there are none; NT_ARM_PAC_MASK, NT_ARM_SVE.
 * See       Arm ARM D2.12 (software step)
 */
#include "arch/trace.h"

#include "arch/aarch64/guest/admit.h"
#include "arch/aarch64/guest/fpu.h"
#include "arch/aarch64/guest/local.h"
#include "arch/param.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/elf.h"
#include "guestkernel/uapi/ptrace.h"

#define MDSCR_SS	1u
#define DEBUG_ARCH_NONE (6u << 8) /* ARMv8, no slots */

struct general_set {
	u64 x[31], sp, pc, pstate;
};

struct vector_set {
	u64 v[64];
	u32 fpsr, fpcr, reserved[2];
};
BUILD_BUG_ON(sizeof(struct vector_set) != 528);

u32 arch_regset_size(u32 note)
{
	switch (note) {
	case NT_PRSTATUS:
		return sizeof(struct general_set);
	case NT_PRFPREG:
		return sizeof(struct vector_set);
	case NT_ARM_TLS:
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		return sizeof(u64);
	case NT_ARM_SYSTEM_CALL:
		return sizeof(u32);
	}
	return 0;
}

void arch_regset_get(struct arch_thread *t, u32 note, void *buf)
{
	const struct regs *r = arch_thread_regs(t);
	u64 hw = DEBUG_ARCH_NONE;
	u32 nr = (u32)r->syscallno;

	switch (note) {
	case NT_PRSTATUS:
		memcpy(buf, r, sizeof(struct general_set));
		break;
	case NT_PRFPREG:
		memset(buf, 0, sizeof(struct vector_set));
		memcpy(buf, t->fpu, offsetof(struct vector_set, reserved));
		break;
	case NT_ARM_TLS:
		memcpy(buf, &t->tls, sizeof t->tls);
		break;
	case NT_ARM_SYSTEM_CALL:
		memcpy(buf, &nr, sizeof nr);
		break;
	default:
		memcpy(buf, &hw, sizeof hw);
	}
}

int arch_regset_set(struct arch_thread *t, u32 note, void *buf)
{
	const struct general_set *g = buf;
	struct regs *r = arch_thread_regs(t);
	u64 pstate;
	s32 nr;

	BUILD_BUG_ON(offsetof(struct regs, pstate) != offsetof(struct general_set, pstate));
	BUILD_BUG_ON(offsetof(struct fpu_state, fpcr) != offsetof(struct vector_set, fpcr));
	switch (note) {
	case NT_PRSTATUS:
		if (!admit_pstate(g->pstate, &pstate))
			return -EINVAL;
		memcpy(r, g, offsetof(struct general_set, pstate));
		r->pstate = pstate;
		return 0;
	case NT_PRFPREG:
		memcpy(t->fpu, buf, offsetof(struct vector_set, reserved));
		t->fpu_cpu = FPU_IN_MEMORY;
		return 0;
	case NT_ARM_TLS:
		memcpy(&t->tls, buf, sizeof t->tls);
		return 0;
	case NT_ARM_SYSTEM_CALL:
		memcpy(&nr, buf, sizeof nr);
		r->syscallno = (u64)(s64)nr;
		return 0;
	}
	return -EINVAL;
}

u32 arch_ptrace_regset(u64 request, bool *is_write)
{
	(void)request;
	*is_write = false;
	return 0;
}

int arch_user_word_get(struct arch_thread *t, u64 off, u64 *word)
{
	(void)t;
	(void)off;
	(void)word;
	return -EIO;
}

int arch_user_word_set(struct arch_thread *t, u64 off, u64 word)
{
	(void)t;
	(void)off;
	(void)word;
	return -EIO;
}

int arch_trace_prctl(struct arch_thread *t, u64 code, u64 *value)
{
	(void)t;
	(void)code;
	(void)value;
	return -EIO;
}

void step_load(bool on)
{
	write_sysreg(mdscr_el1, on ? MDSCR_SS : 0);
	isb();
}

bool arch_step_begin(void)
{
	struct arch_thread *t = (struct arch_thread *)current();

	arch_thread_regs(t)->pstate |= PSTATE_SS;
	t->is_stepped = true;
	step_load(true);
	return true;
}

void arch_step_end(struct arch_thread *t)
{
	arch_thread_regs(t)->pstate &= ~PSTATE_SS;
	if (t->is_stepped)
		step_load(false);
	t->is_stepped = false;
}
