// SPDX-License-Identifier: Apache-2.0
/*
 * sched - run queues, choice of CPU, preemption
 *
 * Role      schedule() is called by whoever sleeps and on the way to user mode; wake_task() by whoever makes
 *           something true. Kernel code is never preempted.
 * Rules     A CPU's queue is sorted: real-time tasks by priority, then by virtual run time (time on the CPU
 *           divided by weight), so the task that got least goes first. A task that slept comes in a little
 *           before the others, never with credit hoarded over a long sleep.
 *           The timer runs only while more than one task wants the CPU. Other CPUs are started, or woken to
 *           steal, when a task had to wait for a whole slice: programs that take turns stay on one CPU.
 *
 *           Sleep and wake. The sleeper (1) stores its state, a full barrier, (2) checks its condition,
 *           (3) calls schedule(), which under the queue lock takes it off the queue only if the state still
 *           says so. The waker (1) makes the condition true, a full barrier, (2) reads the state, (3) under
 *           the queue lock of the task's CPU sets it runnable and, if it is off the queue, queues it. Either
 *           the sleeper sees the condition or the waker sees the state; the lock decides between (3) and (3).
 *           on_cpu is true until the switch away has left the task's stack: until then it may only be queued
 *           on the CPU that is leaving it, and is not stolen.
 * Locking   cpu->rq_lock. t->cpu changes under the lock of the old CPU while the task is in no queue.
 *           System time is that of system calls and faults of user mode (sched.h); what interrupts and switches
 *           cost counts as user time. Calls that were quick are timed once in sixty-four.
 * Missing   SCHED_DEADLINE; groups.
 */
#include "guestkernel/task/sched.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/timer.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/errno.h"
#include "guestkernel/uapi/sched.h"

#define SLICE_NS       (3 * NSEC_PER_MSEC)
#define WAKE_CREDIT_NS (2 * NSEC_PER_MSEC)
#define PREEMPT_NS     (1 * NSEC_PER_MSEC)
#define WEIGHT_NICE_0  1024
#define CPU_START_NS   (100 * NSEC_PER_MSEC) /* patience with a CPU that was asked to start */

static u64 min_vruntime[MAX_CPUS]; /* [rq_lock of the CPU] */
static u64 online_mask = 1;	   /* [a] */
static u32 cpus_started = 1;	   /* [a] next to start */

/* Each nice level is about 10% of CPU, as Linux documents for its weights. */
static const u32 nice_weight[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

/* INVARIANTS of a run queue (struct cpu: rq, nr_running; struct task: cpu, on_rq, rq_link)
 * t->on_rq: t is counted in nr_running of cpus[t->cpu] and is either linked in one of its queues or running there. Both
 * change together, under that CPU's rq_lock. t->cpu changes only while t is not on_rq, under the lock of the CPU
 * it names until then, so lock_task_rq() can tell whether it took the right one. A task that is nowhere (asleep, or
 * on its way between two CPUs) is queued by one party: whoever made its state RUNNABLE, or took it off the queue.
 * A queue is sorted by runs_before(); nr_running counts the running task, but not the idle task.
 * idle is in no queue. Whatever runs, or may still have its stack in use, has on_cpu and is not taken by others. */

static bool is_rt(const struct task *t)
{
	return t->policy == SCHED_FIFO || t->policy == SCHED_RR;
}

static bool runs_before(const struct task *a, const struct task *b)
{
	if (unlikely(is_rt(a) || is_rt(b))) {
		u32 pa = is_rt(a) ? a->rt_priority : 0, pb = is_rt(b) ? b->rt_priority : 0;

		return pa > pb;
	}
	return (s64)(a->vruntime - b->vruntime) < 0;
}

static struct cpu *lock_task_rq(struct task *t) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct cpu *c = cpus[READ_ONCE(t->cpu)];

		spin_lock(&c->rq_lock);
		if (likely(t->cpu == c->id))
			return c;
		spin_unlock(&c->rq_lock);
	}
}

static void rq_insert(struct cpu *c, struct task *t)
{
	struct list *head = &c->rq[t->policy == SCHED_IDLE], *at = head->prev;

	while (at != head && runs_before(t, list_entry(at, struct task, rq_link)))
		at = at->prev;
	list_insert_between(&t->rq_link, at, at->next);
}

static void account(struct task *t, u64 now)
{
	u64 delta = now - t->exec_start_ns;

	t->exec_start_ns = now;
	t->runtime_ns += delta;
	t->slice_used_ns += delta;
	if (likely(t->nice == 0))
		t->vruntime += delta;
	else
		t->vruntime += delta * WEIGHT_NICE_0 / nice_weight[t->nice + 20];
}

static void enqueue(struct cpu *c, struct task *t);

/* Also when none of the CPUs it may use runs yet. */
static bool is_allowed(const struct task *t, const struct cpu *c)
{
	u64 allowed = t->affinity & READ_ONCE(online_mask);

	return !allowed || (allowed & 1ull << c->id);
}

static struct task *rq_first(struct cpu *c)
{
	if (!list_empty(&c->rq[0]))
		return list_entry(c->rq[0].next, struct task, rq_link);
	return list_first(&c->rq[1], struct task, rq_link);
}

/* A waiting task of another CPU that may run here; called without locks. */
static bool steal(struct cpu *c)
{
	struct cpu *from;

	for_each_cpu(from)
	{
		struct task *t;

		if (from == c || !from->online || READ_ONCE(from->nr_running) < 2)
			continue;
		spin_lock_pair(&c->rq_lock, &from->rq_lock);
		list_for_each_entry (t, &from->rq[0], rq_link) {
			if (load_acquire(&t->on_cpu) || !(t->affinity & 1ull << c->id))
				continue;
			list_del(&t->rq_link);
			from->nr_running--;
			t->vruntime += min_vruntime[c->id] - min_vruntime[from->id];
			t->cpu = c->id;
			c->nr_running++;
			rq_insert(c, t);
			spin_unlock_pair(&c->rq_lock, &from->rq_lock);
			return true;
		}
		spin_unlock_pair(&c->rq_lock, &from->rq_lock);
	}
	return false;
}

/* prev is runnable and in no queue; its affinity may have changed again since. */
static void move_away(struct cpu *c, struct task *prev)
{
	struct cpu *to;

	spin_lock(&c->rq_lock);
	prev->must_move = false;
	to = is_allowed(prev, c) ? c
				 : cpus[__builtin_ctzll(prev->affinity & READ_ONCE(online_mask))];
	prev->vruntime += min_vruntime[to->id] - min_vruntime[c->id];
	prev->cpu = to->id;
	store_release(&prev->on_cpu, false);
	spin_unlock(&c->rq_lock);
	enqueue(to, prev);
}

void sched_finish_switch(void)
{
	struct cpu *c = this_cpu();
	struct task *prev = c->prev;

	c->prev = NULL;
	if (!prev)
		return;
	if (unlikely(READ_ONCE(prev->state) == TASK_DEAD)) {
		store_release(&prev->on_cpu, false);
		task_release_stack(prev);
		task_put(prev);
		return;
	}
	if (unlikely(prev->must_move)) {
		move_away(c, prev);
		return;
	}
	store_release(&prev->on_cpu, false);
}

static void switch_to(struct cpu *c, struct task *prev, struct task *next)
{
	c->switches++;
	c->prev = prev;
	next->on_cpu = true;
	if (next->mm && next->mm != prev->mm)
		aspace_activate(next->mm);
	if (next->rseq.ua)
		fetch_or(&next->work, WORK_RSEQ);
	arch_switch(&prev->thread, &next->thread);
	sched_finish_switch();
}

static struct task *pick_next(struct cpu *c, struct task *prev, u64 now)
{
	struct task *next = rq_first(c);

	if (!next)
		return c->idle;
	list_del(&next->rq_link);
	if ((s64)(next->vruntime - min_vruntime[c->id]) > 0)
		min_vruntime[c->id] = next->vruntime;
	if (next != prev)
		next->slice_used_ns = 0;
	c->slice_end_ns = now + SLICE_NS;
	return next;
}

static void do_schedule(bool yield)
{
	struct cpu *c = this_cpu();
	struct task *prev = current(), *next;
	u64 now = arch_clock_ns();

	lock_check_may_sleep();
	spin_lock(&c->rq_lock);
	c->need_resched = false;
	if (prev == c->idle) {
		c->idle_ns += now - prev->exec_start_ns;
		prev->exec_start_ns = now;
	} else {
		account(prev, now);
		if (prev->kernel_since_ns)
			prev->stime_ns += now - prev->kernel_since_ns;
		if (READ_ONCE(prev->state) == TASK_RUNNABLE && !is_allowed(prev, c)) {
			prev->must_move = true;
			prev->on_rq = false;
			c->nr_running--;
			prev->nivcsw++;
		} else if (READ_ONCE(prev->state) == TASK_RUNNABLE) {
			if (yield && !list_empty(&c->rq[0])) {
				struct task *last = list_entry(c->rq[0].prev, struct task, rq_link);

				if ((s64)(last->vruntime - prev->vruntime) > 0)
					prev->vruntime = last->vruntime;
			}
			prev->nivcsw++;
			rq_insert(c, prev);
		} else {
			prev->on_rq = false;
			c->nr_running--;
			prev->nvcsw++;
		}
	}
	next = pick_next(c, prev, now);
	next->exec_start_ns = now;
	if (next->kernel_since_ns)
		next->kernel_since_ns = now;
	spin_unlock(&c->rq_lock);
	if (c->nr_running > 1)
		timer_program(c, c->slice_end_ns);
	if (next != prev)
		switch_to(c, prev, next);
	else
		next->nivcsw -= next != c->idle;
}

void schedule(void)
{
	do_schedule(false);
}

void sched_yield_current(void)
{
	if (READ_ONCE(this_cpu()->nr_running) > 1)
		do_schedule(true);
}

static struct cpu *find_idle(u64 allowed)
{
	struct cpu *c;

	for_each_cpu(c) if ((allowed & 1ull << c->id) && c->online &&
			    READ_ONCE(c->nr_running) == 0) return c;
	return NULL;
}

/* Where a task that wakes goes: its old CPU when that is idle; here when only the waker runs here (it is
 * likely to sleep soon, and costs no interrupt); an idle CPU; its old CPU. */
static struct cpu *choose_cpu(struct task *t, struct cpu *old)
{
	struct cpu *here = this_cpu(), *idle;
	u64 allowed = t->affinity & READ_ONCE(online_mask);

	if (likely(allowed == 1) || !allowed)
		return cpus[0];
	if ((allowed & 1ull << here->id) && READ_ONCE(here->nr_running) <= 1)
		return here;
	if ((allowed & 1ull << old->id) && READ_ONCE(old->nr_running) == 0)
		return old;
	idle = find_idle(allowed);
	if (idle)
		return idle;
	return allowed & 1ull << old->id ? old : cpus[__builtin_ctzll(allowed)];
}

/* t is runnable and in no queue; places it on c, whose lock is taken here. */
static void enqueue(struct cpu *c, struct task *t)
{
	struct cpu *here = this_cpu();
	struct task *cur;
	u64 floor;

	spin_lock(&c->rq_lock);
	floor = min_vruntime[c->id] - WAKE_CREDIT_NS;
	if ((s64)(t->vruntime - floor) < 0)
		t->vruntime = floor;
	t->on_rq = true;
	c->nr_running++;
	rq_insert(c, t);
	if (c != here) {
		c->need_resched = true;
		spin_unlock(&c->rq_lock);
		arch_ipi_send(c, IPI_RESCHED);
		return;
	}
	cur = current();
	if (cur == c->idle) {
		c->need_resched = true;
	} else {
		u64 now = arch_clock_ns();

		account(cur, now);
		if (is_rt(t) ? runs_before(t, cur)
			     : (s64)(cur->vruntime - t->vruntime) >
				       (s64)PREEMPT_NS + (s64)WAKE_CREDIT_NS)
			c->need_resched = true;
		if (c->nr_running == 2)
			c->slice_end_ns = now + SLICE_NS;
		timer_program(c, c->slice_end_ns);
	}
	spin_unlock(&c->rq_lock);
}

bool wake_task(struct task *t, u32 states) NO_LOCK_ANALYSIS
{
	struct cpu *c, *to;

	smp_mb();
	if (!(READ_ONCE(t->state) & states))
		return false;
	c = lock_task_rq(t);
	if (!(t->state & states)) {
		spin_unlock(&c->rq_lock);
		return false;
	}
	WRITE_ONCE(t->state, TASK_RUNNABLE);
	if (t->on_rq) {
		spin_unlock(&c->rq_lock);
		return true;
	}
	to = load_acquire(&t->on_cpu) ? c : choose_cpu(t, c);
	if (to != c) {
		t->vruntime += min_vruntime[to->id] - min_vruntime[c->id];
		t->cpu = to->id;
	}
	spin_unlock(&c->rq_lock);
	enqueue(to, t);
	return true;
}

void sched_start(struct task *t)
{
	struct cpu *to = choose_cpu(t, this_cpu());

	t->vruntime = min_vruntime[to->id] + WAKE_CREDIT_NS;
	t->cpu = to->id;
	WRITE_ONCE(t->state, TASK_RUNNABLE);
	enqueue(to, t);
}

void sched_kick(struct task *t)
{
	struct cpu *c = cpus[READ_ONCE(t->cpu)];

	if (c == this_cpu() || !READ_ONCE(t->on_cpu))
		return;
	arch_ipi_send(c, IPI_RESCHED);
}

/* False: there is none left, or no memory now; a later call may have more luck. */
static bool start_next_cpu(void)
{
	u32 id = READ_ONCE(cpus_started);
	struct task *idle;
	void *stack;
	struct cpu *c;

	if (id >= nr_cpus || task_alloc(&idle) < 0)
		return false;
	if (!__atomic_compare_exchange_n(&cpus_started, &id, id + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED)) {
		task_put(idle); /* somebody else starts it */
		return true;
	}
	c = cpus[id];
	stack = idle->kstack;
	idle->is_idle = true;
	idle->is_kthread = true;
	idle->cpu = id;
	idle->state = TASK_RUNNABLE;
	idle->on_cpu = true;
	c->idle = idle;
	c->arch.current = idle;
	leak_forget(idle);
	if (arch_cpu_start(c, stack) < 0)
		log_warn("CPU %u does not start", id);
	return true;
}

/* Slice over: the others get their turn, and an idle CPU gets some of them. */
void sched_tick(u64 now)
{
	struct cpu *c = this_cpu(), *idle;

	if (c->nr_running < 2 || now < c->slice_end_ns)
		return;
	c->need_resched = true;
	c->slice_end_ns = now + SLICE_NS;
	idle = find_idle(READ_ONCE(online_mask) & ~(1ull << c->id));
	if (idle)
		arch_ipi_send(idle, IPI_RESCHED);
	else if (READ_ONCE(cpus_started) < nr_cpus)
		start_next_cpu();
}

u64 sched_slice_deadline(void)
{
	struct cpu *c = this_cpu();

	return c->nr_running > 1 ? c->slice_end_ns : U64_MAX;
}

void trap_resched(void)
{
	this_cpu()->need_resched = true;
}

static void rq_init(struct cpu *c)
{
	spin_init(&c->rq_lock, RANK_RUNQUEUE);
	list_init(&c->rq[0]);
	list_init(&c->rq[1]);
	c->nr_running = 0;
	c->need_resched = false;
	timer_init_cpu(c);
}

void sched_init(void *boot_stack_top)
{
	static struct task boot_idle;
	struct cpu *c;

	for_each_cpu(c) rq_init(c);
	c = this_cpu();
	refs_init(&boot_idle.refs, 1);
	list_init(&boot_idle.rq_link);
	spin_init(&boot_idle.alloc_lock, RANK_FSCTX);
	strlcpy(boot_idle.comm, "idle", sizeof boot_idle.comm);
	boot_idle.is_idle = true;
	boot_idle.is_kthread = true;
	boot_idle.on_cpu = true;
	boot_idle.exec_start_ns = arch_clock_ns();
	c->idle = &boot_idle;
	boot_idle.thread.kstack_top = (u64)boot_stack_top;
	arch_set_idle_thread(&boot_idle.thread);
	c->online = true;
}

void sched_idle_loop(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		if (READ_ONCE(c->nr_running) == 0)
			steal(c);
		if (READ_ONCE(c->nr_running) == 0)
			page_release_idle();
		WRITE_ONCE(c->in_idle, true);
		smp_mb();
		if (READ_ONCE(c->nr_running) == 0 && !READ_ONCE(c->need_resched))
			arch_cpu_idle();
		WRITE_ONCE(c->in_idle, false);
		if (READ_ONCE(c->nr_running) == 0)
			steal(c);
		if (READ_ONCE(c->nr_running) != 0)
			schedule();
		else
			c->need_resched = false;
	}
}

void sched_secondary_main(void)
{
	struct cpu *c = this_cpu();

	arch_set_idle_thread(&c->idle->thread);
	c->idle->exec_start_ns = arch_clock_ns();
	c->online = true;
	fetch_or(&online_mask, 1ull << c->id);
	arch_kmap_join();
	c->need_resched = true;
	sched_idle_loop();
}

void sched_set_nice(struct task *t, s32 nice) NO_LOCK_ANALYSIS
{
	struct cpu *c = lock_task_rq(t);

	t->nice = (s8)nice;
	spin_unlock(&c->rq_lock);
}

void sched_set_policy(struct task *t, u32 policy, u32 rt_priority) NO_LOCK_ANALYSIS
{
	struct cpu *c = lock_task_rq(t);
	bool queued = t->on_rq && !list_empty(&t->rq_link);

	if (queued)
		list_del(&t->rq_link);
	t->policy = (u8)policy;
	t->rt_priority = (u8)rt_priority;
	if (queued)
		rq_insert(c, t);
	spin_unlock(&c->rq_lock);
}

int sched_set_affinity(struct task *t, u64 mask) NO_LOCK_ANALYSIS
{
	u64 until = arch_clock_ns() + CPU_START_NS;
	struct cpu *c;
	bool move;

	mask &= sched_cpu_mask();
	if (!mask)
		return -EINVAL;
	/* Whoever asks for a CPU that has not been started yet gets it. */
	while ((mask & READ_ONCE(online_mask)) == 0 && start_next_cpu())
		;
	while ((mask & READ_ONCE(online_mask)) == 0 && arch_clock_ns() < until)
		arch_spin_relax();
	c = lock_task_rq(t);
	t->affinity = mask;
	move = !(mask & 1ull << c->id);
	if (move && t->on_rq && !list_empty(&t->rq_link) && !t->on_cpu) {
		u64 allowed = mask & READ_ONCE(online_mask);

		if (allowed) {
			list_del(&t->rq_link);
			c->nr_running--;
			t->on_rq = false;
			t->cpu = (u32)__builtin_ctzll(allowed);
			spin_unlock(&c->rq_lock);
			enqueue(cpus[t->cpu], t);
			return 0;
		}
	}
	/* It moves when it gives up this CPU, which is asked for now. */
	if (move && t->on_cpu)
		c->need_resched = true;
	spin_unlock(&c->rq_lock);
	if (move)
		sched_kick(t);
	return 0;
}

u64 sched_cpu_mask(void)
{
	return nr_cpus >= 64 ? U64_MAX : (1ull << nr_cpus) - 1;
}

u32 sched_nr_running(void)
{
	struct cpu *c;
	u32 n = 0;

	for_each_cpu(c) n += READ_ONCE(c->nr_running);
	return n;
}

u64 sched_switches(void)
{
	struct cpu *c;
	u64 n = 0;

	for_each_cpu(c) n += c->switches;
	return n;
}

/* Sampled when somebody looks: there is no tick to sample at. Each step decays by the time that passed. */
void sched_loadavg(u64 out[3])
{
	static u64 avg[3], last_ns; /* races only blur the figure */
	static const u64 decay_5s[3] = { 1884, 2014, 2037 };
	u64 now = clock_monotonic_ns(), steps = (now - last_ns) / (5 * NSEC_PER_SEC);
	u64 active = (u64)sched_nr_running() << 11;

	if (steps > 1024)
		steps = 1024;
	last_ns += steps * 5 * NSEC_PER_SEC;
	if (steps == 1024)
		last_ns = now;
	for (; steps; steps--)
		for (u32 i = 0; i < 3; i++)
			avg[i] = (avg[i] * decay_5s[i] + active * (2048 - decay_5s[i])) >> 11;
	for (u32 i = 0; i < 3; i++)
		out[i] = avg[i];
}

u64 task_runtime_now(struct task *t) NO_LOCK_ANALYSIS
{
	struct cpu *c = lock_task_rq(t);
	u64 ns = t->runtime_ns;

	if (c->arch.current == t && t->on_cpu)
		ns += arch_clock_ns() - t->exec_start_ns;
	spin_unlock(&c->rq_lock);
	return ns;
}
