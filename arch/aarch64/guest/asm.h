// SPDX-License-Identifier: Apache-2.0
/*
 * asm - numbers shared by assembly and C; cpu.c asserts the offsets
 */
#pragma once

#define REGS_X30     240
#define REGS_SP	     248
#define REGS_PC	     256
#define REGS_PSTATE  264
#define REGS_ORIG_X0 272
#define REGS_SIZE    288
#define ESR_EC_SHIFT 26
#define ESR_EC_SVC64 0x15
