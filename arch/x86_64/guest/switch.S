// SPDX-License-Identifier: Apache-2.0
/*
 * switch - change kernel stacks, and the first instructions of a new thread
 */
#include "arch/x86_64/guest/asm.h"

	.text

/* switch_stacks(u64 *save_sp, u64 load_sp): returns on the other stack, where it was called before. */
	.globl	switch_stacks
switch_stacks:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* First return of a new thread: r12 = function, r13 = argument. */
	.globl	thread_start
thread_start:
	movq	%r13, %rdi
	xorl	%ebp, %ebp
	call	*%r12
	ud2

	.section .note.GNU-stack, "", @progbits
