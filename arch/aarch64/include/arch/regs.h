// SPDX-License-Identifier: Apache-2.0
/*
 * regs - the trap frame: an application's registers while it is in the kernel
 *
 * Role      Lies at the top of the kernel stack of a task; regs of the current task: arch_user_regs().
 * Rules     Order is known to guest/entry.S. syscallno is the call's number on entry through a system call and -1
 *           otherwise; regs_forget_syscall() clears it so that nothing is restarted twice. x0 carries argument
 *           and result, so the argument is kept in orig_x0.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct regs {
	u64 x[31];
	u64 sp, pc, pstate;
	u64 orig_x0;
	u64 syscallno;
};

static inline bool regs_from_user(const struct regs *r)
{
	return (r->pstate & 15) == 0;
}
static inline u64 regs_ip(const struct regs *r)
{
	return r->pc;
}
static inline u64 regs_sp(const struct regs *r)
{
	return r->sp;
}
static inline void regs_set_ip(struct regs *r, u64 ip)
{
	r->pc = ip;
}
static inline void regs_set_sp(struct regs *r, u64 sp)
{
	r->sp = sp;
}
/* -1: not in a system call. */
static inline s64 regs_syscall_nr(const struct regs *r)
{
	return (s64)r->syscallno;
}
static inline void regs_forget_syscall(struct regs *r)
{
	r->syscallno = (u64)-1;
}
static inline u64 regs_syscall_arg(const struct regs *r, u32 n)
{
	return n ? r->x[n] : r->orig_x0;
}
static inline s64 regs_ret(const struct regs *r)
{
	return (s64)r->x[0];
}
static inline void regs_set_ret(struct regs *r, s64 v)
{
	r->x[0] = (u64)v;
}
/* Back up to the system call instruction so that it runs again with number nr. */
static inline void regs_restart_syscall(struct regs *r, s64 nr)
{
	r->x[0] = r->orig_x0;
	r->x[8] = (u64)nr;
	r->pc -= 4;
}
/* As before the call, but behind its instruction. */
static inline void regs_undo_syscall(struct regs *r)
{
	r->x[0] = r->orig_x0;
}
/* What debuggers are shown when a system call begins or ends; regs_trace_done() when they have seen it. */
static inline u64 regs_trace_mark(struct regs *r, bool is_exit)
{
	u64 mark = r->x[7];

	r->x[7] = is_exit;
	return mark;
}
static inline void regs_trace_done(struct regs *r, bool is_exit, u64 mark)
{
	r->x[7] = mark;
	if (!is_exit)
		r->orig_x0 = r->x[0]; /* they may have changed the argument */
}
/* Innermost frame of the interrupted code, for backtraces. */
static inline u64 arch_regs_fp(const struct regs *r)
{
	return r->x[29];
}
