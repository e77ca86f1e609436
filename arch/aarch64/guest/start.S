// SPDX-License-Identifier: Apache-2.0
/*
 * start - from the first instruction of a CPU, MMU off at a physical address, to C at the kernel's own
 *
 * CPU 0 comes from the monitor, the others from PSCI CPU_ON. Both turn the MMU on over low_tables, which map the first
 * GiB of memory where it is, and then have caches; only two words are written without. On CPU 0, boot_tables()
 * (boot.c) then makes the tables of the kernel half; every CPU loads them and jumps up. From CPU 0's jump on, the low
 * mapping is read-only; the kernel loads another TTBR0 soon.
 * Everything up to the jump is position-independent. Interrupts are masked throughout.
 */
#include "arch/aarch64/guest/asm.h"

#define LOW_BLOCK	0x40000000000701	/* from the first GiB of memory on: normal, inner shareable, accessed; UXN */
#define LOW_RO		0x80
#define LOW_MAIR	0x04ff			/* 0: normal write-back memory; 1: device nGnRE */
/* M C I, and the bits that are one */
#define LOW_SCTLR	0x30d01805
/* 48 bits each way, 4 KiB, walks cached and inner shareable, top byte of user addresses ignored */
#define FINAL_TCR	0x20b5103510
#define TCR_EPD1	(1 << 23)
#define TCR_ASID16	(1 << 36)
#define PA_48_BITS	5

	.section .text.entry, "ax"

/* First instruction of the kernel. x0: device tree, physical. No stack. */
	.globl	entry_boot
entry_boot:
	mov	x20, x0
	adrp	x1, low_tables
	add	x2, x1, #4096
	orr	x3, x2, #3
	ldr	x4, =(LOW_BLOCK + RAM_BASE)
	add	x2, x2, #(8 * (RAM_BASE >> 30))
	str	x3, [x1]
	str	x4, [x2]
	dmb	sy
	dc	ivac, x1		/* no cache holds the words as they were */
	dc	ivac, x2
	dsb	sy
	bl	mmu_on
	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	mov	sp, x1
	mov	x29, xzr
	bl	boot_tables		/* x0: their root */
	adrp	x1, boot_root
	str	x0, [x1, :lo12:boot_root]
	adrp	x1, low_tables
	ldr	x4, =(LOW_BLOCK + RAM_BASE + LOW_RO)
	add	x2, x1, #4096
	str	x4, [x2, #(8 * (RAM_BASE >> 30))]
	bl	kernel_half_on
	ldr	x1, =boot_high
	br	x1
boot_high:
	hint	#36			/* bti j */
	ldr	x1, =boot_stack_top
	mov	sp, x1
	ldr	x1, =DIRECT_MAP
	add	x0, x20, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	arch_start
	brk	#0

/* First instruction of a further CPU. x0: its struct cpu. No stack. */
	.globl	entry_secondary
entry_secondary:
	mov	x20, x0
	bl	mmu_on
	adrp	x1, boot_root
	ldr	x0, [x1, :lo12:boot_root]
	bl	kernel_half_on
	ldr	x1, =secondary_high
	br	x1
secondary_high:
	hint	#36
	ldr	x1, [x20, #CPU_IDLE_STACK]
	mov	sp, x1
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	bl	arch_start_secondary
	brk	#0

/* The MMU over low_tables; nothing is translated in the upper half. Changes x1 to x4. */
mmu_on:
	adrp	x1, low_tables
	msr	ttbr0_el1, x1
	ldr	x1, =LOW_MAIR
	msr	mair_el1, x1
	ldr	x1, =(FINAL_TCR | TCR_EPD1)
	mrs	x2, id_aa64mmfr0_el1
	and	x3, x2, #15		/* physical address size: the CPU's, but not above 48 bits */
	mov	x4, #PA_48_BITS
	cmp	x3, x4
	csel	x3, x3, x4, lo
	bfi	x1, x3, #32, #3
	ubfx	x3, x2, #4, #4
	cmp	x3, #2
	b.ne	1f
	orr	x1, x1, #TCR_ASID16
1:	msr	tcr_el1, x1
	ic	iallu
	tlbi	vmalle1
	dsb	nsh
	isb
	ldr	x1, =LOW_SCTLR
	msr	sctlr_el1, x1
	isb
	ret

/* x0: tables of the kernel half. Changes x1. */
kernel_half_on:
	dsb	ishst
	msr	ttbr1_el1, x0
	mrs	x1, tcr_el1
	bic	x1, x1, #TCR_EPD1
	msr	tcr_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret

	.ltorg

	.section .note.monitor, "a"
	.align	2
	.long	8, 4, 1			/* name size, descriptor size, type: ABI version */
	.asciz	"monitor"
	.long	2			/* HYP_ABI_VERSION, asserted in boot.c */

	.section .bss
	.align	12
low_tables:
	.skip	8192
boot_stack:
	.skip	16384
	.globl	boot_stack_top
boot_stack_top:
	.align	3
boot_root:
	.skip	8

	.section .note.GNU-stack, "", %progbits
