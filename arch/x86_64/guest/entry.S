// SPDX-License-Identifier: Apache-2.0
/*
 * entry - every way into the kernel: boot, exceptions, interrupts, system calls; and the ways out
 *
 * Stack on every path, from the top of the task's kernel stack down: ss sp flags cs ip, orig_ax (the CPU's
 * error code, or the call number), di si dx cx ax r8 r9 r10 r11 bx bp r12 r13 r14 r15 = struct regs.
 * Interrupts are off in the kernel from the first instruction to the last.
 */
#include "arch/x86_64/guest/asm.h"

	.macro PUSH_REST_OF_REGS
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro POP_CALLEE_SAVED
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.endm

/* A place where clac or stac stands when the CPU has SMAP; a nop until cpu.c patches it. */
	.macro SMAP_SITE insn
771:	.byte	0x0f, 0x1f, 0x00
	.pushsection .smap, "a"
	.quad	771b
	.quad	\insn		/* third byte of the instruction: 0xca clac, 0xcb stac */
	.popsection
	.endm

	.section .text.entry, "ax"

/* First instruction of the kernel. rdi: device tree, as a direct-map address. No stack. */
	.globl	entry_boot
entry_boot:
	leaq	boot_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	arch_start
	ud2

/* A CPU started by HYP_CPU_START. rdi: its struct cpu; rsp: its idle stack. */
	.globl	entry_secondary
entry_secondary:
	xorl	%ebp, %ebp
	call	arch_start_secondary
	ud2

/* SYSCALL: rcx = return address, r11 = flags, rsp still the application's, GS still the application's. */
	.globl	entry_syscall
	.align	64
entry_syscall:
	swapgs
	movq	%rsp, %gs:CPU_USER_SP
	movq	%gs:CPU_KSTACK_TOP, %rsp
	pushq	$USER_DS
	pushq	%gs:CPU_USER_SP
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	%rdi
	PUSH_REST_OF_REGS
	movq	%rsp, %rdi
	call	arch_syscall		/* al: may leave by sysret */
	testb	%al, %al
	jz	exit_iret
	POP_CALLEE_SAVED
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	32(%rsp), %rsp		/* orig_ax ip cs flags | sp */
	swapgs
	sysretq

/* user_enter_frame(regs): rdi points at the frame to leave with. */
	.globl	user_enter_frame
user_enter_frame:
	movq	%rdi, %rsp
exit_iret:
	POP_CALLEE_SAVED
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp		/* orig_ax */
	swapgs
	iretq

/* Exceptions and interrupts: vector in edi, the application's or kernel's rdi on the stack. */
trap_common:
	PUSH_REST_OF_REGS
	cld				/* unlike SYSCALL, an exception keeps the application's direction flag */
	SMAP_SITE 0xca
	movl	%edi, %esi
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	testb	$3, REGS_CS(%rsp)
	jz	1f
	swapgs
	call	arch_trap_user
	jmp	exit_iret
	/* An interrupt on top of a trap's first instructions: interrupts are off there, so no CPU does this, but QEMU's emulated SVM
	 * delivers an injected interrupt twice now and then, before the first one has reached swapgs. */
1:	movq	REGS_IP(%rsp), %rax
	leaq	trap_common(%rip), %rdx
	subq	%rdx, %rax
	cmpq	$(trap_stubs_end - trap_common), %rax
	jae	2f
	cmpl	$32, %esi
	jae	3f
2:	movq	32(%rsp), %rbp		/* the interrupted frame chain, for backtraces */
	call	arch_trap_kernel
3:	POP_CALLEE_SAVED
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	iretq

/* One 16-byte stub per vector, so that the IDT is an arithmetic progression. */
	.altmacro
	.macro STUB vec has_error
	.align	16
	.if \has_error == 0
	pushq	$0
	.endif
	pushq	%rdi
	movl	$\vec, %edi
	jmp	trap_common
	.endm

	.globl	trap_stubs
	.align	16
trap_stubs:
	.set	vec, 0
	.rept	32
	/* 8 DF, 10 TS, 11 NP, 12 SS, 13 GP, 14 PF, 17 AC, 21 CP, 29 VC, 30 SX push an error code */
	.if (1 << vec) & 0x60227d00
	STUB	%vec 1
	.else
	STUB	%vec 0
	.endif
	.set	vec, vec + 1
	.endr
	STUB	VEC_TIMER 0
	STUB	VEC_IPI 0
	STUB	VEC_EVENT 0
	STUB	VEC_SPURIOUS 0
trap_stubs_end:

	.section .note.monitor, "a"
	.align	4
	.long	8, 4, 1			/* name size, descriptor size, type: ABI version */
	.asciz	"monitor"
	.long	2			/* HYP_ABI_VERSION, asserted in cpu.c */

	.section .bss
	.align	4096
boot_stack:
	.skip	16384
	.globl	boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
