// SPDX-License-Identifier: Apache-2.0
/*
 * signal - x86-64 signal frames, as Linux lays them out
 *
 * Role      See arch/thread.h. task/signal.c decides, this file writes and reads the frame.
 * Rules     The frame, from low to high: return address, ucontext, siginfo, then the XSAVE image with
 *           Linux's magic words. Everything read back is checked, by admit.h: selectors are forced, flags are masked, a
 *           vector image the CPU would refuse is refused. Handlers start with initial vector registers.
 * See       sigreturn(2); the psABI's 128-byte red zone
 */
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/thread.h"
#include "arch/x86_64/guest/admit.h"
#include "arch/x86_64/guest/fpu.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"

#define FP_XSTATE_MAGIC1     0x46505853u
#define FP_XSTATE_MAGIC2     0x46505845u
#define UC_FP_XSTATE	     1u
#define UC_SIGCONTEXT_SS     2u
#define UC_STRICT_RESTORE_SS 4u
#define RED_ZONE	     128
#define FX_SW_RESERVED	     464 /* offset of the software bytes in the FXSAVE area */
#define FXSAVE_BYTES	     512
#define VEC_PF		     14

struct sigcontext64 {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2, fpstate;
	u64 reserved[8];
};

struct ucontext64 {
	u64 flags, link;
	u64 ss_sp;
	u32 ss_flags, pad;
	u64 ss_size;
	struct sigcontext64 mc;
	u64 sigmask;
};

struct rt_sigframe {
	u64 pretcode;
	struct ucontext64 uc;
	u8 info[128];
};
BUILD_BUG_ON(sizeof(struct sigcontext64) != 256);
BUILD_BUG_ON(offsetof(struct rt_sigframe, info) != 312);

struct fx_sw_bytes {
	u32 magic1, extended_size;
	u64 xfeatures;
	u32 xstate_size, pad[7];
};

static struct fpu_state *live_fpu(void)
{
	return ((struct arch_thread *)current())->fpu;
}

static u64 fpstate_bytes(void)
{
	return arch_fpu_size() + (features.xsave ? 4 : 0);
}

u64 arch_min_sigstack(void)
{
	return sizeof(struct rt_sigframe) + fpstate_bytes() + RED_ZONE + 64 + 16 + 1024;
}

/* The live vector registers, with Linux's words, at dst. */
static int put_fpstate(u64 dst)
{
	struct fpu_state *s = live_fpu();
	struct fx_sw_bytes sw = { 0 };
	u32 magic2 = FP_XSTATE_MAGIC2;
	u64 bv;

	arch_fpu_save(s);
	memset((u8 *)s + FX_SW_RESERVED, 0, FXSAVE_BYTES - FX_SW_RESERVED);
	if (features.xsave) {
		/* xsaveopt leaves components in their initial state unwritten; the header says so */
		memcpy(&bv, (u8 *)s + FXSAVE_BYTES, sizeof bv);
		sw.magic1 = FP_XSTATE_MAGIC1;
		sw.extended_size = (u32)fpstate_bytes();
		sw.xfeatures = features.xcr0;
		sw.xstate_size = features.xsave_size;
		memcpy((u8 *)s + FX_SW_RESERVED, &sw, sizeof sw);
		if (copy_to_user(UADDR(dst + arch_fpu_size()), &magic2, sizeof magic2))
			return -EFAULT;
	}
	return copy_to_user(UADDR(dst), s, arch_fpu_size());
}

static void fill_sigcontext(struct sigcontext64 *mc, const struct regs *r)
{
	*mc = (struct sigcontext64){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.di = r->di,
		.si = r->si,
		.bp = r->bp,
		.bx = r->bx,
		.dx = r->dx,
		.ax = r->ax,
		.cx = r->cx,
		.sp = r->sp,
		.ip = r->ip,
		.flags = r->flags,
		.cs = USER_CS,
		.ss = USER_DS,
	};
}

int arch_signal_deliver(struct regs *r, const struct sigframe_req *req)
{
	struct arch_thread *t = (struct arch_thread *)current();
	struct rt_sigframe f = { .pretcode = req->restorer };
	u64 sp = req->sp ? req->sp : r->sp - RED_ZONE, fp;

	fp = ALIGN_DOWN(sp - fpstate_bytes(), 64);
	sp = ALIGN_DOWN(fp - sizeof f, 16) - 8;
	if (sp >= USER_VA_END || fp >= USER_VA_END || !sigframe_fits(req, sp))
		return -EFAULT;
	if (put_fpstate(fp))
		return -EFAULT;
	f.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (features.xsave ? UC_FP_XSTATE : 0);
	f.uc.ss_sp = req->altstack_sp;
	f.uc.ss_flags = req->altstack_flags;
	f.uc.ss_size = req->altstack_size;
	fill_sigcontext(&f.uc.mc, r);
	f.uc.mc.err = t->signalled.error;
	f.uc.mc.trapno = t->signalled.nr;
	f.uc.mc.cr2 = t->signalled.addr;
	f.uc.mc.oldmask = req->blocked;
	f.uc.mc.fpstate = fp;
	f.uc.sigmask = req->blocked;
	memcpy(f.info, req->siginfo, sizeof f.info);
	if (copy_to_user(UADDR(sp), &f, sizeof f))
		return -EFAULT;
	r->di = (u64)(s64)req->sig;
	r->si = sp + offsetof(struct rt_sigframe, info);
	r->dx = sp + offsetof(struct rt_sigframe, uc);
	r->ax = 0;
	r->ip = req->handler;
	r->sp = sp;
	r->flags &= ~(u64)(FLAGS_DF | FLAGS_TF | FLAGS_RF);
	r->cs = USER_CS;
	r->ss = USER_DS;
	arch_fpu_reset();
	return 0;
}

void arch_signal_note(void)
{
	struct arch_thread *t = (struct arch_thread *)current();
	u64 addr = t->last.nr == VEC_PF ? t->last.addr : t->signalled.addr;

	t->signalled = t->last;
	t->signalled.addr = addr;
}

static int get_fpstate(u64 src)
{
	struct fpu_state *s = live_fpu();
	struct fx_sw_bytes sw;
	u32 magic2 = 0;
	bool is_full;

	if (!src) {
		arch_fpu_init_state(s);
		arch_fpu_restore(s);
		return 0;
	}
	if (copy_from_user(&sw, UADDR(src + FX_SW_RESERVED), sizeof sw))
		return -EFAULT;
	is_full = features.xsave && sw.magic1 == FP_XSTATE_MAGIC1 &&
		  sw.xstate_size == features.xsave_size && sw.extended_size == fpstate_bytes();
	if (is_full &&
	    (get_user(&magic2, UADDR(src + features.xsave_size)) || magic2 != FP_XSTATE_MAGIC2))
		is_full = false;
	arch_fpu_init_state(s);
	if (copy_from_user(s, UADDR(src), is_full ? arch_fpu_size() : FXSAVE_BYTES))
		goto refuse;
	memset((u8 *)s + FX_SW_RESERVED, 0, FXSAVE_BYTES - FX_SW_RESERVED);
	if (features.xsave && !is_full) {
		u64 legacy = 3;

		memcpy((u8 *)s + FXSAVE_BYTES, &legacy, sizeof legacy);
	}
	if (!fpu_can_load(s, arch_fpu_size()))
		goto refuse;
	arch_fpu_restore(s);
	return 0;
refuse:
	arch_fpu_init_state(s);
	arch_fpu_restore(s);
	return -EFAULT;
}

int arch_signal_return(struct regs *r, struct sigreturn_result *out)
{
	struct ucontext64 uc;
	const struct sigcontext64 *mc = &uc.mc;

	/* the handler's ret popped pretcode */
	if (copy_from_user(&uc, UADDR(r->sp), sizeof uc))
		return -EFAULT;
	*r = (struct regs){
		.r8 = mc->r8,
		.r9 = mc->r9,
		.r10 = mc->r10,
		.r11 = mc->r11,
		.r12 = mc->r12,
		.r13 = mc->r13,
		.r14 = mc->r14,
		.r15 = mc->r15,
		.di = mc->di,
		.si = mc->si,
		.bp = mc->bp,
		.bx = mc->bx,
		.dx = mc->dx,
		.ax = mc->ax,
		.cx = mc->cx,
		.sp = mc->sp,
		.ip = mc->ip,
		.flags = admit_flags(r->flags, mc->flags, FLAGS_SIGRETURN),
		.cs = USER_CS,
		.ss = USER_DS,
		.orig_ax = (u64)-1,
	};
	out->blocked = uc.sigmask;
	out->altstack_sp = uc.ss_sp;
	out->altstack_flags = uc.ss_flags;
	out->altstack_size = uc.ss_size;
	return get_fpstate(mc->fpstate);
}
