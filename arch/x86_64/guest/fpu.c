// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - saving and loading the live vector registers
 *
 * Role      See arch/fpu.h; what an image looks like is in fpu_image.c.
 */
#include "arch/fpu.h"

#include "arch/x86_64/guest/fpu.h"
#include "arch/x86_64/guest/local.h"

void arch_fpu_save(struct fpu_state *s)
{
	if (unlikely(features.xsave_in_user))
		quirk_fpu_save(s);
	else if (features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(s), "a"(~0u), "d"(~0u) : "memory");
	else if (features.xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(s), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(s) : "memory");
}

void arch_fpu_restore(const struct fpu_state *s)
{
	if (unlikely(features.xsave_in_user))
		quirk_fpu_restore(s);
	else if (features.xsave)
		__asm__ volatile("xrstor64 (%0)" : : "r"(s), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(s) : "memory");
}

/* An empty header says that all components are initial; only the control words are read. */
void arch_fpu_reset(void)
{
	static const struct {
		u16 fcw, pad[11];
		u32 mxcsr, pad2[9 + 128];
	} initial __attribute__((aligned(64))) = { .fcw = FCW_INIT, .mxcsr = MXCSR_INIT };

	BUILD_BUG_ON(offsetof(typeof(initial), mxcsr) != 24 || sizeof initial < 576);
	arch_fpu_restore((const struct fpu_state *)&initial);
}
