/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape - what the escape programs share: addresses of the process machine's stubs, attacks in processes of their own
 *
 * Role      Included by the programs of this folder beside tests/lib/t.h.
 * Rules     An attack runs as nobody in a child with a tenth of a second; whatever happens to it is its own affair. The
 *           program that let it loose must find the same kernel and itself afterwards (attack_check()).
 * See       vmm/abi/process.h, arch/process/stub/layout.h
 */
#ifndef TESTS_ESCAPE_ESCAPE_H
#define TESTS_ESCAPE_ESCAPE_H

#include "tests/lib/t.h"

#include "arch/process/stub/layout.h"
#include "vmm/abi/process.h"

#define STUB_CODE_USED 0x1200ul /* what is looked at of PM_STUB_CODE: all code is below */
#define STUB_AREA(cpu) (PM_STUB_AREA + (cpu)*PM_STUB_AREA_BYTES)
#define SLOTS	       0x050f0000ul /* of rewritten call sites: guest/rewrite.c */
#define SLOT_CODE      0x05100000ul

/* Registers of a jump, in the order of jump_with(). */
struct jump_regs {
	unsigned long ax, bx, cx, dx, si, di, bp, sp, r8, r9, r10, r11, r12, r13, r14, r15, flags;
};

/* Runs fn(arg) in a child that is killed after a tenth of a second; its wait status. */
int attack(void (*fn)(unsigned long arg), unsigned long arg);
/* The kernel and the process are what they were. */
void attack_check(void);

extern __thread unsigned long jump_target;
_Noreturn void jump_with(const struct jump_regs *r, unsigned long to);
void random_regs(struct jump_regs *r, uint64_t *seed);
uint64_t random_word(uint64_t *seed);

/* Skips the case on machines without stubs. */
void need_stub(void);

static inline long raw_call(long nr, unsigned long a, unsigned long b, unsigned long c,
			    unsigned long d, unsigned long e, unsigned long f)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	register unsigned long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
