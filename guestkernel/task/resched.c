// SPDX-License-Identifier: Apache-2.0
/*
 * resched - a break inside a long operation of the kernel
 *
 * Role      Kernel code is not preempted and runs with interrupts off, so whatever can take long (large copies, many
 *           pages or descriptors dropped) calls cond_resched() between its parts: timers that are due run, the
 *           monitor's events and its "are you there" are answered, and another task gets its turn.
 * Rules     Nothing is done while the task has announced that it will sleep, or on a CPU's idle task.
 *           A call costs a few instructions; one in RESCHED_EVERY reads the clock.
 * See       kapi/wait.h; vmm/watchdog.c, which ends a sandbox whose kernel does not answer
 */
#include "arch/clock.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/trap.h"

#define RESCHED_EVERY 16

void cond_resched(void)
{
	struct cpu *c = this_cpu();

	if (++c->resched_calls % RESCHED_EVERY)
		return;
	if (current() == c->idle || READ_ONCE(current()->state) != TASK_RUNNABLE)
		return;
	if (arch_clock_ns() >= c->timer_armed_ns)
		trap_timer();
	trap_host_event();
	if (READ_ONCE(c->need_resched))
		schedule();
}
