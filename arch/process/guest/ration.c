// SPDX-License-Identifier: Apache-2.0
/*
 * ration - the processor time application threads take, against what they were let run
 *
 * Role      A program can write into its area that it is parked, and compute on while its task sleeps, is stopped or
 *           is not its CPU's choice. Nothing in the area can tell; the host can: each application thread is a process
 *           of the host's, whose processor time the kernel process may ask for. handover_run() notes the turns, and
 *           every tenth of a second some CPU compares.
 * Rules     A turn counts in full, waits and all, so an honest thread never takes more than its turns, but for the way
 *           into its wait: SPIN_CYCLES of each pause between two turns are granted for that. What it takes
 *           beyond adds up, what it leaves counts against that, and nobody can save: over_ns is never below 0. A look
 *           adds at most STEP_NS, so that no single wrong clock (a virtual machine that stood still) kills.
 *           At LIMIT_NS the thread's stub is killed, and with it the guest process.
 *           A sandbox in which nothing runs is looked at ever more rarely, up to IDLE_MAX_NS: a parked thread cannot
 *           begin to run by itself, since its wait has no limit of time.
 *           What is left: some SPIN_CYCLES for each pause, and LIMIT_NS once; the host CPUs of a sandbox are bounded
 *           by its affinity (vmm/machine_process.c).
 * Locking   stubs.lock: the list, what is noted at looks. Held over host calls that do not wait.
 * See       clock_getcpuclockid(3); tests/escape/preempt.c
 */
#include "arch/clock.h"
#include "arch/common/guest/vdso.h"
#include "arch/cpu.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/signal.h"

#define LOOK_CYCLES  300000000ull /* about 0.1 s */
#define SPIN_CYCLES  600000ull	  /* about 0.2 ms: waking the kernel, spinning, falling asleep */
#define STEP_NS	     (50 * (s64)NSEC_PER_MSEC)
#define LIMIT_NS     (200 * (s64)NSEC_PER_MSEC)
#define IDLE_MIN_NS  (100 * NSEC_PER_MSEC)
#define IDLE_MAX_NS  (4 * NSEC_PER_SEC)
#define AT_ONCE	     64u
#define SIGKILL_HOST 9
#define CLOCK_SCHED  2u /* of a process, in a clock's number */

extern struct vdso_data vdso_data;

u64 ration_next = U64_MAX; /* no stubs */

static struct {
	struct spinlock lock;
	struct list all; /* the next to be looked at first */
	u32 nr;
	u64 idle_ns;
	u32 busy; /* a CPU looks */
} stubs = {
	.lock = SPINLOCK_INIT(RANK_LEAF), .all = {&stubs.all, &stubs.all},
	     .idle_ns = IDLE_MIN_NS
};

static u64 to_ns(u64 cycles)
{
	return (u64)((__uint128_t)cycles * vdso_data.mult >> 32);
}

/* Processor time of a host process; 0 when it is gone. */
u64 ration_cpu_ns(u32 tid)
{
	struct host_timespec t;
	s32 clock = (s32)(~tid << 3 | CLOCK_SCHED);

	if (host_call3(HOST_CLOCK_GETTIME, (u64)(s64)clock, (u64)&t, 0) < 0)
		return 0;
	return (u64)t.sec * NSEC_PER_SEC + (u64)t.nsec;
}

void ration_add(struct stub *s)
{
	spin_lock(&stubs.lock);
	list_add(&stubs.all, &s->all);
	if (!stubs.nr++)
		WRITE_ONCE(ration_next, arch_cycles() + LOOK_CYCLES);
	spin_unlock(&stubs.lock);
}

void ration_remove(struct stub *s)
{
	spin_lock(&stubs.lock);
	list_del(&s->all);
	stubs.nr--;
	spin_unlock(&stubs.lock);
}

void ration_begin(struct stub_thread *st, u64 now)
{
	u64 pause = now - st->ended;

	WRITE_ONCE(st->turn, st->turn + 1);
	st->granted += MIN(pause, SPIN_CYCLES);
	WRITE_ONCE(st->since, now);
}

void ration_end(struct stub_thread *st, u64 now)
{
	st->granted += now - st->since;
	st->ended = now;
	store_release(&st->turn, st->turn + 1);
}

/* What st was let run until now; false: it changes just then. */
static bool granted_now(struct stub_thread *st, u64 *granted)
{
	u32 turn = load_acquire(&st->turn);
	u64 now, g = READ_ONCE(st->granted);

	now = arch_cycles();
	g += turn & 1 ? now - READ_ONCE(st->since) : MIN(now - READ_ONCE(st->ended), SPIN_CYCLES);
	smp_mb();
	*granted = g;
	return READ_ONCE(st->turn) == turn;
}

/* Whether st took too much; *ran: it ran at all. Its time is asked for before what it was granted. */
static bool is_over(struct stub_thread *st, bool *ran)
{
	u64 used = ration_cpu_ns(st->tid), granted;
	s64 beyond;

	if (!used || !granted_now(st, &granted))
		return false;
	*ran |= used != st->seen_ns;
	beyond = (s64)(used - st->seen_ns) - (s64)to_ns(granted - st->seen_granted);
	st->seen_ns = used;
	st->seen_granted = granted;
	beyond = MIN(beyond, STEP_NS);
	st->over_ns = MAX(st->over_ns + beyond, (s64)0);
	return st->over_ns >= LIMIT_NS;
}

/* Its threads end at once; the frames stay until stub_kill() has seen all of it gone. */
static void strike(struct stub *s)
{
	u32 i;

	for (i = 0; i < nr_cpus; i++)
		if (s->thread[i].tid)
			host_call3(HOST_TGKILL, s->thread[i].tid, s->thread[i].tid, SIGKILL_HOST);
	WRITE_ONCE(s->broken, true);
}

/* The guest process of a stub that was struck, and no other that got its number. s may be gone. */
static void end_process(s32 tgid, const struct stub *s)
{
	struct task *t = task_find_process_get(tgid);
	struct aspace *mm = t ? task_mm_get(t) : NULL;
	const struct space *sp = mm ? (const struct space *)READ_ONCE(mm->arch.context) : NULL;

	log_err("process %d killed: it went on running when it was to wait", tgid);
	if (sp && sp->stub == s)
		signal_from_monitor(tgid, SIGKILL); /* process 1 too */
	if (mm)
		aspace_put(mm);
	if (t)
		task_put(t);
}

/* The next few stubs; one whose program takes more than it was given, already struck, or NULL. */
static struct stub *look_at_some(u32 *left, bool *ran, s32 *tgid)
{
	struct stub *found = NULL;
	u32 i, n;

	spin_lock(&stubs.lock);
	for (n = 0; n < AT_ONCE && *left && !found && !list_empty(&stubs.all); n++, --*left) {
		struct stub *s = list_first(&stubs.all, struct stub, all);

		list_del(&s->all);
		list_add_tail(&stubs.all, &s->all);
		for (i = 0; i < nr_cpus && s->tgid && !s->broken && !found; i++)
			if (s->thread[i].tid && is_over(&s->thread[i], ran))
				found = s;
	}
	if (found) {
		*tgid = found->tgid;
		strike(found);
	}
	spin_unlock(&stubs.lock);
	return found;
}

void ration_look(void)
{
	u32 left = READ_ONCE(stubs.nr);
	u64 start = arch_cycles();
	bool ran = false;

	if (xchg(&stubs.busy, 1))
		return;
	while (left) {
		s32 tgid;
		struct stub *s = look_at_some(&left, &ran, &tgid);

		if (s)
			end_process(tgid, s);
	}
	WRITE_ONCE(stubs.idle_ns, ran ? IDLE_MIN_NS : MIN(stubs.idle_ns * 2, IDLE_MAX_NS));
	/* a hundredth of the time at most */
	WRITE_ONCE(ration_next, arch_cycles() + MAX(LOOK_CYCLES, (arch_cycles() - start) * 100));
	store_release(&stubs.busy, 0);
}

u64 ration_idle_ns(void)
{
	return READ_ONCE(stubs.nr) ? READ_ONCE(stubs.idle_ns) : U64_MAX;
}
