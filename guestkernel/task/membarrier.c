// SPDX-License-Identifier: Apache-2.0
/*
 * membarrier - see membarrier.h
 *
 * Role      The other task is given work, so that its way back to user mode checks rseq too.
 */
#include "guestkernel/task/membarrier.h"
#include "arch/irq.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/task/task.h"

void membarrier_others(bool rseq)
{
	struct cpu *c;
	u32 waiting = 0;
	struct task *seen[MAX_CPUS];

	smp_mb();
	for_each_cpu(c)
	{
		struct task *t = READ_ONCE(c->arch.current);

		seen[c->id] = NULL;
		if (c == this_cpu() || !c->online || t == c->idle)
			continue;
		spin_lock(&c->rq_lock);
		t = c->arch.current;
		if (t != c->idle && t->on_cpu) {
			task_get(t);
			fetch_or(&t->work, WORK_MEMBARRIER | (rseq && t->rseq.ua ? WORK_RSEQ : 0));
			seen[c->id] = t;
			waiting++;
		}
		spin_unlock(&c->rq_lock);
		if (seen[c->id])
			arch_ipi_send(c, IPI_RESCHED);
	}
	for_each_cpu(c)
	{
		struct task *t = seen[c->id];

		if (!t)
			continue;
		/* In the kernel, switched away or back through it: either is a barrier. */
		while ((READ_ONCE(t->work) & WORK_MEMBARRIER) && READ_ONCE(c->arch.current) == t) {
			/* Somebody may be waiting for us in the same loop. */
			fetch_and(&current()->work, ~(u32)WORK_MEMBARRIER);
			arch_spin_relax();
		}
		task_put(t);
	}
	smp_mb();
}
