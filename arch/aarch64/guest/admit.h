// SPDX-License-Identifier: Apache-2.0
/*
 * admit - what a program may have the kernel load into registers of aarch64: checked where it enters
 *
 * Role      ptrace and sigreturn ask here before they store a value.
 * INVARIANTS of struct regs and struct arch_thread, on which the ways out of the kernel rely
 *           pstate: EL0, AArch64, no interrupt or debug mask, no bit outside PSTATE_USER: neither another exception level
 *             nor the illegal state. PSTATE_SS is set only by arch_step_begin().
 *           pc, sp: anything; an eret to a wrong one succeeds, and EL0 faults there.
 *           tls, keys, vector registers, FPSR, FPCR: anything; msr of them never faults.
 * See       Arm ARM C5.2.19 (SPSR_EL1), tests/syscalls/aarch64/bad_registers.c
 */
#pragma once

#include "arch/aarch64/guest/arm64.h"

#define PSTATE_MODE  0x1full	  /* exception level, stack pointer, AArch32 */
#define PSTATE_MASKS (15ull << 6) /* D A I F */

/* False: no program can have it. Else *out is what is stored. */
static inline bool admit_pstate(u64 asked, u64 *out)
{
	if (asked & (PSTATE_MODE | PSTATE_MASKS))
		return false;
	*out = asked & PSTATE_USER & ~PSTATE_SS;
	if (!features.ssbs)
		*out &= ~PSTATE_SSBS;
	if (!features.bti)
		*out &= ~PSTATE_BTYPE;
	return true;
}
