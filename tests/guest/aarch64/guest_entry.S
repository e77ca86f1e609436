/* SPDX-License-Identifier: Apache-2.0 */
/* guest_entry - what the start of the kernel (arch/aarch64/guest/start.S) calls in a bare guest program */
	.text
	.globl	arch_start
arch_start:
	bl	guest_start
	brk	#0

/* x0: struct guest_cpu of machine.c */
	.globl	arch_start_secondary
arch_start_secondary:
	ldr	x1, [x0]
	blr	x1
	brk	#0
	.section .note.GNU-stack, "", %progbits
