// SPDX-License-Identifier: Apache-2.0
/*
 * syscall - from the architecture's entry to the handler
 *
 * Rules     Only the low 32 bits of the number count, as on Linux.
 * Missing   seccomp filters and ptrace stops at system calls.
 * See       guestkernel/syscall.h, guestkernel/syscalls.tbl
 */
#include "guestkernel/syscall.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/strbuf.h"
#include "arch/regs.h"
#include "guestkernel/strace.h"
#include "guestkernel/strace_spec.h"
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

void trap_syscall(struct regs *r)
{
	regs_set_ret(r, syscall_dispatch(r));
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
