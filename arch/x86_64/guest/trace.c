// SPDX-License-Identifier: Apache-2.0
/*
 * trace - register sets and single steps of x86-64
 *
 * Role      See arch/trace.h. Shared by the machines of x86-64.
 * Rules     The general set is struct user_regs_struct, the vector set the standard XSAVE image, with XCR0 in the bytes
 *           software owns, where debuggers look for it. What XSAVEOPT left unwritten is filled with what it stands for.
 *           What a debugger sets is checked by admit.h and fpu_can_load(); an instruction pointer is not, as on Linux.
 * Missing   code and data selectors other than those of every program (32-bit code among them): EIO.
 *           debug registers: they read as 0, and setting one says ENOSPC, as on a CPU all of whose breakpoints are taken.
 */
#include "arch/trace.h"

#include "arch/fpu.h"
#include "arch/x86_64/guest/admit.h"
#include "arch/x86_64/guest/fpu.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/elf.h"
#include "guestkernel/uapi/prctl.h"
#include "guestkernel/uapi/ptrace.h"

#define FXSAVE_BYTES 512u
#define XSTATE_BV    512u
#define XCR0_AT	     464u /* in the FXSAVE area */
#define MXCSR_AT     24u
#define X87_AT	     32u
#define SSE_AT	     160u
#define SSE_END	     416u
#define USES_MXCSR   7u /* x87, SSE, AVX */

/* struct user: the general set comes first, the debug registers last. */
#define USER_BYTES    912u
#define USER_DEBUGREG 848u

struct general_set {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	u64 ip, cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};
BUILD_BUG_ON(sizeof(struct general_set) != 27 * sizeof(u64));

u32 arch_regset_size(u32 note)
{
	switch (note) {
	case NT_PRSTATUS:
		return sizeof(struct general_set);
	case NT_PRFPREG:
		return FXSAVE_BYTES;
	case NT_X86_XSTATE:
		return features.xsave ? (u32)arch_fpu_size() : 0;
	}
	return 0;
}

static void general_get(struct arch_thread *t, struct general_set *g)
{
	const struct regs *r = arch_thread_regs(t);

	/* both begin alike */
	BUILD_BUG_ON(offsetof(struct regs, ip) != offsetof(struct general_set, ip));
	memset(g, 0, sizeof *g);
	memcpy(g, r, offsetof(struct regs, ip));
	g->ip = r->ip;
	g->cs = USER_CS;
	g->flags = r->flags;
	g->sp = r->sp;
	g->ss = USER_DS;
	g->fs_base = t->fs_base;
	g->gs_base = t->gs_base;
}

static int general_set(struct arch_thread *t, const struct general_set *g)
{
	struct regs *r = arch_thread_regs(t);

	if ((g->fs_base != t->fs_base && !admit_base(g->fs_base)) ||
	    (g->gs_base != t->gs_base && !admit_base(g->gs_base)) ||
	    !admit_selectors(g->cs, g->ss) || (g->ds | g->es | g->fs | g->gs))
		return -EIO;
	memcpy(r, g, offsetof(struct regs, ip));
	r->ip = g->ip;
	r->flags = admit_flags(r->flags, g->flags, FLAGS_TRACE);
	r->sp = g->sp;
	t->fs_base = g->fs_base;
	t->gs_base = g->gs_base;
	return 0;
}

/* A component in its initial state: its bytes may be of long ago. */
static void fill_initial(u8 *image, u64 present)
{
	u16 fcw = FCW_INIT;
	u32 c[4];

	if (!(present & 1)) {
		memset(image, 0, 24);
		memcpy(image, &fcw, sizeof fcw);
		memset(image + X87_AT, 0, SSE_AT - X87_AT);
	}
	if (!(present & 2))
		memset(image + SSE_AT, 0, SSE_END - SSE_AT);
	for (u32 i = 2; i < 63; i++) {
		if (!(features.xcr0 >> i & 1) || (present >> i & 1))
			continue;
		cpuid(0xd, i, c); /* size, offset */
		if (c[1] <= features.xsave_size && c[0] <= features.xsave_size - c[1])
			memset(image + c[1], 0, c[0]);
	}
}

static void vector_get(struct arch_thread *t, u8 *out, u32 n)
{
	u8 *image = (u8 *)t->fpu;
	u64 bv = 3;

	if (features.xsave) {
		memcpy(&bv, image + XSTATE_BV, sizeof bv);
		fill_initial(image, bv);
	}
	memcpy(out, image, n);
	memset(out + SSE_END, 0, FXSAVE_BYTES - SSE_END);
	if (n > FXSAVE_BYTES)
		memcpy(out + XCR0_AT, &features.xcr0, sizeof features.xcr0);
}

/* A full set whose header names none of the components that use MXCSR leaves it as it is, whatever stands there. */
static int vector_set(struct arch_thread *t, u8 *in, u32 n)
{
	u8 *image = (u8 *)t->fpu;
	u64 bv;

	if (n > FXSAVE_BYTES) {
		memcpy(&bv, in + XSTATE_BV, sizeof bv);
		if (!(bv & USES_MXCSR))
			memcpy(in + MXCSR_AT, image + MXCSR_AT, sizeof(u32));
	}
	if (!fpu_can_load(in, n))
		return -EINVAL;
	if (features.xsave && n == FXSAVE_BYTES) {
		memcpy(&bv, image + XSTATE_BV, sizeof bv);
		fill_initial(image, bv);
		bv |= 3;
		memcpy(image + XSTATE_BV, &bv, sizeof bv);
	}
	memcpy(image, in, n);
	memset(image + SSE_END, 0, FXSAVE_BYTES - SSE_END);
	t->fpu_cpu = FPU_IN_MEMORY;
	return 0;
}

void arch_regset_get(struct arch_thread *t, u32 note, void *buf)
{
	if (note == NT_PRSTATUS)
		general_get(t, buf);
	else
		vector_get(t, buf, arch_regset_size(note));
}

int arch_regset_set(struct arch_thread *t, u32 note, void *buf)
{
	if (note == NT_PRSTATUS)
		return general_set(t, buf);
	return vector_set(t, buf, arch_regset_size(note));
}

u32 arch_ptrace_regset(u64 request, bool *is_write)
{
	*is_write = request == PTRACE_SETREGS || request == PTRACE_SETFPREGS;
	switch (request) {
	case PTRACE_GETREGS:
	case PTRACE_SETREGS:
		return NT_PRSTATUS;
	case PTRACE_GETFPREGS:
	case PTRACE_SETFPREGS:
		return NT_PRFPREG;
	}
	return 0;
}

int arch_user_word_get(struct arch_thread *t, u64 off, u64 *word)
{
	struct general_set g;

	if (off % sizeof *word || off >= USER_BYTES)
		return -EIO;
	*word = 0;
	if (off >= sizeof g)
		return 0;
	general_get(t, &g);
	memcpy(word, (u8 *)&g + off, sizeof *word);
	return 0;
}

int arch_user_word_set(struct arch_thread *t, u64 off, u64 word)
{
	struct general_set g;

	if (off % sizeof word || off >= USER_BYTES)
		return -EIO;
	if (off >= sizeof g)
		return off >= USER_DEBUGREG && word ? -ENOSPC : off >= USER_DEBUGREG ? 0 : -EIO;
	general_get(t, &g);
	memcpy((u8 *)&g + off, &word, sizeof word);
	return general_set(t, &g);
}

int arch_trace_prctl(struct arch_thread *t, u64 code, u64 *value)
{
	bool is_gs = code == ARCH_SET_GS || code == ARCH_GET_GS;
	u64 *base = is_gs ? &t->gs_base : &t->fs_base;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (!admit_base(*value))
			return -EPERM;
		*base = *value;
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		*value = *base;
		return 1;
	}
	return -EINVAL;
}

bool arch_step_begin(void)
{
	struct regs *r = arch_thread_regs((struct arch_thread *)current());

	if (r->flags & FLAGS_TF)
		return false;
	r->flags |= FLAGS_TF;
	return true;
}

void arch_step_end(struct arch_thread *t)
{
	arch_thread_regs(t)->flags &= ~(u64)FLAGS_TF;
}
