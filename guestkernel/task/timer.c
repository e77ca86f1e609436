// SPDX-License-Identifier: Apache-2.0
/*
 * timer - per-CPU trees of one-shot timers behind the hardware timer
 *
 * Rules     The hardware is programmed only when a deadline is earlier than what is set; cancelling leaves
 *           it alone, so a timer event may find nothing to do. A timer goes into the tree of the CPU that
 *           arms it, except while its callback runs: then it stays where it runs, so that cancel
 *           has one CPU to wait for. Calls on one timer are serialised by its owner.
 * Locking   cpu->timer_lock. Callbacks run without it.
 */
#include "guestkernel/task/timer.h"
#include "arch/clock.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/trap.h"

enum { TIMER_IDLE, TIMER_QUEUED };

void timer_init_cpu(struct cpu *c)
{
	spin_init(&c->timer_lock, RANK_TIMER);
	c->timers.node = NULL;
	c->timer_running = NULL;
	c->timer_armed_ns = U64_MAX;
}

void timer_program(struct cpu *c, u64 deadline_ns)
{
	if (deadline_ns >= c->timer_armed_ns)
		return;
	c->timer_armed_ns = deadline_ns;
	arch_timer_arm(deadline_ns);
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *t))
{
	t->fn = fn;
	t->cpu = this_cpu()->id;
	t->state = TIMER_IDLE;
	t->deadline_ns = 0;
}

static struct cpu *lock_timer(struct ktimer *t) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct cpu *c = cpus[READ_ONCE(t->cpu)];

		spin_lock(&c->timer_lock);
		if (likely(t->cpu == c->id))
			return c;
		spin_unlock(&c->timer_lock);
	}
}

static void insert(struct cpu *c, struct ktimer *t)
{
	struct rb_node **link = &c->timers.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = t->deadline_ns < rb_entry(parent, struct ktimer, node)->deadline_ns
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&t->node, parent, link);
	rb_insert_fixup(&c->timers, &t->node);
	WRITE_ONCE(t->state, TIMER_QUEUED);
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns) NO_LOCK_ANALYSIS
{
	struct cpu *c = lock_timer(t), *here = this_cpu();

	if (t->state == TIMER_QUEUED)
		rb_erase(&c->timers, &t->node);
	t->state = TIMER_IDLE;
	if (c != here && c->timer_running != t) {
		WRITE_ONCE(t->cpu, here->id);
		spin_unlock(&c->timer_lock);
		c = here;
		spin_lock(&c->timer_lock);
	}
	t->deadline_ns = deadline_ns;
	insert(c, t);
	if (c == here)
		timer_program(c, deadline_ns);
	spin_unlock(&c->timer_lock);
}

bool ktimer_cancel(struct ktimer *t) NO_LOCK_ANALYSIS
{
	struct cpu *c = lock_timer(t);
	bool queued = t->state == TIMER_QUEUED;

	if (queued) {
		rb_erase(&c->timers, &t->node);
		WRITE_ONCE(t->state, TIMER_IDLE);
	}
	while (c->timer_running == t && c != this_cpu()) {
		spin_unlock(&c->timer_lock);
		arch_spin_relax();
		spin_lock(&c->timer_lock);
		if (t->state == TIMER_QUEUED) { /* the callback armed it again */
			rb_erase(&c->timers, &t->node);
			WRITE_ONCE(t->state, TIMER_IDLE);
			queued = true;
		}
	}
	spin_unlock(&c->timer_lock);
	return queued;
}

void trap_timer(void)
{
	struct cpu *c = this_cpu();
	u64 now = arch_clock_ns(), next = U64_MAX;
	struct rb_node *n;

	c->timer_armed_ns = U64_MAX;
	spin_lock(&c->timer_lock);
	while ((n = rb_first(&c->timers)) != NULL) {
		struct ktimer *t = rb_entry(n, struct ktimer, node);

		if (t->deadline_ns > now) {
			next = t->deadline_ns;
			break;
		}
		rb_erase(&c->timers, n);
		WRITE_ONCE(t->state, TIMER_IDLE);
		c->timer_running = t;
		spin_unlock(&c->timer_lock);
		t->fn(t);
		spin_lock(&c->timer_lock);
		c->timer_running = NULL;
	}
	spin_unlock(&c->timer_lock);
	sched_tick(now);
	timer_program(c, MIN(next, sched_slice_deadline()));
}
