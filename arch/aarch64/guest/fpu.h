// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - what signal frames need beyond arch/fpu.h
 */
#pragma once

#include "arch/fpu.h"

struct fpu_state {
	u64 v[64]; /* 32 registers of 128 bits */
	u32 fpsr, fpcr;
	u64 pad;
};
