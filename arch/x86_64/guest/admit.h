// SPDX-License-Identifier: Apache-2.0
/*
 * admit - what a program may have the kernel load into registers of x86-64: checked where it enters
 *
 * Role      clone, arch_prctl, ptrace, sigreturn and exec ask here before they store a value; shared by the machines of
 *           x86-64. The vector image has its own check, fpu_can_load().
 * INVARIANTS of struct regs and struct arch_thread, on which the ways out of the kernel rely
 *           fs_base, gs_base: canonical. Either below BASE_END, or what the program loaded itself with an
 *             instruction that refuses others.
 *           cs, ss: USER_CS and USER_DS. Nothing else is ever stored.
 *           flags: FLAGS_FIXED and FLAGS_IF set, no bit outside FLAGS_USER otherwise: no IOPL, no VM.
 *           ip: anything, also what is not canonical, for debuggers to see. The last step before user mode (user_exit()
 *             and run_once()) makes a signal of one at or above USER_VA_END: iretq and sysret never meet it.
 *           sp and the general registers: anything; iretq loads them unseen, and sysret leaves them alone.
 *           debug registers, CR2, selectors of data: never loaded.
 * See       tests/syscalls/x86_64/bad_registers.c
 */
#pragma once

#include "arch/param.h"
#include "arch/regs.h"
#include "arch/x86_64/guest/x86.h"

struct arch_thread;

/* Linux' limit of them, also where addresses end before it (arch/process). */
#define BASE_END 0x00007ffffffff000ull

/* What sigreturn(2) and ptrace(2) change of the flags; the others stay. */
#define FLAGS_SIGRETURN 0x50dd5u /* CF PF AF ZF SF TF DF OF RF AC */
#define FLAGS_TRACE	(FLAGS_SIGRETURN | FLAGS_NT)

static inline bool admit_base(u64 base)
{
	return base < BASE_END;
}

static inline u64 admit_flags(u64 old, u64 asked, u64 mask)
{
	return (((old & ~mask) | (asked & mask)) & FLAGS_USER) | FLAGS_FIXED | FLAGS_IF;
}

static inline bool admit_selectors(u64 cs, u64 ss)
{
	return cs == USER_CS && ss == USER_DS;
}

static inline bool is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* The program would go on at or above USER_VA_END: the signal the CPU's fault would have become. */
void admit_bad_ip(struct arch_thread *t, struct regs *r);
