/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub - the code of the processes that run applications; mapped at PM_STUB_CODE
 *
 * Role      stub_spawner: the process that forks stubs. stub_main: a stub's service thread. app_thread: its
 *           application threads. stub_handler: how application code is left.
 * Rules     Spawner and service thread keep everything in registers and read only what nobody in the stub can
 *           write: application code shares their memory. They make the calls the kernel asks for and report
 *           on eventfds that application threads do not have, with words that the kernel wrote; even the
 *           number of a new thread goes there, bit by bit, since no memory here could hold it safely.
 *           An application thread is a host process of its own that shares the stub's memory: the host
 *           tells its processor time to the kernel process (guest/ration.c), which it would not for a thread.
 *           It may be born while others of its stub run hostile code that writes to its area: until it has its filter
 *           it takes no signal (all are blocked since the spawner) and reads no memory that can be written.
 *           An application thread leaves its program by a signal only. The handler stores the registers in
 *           the area (found from the stack pointer: the alternate stack lies in it), and waits there. It goes
 *           on with iretq, never with sigreturn, so no frame can be forged. The stack pointer never rises
 *           while the thread is in this code, so a preemption signal in the middle finds room below.
 */
#include "arch/process/stub/layout.h"

#define NR_MMAP		9
#define NR_MUNMAP	11
#define NR_SIGACTION	13
#define NR_WRITE	1
#define NR_GETPID	39
#define NR_CLONE	56
#define NR_SIGPROCMASK	14
#define NR_SIGALTSTACK	131
#define NR_PRCTL	157
#define NR_FUTEX	202
#define NR_EXIT_GROUP	231
#define NR_SECCOMP	317
#define NR_CLOSE_RANGE	436

#define PM_STUB_BASE	0x00007fffe0000000
#define PM_STUB_COMMAND 0x00007fffe0100000
#define PM_STUB_AREA	0x00007fffe0200000
#define HOST_VA_END	0x00007ffffffff000
#define PM_FD_RAM	3

	.macro SYS nr
	movl	$\nr, %eax
	syscall
	.endm

	.section .stub, "ax"
	.globl	stub_code
	.globl	stub_spawner
	.globl	stub_handler
	.globl	stub_restorer
	.balign	4096
stub_code:

/* First code of the spawner, right after its fork: rsp is the kernel's stack, shared with it, and not touched. */
stub_spawner:
	leaq	stub_code+STUB_DATA_OFF(%rip), %r15
	movl	$1, %edi		/* PR_SET_PDEATHSIG */
	movl	$9, %esi
	SYS	NR_PRCTL
	movl	$38, %edi		/* PR_SET_NO_NEW_PRIVS */
	movl	$1, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	SYS	NR_PRCTL
	xorl	%edi, %edi
	movabsq	$PM_STUB_BASE, %rsi
	SYS	NR_MUNMAP
	movabsq	$(PM_STUB_COMMAND + 4096), %rdi
	movabsq	$(HOST_VA_END - PM_STUB_COMMAND - 4096), %rsi
	SYS	NR_MUNMAP
	xorl	%edx, %edx
	movl	$8, %r10d
	leaq	DATA_SA_HANDLER(%r15), %rsi
	.irp	sig, 4, 5, 7, 8, 10, 11, 31
	movl	$\sig, %edi
	SYS	NR_SIGACTION
	.endr
	leaq	DATA_SA_IGNORE(%r15), %rsi
	movl	$17, %edi
	SYS	NR_SIGACTION
	movl	$2, %edi		/* SIG_SETMASK */
	leaq	all_signals(%rip), %rsi
	SYS	NR_SIGPROCMASK
	movl	$1, %edi		/* SECCOMP_SET_MODE_FILTER */
	xorl	%esi, %esi
	leaq	DATA_PROG_SPAWNER(%r15), %rdx
	SYS	NR_SECCOMP
	testl	%eax, %eax
	jnz	die
	movabsq	$PM_STUB_COMMAND, %r12
	xorl	%r13d, %r13d
1:
	movl	CMD_SEQ(%r12), %eax
	cmpl	%r13d, %eax
	jne	2f
	movq	%r12, %rdi
	xorl	%esi, %esi		/* FUTEX_WAIT */
	movl	%r13d, %edx
	xorl	%r10d, %r10d
	SYS	NR_FUTEX
	jmp	1b
2:	movl	%eax, %r13d
	movl	$17, %edi		/* SIGCHLD */
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	SYS	NR_CLONE
	testl	%eax, %eax
	jz	stub_main
	jns	1b
	movl	CMD_DONE_FD(%r12), %edi
	leaq	CMD_FAIL(%r12), %rsi
	movl	$8, %edx
	SYS	NR_WRITE
	jmp	1b

/* A stub that cannot be: r12 is a command page. */
unborn:	movl	CMD_DONE_FD(%r12), %edi
	leaq	CMD_FAIL(%r12), %rsi
	movl	$8, %edx
	SYS	NR_WRITE
die:	movl	$1, %edi
	SYS	NR_EXIT_GROUP
	ud2

/* A new stub. r12: the spawner's command page, until our own takes its place; r15: data. */
stub_main:
	movl	$1, %edi
	movl	$9, %esi
	SYS	NR_PRCTL
	movq	CMD_OFF(%r12), %r14
	movq	CMD_AREA_OFF(%r12), %rbp
	movabsq	$PM_STUB_AREA, %rdi	/* the first area; the others come with their threads */
	movq	%rbp, %r9
	movl	$AREA_BYTES, %esi
	movl	$3, %edx		/* read, write */
	movl	$0x11, %r10d		/* shared, fixed */
	movl	$PM_FD_RAM, %r8d
	SYS	NR_MMAP
	cmpq	$-4096, %rax
	ja	unborn
	movq	%r12, %rdi
	movl	$4096, %esi
	movl	$1, %edx		/* read */
	movl	$0x11, %r10d
	movl	$PM_FD_RAM, %r8d
	movq	%r14, %r9
	SYS	NR_MMAP
	cmpq	$-4096, %rax
	ja	unborn
	SYS	NR_GETPID
	movabsq	$PM_STUB_AREA, %rsi
	movl	%eax, AREA_PID(%rsi)	/* no application code has been here yet */
	movl	$1, %edi
	xorl	%esi, %esi
	leaq	DATA_PROG_SERVICE(%r15), %rdx
	SYS	NR_SECCOMP
	testl	%eax, %eax
	jnz	unborn
	xorl	%esp, %esp		/* from here on only a new thread has a stack */
	xorl	%r13d, %r13d
	leaq	CMD_OK(%r12), %rsi
	jmp	report

/* Service: r12 command page, r13d the last request served, rsp 0. Only registers and the command page are believed. */
service:
	movl	CMD_SEQ(%r12), %eax
	cmpl	%r13d, %eax
	jne	1f
	movq	%r12, %rdi
	xorl	%esi, %esi
	movl	%r13d, %edx
	xorl	%r10d, %r10d
	SYS	NR_FUTEX
	jmp	service
1:	movl	%eax, %r13d
	movl	CMD_COUNT(%r12), %ebx
	leaq	CMD_OPS(%r12), %rbp
	leaq	CMD_OK(%r12), %r14
2:	testl	%ebx, %ebx
	jz	3f
	movq	8(%rbp), %rdi
	movq	16(%rbp), %rsi
	movq	24(%rbp), %rdx
	movq	32(%rbp), %r10
	movq	40(%rbp), %r8
	movq	48(%rbp), %r9
	movl	0(%rbp), %eax
	syscall
	testq	%rsp, %rsp
	jnz	app_thread
	cmpl	$NR_CLONE, 0(%rbp)
	je	tell_pid
told:	leaq	CMD_FAIL(%r12), %rcx
	cmpq	$-4096, %rax
	cmovaq	%rcx, %r14
	addq	$CMD_OP_BYTES, %rbp
	decl	%ebx
	jmp	2b
3:	movq	%r14, %rsi
report:	movl	CMD_DONE_FD(%r12), %edi
	movl	$8, %edx
	SYS	NR_WRITE
	jmp	service

/* rax, the number of a new thread, added up from its bits in the other eventfd. Changes what the command has no use for. */
tell_pid:
	cmpq	$-4096, %rax
	ja	told
	movq	%rax, %r9
	movq	%rax, %r8
	leaq	powers(%rip), %rsi
1:	testb	$1, %r8b
	jz	2f
	movl	CMD_PID_FD(%r12), %edi
	movl	$8, %edx
	SYS	NR_WRITE
2:	addq	$8, %rsi
	shrq	$1, %r8
	jnz	1b
	movq	%r9, %rax
	jmp	told

	.balign	8
all_signals:
	.quad	-1
powers:	.irp	bit, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.quad	1 << \bit
	.endr

/* rsp: top of the area. */
app_thread:
	movq	%rsp, %rbx
	decq	%rbx
	andq	$-(1 << AREA_STRIDE_SHIFT), %rbx
	movl	$1, %edi
	movl	$9, %esi
	SYS	NR_PRCTL
	xorl	%edi, %edi
	movl	$-1, %esi
	xorl	%edx, %edx
	SYS	NR_CLOSE_RANGE
	testl	%eax, %eax
	jnz	die
	movabsq	$PM_STUB_AREA, %rax
	movq	%rbx, %rdi
	subq	%rax, %rdi
	shrq	$AREA_STRIDE_SHIFT, %rdi
	imulq	$DATA_STACK_BYTES, %rdi, %rdi
	leaq	DATA_STACKS(%r15,%rdi), %rdi
	xorl	%esi, %esi
	SYS	NR_SIGALTSTACK
	testl	%eax, %eax
	jnz	die
	movl	$1, %edi
	xorl	%esi, %esi
	leaq	DATA_PROG_APP(%r15), %rdx
	SYS	NR_SECCOMP
	testl	%eax, %eax
	jnz	die
	movl	$2, %edi		/* now signals */
	leaq	DATA_NO_SIGNALS(%r15), %rsi
	xorl	%edx, %edx
	movl	$8, %r10d
	SYS	NR_SIGPROCMASK
	testl	%eax, %eax
	jnz	die
	movl	$ENTRY_BIRTH, AREA_SIG(%rbx)

/* rbx: area, all of it stored. Hands over to the kernel, waits, goes on with what it left in the area. */
park:	movl	$STATE_PARKED, %eax
	xchgl	%eax, AREA_STATE(%rbx)
	cmpl	$STATE_RUN_KSLEEP, %eax
	jne	1f
	leaq	AREA_STATE(%rbx), %rdi
	movl	$1, %esi		/* FUTEX_WAKE */
	movl	$1, %edx
	SYS	NR_FUTEX
1:	movl	AREA_SPIN(%rbx), %ecx
2:	movl	AREA_STATE(%rbx), %eax
	cmpl	$STATE_PARKED, %eax
	jne	4f
	pause
	subl	$1, %ecx
	ja	2b
	movl	$STATE_PARKED, %eax
	movl	$STATE_SLEEPING, %ecx
	lock cmpxchgl %ecx, AREA_STATE(%rbx)
	jne	4f
3:	leaq	AREA_STATE(%rbx), %rdi
	xorl	%esi, %esi
	movl	$STATE_SLEEPING, %edx
	xorl	%r10d, %r10d
	SYS	NR_FUTEX
	cmpl	$STATE_SLEEPING, AREA_STATE(%rbx)
	je	3b
4:	movq	AREA_FP(%rbx), %rcx
	testq	%rcx, %rcx
	jz	5f
	movl	$XSAVE_MASK, %eax
	xorl	%edx, %edx
	xrstor64 (%rcx)
5:	movq	AREA_FS(%rbx), %rax
	wrfsbase %rax
	movq	AREA_GS(%rbx), %rax
	wrgsbase %rax
	leaq	AREA_REGS(%rbx), %rdi
/* rdi: 18 registers. The frame for iretq is built below the stack pointer. */
load_and_go:
	pushq	$0x2b
	pushq	120(%rdi)
	pushq	136(%rdi)
	pushq	$0x33
	pushq	128(%rdi)
	movq	(%rdi), %r8
	movq	8(%rdi), %r9
	movq	16(%rdi), %r10
	movq	24(%rdi), %r11
	movq	32(%rdi), %r12
	movq	40(%rdi), %r13
	movq	48(%rdi), %r14
	movq	56(%rdi), %r15
	movq	72(%rdi), %rsi
	movq	80(%rdi), %rbp
	movq	88(%rdi), %rbx
	movq	96(%rdi), %rdx
	movq	104(%rdi), %rax
	movq	112(%rdi), %rcx
	movq	64(%rdi), %rdi
	iretq

/* Every caught signal: edi number, rsi siginfo, rdx ucontext, on the alternate stack. */
	.balign	64
stub_handler:
	movq	%rsp, %rbx
	andq	$-(1 << AREA_STRIDE_SHIFT), %rbx
	leaq	40(%rdx), %rbp		/* its registers, as in the area */
	movq	128(%rbp), %rax
	leaq	stub_code(%rip), %rcx
	subq	%rcx, %rax
	cmpq	$0x10000, %rax
	jb	nested
	movl	%edi, AREA_SIG(%rbx)
store:	movq	%rsi, %r8
	movl	8(%r8), %eax
	movl	%eax, AREA_CODE(%rbx)
	movq	16(%r8), %rax
	movq	%rax, AREA_ADDR(%rbx)
	movl	28(%r8), %eax
	movl	%eax, AREA_ARCH(%rbx)
	movq	152(%rbp), %rax
	movq	%rax, AREA_ERR(%rbx)
	movq	160(%rbp), %rax
	movq	%rax, AREA_TRAPNO(%rbx)
	movq	176(%rbp), %rax
	movq	%rax, AREA_CR2(%rbx)
	movq	184(%rbp), %rax
	movq	%rax, AREA_FP(%rbx)
	movq	%rbp, %rsi
	leaq	AREA_REGS(%rbx), %rdi
	movl	$AREA_REGS_WORDS, %ecx
	rep movsq
	rdfsbase %rax
	movq	%rax, AREA_FS(%rbx)
	rdgsbase %rax
	movq	%rax, AREA_GS(%rbx)
	jmp	park

/* A signal in this code: preemption comes again, and goes back to where it was; anything else is the end. */
nested:	cmpl	$SIG_PREEMPT, %edi
	je	1f
	andq	$~0x100, 136(%rbp)	/* single-stepping ends here */
	cmpl	$5, %edi
	je	1f
	movl	$ENTRY_BROKEN, AREA_SIG(%rbx)
	jmp	store
1:	movq	184(%rbp), %rcx
	movl	$XSAVE_MASK, %eax
	xorl	%edx, %edx
	xrstor64 (%rcx)
	movq	%rbp, %rdi
	jmp	load_and_go

stub_restorer:
	ud2

/* A rewritten call site (guest/rewrite.c): rax = call number, rcx = where it returns to, everything else the program's,
 * its stack too. The area is found by the GS base; a program with one of its own makes the call the other way. */
	.org	stub_code + STUB_FAST_OFF
fast_entry:
	rdgsbase %r11
	shrq	$22, %r11
	cmpl	$(PM_STUB_AREA >> 22), %r11d
	jne	1f
	movq	%rsp, %gs:AREA_REGS+120
	rdgsbase %r11
	leaq	AREA_ALTSTACK_TOP(%r11), %rsp
	movq	%r8, AREA_REGS(%r11)
	movq	%r9, AREA_REGS+8(%r11)
	movq	%r10, AREA_REGS+16(%r11)
	movq	%r12, AREA_REGS+32(%r11)
	movq	%r13, AREA_REGS+40(%r11)
	movq	%r14, AREA_REGS+48(%r11)
	movq	%r15, AREA_REGS+56(%r11)
	movq	%rdi, AREA_REGS+64(%r11)
	movq	%rsi, AREA_REGS+72(%r11)
	movq	%rbp, AREA_REGS+80(%r11)
	movq	%rbx, AREA_REGS+88(%r11)
	movq	%rdx, AREA_REGS+96(%r11)
	movq	%rax, AREA_REGS+104(%r11)
	movq	%rcx, AREA_REGS+112(%r11)
	movq	%rcx, AREA_REGS+128(%r11)
	pushfq
	popq	%rax
	movq	%rax, AREA_REGS+136(%r11)
	movq	%rax, AREA_REGS+24(%r11)
	cld
	movq	%r11, %rbx
	movl	$ENTRY_FAST, AREA_SIG(%rbx)
	rdfsbase %rax
	movq	%rax, AREA_FS(%rbx)
	movq	%rbx, AREA_GS(%rbx)
	leaq	AREA_XSAVE(%rbx), %rcx
	movq	%rcx, AREA_FP(%rbx)
	movl	$XSAVE_MASK, %eax
	xorl	%edx, %edx
	xsaveopt64 (%rcx)
	jmp	park
1:	leaq	-2(%rcx), %r11		/* the syscall instruction at the end of the site */
	jmp	*%r11
	.globl	stub_code_end
stub_code_end:

	.section .note.GNU-stack, "", @progbits
