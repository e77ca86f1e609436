// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - the 32 vector registers and their two control registers
 *
 * Role      See arch/fpu.h. The same order goes into signal frames.
 * Missing   SVE.
 */
#include "arch/fpu.h"

#include "arch/aarch64/guest/arm64.h"
#include "arch/aarch64/guest/fpu.h"
#include "guestkernel/kapi/string.h"

BUILD_BUG_ON(offsetof(struct fpu_state, fpsr) != 512);

size_t arch_fpu_size(void)
{
	return sizeof(struct fpu_state);
}

void arch_fpu_init_state(struct fpu_state *s)
{
	memset(s, 0, sizeof *s);
}

void arch_fpu_save(struct fpu_state *s)
{
	__asm__ volatile(
		"stp q0, q1, [%0]; stp q2, q3, [%0, #32]; stp q4, q5, [%0, #64]\n"
		"stp q6, q7, [%0, #96]; stp q8, q9, [%0, #128]; stp q10, q11, [%0, #160]\n"
		"stp q12, q13, [%0, #192]; stp q14, q15, [%0, #224]; stp q16, q17, [%0, #256]\n"
		"stp q18, q19, [%0, #288]; stp q20, q21, [%0, #320]; stp q22, q23, [%0, #352]\n"
		"stp q24, q25, [%0, #384]; stp q26, q27, [%0, #416]; stp q28, q29, [%0, #448]\n"
		"stp q30, q31, [%0, #480]"
		:
		: "r"(s->v)
		: "memory");
	s->fpsr = (u32)read_sysreg(fpsr);
	s->fpcr = (u32)read_sysreg(fpcr);
}

void arch_fpu_restore(const struct fpu_state *s)
{
	__asm__ volatile(
		"ldp q0, q1, [%0]; ldp q2, q3, [%0, #32]; ldp q4, q5, [%0, #64]\n"
		"ldp q6, q7, [%0, #96]; ldp q8, q9, [%0, #128]; ldp q10, q11, [%0, #160]\n"
		"ldp q12, q13, [%0, #192]; ldp q14, q15, [%0, #224]; ldp q16, q17, [%0, #256]\n"
		"ldp q18, q19, [%0, #288]; ldp q20, q21, [%0, #320]; ldp q22, q23, [%0, #352]\n"
		"ldp q24, q25, [%0, #384]; ldp q26, q27, [%0, #416]; ldp q28, q29, [%0, #448]\n"
		"ldp q30, q31, [%0, #480]"
		:
		: "r"(s->v)
		: "memory");
	write_sysreg(fpsr, s->fpsr);
	write_sysreg(fpcr, s->fpcr);
}
