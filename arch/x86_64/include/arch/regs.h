// SPDX-License-Identifier: Apache-2.0
/*
 * regs - the trap frame: an application's registers while it is in the kernel
 *
 * Role      Lies at the top of the kernel stack of a task; regs of the current task: arch_user_regs().
 * Rules     Order is known to guest/entry.S. orig_ax is the system call number on entry through a system
 *           call and -1 otherwise; regs_forget_syscall() clears it so that nothing is restarted twice.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct regs {
	u64 r15, r14, r13, r12, bp, bx;
	u64 r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig_ax;
	/* pushed by the CPU */
	u64 ip, cs, flags, sp, ss;
};

static inline bool regs_from_user(const struct regs *r)
{
	return (r->cs & 3) == 3;
}
static inline u64 regs_ip(const struct regs *r)
{
	return r->ip;
}
static inline u64 regs_sp(const struct regs *r)
{
	return r->sp;
}
static inline void regs_set_ip(struct regs *r, u64 ip)
{
	r->ip = ip;
}
static inline void regs_set_sp(struct regs *r, u64 sp)
{
	r->sp = sp;
}
/* -1: not in a system call. */
static inline s64 regs_syscall_nr(const struct regs *r)
{
	return (s64)r->orig_ax;
}
static inline void regs_forget_syscall(struct regs *r)
{
	r->orig_ax = (u64)-1;
}
static inline u64 regs_syscall_arg(const struct regs *r, u32 n)
{
	const u64 args[6] = { r->di, r->si, r->dx, r->r10, r->r8, r->r9 };

	return args[n];
}
static inline s64 regs_ret(const struct regs *r)
{
	return (s64)r->ax;
}
static inline void regs_set_ret(struct regs *r, s64 v)
{
	r->ax = (u64)v;
}
/* Back up to the system call instruction so that it runs again with number nr. */
static inline void regs_restart_syscall(struct regs *r, s64 nr)
{
	r->ax = (u64)nr;
	r->ip -= 2;
}
/* As before the call, but behind its instruction. */
static inline void regs_undo_syscall(struct regs *r)
{
	r->ax = r->orig_ax;
}
/* What debuggers are shown when a system call begins or ends; regs_trace_done() when they have seen it. */
static inline u64 regs_trace_mark(struct regs *r, bool is_exit)
{
	if (!is_exit)
		r->ax = (u64)-38; /* ENOSYS: how a call that was not made ends */
	return 0;
}
static inline void regs_trace_done(struct regs *r, bool is_exit, u64 mark)
{
	(void)r;
	(void)is_exit;
	(void)mark;
}
/* Innermost frame of the interrupted code, for backtraces. */
static inline u64 arch_regs_fp(const struct regs *r)
{
	return r->bp;
}
