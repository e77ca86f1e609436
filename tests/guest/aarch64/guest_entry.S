/* SPDX-License-Identifier: Apache-2.0 */
/* guest_entry - first instruction of a bare guest program; x0: device tree as a direct-map address */
	.section .text.entry, "ax"
	.globl	entry_boot
entry_boot:
	adrp	x1, stack_top
	add	sp, x1, :lo12:stack_top
	mov	x29, xzr
	mov	x30, xzr
	bl	guest_start
	brk	#0

	.section .note.monitor, "a"
	.align	2
	.long	8, 4, 1			/* name size, descriptor size, type: ABI version */
	.asciz	"monitor"
	.long	2			/* HYP_ABI_VERSION */

	.section .bss
	.align	12
	.skip	16384
stack_top:
	.section .note.GNU-stack, "", %progbits
