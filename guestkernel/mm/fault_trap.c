// SPDX-License-Identifier: Apache-2.0
/*
 * fault_trap - page faults of the running task
 *
 * Role      trap_page_fault() is called by the architecture; user_fault_in() by code that accesses application memory
 *           under locks and must not fault there.
 * Rules     What cannot be resolved becomes a signal, or ends the kernel's copy.
 */
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/mm/reclaim.h"
#include "guestkernel/task/task.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/signal.h"

static void fault_signal(int ret, u64 va, u32 access)
{
	switch (ret) {
	case -EACCES:
		task_fault_signal(SIGSEGV, SEGV_ACCERR, va, access);
		break;
	case -EIO:
		task_fault_signal(SIGBUS, BUS_ADRERR, va, access);
		break;
	case -ENOMEM:
		break; /* being killed already */
	default:
		task_fault_signal(SIGSEGV, SEGV_MAPERR, va, access);
	}
}

bool trap_page_fault(u64 va, u32 access)
{
	struct task *t = current();
	bool is_timed;
	int ret = -EFAULT;

	if (unlikely(t->nofault))
		return false;
	if (likely(va < USER_VA_END && t->mm)) {
		t->min_flt++;
		is_timed = !t->kernel_since_ns;
		if (is_timed)
			task_kernel_begin(t);
		do
			ret = aspace_fault(t->mm, va, access);
		while (unlikely(ret == -ENOMEM) && reclaim_memory());
		if (is_timed)
			t->stime_ns += task_kernel_end(t);
	}
	if (likely(!ret))
		return true;
	if (access & FAULT_KERNEL)
		return false;
	fault_signal(ret, va, access);
	return true;
}

int user_fault_in(uaddr_t ua, bool write)
{
	int ret;

	if (ua.va >= USER_VA_END || !current()->mm)
		return -EFAULT;
	ret = aspace_fault(current()->mm, ua.va,
			   FAULT_PRESENT | (write ? FAULT_WRITE : FAULT_READ));
	return ret == -ENOMEM ? ret : ret ? -EFAULT : 0;
}
