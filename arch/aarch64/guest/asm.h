// SPDX-License-Identifier: Apache-2.0
/*
 * asm - numbers shared by assembly and C; cpu.c asserts the offsets
 */
#pragma once

#define RAM_BASE       0x100000000
#define DIRECT_MAP     0xffff800000000000
#define CPU_IDLE_STACK 8

#define REGS_X30     240
#define REGS_SP	     248
#define REGS_PC	     256
#define REGS_PSTATE  264
#define REGS_ORIG_X0 272
#define REGS_SIZE    288
#define ESR_EC_SHIFT 26
#define ESR_EC_SVC64 0x15
