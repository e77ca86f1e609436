/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t_cpu.h - what the system call programs know of aarch64
 *
 * Role      Same names in tests/lib/cpu/<cpu>/; the build chooses the folder.
 */
#ifndef TESTS_LIB_T_CPU_H
#define TESTS_LIB_T_CPU_H

#include <signal.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>
#include <unistd.h>

#define T_USER_END    0x1000000000000ull /* the first byte past user addresses */
#define T_O_LARGEFILE 0400000		 /* F_GETFL shows it, libc has 0 for it */
#define T_RETURN_42                                      \
	{                                                \
		0x40, 5, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6 \
	} /* int f(void) */
#define T_RETURN_43                                      \
	{                                                \
		0x60, 5, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6 \
	}
#define T_MACHINE    EM_AARCH64 /* of <elf.h> */
#define T_OLD_PTRACE 0		/* PTRACE_OLDSETOPTIONS is there */
#define T_FRAMES_FIT 0		/* the kernel looks whether a frame fits on the alternate stack */
/* exit(n), n below 256, as a whole program */
#define T_EXIT(n)                                                                                \
	{                                                                                        \
		(n) << 5 & 0xff, (n) >> 3, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, \
			0xd4                                                                     \
	}
#define T_ODD_ADDRESS	 0x0040000000000000ull /* never an address: beyond the tables */
#define T_ODD_CODE	 SEGV_MAPERR
#define T_DIVISION_TRAPS 0
#define T_UNDEFINED_CODE ILL_ILLOPC
#define T_PRIVILEGED_SIG SIGILL
#define t_undefined()	 __asm__ volatile(".inst 0")
#define t_breakpoint()	 __asm__ volatile("brk #0")
#define t_privileged_a() __asm__ volatile("msr daifset, #2")
#define t_privileged_b() __asm__ volatile("mrs x0, ttbr0_el1" : : : "x0")
#define t_privileged_c() __asm__ volatile("tlbi vmalle1")
#define t_clobber_vectors()                                                      \
	__asm__ volatile("movi v0.2d, #0\n\t movi v5.2d, #0\n\t movi v31.2d, #0" \
			 :                                                       \
			 :                                                       \
			 : "v0", "v5", "v31")

/* Steps over t_undefined() and sets the register t_undefined_value() returns. */
static inline void t_skip_undefined(ucontext_t *uc, long value)
{
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[19] = (unsigned long)value;
}

static inline long t_undefined_value(void)
{
	register long x19 __asm__("x19") = 0;

	__asm__ volatile(".inst 0" : "+r"(x19));
	return x19;
}

/* kill(self, sig) with 0x1111 .. 0x6666 in six registers, which are then stored. */
static inline long t_kill_with_registers(long sig, unsigned long *out)
{
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = sig;
	register unsigned long *x2 __asm__("x2") = out;
	register long x8 __asm__("x8") = SYS_kill;

	__asm__ volatile("mov x3, #0x1111\n\t mov x9, #0x2222\n\t mov x16, #0x3333\n\t"
			 "mov x18, #0x4444\n\t mov x20, #0x5555\n\t mov x30, #0x6666\n\t"
			 "svc #0\n\t"
			 "stp x3, x9, [x2]\n\t stp x16, x18, [x2, #16]\n\t stp x20, x30, [x2, #32]"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x8)
			 : "x3", "x9", "x16", "x18", "x20", "x30", "memory");
	return x0;
}

/* The same with four doubles in two vector registers. */
static inline void t_kill_with_vectors(long sig, double *in, double *out)
{
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = sig;
	register double *x2 __asm__("x2") = in;
	register double *x3 __asm__("x3") = out;
	register long x8 __asm__("x8") = SYS_kill;

	__asm__ volatile("ldr q0, [x2]\n\t ldr q31, [x2, #16]\n\t"
			 "svc #0\n\t"
			 "str q0, [x3]\n\t str q31, [x3, #16]\n\t"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x8)
			 : "v0", "v31", "memory");
}

static inline void t_round_to_zero(void)
{
	__asm__ volatile("msr fpcr, %0" : : "r"(3ul << 22));
}

static inline int t_rounds_to_zero(void)
{
	unsigned long fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	return (fpcr >> 22 & 3) == 3;
}

/* kill(self, sig) with a stack pointer that leads nowhere. */
static inline void t_kill_without_stack(long sig)
{
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = sig;
	register long x8 __asm__("x8") = SYS_kill;

	__asm__ volatile("mov x9, #16\n\t mov sp, x9\n\t svc #0"
			 : "+r"(x0)
			 : "r"(x1), "r"(x8)
			 : "x9", "memory");
}

#define T_AUDIT_ARCH 0xc00000b7u
#define T_UC_RET(uc) ((uc)->uc_mcontext.regs[0])

/* Of a traced thread. */
#define T_FPREGS_BYTES 528
#define T_REGS_PC      pc
#define T_REGS_SP      sp
#define T_REGS_RET     regs[0]
#define T_REGS_ARG     regs[0]
#define T_BREAKPOINT             \
	{                        \
		0, 0, 0x20, 0xd4 \
	}
#define T_BREAKPOINT_SKIPS 0 /* bytes the program counter is past it */

static inline long t_set_syscall(pid_t pid, long nr)
{
	int word = (int)nr;
	struct iovec v = { &word, sizeof(word) };

	return ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &v);
}

#endif
