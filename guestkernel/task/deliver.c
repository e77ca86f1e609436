// SPDX-License-Identifier: Apache-2.0
/*
 * deliver - signals on the way to user mode; the rest of the work done there
 *
 * Role      trap_user_exit() is called while trap_work_pending() says so.
 * Rules     One frame is built at a time; the architecture's loop comes back for the next signal, which then
 *           interrupts the first handler before its first instruction, as on Linux.
 *           Interrupted system calls: a blocking function returned -ERESTART*; with a handler the flag
 *           SA_RESTART decides, without one the call runs again. Whoever makes such a value sets WORK_RESTART, which is
 *           cleared here and nowhere else, after the value was replaced: so it never reaches the application, whatever
 *           became of the signal meanwhile (taken by another thread, by a tracer, blocked).
 * Locking   group->lock is dropped before user memory is touched.
 * Missing   core dump files: the status says "dumped" only by SIGSET_CORE.
 */
#include "arch/param.h"
#include "arch/thread.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/sigmask.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/rseq.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/trap.h"

struct delivery {
	siginfo_t info;
	struct sigaction sa;
};

bool trap_work_pending(void)
{
	return READ_ONCE(this_cpu()->need_resched) || READ_ONCE(current()->work);
}

static s32 dequeue(sigset_t blocked, siginfo_t *info) NO_LOCK_ANALYSIS
{
	struct tgroup *g = current_group();
	s32 sig;

	if (!((current()->pending.set | g->shared.set) & ~blocked))
		return 0;
	spin_unlock(&g->lock);
	sig = signal_dequeue(~blocked, info);
	spin_lock(&g->lock);
	return sig;
}

static void report_continued(struct tgroup *g) REQUIRES(g->lock)
{
	g->notify_cont = false;
	spin_unlock(&g->lock);
	spin_lock(&tasklist_lock);
	signal_notify_parent_stop(g, CLD_CONTINUED);
	spin_unlock(&tasklist_lock);
	spin_lock(&g->lock);
}

/* Whether the status says "core dumped": when Linux would have tried to. */
static bool dumps_core(struct tgroup *g, s32 sig)
{
	return (SIGSET_CORE & sig_bit(sig)) && g->rlim[RLIMIT_CORE].rlim_cur != 0 &&
	       current()->mm->dumpable;
}

/* The default action of sig; [S] held on entry and return. */
static void default_action(struct tgroup *g, s32 sig) NO_LOCK_ANALYSIS
{
	if (sig_bit(sig) & SIGSET_IGNORED_BY_DEFAULT)
		return;
	if (g->is_init && !g->init_may_die)
		return;
	if (sig_bit(sig) & SIGSET_STOP) {
		if (sig != SIGSTOP) {
			bool orphaned;

			spin_unlock(&g->lock);
			orphaned = job_group_is_orphaned(g);
			spin_lock(&g->lock);
			if (orphaned)
				return;
		}
		if (!g->stop_pending && !g->exiting) {
			g->stop_pending = true;
			g->stop_signal = sig;
			signal_do_stop_locked(g);
		}
		return;
	}
	spin_unlock(&g->lock);
	task_exit_group(sig | (dumps_core(g, sig) ? 0x80 : 0));
}

/* True: d holds a signal that has a handler. */
static bool next_delivery(struct delivery *d)
{
	struct task *t = current();
	struct tgroup *g = t->group;
	s32 sig;

	spin_lock(&g->lock);
	for (;;) {
		if (unlikely(READ_ONCE(t->work) & WORK_KILLED)) {
			s32 status = g->exiting ? g->exit_code : 0;

			spin_unlock(&g->lock);
			task_exit(status);
		}
		if (unlikely(g->notify_cont)) {
			report_continued(g);
			continue;
		}
		if (unlikely(g->stop_pending) && !(t->stop_counted && ptrace_is_traced(t))) {
			signal_do_stop_locked(g);
			continue;
		}
		if (unlikely(ptrace_trap_pending(t))) {
			ptrace_trap_locked();
			continue;
		}
		sig = dequeue(t->blocked, &d->info);
		if (!sig)
			break;
		if (unlikely(ptrace_is_traced(t)) && sig != SIGKILL) {
			sig = ptrace_signal_locked(&d->info);
			if (!sig)
				continue;
		}
		spin_lock(&g->sighand->lock);
		d->sa = g->sighand->action[sig - 1];
		if (d->sa.sa_handler > SIG_IGN && (d->sa.sa_flags & SA_RESETHAND))
			g->sighand->action[sig - 1].sa_handler = SIG_DFL;
		spin_unlock(&g->sighand->lock);
		if (d->sa.sa_handler == SIG_IGN)
			continue;
		if (d->sa.sa_handler != SIG_DFL)
			break;
		default_action(g, sig);
	}
	signal_recalc_locked(t);
	spin_unlock(&g->lock);
	return sig != 0;
}

/* What an interrupted call becomes when a handler runs. */
static void fix_syscall_for_handler(struct regs *r, const struct sigaction *sa)
{
	s64 nr = regs_syscall_nr(r);

	fetch_and(&current()->work, ~(u32)WORK_RESTART);
	if (nr < 0)
		return;
	switch (-regs_ret(r)) {
	case ERESTART_RESTARTBLOCK:
	case ERESTARTNOHAND:
		regs_set_ret(r, -EINTR);
		break;
	case ERESTARTSYS:
		if (!(sa->sa_flags & SA_RESTART)) {
			regs_set_ret(r, -EINTR);
			break;
		}
		fallthrough;
	case ERESTARTNOINTR:
		regs_restart_syscall(r, nr);
		break;
	}
	regs_forget_syscall(r);
}

static void fix_syscall_without_handler(struct regs *r)
{
	s64 nr = regs_syscall_nr(r);

	fetch_and(&current()->work, ~(u32)WORK_RESTART);
	if (nr < 0)
		return;
	switch (-regs_ret(r)) {
	case ERESTARTSYS:
	case ERESTARTNOHAND:
	case ERESTARTNOINTR:
		regs_restart_syscall(r, nr);
		break;
	case ERESTART_RESTARTBLOCK:
		regs_restart_syscall(r, ARCH_NR_RESTART_SYSCALL);
		break;
	default:
		return;
	}
	regs_forget_syscall(r);
}

bool signal_on_altstack(const struct task *t, u64 sp)
{
	if (t->altstack_flags & SS_AUTODISARM)
		return false;
	return t->altstack_size && sp > t->altstack_sp && sp - t->altstack_sp <= t->altstack_size;
}

int signal_set_altstack(const stack_t *ss, u64 sp)
{
	struct task *t = current();
	u32 mode = (u32)ss->ss_flags & ~(u32)SS_FLAG_BITS;
	bool is_off = mode == SS_DISABLE;

	if (signal_on_altstack(t, sp))
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (!is_off && (ss->ss_size < MINSIGSTKSZ || ss->ss_size < arch_min_sigstack()))
		return -ENOMEM;
	t->altstack_sp = is_off ? 0 : ss->ss_sp;
	t->altstack_size = is_off ? 0 : ss->ss_size;
	t->altstack_flags = is_off ? 0 : (u32)ss->ss_flags & SS_FLAG_BITS;
	return 0;
}

static void enter_handler(struct regs *r, struct delivery *d)
{
	struct task *t = current();
	s32 sig = d->info.si_signo;
	bool restore = t->work & WORK_RESTORE_MASK, stepping = ptrace_frame_begin();
	bool is_nested = signal_on_altstack(t, regs_sp(r));
	sigset_t blocked = t->blocked;
	struct sigframe_req req = {
		.sig = sig,
		.handler = d->sa.sa_handler,
		.restorer = d->sa.sa_restorer,
		.flags = d->sa.sa_flags,
		.siginfo = &d->info,
		.blocked = restore ? t->saved_blocked : blocked,
		.altstack_sp = t->altstack_sp,
		.altstack_size = t->altstack_size,
	};

	if (!(d->sa.sa_flags & SA_RESTORER) && arch_vdso_sigreturn_offset())
		req.restorer = t->mm->vdso_base + arch_vdso_sigreturn_offset();
	if (!t->altstack_size)
		req.altstack_flags = SS_DISABLE;
	else
		req.altstack_flags = t->altstack_flags | (is_nested ? SS_ONSTACK : 0);
	if ((d->sa.sa_flags & SA_ONSTACK) && t->altstack_size && !is_nested)
		req.sp = t->altstack_sp + t->altstack_size;
	req.on_altstack = is_nested || req.sp;
	if (arch_signal_deliver(r, &req) < 0) {
		if (sig == SIGSEGV) {
			struct sigaction dfl = { .sa_handler = SIG_DFL }, old;

			(void)!signal_action(SIGSEGV, &dfl, &old);
		}
		signal_force_simple(SIGSEGV);
		return;
	}
	if (t->altstack_flags & SS_AUTODISARM) {
		t->altstack_sp = t->altstack_size = 0;
		t->altstack_flags = 0;
	}
	fetch_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	blocked |= d->sa.sa_mask;
	if (!(d->sa.sa_flags & SA_NODEFER))
		blocked |= sig_bit(sig);
	signal_set_blocked(blocked);
	if (unlikely(stepping))
		ptrace_frame_end();
}

void signal_deliver(struct regs *r)
{
	struct task *t = current();
	struct delivery d;

	if (next_delivery(&d)) {
		rseq_before_signal(r);
		fix_syscall_for_handler(r, &d.sa);
		enter_handler(r, &d);
		return;
	}
	fix_syscall_without_handler(r);
	if (t->work & WORK_RESTORE_MASK) {
		fetch_and(&t->work, ~(u32)WORK_RESTORE_MASK);
		signal_set_blocked(t->saved_blocked);
	}
}

void trap_user_exit(struct regs *r)
{
	struct task *t = current();
	u32 work;

	if (this_cpu()->need_resched)
		schedule();
	if (unlikely(READ_ONCE(t->work) & WORK_DEFERRED))
		defer_drain();
	work = READ_ONCE(t->work);
	if (unlikely(t->trace.end_is_due))
		ptrace_late_syscall_end(r);
	if (work & (WORK_SIGNAL | WORK_KILLED | WORK_RESTORE_MASK | WORK_RESTART))
		signal_deliver(r);
	if (READ_ONCE(t->work) & WORK_RSEQ)
		rseq_update(r);
	if (work & WORK_MEMBARRIER)
		fetch_and(&t->work, ~(u32)WORK_MEMBARRIER);
}

void trap_user_exception(struct regs *r, s32 sig, s32 si_code, u64 si_addr, u32 trap_nr,
			 u64 error_code)
{
	siginfo_t info;

	arch_signal_note();
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = si_code;
	info.fault.si_addr = si_addr;
	signal_force(&info);
}

void task_fault_signal(s32 sig, s32 code, u64 addr, u32 access)
{
	siginfo_t info;

	log_debug("task %d: signal %d code %d at 0x%lx access 0x%x ip 0x%lx", current_tid(), sig,
		  code, addr, access, regs_ip(arch_thread_regs(&current()->thread)));
	arch_signal_note();
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = code;
	info.fault.si_addr = addr;
	signal_force(&info);
}

int sigmask_swap_user(uaddr_t set, u64 size)
{
	struct task *t = current();
	sigset_t mask;

	if (uaddr_is_null(set))
		return 0;
	if (size != sizeof mask)
		return -EINVAL;
	if (get_user(&mask, set))
		return -EFAULT;
	t->saved_blocked = t->blocked;
	fetch_or(&t->work, WORK_RESTORE_MASK);
	signal_set_blocked(mask);
	return 0;
}

void sigmask_swap_end(bool interrupted)
{
	struct task *t = current();

	if (interrupted || !(t->work & WORK_RESTORE_MASK))
		return;
	fetch_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	signal_set_blocked(t->saved_blocked);
}

void current_send_signal(s32 sig)
{
	struct task *t = current();
	siginfo_t info;

	siginfo_kernel(&info, sig);
	if (sig == SIGPIPE) {
		info.si_code = SI_USER;
		info.kill.si_pid = current_tgid();
		info.kill.si_uid = t->cred->uid;
	}
	(void)!signal_send(t, &info, sig == SIGXFSZ ? SIGNAL_TO_PROCESS : SIGNAL_TO_THREAD);
}

struct restart_block *current_restart_block(void)
{
	return &current()->restart;
}
