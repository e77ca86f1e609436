// SPDX-License-Identifier: Apache-2.0
/*
 * uaccess - copies that survive faults
 *
 * Every instruction that touches application memory has an entry in .extable: fault address, where to go on.
 * Bulk moves are by quadwords: fast everywhere, and the only fast way where ring 0 is emulated.
 */

	.macro EXTABLE from, to
	.pushsection .extable, "a"
	.quad	\from, \to
	.popsection
	.endm

	.macro SMAP_SITE insn
771:	.byte	0x0f, 0x1f, 0x00
	.pushsection .smap, "a"
	.quad	771b
	.quad	\insn
	.popsection
	.endm

	.macro STAC
	SMAP_SITE 0xcb
	.endm
	.macro CLAC
	SMAP_SITE 0xca
	.endm

	.text

/* size_t arch_copy_{from,to}_user(rdi dst, rsi src, rdx n): bytes not copied */
	.globl	arch_copy_from_user
	.globl	arch_copy_to_user
	.align	16
arch_copy_from_user:
arch_copy_to_user:
	STAC
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
1:	rep movsq
	movl	%edx, %ecx
2:	rep movsb
3:	movq	%rcx, %rax
	CLAC
	ret
4:	leaq	(%rdx,%rcx,8), %rcx	/* bulk move faulted: find the exact byte */
	jmp	2b
	EXTABLE	1b, 4b
	EXTABLE	2b, 3b

/* size_t arch_clear_user(rdi dst, rsi n): bytes not cleared */
	.globl	arch_clear_user
	.align	16
arch_clear_user:
	STAC
	xorl	%eax, %eax
	movq	%rsi, %rcx
	shrq	$3, %rcx
	movl	%esi, %edx
	andl	$7, %edx
1:	rep stosq
	movl	%edx, %ecx
2:	rep stosb
3:	movq	%rcx, %rax
	CLAC
	ret
4:	leaq	(%rdx,%rcx,8), %rcx
	jmp	2b
	EXTABLE	1b, 4b
	EXTABLE	2b, 3b

/* int arch_strncpy_from_user(rdi dst, rsi src, rdx n, rcx *done): 0 found, 1 no NUL in n bytes, -EFAULT */
	.globl	arch_strncpy_from_user
	.align	16
arch_strncpy_from_user:
	movq	%rdi, %r8
	movl	$1, %eax
	STAC
1:	testq	%rdx, %rdx
	jz	4f
2:	movb	(%rsi), %r9b
	movb	%r9b, (%rdi)
	testb	%r9b, %r9b
	jz	3f
	incq	%rsi
	incq	%rdi
	decq	%rdx
	jmp	1b
3:	xorl	%eax, %eax
4:	CLAC
	subq	%r8, %rdi
	movq	%rdi, (%rcx)
	ret
5:	movl	$-14, %eax
	jmp	4b
	EXTABLE	2b, 5b

/* int arch_user_load_u32(rdi src, rsi *val) */
	.globl	arch_user_load_u32
	.align	16
arch_user_load_u32:
	xorl	%eax, %eax
	STAC
1:	movl	(%rdi), %edx
	movl	%edx, (%rsi)
2:	CLAC
	ret
3:	movl	$-14, %eax
	jmp	2b
	EXTABLE	1b, 3b

/* int arch_user_cmpxchg_u32(rdi dst, esi old, edx new, rcx *seen) */
	.globl	arch_user_cmpxchg_u32
	.align	16
arch_user_cmpxchg_u32:
	movl	%esi, %eax
	STAC
1:	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%rcx)
	xorl	%eax, %eax
2:	CLAC
	ret
3:	movl	$-14, %eax
	jmp	2b
	EXTABLE	1b, 3b

	.section .note.GNU-stack, "", @progbits
