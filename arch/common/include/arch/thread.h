// SPDX-License-Identifier: Apache-2.0
/*
 * thread - the machine side of a task: switching, entering user mode, signal frames
 *
 * Role      struct task embeds struct arch_thread as its first member (assembly knows the offsets).
 * Rules     A kernel stack holds, from its top down: struct regs of the user state, then kernel frames.
 */
#pragma once

#include "arch/regs.h"
#include "arch/thread_state.h"
#include "guestkernel/kapi/types.h"

struct task;
struct fpu_state;
struct sigframe_req;

/* Boot, once there is a heap: before the first thread. */
void arch_thread_setup(void);
/* Prepares a new thread whose kernel stack ends at kstack_top. The frame is empty. -ENOMEM. */
int must_check arch_thread_init(struct arch_thread *t, void *kstack_top);
void arch_thread_fini(struct arch_thread *t);
/* Makes the first switch to t call fn(arg) on its stack; fn does not return. */
void arch_thread_set_entry(struct arch_thread *t, void (*fn)(void *arg), void *arg);
/* fork/clone: child's user state = parent's with return value 0 (and new stack / TLS when asked). The first switch
 * to the child must run task_fork_return() (portable) and then arch_user_enter(). */
int must_check arch_thread_clone(struct arch_thread *child, const struct regs *parent_regs,
				 u64 new_sp, bool set_tls, u64 tls);
/* exec: fresh user state. */
void arch_thread_exec(struct arch_thread *t, struct regs *r, u64 entry, u64 sp);
/* Saves prev, runs next; returns when somebody switches back. next's user-visible state (TLS, FPU, kernel stack for
 * traps) is active afterwards. */
void arch_switch(struct arch_thread *prev, struct arch_thread *next);
/* The running CPU's idle thread becomes current without a switch (start of each CPU). */
void arch_set_idle_thread(struct arch_thread *t);
/* User registers of a task that is in the kernel. */
struct regs *arch_thread_regs(struct arch_thread *t);
/* Leaves to user mode with these registers. Does not return; the caller has done all pending work. */
noreturn_fn void arch_user_enter(struct regs *r);

/* arch_prctl(2); -EINVAL. */
s64 arch_thread_prctl(struct task *t, s32 code, u64 addr);

/* Options of prctl(2) that only this machine has; -EINVAL. */
s64 arch_thread_option(s32 option, u64 a2, u64 a3, u64 a4, u64 a5);

/* Signal frames (signal.c). The frame is written to the application's stack. */
struct sigframe_req {
	s32 sig;
	u64 handler, restorer, flags; /* SA_* */
	const void *siginfo;	      /* 128 bytes */
	u64 blocked;		      /* mask to restore at sigreturn */
	u64 sp;			      /* where to start: alternate stack top or 0 = current sp */
	bool on_altstack;	      /* the frame goes there; on x86-64 it must fit */
	u64 altstack_sp, altstack_size;
	u32 altstack_flags;
};
static inline bool sigframe_fits(const struct sigframe_req *req, u64 frame)
{
	return !req->on_altstack ||
	       (frame > req->altstack_sp && frame - req->altstack_sp <= req->altstack_size);
}
/* -EFAULT: the stack is not writable, or (x86-64) the frame would not fit on the alternate stack it belongs to; the caller kills
 * with SIGSEGV. The handler starts with the vector state a program of this machine starts a handler with. */
int must_check arch_signal_deliver(struct regs *r, const struct sigframe_req *req);
/* The current thread's exception in hand becomes a signal: frames show it from now on. */
void arch_signal_note(void);
struct sigreturn_result {
	u64 blocked;
	u64 altstack_sp, altstack_size;
	u32 altstack_flags;
};
/* Restores regs and FPU from the frame at the stack pointer, checking every field. -EFAULT or -EINVAL. */
int must_check arch_signal_return(struct regs *r, struct sigreturn_result *out);
/* AT_HWCAP, AT_HWCAP2, AT_MINSIGSTKSZ values for exec. */
u64 arch_hwcap(void);
u64 arch_hwcap2(void);
u64 arch_min_sigstack(void);

/* vDSO: pages to map at exec. image: code and rodata (kernel memory, page aligned); data: one page written by
 * the clock. Mapped as data page(s) immediately below the image. */
void arch_vdso_pages(const void **image, size_t *image_len, const void **data, size_t *data_len);
/* Offset of the signal trampoline inside the image; 0: the architecture uses SA_RESTORER. */
u64 arch_vdso_sigreturn_offset(void);
/* /proc/cpuinfo text of one CPU. */
struct strbuf;
void arch_cpuinfo_show(struct strbuf *sb, u32 cpu);

#define CPU_CACHES_MAX 8
struct cpu_cache {
	u32 level, type; /* 1 data, 2 instructions, 3 both */
	u32 line_size, partitions, ways, sets;
};
/* The index-th cache of each CPU, as the processor describes it; false: there is none, or it does not say. */
bool arch_cpu_cache(u32 index, struct cpu_cache *out);
