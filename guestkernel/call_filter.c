// SPDX-License-Identifier: Apache-2.0
/*
 * call_filter - see call_filter.h
 *
 * Missing   SECCOMP_RET_USER_NOTIF: acts as on kernels that do not know it, and ends the process.
 */
#include "guestkernel/call_filter.h"
#include "arch/regs.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/syscall.h"
#include "guestkernel/task/exit.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/ptrace.h"

#define ERRNO_MAX 4095

static void log_call(const struct regs *r, const char *what)
{
	const char *name = syscall_name((u32)regs_syscall_nr(r));

	log_info("process %d (%s): its seccomp filter %s system call %u (%s)",
		 current_group()->tgid, current()->comm, what, (u32)regs_syscall_nr(r),
		 name ? name : "unknown");
}

static bool strict_allows(const struct regs *r)
{
	static const char *const allowed[] = { "read", "write", "exit", "rt_sigreturn" };
	const char *name = syscall_name((u32)regs_syscall_nr(r));
	u32 i;

	for (i = 0; name && i < ARRAY_SIZE(allowed); i++)
		if (!strcmp(name, allowed[i]))
			return true;
	log_call(r, "ends it for");
	task_exit(SIGKILL);
}

/* What the filters say, which may be that it be noted too. */
static u32 run_filters(const struct regs *r, bool *is_logged)
{
	struct seccomp_data data = {
		.nr = (s32)regs_syscall_nr(r),
		.arch = AUDIT_ARCH_HERE,
		.instruction_pointer = regs_ip(r),
	};
	u32 i;

	for (i = 0; i < 6; i++)
		data.args[i] = regs_syscall_arg(r, i);
	return seccomp_run(&data, is_logged);
}

static void send_trap(struct regs *r, u32 data)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = SIGSYS;
	info.si_code = SYS_SECCOMP;
	info.si_errno = (s32)data;
	info.sys.si_call_addr = regs_ip(r);
	info.sys.si_syscall = (s32)regs_syscall_nr(r);
	info.sys.si_arch = AUDIT_ARCH_HERE;
	regs_undo_syscall(r);
	signal_force(&info);
}

static void end(struct regs *r, bool whole)
{
	struct tgroup *g = current_group();

	log_call(r, "ends it for");
	if (!whole && READ_ONCE(g->nr_threads) > 1)
		task_exit(SIGSYS);
	regs_undo_syscall(r);
	spin_lock(&g->lock);
	signal_kill_group_locked(g, SIGSYS);
	spin_unlock(&g->lock);
}

/* The tracer was asked and may have changed the call: is it still to be made? */
static bool ask_tracer(struct regs *r, u32 data)
{
	u64 mark;

	if (!(READ_ONCE(current()->trace.options) & PTRACE_O_TRACESECCOMP)) {
		regs_set_ret(r, -ENOSYS);
		return false;
	}
	mark = regs_trace_mark(r, false);
	ptrace_event(PTRACE_EVENT_SECCOMP, data);
	regs_trace_done(r, false, mark);
	return !signal_fatal_pending() && (s32)regs_syscall_nr(r) != -1;
}

/* was_asked: the tracer has let it pass. */
static bool judge(struct regs *r, bool was_asked)
{
	bool is_logged;
	u32 result = run_filters(r, &is_logged), data = result & SECCOMP_RET_DATA;
	u32 action = result & SECCOMP_RET_ACTION_FULL;

	if (action == SECCOMP_RET_LOG || is_logged)
		log_call(r, "notes");
	switch (action) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return true;
	case SECCOMP_RET_TRACE:
		return was_asked || (ask_tracer(r, data) && judge(r, true));
	case SECCOMP_RET_ERRNO:
		regs_set_ret(r, -(s64)MIN(data, (u32)ERRNO_MAX));
		return false;
	case SECCOMP_RET_TRAP:
		send_trap(r, data);
		return false;
	case SECCOMP_RET_KILL_THREAD:
		end(r, false);
		return false;
	}
	end(r, true);
	return false;
}

bool call_filter_allows(struct regs *r)
{
	switch (READ_ONCE(current()->seccomp.mode)) {
	case SECCOMP_MODE_DISABLED:
		return true;
	case SECCOMP_MODE_STRICT:
		return strict_allows(r);
	}
	return judge(r, false);
}
