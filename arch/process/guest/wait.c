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
 *           Nothing in an area is believed here, neither that a thread runs nor that it is parked, nor a count: whether
 *           a thread that is to park had its chance is told by its processor time, which the host keeps. The
 *           host stacks signals on a thread that it does not let run, and the alternate stack has room for three
 *           frames, so the next signal waits until the thread has run ANSWER_NS since the last, or has run at
 *           all and SLOW_NS have passed. Who took ANSWERS signals so, and GIVE_UP_CPU_NS of processor time or
 *           GIVE_UP_NS of any, will not park, and is killed. A thread the host does not let run is waited for.
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

#define PIN_RUN_NS	(2 * NSEC_PER_MSEC) /* who runs longer is no longer bound */
#define LOOK_NS		(NSEC_PER_SEC / 4)  /* a stub that died is noticed */
#define RETRY_NS	(200 * 1000ull)
#define RETRY_SHIFT_MAX 6u /* 12.8 ms between looks at a thread that does not get to run */
#define ANSWER_NS	(50 * 1000ull)
#define SLOW_NS		(10 * NSEC_PER_MSEC)
#define ANSWERS		16u
#define GIVE_UP_CPU_NS	(100 * NSEC_PER_MSEC)
#define GIVE_UP_NS	(300 * NSEC_PER_MSEC)
#define RELAX_ROUNDS	2000u /* of a spinlock's waiter, then it sleeps */
#define RELAX_SLEEP_NS	50000
#define WAITV_U32	2u

extern struct vdso_data vdso_data;

/* Of one handover: the signals sent, by processor time of the thread and by the clock. */
struct preemption {
	u32 signals;
	u32 idle_looks;		   /* in which it had not run */
	u64 first_cpu, last_cpu;   /* ns */
	u64 first_time, last_time; /* ns */
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
	const struct host_timespec t = { 0, RELAX_SLEEP_NS };
	struct cpu *c = this_cpu();
	u32 word = 0;

	__asm__ volatile("pause");
	if (unlikely(READ_ONCE(c->arch.ipi_pending) & IPI_STOP))
		arch_cpu_stop();
	/* the holder may need this host CPU, or wait for a stub that does */
	if (unlikely(++c->arch.relaxed % RELAX_ROUNDS == 0))
		host_futex_wait(&word, 0, &t);
}

void host_lock(struct host_lock *l)
{
	const struct host_timespec t = { 0, 10 * NSEC_PER_MSEC };
	u32 was = 0;

	if (__atomic_compare_exchange_n(&l->word, &was, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	while (xchg(&l->word, 2)) {
		host_futex_wait(&l->word, 2, &t);
		arch_spin_relax(); /* a panic elsewhere */
	}
}

void host_unlock(struct host_lock *l)
{
	if (xchg(&l->word, 0) == 2)
		host_futex_wake(&l->word);
}

void arch_cpu_idle(void)
{
	u64 ns = MIN(ns_to_timer(), ration_idle_ns());
	struct host_timespec t = { (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };

	if (ns && !READ_ONCE(*wake_word())) {
		place_idle(true);
		host_futex_wait(wake_word(), 0, ns == U64_MAX ? NULL : &t);
		place_idle(false);
		if (arch_cycles() >= READ_ONCE(ration_next))
			ration_look();
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

/* Whether the thread had its chance to park since the last signal. */
static bool has_answered(const struct preemption *p, u64 cpu, u64 now)
{
	u64 ran = cpu - p->last_cpu;

	return ran >= ANSWER_NS || (ran && now - p->last_time >= SLOW_NS);
}

/* Wants the thread parked. False: it will not, or is gone. */
static bool preempt(struct stub_thread *st, struct preemption *p)
{
	u64 cpu = ration_cpu_ns(st->tid), now = cycles_to_ns(arch_cycles());

	if (!p->signals) {
		p->first_cpu = cpu;
		p->first_time = now;
	} else if (!has_answered(p, cpu, now)) {
		p->idle_looks++;
		return true;
	} else if (p->signals >= ANSWERS &&
		   (cpu - p->first_cpu >= GIVE_UP_CPU_NS || now - p->first_time >= GIVE_UP_NS)) {
		return false;
	}
	p->signals++;
	p->idle_looks = 0;
	p->last_cpu = cpu;
	p->last_time = now;
	return host_call3(HOST_TGKILL, st->tid, st->tid, SIG_PREEMPT) >= 0;
}

/* How long to sleep at most; false: the thread is lost. */
static bool next_look(struct stub_thread *st, struct preemption *p, u64 *ns)
{
	u64 retry;

	*ns = MIN(ns_to_timer(), LOOK_NS);
	if (trap_work_pending() && !is_parked(st->area)) {
		if (!preempt(st, p))
			return false;
		retry = RETRY_NS << MIN(p->idle_looks, RETRY_SHIFT_MAX);
		*ns = MIN(*ns, retry);
	}
	if (this_cpu()->arch.pin)
		*ns = MIN(*ns, PIN_RUN_NS);
	return true;
}

static bool run_until_parked(struct stub_thread *st)
{
	struct preemption p = { 0 };
	struct area *a = st->area;
	u64 ns;

	while (!spin_for(a)) {
		interrupts_serve();
		if (!next_look(st, &p, &ns))
			return false;
		sleep_on_both(a, ns);
		if (is_parked(a))
			break;
		if (this_cpu()->arch.pin) {
			place_loose();
			place_follow_app(st);
		}
		if (!host_is_alive(st->tid))
			return false;
		if (unlikely(arch_cycles() >= READ_ONCE(ration_next)))
			ration_look();
	}
	return true;
}

bool handover_run(struct stub_thread *st)
{
	u64 start = arch_cycles(), end;
	bool is_back;

	if (unlikely(start >= READ_ONCE(ration_next)))
		ration_look();
	ration_begin(st, start);
	set_running(st);
	is_back = run_until_parked(st);
	end = arch_cycles();
	ration_end(st, end);
	if (is_back)
		place_note_run(end - start);
	return is_back;
}
