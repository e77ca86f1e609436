// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - what signal frames need beyond arch/fpu.h
 */
#pragma once

#include "arch/fpu.h"

#define MXCSR_INIT 0x1f80u
#define FCW_INIT   0x37fu

/* Can the CPU load this image, the first n bytes of which a program wrote, without a fault? */
bool fpu_can_load(const void *image, size_t n);
/* The same question of an image that comes from memory of the process machine's stubs, which nobody may have written but
 * them: what the CPU would refuse is taken out. */
void fpu_sanitize(struct fpu_state *s);
/* FPE_*: the unmasked exception an image holds, of the vector registers or of x87. */
s32 fpu_simd_code(const struct fpu_state *s);
s32 fpu_x87_code(const struct fpu_state *s);
