// SPDX-License-Identifier: Apache-2.0
/*
 * asm - numbers shared by assembly and C; cpu.c asserts the offsets
 */
#pragma once

#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_CS32 0x23
#define USER_DS	  0x2b
#define USER_CS	  0x33
#define TSS_SEL	  0x40

#define REGS_R11     48
#define REGS_CX	     88
#define REGS_ORIG_AX 120
#define REGS_IP	     128
#define REGS_CS	     136
#define REGS_FLAGS   144
#define REGS_SIZE    168

#define CPU_CURRENT    8
#define CPU_KSTACK_TOP 16
#define CPU_USER_SP    24

#define THREAD_KSP 0

#define VEC_TIMER    0x20
#define VEC_IPI	     0x21
#define VEC_EVENT    0x22
#define VEC_SPURIOUS 0xff
