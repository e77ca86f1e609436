// SPDX-License-Identifier: Apache-2.0
/*
 * wait - the handover to an application thread and back; interrupts; idling; the timer
 *
 * Role      A kernel thread waits in one of three places: for its application thread, for an answer of the monitor,
 *           or, idle, for an interrupt. Interrupts are bits in the wake word of its channel page.
 * Rules     Interrupts that arrive while application code runs are served at once, on the task's kernel stack;
 *           the application is stopped only when the scheduler or a signal wants something of it: then it gets
 *           the preemption signal, again and again until it is parked, because the handler
 *           ignores the signal when it is there already, perhaps on its way out.
 *           State words can be written by the application: nonsense only delays its own task. A program that jumped
 *           into the stub's waits gets there signal after signal in the same code: that is counted, and is its end.
 * Missing   Hosts before Linux 5.16 (futex_waitv); CPUs without RDTSCP.
 * See       place.c: where both sides run and how long they spin
 */
#include "arch/clock.h"
#include "arch/common/guest/vdso.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/trap.h"

#define PIN_RUN_NS	 (2 * NSEC_PER_MSEC) /* who runs longer is no longer bound */
#define PREEMPT_RETRY_NS (200 * 1000ull)
#define LOOK_NS		 NSEC_PER_SEC /* a stub that died is noticed */
#define PREEMPT_GIVE_UP	 50000u	      /* 10 s */
#define NESTED_MAX	 100u	      /* signals in the stub's code: it waits there for good */
#define WAITV_U32	 2u

extern struct vdso_data vdso_data;

/* Of one handover: how often the thread was asked for, and what area->nested was at the first and last signal. */
struct preemption {
	u32 tries, first, seen;
};

static u32 *wake_word(void)
{
	return &hyp_channels[this_cpu()->id].wake;
}

static u64 cycles_to_ns(u64 cycles)
{
	return (u64)((__uint128_t)cycles * vdso_data.mult >> 32);
}

/* Until the timer; U64_MAX: not armed. */
static u64 ns_to_timer(void)
{
	u64 at = this_cpu()->arch.timer_at, now;

	if (!at)
		return U64_MAX;
	now = arch_cycles();
	return at <= now ? 0 : cycles_to_ns(at - now);
}

void arch_timer_set(u64 at)
{
	this_cpu()->arch.timer_at = at;
}

static void timer_serve(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.timer_at && arch_cycles() >= c->arch.timer_at) {
		c->arch.timer_at = 0;
		trap_timer();
	}
}

static void ipi_serve(void)
{
	u32 pending = xchg(&this_cpu()->arch.ipi_pending, 0);

	if (pending & IPI_STOP)
		arch_cpu_stop();
	if (pending & IPI_RESCHED)
		trap_resched();
}

void interrupts_serve(void)
{
	u32 bits;

	if (READ_ONCE(*wake_word())) {
		bits = xchg(wake_word(), 0);
		if (bits & PM_WAKE_IPI)
			ipi_serve();
		if (bits & PM_WAKE_EVENT)
			trap_host_event();
	}
	timer_serve();
}

void arch_ipi_send(struct cpu *to, u32 ipi)
{
	struct hyp_channel *ch = hyp_channels + to->id;

	if (fetch_or(&to->arch.ipi_pending, ipi) & ipi)
		return;
	fetch_or(&ch->wake, (u32)PM_WAKE_IPI);
	host_futex_wake(&ch->wake);
}

void arch_spin_relax(void)
{
	__asm__ volatile("pause");
	if (unlikely(READ_ONCE(this_cpu()->arch.ipi_pending) & IPI_STOP))
		arch_cpu_stop();
}

void arch_cpu_idle(void)
{
	u64 ns = ns_to_timer();
	struct host_timespec t = { (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };

	if (ns && !READ_ONCE(*wake_word())) {
		place_idle(true);
		host_futex_wait(wake_word(), 0, ns == U64_MAX ? NULL : &t);
		place_idle(false);
	}
	interrupts_serve();
}

void arch_doorbell(u32 nr)
{
	struct hyp_channel *ch = hyp_channels + this_cpu()->id;

	(void)nr;
	store_release(&ch->bell, PM_BELL_RUNG);
	host_futex_wake(&ch->bell);
	while (load_acquire(&ch->bell) == PM_BELL_RUNG)
		host_futex_wait(&ch->bell, PM_BELL_RUNG, NULL);
}

static bool is_parked(const struct area *a)
{
	u32 s = load_acquire(&a->state);

	return s == STATE_PARKED || s == STATE_SLEEPING;
}

/* Sleeps until the thread parks, an interrupt comes, or ns have passed. */
static void sleep_on_both(struct area *a, u64 ns)
{
	struct {
		u64 val, uaddr;
		u32 flags, reserved;
	} w[2] = {
		{STATE_RUN_KSLEEP, (u64)&a->state,   WAITV_U32, 0},
		{ 0,		     (u64)wake_word(), WAITV_U32, 0}
	};
	struct host_timespec t;
	u32 run = STATE_RUN;

	if (!__atomic_compare_exchange_n(&a->state, &run, STATE_RUN_KSLEEP, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED) &&
	    run != STATE_RUN_KSLEEP)
		return;
	if (ns != U64_MAX) {
		host_call3(HOST_CLOCK_GETTIME, 1, (u64)&t, 0);
		ns += (u64)t.nsec;
		t.sec += (s64)(ns / NSEC_PER_SEC);
		t.nsec = (s64)(ns % NSEC_PER_SEC);
	}
	host_call(HOST_FUTEX_WAITV, (u64)w, 2, 0, ns == U64_MAX ? 0 : (u64)&t, 1, 0);
}

/* Spins as long as that pays; true when the thread is parked. */
static bool spin_for(struct area *a)
{
	u32 i, n = this_cpu()->arch.spin;

	for (i = 0; i < n; i++) {
		if (is_parked(a)) {
			place_note_spin(true);
			return true;
		}
		if (READ_ONCE(*wake_word()))
			return false;
		__asm__ volatile("pause");
	}
	place_note_spin(false);
	return false;
}

/* The application goes on, on the host CPU where it belongs. */
static void set_running(struct stub_thread *st)
{
	struct area *a = st->area;

	st->used = true;
	place_choose();
	place_follow_app(st);
	a->spin = this_cpu()->arch.spin;
	if (xchg(&a->state, STATE_RUN) == STATE_SLEEPING) {
		place_note_sleeper();
		host_futex_wake(&a->state);
	}
}

/* Wants the thread parked. The host stacks signals on a thread it does not let run, so the next is sent when this one
 * was seen to arrive in the stub's code. False: the thread is lost. */
static bool preempt(struct stub *s, struct stub_thread *st, struct preemption *p)
{
	u32 nested = READ_ONCE(st->area->nested);

	if (!p->tries++) {
		p->first = nested;
		p->seen = nested - 1;
	}
	if (p->tries > PREEMPT_GIVE_UP || nested - p->first > NESTED_MAX)
		return false;
	if (nested == p->seen)
		return true;
	p->seen = nested;
	return host_call3(HOST_TGKILL, s->pid, st->tid, SIG_PREEMPT) >= 0;
}

bool handover_run(struct stub *s, struct stub_thread *st)
{
	struct preemption p = { 0 };
	struct area *a = st->area;
	u64 start = arch_cycles();

	set_running(st);
	while (!spin_for(a)) {
		u64 ns;

		interrupts_serve();
		ns = MIN(ns_to_timer(), LOOK_NS);
		if (trap_work_pending() && !is_parked(a)) {
			if (!preempt(s, st, &p))
				return false;
			ns = MIN(ns, PREEMPT_RETRY_NS);
		}
		if (this_cpu()->arch.pin)
			ns = MIN(ns, PIN_RUN_NS);
		sleep_on_both(a, ns);
		if (is_parked(a))
			break;
		if (this_cpu()->arch.pin) {
			place_loose();
			place_follow_app(st);
		}
		if (host_call3(HOST_TGKILL, s->pid, st->tid, 0) < 0)
			return false;
	}
	place_note_run(arch_cycles() - start);
	return true;
}
