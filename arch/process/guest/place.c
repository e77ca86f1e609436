// SPDX-License-Identifier: Apache-2.0
/*
 * place - on which host CPUs the two sides of a handover run, and how long they spin
 *
 * Role      Each guest CPU is in one of three states:
 *             loose     the host's scheduler decides; both sides spin a little. Who computes is here.
 *             together  both sides are bound to one host CPU and never spin: a handover is two mere switches, a
 *                       tenth of what waking a thread on another CPU costs.
 *             apart     the application runs on any host CPU but the kernel's, and both sides spin for about as long
 *                       as waking costs: a handover moves a few cache lines. A tenth of "together" again, but it
 *                       takes two host CPUs, so only who makes one call after the other gets there.
 * Rules     "Apart" is tried when calls come quickly and the busy guest CPUs leave a host CPU free. Every handover
 *           that had to sleep counts against it, as many times as it is dearer than a good one; when these
 *           prevail the state ends, and the next try is made after a pause that doubles each time.
 *           Nobody spins longer than SPIN_APART rounds, so an idle guest costs nothing.
 *           --handover=spin: always apart, as if it paid; --handover=sleep: nobody ever spins.
 * Locking   Everything belongs to its CPU, but for demand: atomic.
 * See       wait.c
 */
#include "arch/cpu.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"

#define SPIN_MAX     400u /* rounds of about 25 ns, loose */
#define SPIN_MIN     50u
#define SPIN_TRY     200u
#define SPIN_APART   2000u
#define SLOW_MAX     16u /* loose: one in three in vain */
#define SLOW_COST    20u /* apart: good handovers that one in vain outweighs */
#define SLOW_CROWD   4u	 /* apart, when somebody else needs the host CPU */
#define SLOW_END     100u
#define QUICK_CALLS  16u	  /* in a row, before apart is tried */
#define QUICK_CYCLES 60000ull	  /* about 20 us */
#define PIN_CYCLES   600000000ull /* about 0.2 s */
#define PAUSE_MIN    3000000ull	  /* about 1 ms */
#define PAUSE_MAX    600000000ull
#define ALL_BUT	     0x80000000u /* in a pin: every host CPU but this one */

/* Host CPUs that guest CPUs want: none when idle, two when apart. */
static atomic_t demand;

static u32 host_cpu(void)
{
	u32 aux;

	__asm__ volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
	return aux & 0xfff;
}

static void bind_thread(u32 tid, u32 pin)
{
	u32 cpu = (pin & ~ALL_BUT) - 1;
	u64 mask[16];

	if (pin && !(pin & ALL_BUT))
		memset(mask, 0, sizeof mask);
	else
		memcpy(mask, pm_boot->host_cpu_mask, sizeof mask);
	if (pin)
		mask[cpu / 64 % 16] ^= 1ull << cpu % 64;
	host_call3(HOST_SETAFFINITY, tid, sizeof mask, (u64)mask);
}

static void follow(u32 tid, u32 *pin, u32 want)
{
	if (likely(*pin == want))
		return;
	*pin = want;
	bind_thread(tid, want);
}

void place_follow_app(struct stub_thread *st)
{
	follow(st->tid, &st->pin, this_cpu()->arch.app_pin);
}

void place_follow_service(struct stub *s)
{
	follow(s->pid, &s->pin, this_cpu()->arch.pin);
}

/* The kernel's side is bound as pin says, the application's as app says. */
static void enter(struct cpu *c, enum place place, u32 pin, u32 app)
{
	u32 want = place == PLACE_APART ? 2 : 1;

	atomic_add(&demand, want - c->arch.demand);
	c->arch.demand = want;
	c->arch.place = place;
	c->arch.slow = c->arch.quick = 0;
	c->arch.app_pin = app;
	follow(0, &c->arch.pin, pin);
}

void place_loose(void)
{
	struct cpu *c = this_cpu();

	enter(c, PLACE_LOOSE, 0, 0);
	c->arch.spin = pm_boot->flags & PM_SPIN_NEVER ? 0 : SPIN_TRY;
}

static void together(struct cpu *c)
{
	u32 pin = c->arch.pin ? c->arch.pin : host_cpu() + 1;

	enter(c, PLACE_TOGETHER, pin, pin);
	c->arch.pin_until = arch_cycles() + PIN_CYCLES;
	c->arch.spin = 0;
}

static void apart(struct cpu *c)
{
	u32 pin = c->arch.pin ? c->arch.pin : host_cpu() + 1;

	enter(c, PLACE_APART, pin, pin | ALL_BUT);
	c->arch.apart_since = arch_cycles();
	c->arch.spin = SPIN_APART;
}

static void apart_failed(struct cpu *c)
{
	u64 now = arch_cycles(), pause = c->arch.apart_pause * 2;

	if (now - c->arch.apart_since > PAUSE_MAX / 4) /* it did well for long */
		pause = 0;
	c->arch.apart_pause = MIN(MAX(pause, PAUSE_MIN), PAUSE_MAX);
	c->arch.apart_at = now + c->arch.apart_pause;
	together(c);
}

static bool may_be_apart(const struct cpu *c)
{
	if (pm_boot->flags & PM_SPIN_ALWAYS)
		return true;
	return c->arch.quick >= QUICK_CALLS && !(pm_boot->flags & PM_SPIN_NEVER) &&
	       atomic_read(&demand) - c->arch.demand + 2 <= pm_boot->host_cpus &&
	       arch_cycles() >= c->arch.apart_at;
}

void place_choose(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.place == PLACE_APART) {
		if (unlikely(atomic_read(&demand) > pm_boot->host_cpus))
			c->arch.slow += SLOW_CROWD;
		if (unlikely(c->arch.slow >= SLOW_END) && !(pm_boot->flags & PM_SPIN_ALWAYS))
			apart_failed(c);
	} else if (may_be_apart(c)) {
		apart(c);
	} else if (c->arch.place == PLACE_TOGETHER) {
		if (arch_cycles() >= c->arch.pin_until)
			place_loose();
	} else if (c->arch.slow >= SLOW_MAX) {
		together(c);
	}
}

void place_note_spin(bool parked)
{
	struct cpu *c = this_cpu();
	u32 n = c->arch.spin;

	if (parked) {
		if (n && n < SPIN_MAX)
			c->arch.spin = MIN(SPIN_MAX, n + n / 8 + 1);
		c->arch.slow -= c->arch.slow > 0;
		return;
	}
	if (c->arch.place == PLACE_APART) {
		c->arch.slow += SLOW_COST;
		return;
	}
	if (n)
		c->arch.spin = MAX(SPIN_MIN, n - n / 8);
	c->arch.slow += 2;
}

void place_note_sleeper(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.place == PLACE_APART)
		c->arch.slow += SLOW_COST;
}

void place_note_run(u64 cycles)
{
	struct cpu *c = this_cpu();

	if (cycles < QUICK_CYCLES)
		c->arch.quick++;
	else
		c->arch.quick = 0;
}

void place_idle(bool is_idle)
{
	u32 mine = this_cpu()->arch.demand;

	atomic_add(&demand, is_idle ? -mine : mine);
}

/* A thread begins with the binding of the one that made it. */
void place_start(void)
{
	place_loose();
	bind_thread(0, 0);
}
