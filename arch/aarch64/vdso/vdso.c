// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - the functions of the vDSO of aarch64
 *
 * Rules     Unwinders know the signal trampoline by its two instructions.
 * See       arch/common/vdso/clock.h; vdso(7)
 */
#include "arch/common/vdso/clock.h"

__asm__(".pushsection .sigreturn, \"ax\"\n"
	".globl __kernel_rt_sigreturn\n"
	".type __kernel_rt_sigreturn, %function\n"
	"__kernel_rt_sigreturn:\n"
	"	mov	x8, #139\n"
	"	svc	#0\n"
	".size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn\n"
	".popsection\n");
