/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t_cpu.h - what the system call programs know of x86-64
 *
 * Role      Same names in tests/lib/cpu/<cpu>/; the build chooses the folder.
 */
#ifndef TESTS_LIB_T_CPU_H
#define TESTS_LIB_T_CPU_H

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <ucontext.h>
#include <unistd.h>

#define T_USER_END    0x7ffffffff000ull /* the first byte past user addresses */
#define T_O_LARGEFILE 0100000		/* F_GETFL shows it, libc has 0 for it */
#define T_RETURN_42                     \
	{                               \
		0xb8, 42, 0, 0, 0, 0xc3 \
	} /* int f(void) */
#define T_RETURN_43                     \
	{                               \
		0xb8, 43, 0, 0, 0, 0xc3 \
	}
#define T_MACHINE    EM_X86_64 /* of <elf.h> */
#define T_OLD_PTRACE 1	       /* PTRACE_OLDSETOPTIONS is there */
#define T_FRAMES_FIT 1	       /* the kernel looks whether a frame fits on the alternate stack */
/* exit(n), n below 256, as a whole program */
#define T_EXIT(n)                                                 \
	{                                                         \
		0xbf, (n), 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05 \
	}
#define T_ODD_ADDRESS	 0x8000000000000000ull /* never an address: not canonical */
#define T_ODD_CODE	 SI_KERNEL
#define T_DIVISION_TRAPS 1
#define T_UNDEFINED_CODE ILL_ILLOPN
#define T_PRIVILEGED_SIG SIGSEGV
#define t_undefined()	 __asm__ volatile("ud2")
#define t_breakpoint()	 __asm__ volatile("int3")
#define t_privileged_a() __asm__ volatile("hlt")
#define t_privileged_b() __asm__ volatile("cli")
#define t_privileged_c() __asm__ volatile("out %%al, $0x80" : : "a"(0))
#define t_clobber_vectors()                                                                 \
	__asm__ volatile(                                                                   \
		"pxor %%xmm0, %%xmm0\n\t pxor %%xmm5, %%xmm5\n\t pxor %%xmm15, %%xmm15\n\t" \
		"fldz\n\t fstp %%st(0)"                                                     \
		:                                                                           \
		:                                                                           \
		: "xmm0", "xmm5", "xmm15")

/* Steps over t_undefined() and sets the register t_undefined_value() returns. */
static inline void t_skip_undefined(ucontext_t *uc, long value)
{
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RBX] = value;
}

static inline long t_undefined_value(void)
{
	long rbx = 0;

	__asm__ volatile("ud2" : "+b"(rbx));
	return rbx;
}

/* kill(self, sig) with 0x1111 .. 0x6666 in six registers, which are then stored. */
static inline long t_kill_with_registers(long sig, unsigned long *out)
{
	long ret = SYS_kill, pid = getpid();
	register unsigned long *where __asm__("r8") = out;

	__asm__ volatile("mov $0x1111, %%rbx\n\t mov $0x2222, %%r12\n\t mov $0x3333, %%r13\n\t"
			 "mov $0x4444, %%r14\n\t mov $0x5555, %%r15\n\t mov $0x6666, %%r9\n\t"
			 "syscall\n\t"
			 "mov %%rbx, 0(%%r8)\n\t mov %%r12, 8(%%r8)\n\t mov %%r13, 16(%%r8)\n\t"
			 "mov %%r14, 24(%%r8)\n\t mov %%r15, 32(%%r8)\n\t mov %%r9, 40(%%r8)\n\t"
			 : "+a"(ret)
			 : "D"(pid), "S"(sig), "r"(where)
			 : "rbx", "r12", "r13", "r14", "r15", "r9", "rcx", "r11", "memory");
	return ret;
}

/* The same with four doubles in two vector registers. */
static inline void t_kill_with_vectors(long sig, double *in, double *out)
{
	register double *from __asm__("r12") = in;
	register double *to __asm__("r13") = out;
	long ret = SYS_kill, pid = getpid();

	__asm__ volatile("movupd (%%r12), %%xmm0\n\t movupd 16(%%r12), %%xmm15\n\t"
			 "syscall\n\t"
			 "movupd %%xmm0, (%%r13)\n\t movupd %%xmm15, 16(%%r13)\n\t"
			 : "+a"(ret)
			 : "D"(pid), "S"(sig), "r"(from), "r"(to)
			 : "rcx", "r11", "xmm0", "xmm15", "memory");
}

static inline void t_round_to_zero(void)
{
	unsigned int want = 0x1f80 | 0x6000;

	__asm__ volatile("ldmxcsr %0" : : "m"(want));
}

static inline int t_rounds_to_zero(void)
{
	unsigned int mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return (mxcsr & 0x6000) == 0x6000;
}

/* kill(self, sig) with a stack pointer that leads nowhere. */
static inline void t_kill_without_stack(long sig)
{
	__asm__ volatile("mov $8, %%rsp\n\t syscall"
			 :
			 : "a"((long)SYS_kill), "D"((long)getpid()), "S"(sig)
			 : "rcx", "r11", "memory");
}

#define T_AUDIT_ARCH 0xc000003eu
#define T_UC_RET(uc) ((uc)->uc_mcontext.gregs[REG_RAX])

/* Of a traced thread. */
#define T_FPREGS_BYTES 512
#define T_REGS_PC      rip
#define T_REGS_SP      rsp
#define T_REGS_RET     rax
#define T_REGS_ARG     rdi
#define T_BREAKPOINT \
	{            \
		0xcc \
	}
#define T_BREAKPOINT_SKIPS 1 /* bytes the program counter is past it */

static inline long t_set_syscall(pid_t pid, long nr)
{
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), nr);
}

#endif
