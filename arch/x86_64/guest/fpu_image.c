// SPDX-License-Identifier: Apache-2.0
/*
 * fpu_image - x87, SSE, AVX and AVX-512 state in memory: the standard XSAVE format
 *
 * Role      See arch/fpu.h. The same image goes into signal frames. Shared by the machines of x86-64.
 * Rules     XCR0 is what the machine chose. Without XSAVE the image is the 512-byte FXSAVE area.
 *           Restoring an image that came from an application may fault (bad MXCSR, reserved bits): callers that
 *           let applications write the image go through fpu_sanitize() first.
 * See       Intel SDM volume 1, chapter 13
 */
#include "arch/x86_64/guest/features.h"
#include "arch/x86_64/guest/fpu.h"
#include "arch/x86_64/guest/x86.h"
#include "guestkernel/kapi/string.h"

#define FXSAVE_BYTES  512u
#define XSTATE_BV     512u
#define MXCSR_INIT    0x1f80u
#define FCW_INIT      0x37fu
#define MXCSR_AT      24
#define MXCSR_MASK_AT 28

static u32 state_bytes = FXSAVE_BYTES;
static u32 mxcsr_mask = 0xffbf;

void fpu_setup(void)
{
	static u8 area[FXSAVE_BYTES] __attribute__((aligned(64)));
	u32 mask;

	__asm__ volatile("fxsave (%0)" : : "r"(area) : "memory");
	memcpy(&mask, area + MXCSR_MASK_AT, sizeof mask);
	if (mask)
		mxcsr_mask = mask;
	if (features.xsave)
		state_bytes = features.xsave_size;
}

size_t arch_fpu_size(void)
{
	return state_bytes;
}

void arch_fpu_init_state(struct fpu_state *s)
{
	u16 fcw = FCW_INIT;
	u32 mxcsr = MXCSR_INIT;

	memset(s, 0, state_bytes);
	memcpy(s, &fcw, sizeof fcw);
	memcpy((u8 *)s + MXCSR_AT, &mxcsr, sizeof mxcsr);
}

void fpu_sanitize(struct fpu_state *s)
{
	u8 *p = (u8 *)s;
	u32 mxcsr;

	memcpy(&mxcsr, p + MXCSR_AT, sizeof mxcsr);
	mxcsr &= mxcsr_mask;
	memcpy(p + MXCSR_AT, &mxcsr, sizeof mxcsr);
	if (features.xsave) {
		u64 bv;

		memcpy(&bv, p + XSTATE_BV, sizeof bv);
		bv &= features.xcr0;
		memset(p + XSTATE_BV, 0, 64);
		memcpy(p + XSTATE_BV, &bv, sizeof bv);
	}
}
