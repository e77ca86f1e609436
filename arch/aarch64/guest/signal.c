// SPDX-License-Identifier: Apache-2.0
/*
 * signal - aarch64 signal frames, as Linux lays them out
 *
 * Role      See arch/thread.h. task/signal.c decides, this file writes and reads the frame.
 * Rules     The frame, from low to high: siginfo, ucontext with a list of records (vector registers, syndrome), and
 *           above it a frame record, so that unwinders step through. Everything read back is checked:
 *           the mode bits of the state are forced, records may not leave their area, the program
 *           counter must be in user range.
 * See       sigreturn(2); AAPCS64 6.2.3 (frame records)
 */
#include "arch/aarch64/guest/admit.h"
#include "arch/aarch64/guest/fpu.h"
#include "arch/aarch64/guest/local.h"
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/thread.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"

#define FPSIMD_MAGIC   0x46508001u
#define ESR_MAGIC      0x45535201u
#define RECORDS_BYTES  4096u
#define RECORDS_WALKED 16 /* at most so many are looked at */

struct record {
	u32 magic, size;
};

struct fpsimd_record {
	struct record head;
	u32 fpsr, fpcr;
	u64 v[64];
};

struct esr_record {
	struct record head;
	u64 esr;
};

struct sigcontext {
	u64 fault_addr, x[31], sp, pc, pstate;
	u8 records[RECORDS_BYTES] __attribute__((aligned(16)));
};

struct ucontext {
	u64 flags, link;
	u64 ss_sp;
	u32 ss_flags, pad;
	u64 ss_size;
	u64 sigmask;
	u8 unused[120];
	struct sigcontext mc __attribute__((aligned(16)));
};

struct rt_sigframe {
	u8 info[128];
	struct ucontext uc;
};
BUILD_BUG_ON(sizeof(struct fpsimd_record) != 528);
BUILD_BUG_ON(offsetof(struct ucontext, mc) != 176);
BUILD_BUG_ON(offsetof(struct sigcontext, records) != 288);
BUILD_BUG_ON(sizeof(struct rt_sigframe) != 4688);

/* What is written of the records area: these and the empty record that ends the list. */
struct written_records {
	struct fpsimd_record fp;
	struct esr_record esr;
	struct record end;
};

struct frame_head {
	u8 info[128];
	u64 flags, link, ss_sp;
	u32 ss_flags, pad;
	u64 ss_size, sigmask;
	u8 unused[128];
	u64 fault_addr, x[31], sp, pc, pstate, pad1;
};
BUILD_BUG_ON(sizeof(struct frame_head) != offsetof(struct rt_sigframe, uc.mc.records));
BUILD_BUG_ON(offsetof(struct frame_head, fault_addr) != offsetof(struct rt_sigframe, uc.mc));

u64 arch_min_sigstack(void)
{
	return sizeof(struct rt_sigframe) + 2 * sizeof(u64) + 16;
}

static int put_records(u64 dst)
{
	struct arch_thread *t = (struct arch_thread *)current();
	struct written_records w = {
		.fp.head = {FPSIMD_MAGIC, sizeof w.fp },
		.esr.head = { ESR_MAGIC,	 sizeof w.esr},
		.esr.esr = t->signalled.esr,
	};

	arch_fpu_save(t->fpu);
	w.fp.fpsr = t->fpu->fpsr;
	w.fp.fpcr = t->fpu->fpcr;
	memcpy(w.fp.v, t->fpu->v, sizeof w.fp.v);
	return copy_to_user(UADDR(dst), &w, sizeof w);
}

static int put_head(u64 dst, const struct regs *r, const struct sigframe_req *req)
{
	struct frame_head h = {
		.ss_sp = req->altstack_sp,
		.ss_flags = req->altstack_flags,
		.ss_size = req->altstack_size,
		.sigmask = req->blocked,
		.fault_addr = ((struct arch_thread *)current())->signalled.addr,
		.sp = r->sp,
		.pc = r->pc,
		.pstate = r->pstate,
	};

	memcpy(h.info, req->siginfo, sizeof h.info);
	memcpy(h.x, r->x, sizeof h.x);
	return copy_to_user(UADDR(dst), &h, sizeof h);
}

int arch_signal_deliver(struct regs *r, const struct sigframe_req *req)
{
	u64 sp = req->sp ? req->sp : r->sp;
	u64 link = ALIGN_DOWN(sp, 16) - 16, frame = link - sizeof(struct rt_sigframe);
	u64 chain[2] = { r->x[29], r->x[30] };

	if (sp > USER_VA_END || frame >= USER_VA_END)
		return -EFAULT;
	if (copy_to_user(UADDR(link), chain, sizeof chain) || put_head(frame, r, req) ||
	    put_records(frame + offsetof(struct rt_sigframe, uc.mc.records)))
		return -EFAULT;
	r->x[0] = (u64)(s64)req->sig;
	r->x[1] = frame;
	r->x[2] = frame + offsetof(struct rt_sigframe, uc);
	r->x[29] = link;
	r->x[30] = req->restorer;
	r->sp = frame;
	r->pc = req->handler;
	r->pstate &= ~(PSTATE_SS | PSTATE_BTYPE);
	if (features.bti)
		r->pstate |= PSTATE_CALLED;
	return 0;
}

void arch_signal_note(void)
{
	struct arch_thread *t = (struct arch_thread *)current();

	t->signalled = t->last;
}

/* Loads the vector registers of the record at src; others of the list are passed over. */
static __attribute__((noinline)) int get_records(u64 src)
{
	struct arch_thread *t = (struct arch_thread *)current();
	struct fpsimd_record fp;
	struct record h;
	u32 at = 0, i;

	for (i = 0; i < RECORDS_WALKED; i++) {
		if (at > RECORDS_BYTES - sizeof h)
			return -EINVAL;
		if (copy_from_user(&h, UADDR(src + at), sizeof h))
			return -EFAULT;
		if (!h.magic)
			return -EINVAL; /* the list ended without them */
		if (h.magic == FPSIMD_MAGIC)
			break;
		if (h.size < sizeof h || h.size % 16 || h.size > RECORDS_BYTES - at)
			return -EINVAL;
		at += h.size;
	}
	if (i == RECORDS_WALKED || h.size != sizeof fp || at > RECORDS_BYTES - sizeof fp)
		return -EINVAL;
	if (copy_from_user(&fp, UADDR(src + at), sizeof fp))
		return -EFAULT;
	memcpy(t->fpu->v, fp.v, sizeof fp.v);
	t->fpu->fpsr = fp.fpsr;
	t->fpu->fpcr = fp.fpcr;
	arch_fpu_restore(t->fpu);
	return 0;
}

int arch_signal_return(struct regs *r, struct sigreturn_result *out)
{
	struct frame_head h;
	u64 pstate;

	if (r->sp % 16 || copy_from_user(&h, UADDR(r->sp), sizeof h))
		return -EFAULT;
	if (!admit_pstate(h.pstate, &pstate))
		return -EINVAL;
	if (get_records(r->sp + sizeof h))
		return -EFAULT;
	memcpy(r->x, h.x, sizeof r->x);
	r->sp = h.sp;
	r->pc = h.pc;
	r->pstate = pstate;
	r->orig_x0 = h.x[0];
	r->syscallno = (u64)-1;
	out->blocked = h.sigmask;
	out->altstack_sp = h.ss_sp;
	out->altstack_flags = h.ss_flags;
	out->altstack_size = h.ss_size;
	return 0;
}
