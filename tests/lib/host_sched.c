// SPDX-License-Identifier: Apache-2.0
/*
 * host_sched - schedule() and wake_task() over host threads
 *
 * Role      Lets task/waitq.c and task/mutex.c run as they are, instead of kapi_host_wait.c.
 * Rules     A task's state goes from sleeping to runnable by one compare-and-swap; the thread that sleeps
 *           also runs timers that come due.
 */
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "tests/lib/host_os.h"
#include "tests/lib/kapi_host.h"

void schedule(void)
{
	while (load_acquire(&current()->state) != TASK_RUNNABLE)
		if (host_park(host_timers_next()))
			host_timers_expire(host_clock_ns(0));
}

bool wake_task(struct task *t, u32 states)
{
	u32 s = __atomic_load_n(&t->state, __ATOMIC_SEQ_CST);

	while (s & states) {
		if (__atomic_compare_exchange_n(&t->state, &s, TASK_RUNNABLE, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			host_unpark((struct host_thread *)t);
			return true;
		}
	}
	return false;
}

bool signal_fatal_pending(void)
{
	return false;
}

bool current_is_killed(void)
{
	return false;
}

bool signal_pending(void)
{
	return READ_ONCE(current()->work) & WORK_SIGNAL;
}

void host_signal_set(bool pending)
{
	WRITE_ONCE(current()->work, pending ? WORK_SIGNAL : 0);
}

void cond_resched(void)
{
}
