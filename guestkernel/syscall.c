// SPDX-License-Identifier: Apache-2.0
/*
 * syscall - from the architecture's entry to the handler
 *
 * Rules     Only the low 32 bits of the number count, as on Linux.
 * See       guestkernel/syscall.h, guestkernel/syscalls.tbl
 */
#include "guestkernel/syscall.h"
#include "guestkernel/call_filter.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/strbuf.h"
#include "arch/regs.h"
#include "guestkernel/strace.h"
#include "guestkernel/strace_spec.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/trap.h"

#define MISSING_MAX 512

static u32 missing_count[MISSING_MAX]; /* [a] */

const char *syscall_name(u32 nr)
{
	return nr < syscall_count ? strace_calls[nr].name : NULL;
}

s64 syscall_unimplemented(struct regs *r)
{
	u32 nr = (u32)regs_syscall_nr(r);
	const char *name = syscall_name(nr);

	if (nr >= MISSING_MAX)
		return -ENOSYS;
	if (__atomic_fetch_add(&missing_count[nr], 1, __ATOMIC_RELAXED) == 0)
		log_info("system call %u (%s) is not implemented", nr, name ? name : "unknown");
	return -ENOSYS;
}

s64 syscall_dispatch(struct regs *r)
{
	u32 nr = (u32)regs_syscall_nr(r);

	if (unlikely(strace_on))
		return strace_syscall(r);
	if (unlikely(nr >= syscall_count))
		return syscall_unimplemented(r);
	return syscall_table[nr](r);
}

/* Reading the clock twice would be a good part of a short call. So a call that was short stands for the next ones
 * of the same number. */
#define QUICK_NS    2000
#define QUICK_CALLS 63

static bool is_watched(const struct task *t)
{
	return ptrace_watches_calls(t) || seccomp_is_on(t);
}

static void watched_call(struct regs *r)
{
	struct task *t = current();

	t->trace.end_is_seen = true;
	if (ptrace_syscall_begin(r)) {
		if (call_filter_allows(r))
			regs_set_ret(r, syscall_dispatch(r));
		else if (unlikely(strace_on))
			strace_refused(r);
	}
	t->trace.end_is_seen = false;
	ptrace_syscall_end(r);
}

/* Apart, so that the common way saves no registers for it. */
static __attribute__((noinline)) void timed_call(struct regs *r, struct task *t, u32 nr)
{
	u64 ns;

	task_kernel_begin(t);
	if (unlikely(is_watched(t)))
		watched_call(r);
	else
		regs_set_ret(r, syscall_dispatch(r));
	ns = task_kernel_end(t);
	t->stime_ns += ns;
	if (nr == t->quick_nr)
		t->stime_ns += t->quick_skipped * MIN(ns, (u64)QUICK_NS);
	t->quick_nr = ns < QUICK_NS ? nr : 0;
	t->quick_skipped = 0;
	if (unlikely(is_watched(t)))
		t->quick_nr = 0; /* after the store above: seccomp.c counts on that order */
}

void trap_syscall(struct regs *r)
{
	struct task *t = current();
	u32 nr = (u32)regs_syscall_nr(r) + 1;

	if (likely(nr == t->quick_nr && t->quick_skipped < QUICK_CALLS)) {
		t->quick_skipped++;
		regs_set_ret(r, syscall_dispatch(r));
	} else {
		timed_call(r, t, nr);
	}
	lock_check_none_held();
}

int syscall_show_missing(struct strbuf *sb, void *ctx)
{
	for (u32 nr = 0; nr < MISSING_MAX; nr++) {
		const char *name = syscall_name(nr);
		u32 n = READ_ONCE(missing_count[nr]);

		if (n && name)
			strbuf_printf(sb, "%s %u\n", name, n);
		else if (n)
			strbuf_printf(sb, "syscall_%u %u\n", nr, n);
	}
	return sb->failed ? -ENOMEM : 0;
}
