// SPDX-License-Identifier: Apache-2.0
/*
 * fpu_image - x87, SSE, AVX and AVX-512 state in memory: the standard XSAVE format
 *
 * Role      See arch/fpu.h. The same image goes into signal frames. Shared by the machines of x86-64.
 * Rules     XCR0 is what the machine chose. Without XSAVE the image is the 512-byte FXSAVE area.
 *           Restoring an image that came from an application may fault: reserved bits of MXCSR, components beyond XCR0,
 *           anything else in the header. fpu_can_load() refuses exactly these. Nothing else in an image can fault when it
 *           is loaded; an x87 exception pending in it waits for the next x87 instruction, and the kernel has none.
 * See       Intel SDM volume 1, chapter 13
 */
#include "arch/x86_64/guest/features.h"
#include "arch/x86_64/guest/fpu.h"
#include "arch/x86_64/guest/x86.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/signal.h"

#define FXSAVE_BYTES  512u
#define XSTATE_BV     512u
#define HEADER_BYTES  64u
#define MXCSR_AT      24
#define MXCSR_MASK_AT 28
#define FSW_AT	      2

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

bool fpu_can_load(const void *image, size_t n)
{
	const u8 *p = image;
	u64 header[HEADER_BYTES / sizeof(u64)], bad;
	u32 mxcsr, i;

	memcpy(&mxcsr, p + MXCSR_AT, sizeof mxcsr);
	if (mxcsr & ~mxcsr_mask)
		return false;
	if (!features.xsave || n <= FXSAVE_BYTES)
		return true;
	memcpy(header, p + XSTATE_BV, sizeof header);
	bad = header[0] & ~features.xcr0;
	for (i = 1; i < ARRAY_SIZE(header); i++)
		bad |= header[i];
	return !bad;
}

/* Invalid, denormal, division by zero, overflow, underflow, precision: bits 0 to 5 everywhere. */
static s32 exception_code(u32 bits)
{
	return bits & 1	     ? FPE_FLTINV
	       : bits & 4    ? FPE_FLTDIV
	       : bits & 8    ? FPE_FLTOVF
	       : bits & 0x12 ? FPE_FLTUND
			     : FPE_FLTRES;
}

s32 fpu_simd_code(const struct fpu_state *s)
{
	u32 csr;

	memcpy(&csr, (const u8 *)s + MXCSR_AT, sizeof csr);
	return exception_code(csr & ~(csr >> 7) & 0x3f);
}

s32 fpu_x87_code(const struct fpu_state *s)
{
	u16 cw, sw;

	memcpy(&cw, s, sizeof cw);
	memcpy(&sw, (const u8 *)s + FSW_AT, sizeof sw);
	return exception_code(sw & ~(u32)cw & 0x3f);
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
