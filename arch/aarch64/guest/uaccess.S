// SPDX-License-Identifier: Apache-2.0
/*
 * uaccess - copies that survive faults
 *
 * Every instruction that touches application memory has an entry in .extable: fault address, where to go on.
 * They are the unprivileged loads and stores, which the CPU checks as if the application made them: PAN stays
 * on, and kernel addresses fault by themselves. Exclusive accesses have no such form; PAN is off around them.
 */
	.arch	armv8.1-a

	.macro EXTABLE from, to
	.pushsection .extable, "a"
	.quad	\from, \to
	.popsection
	.endm

	.text

/* size_t arch_copy_from_user(x0 dst, x1 src, x2 n): bytes not copied */
	.globl	arch_copy_from_user
	.align	4
arch_copy_from_user:
1:	cmp	x2, #32
	b.lo	2f
10:	ldtr	x3, [x1]
11:	ldtr	x4, [x1, #8]
12:	ldtr	x5, [x1, #16]
13:	ldtr	x6, [x1, #24]
	add	x1, x1, #32
	sub	x2, x2, #32
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	b	1b
2:	cmp	x2, #8
	b.lo	3f
20:	ldtr	x3, [x1]
	add	x1, x1, #8
	sub	x2, x2, #8
	str	x3, [x0], #8
	b	2b
3:	cbz	x2, 4f
30:	ldtrb	w3, [x1]
	add	x1, x1, #1
	sub	x2, x2, #1
	strb	w3, [x0], #1
	b	3b
4:	mov	x0, x2
	ret
	EXTABLE	10b, 3b		/* wide moves faulted: find the exact byte */
	EXTABLE	11b, 3b
	EXTABLE	12b, 3b
	EXTABLE	13b, 3b
	EXTABLE	20b, 3b
	EXTABLE	30b, 4b

/* size_t arch_copy_to_user(x0 dst, x1 src, x2 n): bytes not copied */
	.globl	arch_copy_to_user
	.align	4
arch_copy_to_user:
1:	cmp	x2, #32
	b.lo	2f
	ldp	x3, x4, [x1]
	ldp	x5, x6, [x1, #16]
10:	sttr	x3, [x0]
11:	sttr	x4, [x0, #8]
12:	sttr	x5, [x0, #16]
13:	sttr	x6, [x0, #24]
	add	x0, x0, #32
	add	x1, x1, #32
	sub	x2, x2, #32
	b	1b
2:	cmp	x2, #8
	b.lo	3f
	ldr	x3, [x1]
20:	sttr	x3, [x0]
	add	x0, x0, #8
	add	x1, x1, #8
	sub	x2, x2, #8
	b	2b
3:	cbz	x2, 4f
	ldrb	w3, [x1]
30:	sttrb	w3, [x0]
	add	x0, x0, #1
	add	x1, x1, #1
	sub	x2, x2, #1
	b	3b
4:	mov	x0, x2
	ret
	EXTABLE	10b, 3b
	EXTABLE	11b, 3b
	EXTABLE	12b, 3b
	EXTABLE	13b, 3b
	EXTABLE	20b, 3b
	EXTABLE	30b, 4b

/* size_t arch_clear_user(x0 dst, x1 n): bytes not cleared */
	.globl	arch_clear_user
	.align	4
arch_clear_user:
1:	cmp	x1, #32
	b.lo	2f
10:	sttr	xzr, [x0]
11:	sttr	xzr, [x0, #8]
12:	sttr	xzr, [x0, #16]
13:	sttr	xzr, [x0, #24]
	add	x0, x0, #32
	sub	x1, x1, #32
	b	1b
2:	cbz	x1, 3f
20:	sttrb	wzr, [x0]
	add	x0, x0, #1
	sub	x1, x1, #1
	b	2b
3:	mov	x0, x1
	ret
	EXTABLE	10b, 2b
	EXTABLE	11b, 2b
	EXTABLE	12b, 2b
	EXTABLE	13b, 2b
	EXTABLE	20b, 3b

/* int arch_strncpy_from_user(x0 dst, x1 src, x2 n, x3 *done): 0 found, 1 no NUL in n bytes, -EFAULT */
	.globl	arch_strncpy_from_user
	.align	4
arch_strncpy_from_user:
	mov	x4, x0
	mov	w5, #1
1:	cbz	x2, 3f
2:	ldtrb	w6, [x1]
	strb	w6, [x0]
	cbz	w6, 4f
	add	x1, x1, #1
	add	x0, x0, #1
	sub	x2, x2, #1
	b	1b
4:	mov	w5, #0
3:	sub	x4, x0, x4
	str	x4, [x3]
	mov	w0, w5
	ret
5:	mov	w5, #-14
	b	3b
	EXTABLE	2b, 5b

/* int arch_user_load_u32(x0 src, x1 *val) */
	.globl	arch_user_load_u32
	.align	4
arch_user_load_u32:
1:	ldtr	w2, [x0]
	str	w2, [x1]
	mov	w0, #0
	ret
2:	mov	w0, #-14
	ret
	EXTABLE	1b, 2b

	.macro PAN value
	adrp	x9, uaccess_has_pan
	ldrb	w9, [x9, :lo12:uaccess_has_pan]
	cbz	w9, 99f
	msr	pan, #\value
99:
	.endm

/* int arch_user_cmpxchg_u32(x0 dst, w1 old, w2 new, x3 *seen) */
	.globl	arch_user_cmpxchg_u32
	.align	4
arch_user_cmpxchg_u32:
	PAN	0
	mov	x4, x0
	mov	w0, #0
1:	ldaxr	w5, [x4]
	cmp	w5, w1
	b.ne	3f
2:	stlxr	w6, w2, [x4]
	cbnz	w6, 1b
	dmb	ish
3:	clrex
	PAN	1
	str	w5, [x3]
	ret
4:	mov	w5, #0
	mov	w0, #-14
	b	3b
	EXTABLE	1b, 4b
	EXTABLE	2b, 4b

	.section .note.GNU-stack, "", %progbits
