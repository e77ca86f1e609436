// SPDX-License-Identifier: Apache-2.0
/*
 * trap - where the architecture enters the portable kernel
 *
 * Role      arch/<cpu>/guest calls these on the current task's kernel stack with interrupts off; every one of
 *           them returns, and the architecture then leaves the way it came. Before it goes back to user
 *           mode it calls trap_user_exit() while trap_work_pending() is true.
 */
#pragma once

#include "arch/regs.h"
#include "guestkernel/kapi/types.h"

/* A system call; the result is stored in regs. guestkernel/syscall.c */
void trap_syscall(struct regs *r);

enum fault_access {
	FAULT_READ = 1u << 0,
	FAULT_WRITE = 1u << 1,
	FAULT_EXEC = 1u << 2,
	FAULT_PRESENT = 1u << 3, /* protection violation, not a missing page */
	FAULT_KERNEL = 1u << 4,	 /* the kernel touched application memory (uaccess) */
};
/* True when resolved. From user mode an unresolved fault has queued SIGSEGV/SIGBUS and returns true too;
 * false is only returned for FAULT_KERNEL: the copy ends with -EFAULT. mm/fault.c */
bool trap_page_fault(u64 va, u32 access);

/* Any other exception of user mode: becomes a signal. task/signal.c */
void trap_user_exception(struct regs *r, s32 sig, s32 si_code, u64 si_addr, u32 trap_nr,
			 u64 error_code);

/* The CPU's one-shot timer fired. task/timer.c */
void trap_timer(void);
/* Another CPU asked us to look at need_resched (nothing else to do). task/sched.c */
void trap_resched(void);
/* The monitor raised the event interrupt: stream rings, signals from outside. host/hyp.c */
void trap_host_event(void);

/* Cheap test: signal, reschedule or task work pending? Reads this_cpu()->need_resched and current()->work. */
bool trap_work_pending(void);
/* Does it: may switch tasks, deliver signals (changing regs), or not return (exit). */
void trap_user_exit(struct regs *r);
