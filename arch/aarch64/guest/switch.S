// SPDX-License-Identifier: Apache-2.0
/*
 * switch - change kernel stacks, and the first instructions of a new thread
 */
	.text

/* switch_stacks(u64 *save_sp, u64 load_sp): returns on the other stack, where it was called before. */
	.globl	switch_stacks
switch_stacks:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

/* First return of a new thread: x19 = function, x20 = argument. */
	.globl	thread_start
thread_start:
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
	brk	#0

	.section .note.GNU-stack, "", %progbits
