/* SPDX-License-Identifier: Apache-2.0 */
/* guest_entry - first instruction of a bare guest program; rdi: device tree as a direct-map address */
	.section .text.entry, "ax"
	.globl	entry_boot
entry_boot:
	leaq	stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	guest_start
	ud2

	.section .note.monitor, "a"
	.align	4
	.long	8, 4, 1			/* name size, descriptor size, type: ABI version */
	.asciz	"monitor"
	.long	2			/* HYP_ABI_VERSION */

	.section .utext, "ax"
	nop				/* the kernel's linker script wants one */

	.section .bss
	.align	4096
	.skip	16384
stack_top:
	.section .note.GNU-stack, "", @progbits
