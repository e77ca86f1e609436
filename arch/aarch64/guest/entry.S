// SPDX-License-Identifier: Apache-2.0
/*
 * entry - the ways into the kernel once it runs: exceptions, interrupts, system calls; and the ways out
 *
 * In user mode SP_EL1 is the top of the task's kernel stack, so a trap finds room for struct regs right below it.
 * Interrupts are off in the kernel from the first instruction to the last.
 */
#include "arch/aarch64/guest/asm.h"

	.macro SAVE_GENERAL
	sub	sp, sp, #REGS_SIZE
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.endm

	/* x21: the interrupted stack pointer */
	.macro SAVE_STATE
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #REGS_X30]
	stp	x22, x23, [sp, #REGS_PC]
	.endm

	.macro SAVE_USER
	SAVE_GENERAL
	mrs	x21, sp_el0
	SAVE_STATE
	mov	x29, xzr
	mov	x30, xzr
	.endm

	.macro SAVE_KERNEL
	SAVE_GENERAL
	add	x21, sp, #REGS_SIZE
	SAVE_STATE
	.endm

	.macro LOAD_GENERAL
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #REGS_X30]
	add	sp, sp, #REGS_SIZE
	.endm

	.text

	.macro VECTOR to
	.align	7
	b	\to
	.endm

	.align	11
	.globl	vectors
vectors:
	VECTOR	entry_bad	/* EL1 with SP_EL0: never */
	VECTOR	entry_bad
	VECTOR	entry_bad
	VECTOR	entry_bad
	VECTOR	entry_kernel_sync
	VECTOR	entry_bad	/* interrupts are off in the kernel */
	VECTOR	entry_bad
	VECTOR	entry_bad
	VECTOR	entry_user_sync
	VECTOR	entry_user_irq
	VECTOR	entry_bad
	VECTOR	entry_user_serror
	VECTOR	entry_user_32	/* 32-bit programs: never entered, there is no way to start one */
	VECTOR	entry_user_32
	VECTOR	entry_user_32
	VECTOR	entry_user_32

entry_user_sync:
	SAVE_USER
	mrs	x1, esr_el1
	lsr	x9, x1, #ESR_EC_SHIFT
	cmp	x9, #ESR_EC_SVC64
	b.ne	1f
	stp	x0, x8, [sp, #REGS_ORIG_X0]
	mov	x0, sp
	bl	arch_syscall
	b	exit_user
1:	mrs	x2, far_el1
	mov	x9, #-1
	stp	x0, x9, [sp, #REGS_ORIG_X0]
	mov	x0, sp
	bl	arch_trap_user
	b	exit_user

entry_user_irq:
	SAVE_USER
	mov	x9, #-1
	stp	x0, x9, [sp, #REGS_ORIG_X0]
	mov	x0, sp
	bl	arch_irq_user
	b	exit_user

entry_user_serror:
	SAVE_USER
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	arch_trap_bad

/* arch_user_enter(regs): x0 points at the frame to leave with. */
	.globl	arch_user_enter
arch_user_enter:
	mov	sp, x0
exit_user:
	ldp	x21, x22, [sp, #REGS_SP]
	ldr	x23, [sp, #REGS_PSTATE]
	msr	sp_el0, x21
	msr	elr_el1, x22
	msr	spsr_el1, x23
	LOAD_GENERAL
	eret
	dsb	nsh		/* nothing is fetched past an eret by guess */
	isb

entry_kernel_sync:
	SAVE_KERNEL
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	arch_trap_kernel
	ldp	x22, x23, [sp, #REGS_PC]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	LOAD_GENERAL
	eret

entry_user_32:
entry_bad:
	SAVE_KERNEL
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	arch_trap_bad
	brk	#0

	.section .note.GNU-stack, "", %progbits
