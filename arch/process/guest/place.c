// SPDX-License-Identifier: Apache-2.0
/*
 * place - where the two sides of a handover run, and how long they wait awake
 *
 * Role      A kernel thread and the threads it hands over to (its application thread of the running space, that space's
 *           service thread) can be left to the host, kept apart or kept together:
 *             free      the host places them.
 *             apart     the kernel thread has a host CPU, application threads any other: a handover that both sides wait
 *                       for awake moves one cache line. Schedulers that pack what wakes each other would never
 *                       let it come to that.
 *             together  all on one host CPU: a handover is a switch, the cheapest where one of them sleeps anyway.
 * Rules     What spins costs is judged by what it brings: spinning in vain every third time leads from free to apart
 *           (when there are host CPUs for all that are busy) and from apart to together; from there another try is made after
 *           a while, which doubles as long as it does not help. Who computes for long is left to the host: two
 *           busy threads must not share a CPU because their kernel threads once did.
 *           A guest CPU changes its own placement only; others' homes are read as hints.
 * Missing   CPUs without RDTSCP.
 */
#include "arch/cpu.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"

#define SPIN_MAX     400u /* rounds, about 40 ns each */
#define SPIN_MIN     50u
#define SPIN_TRY     200u
#define SPIN_FIRST   2500u /* when newly apart: both must have woken up once */
#define SPIN_PARKED  1200u /* of application threads that are apart: they keep nobody from anything */
#define SLOW_MAX     16u	  /* one in three in vain */
#define RETRY_CYCLES 60000000ull /* about 20 ms */
#define RETRY_MAX    3u		 /* that, doubled so often */
#define HELPS	     1000u	  /* so many in time, and trying again costs little next time */

#define BOUND_OFF 0x80000000u /* in bound: anywhere but there */

enum { MASK_WORDS = PM_HOST_CPU_WORDS };

static u32 host_cpu(void)
{
	u32 aux;

	__asm__ volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
	return aux & 0xfff;
}

static bool is_ours(u32 cpu)
{
	return cpu < 64 * MASK_WORDS && (pm_boot->host_cpu_mask[cpu / 64] >> cpu % 64 & 1);
}

static void bind(u32 tid, u32 bound)
{
	u64 mask[MASK_WORDS];
	u32 cpu = (bound & ~BOUND_OFF) - 1;

	if (bound && !(bound & BOUND_OFF)) {
		memset(mask, 0, sizeof mask);
		mask[cpu / 64] = 1ull << cpu % 64;
	} else {
		memcpy(mask, pm_boot->host_cpu_mask, sizeof mask);
		if (bound)
			mask[cpu / 64] &= ~(1ull << cpu % 64);
	}
	host_call3(HOST_SETAFFINITY, tid, sizeof mask, (u64)mask);
}

static bool is_taken(u32 home)
{
	struct cpu *c;

	for_each_cpu(c) if (c != this_cpu() && READ_ONCE(c->arch.home) == home) return true;
	return false;
}

/* A host CPU + 1 that no other guest CPU has, if there is one: best where we are. */
static u32 find_home(void)
{
	u32 here = host_cpu(), cpu;

	if (is_ours(here) && !is_taken(here + 1))
		return here + 1;
	for (cpu = 0; cpu < 64 * MASK_WORDS; cpu++)
		if (is_ours(cpu) && !is_taken(cpu + 1))
			return cpu + 1;
	return is_ours(here) ? here + 1 : 0;
}

static bool has_room_apart(void)
{
	struct cpu *c;
	u32 busy = 0;

	for_each_cpu(c) busy += c->online && !READ_ONCE(c->in_idle);
	return 2 * busy <= pm_boot->host_cpus;
}

static u32 first_spin(u8 how)
{
	if (how == PLACE_TOGETHER || (pm_boot->flags & PM_SPIN_NEVER))
		return 0;
	return how == PLACE_APART ? SPIN_FIRST : SPIN_TRY;
}

static void place(struct cpu *c, u8 how)
{
	c->arch.place = how;
	c->arch.slow = c->arch.in_time = 0;
	c->arch.spin = first_spin(how);
	WRITE_ONCE(c->arch.home, how == PLACE_FREE ? 0 : find_home());
	bind(0, c->arch.home);
}

void place_init(struct cpu *c)
{
	c->arch.spin = first_spin(PLACE_FREE);
}

static void give_up(struct cpu *c, u64 now)
{
	if (c->arch.in_time > HELPS)
		c->arch.retry = 0;
	place(c, PLACE_TOGETHER);
	c->arch.retry_at = now + (RETRY_CYCLES << c->arch.retry);
	if (c->arch.retry < RETRY_MAX)
		c->arch.retry++;
}

void place_choose(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.place == PLACE_TOGETHER) {
		u64 now = arch_cycles();

		if (now < c->arch.retry_at || pm_boot->flags & PM_SPIN_NEVER)
			return;
		if (has_room_apart())
			place(c, PLACE_APART);
		else
			c->arch.retry_at = now + RETRY_CYCLES;
	} else if (unlikely(c->arch.slow >= SLOW_MAX)) {
		if (c->arch.place == PLACE_FREE && !(pm_boot->flags & PM_SPIN_NEVER) &&
		    has_room_apart())
			place(c, PLACE_APART);
		else if (pm_boot->flags & PM_SPIN_ALWAYS)
			c->arch.slow = 0;
		else
			give_up(c, arch_cycles());
	}
}

void place_follow(u32 tid, u32 *bound, bool is_app)
{
	struct cpu *c = this_cpu();
	u32 want = c->arch.home;

	if (want && is_app && c->arch.place == PLACE_APART)
		want |= BOUND_OFF;
	if (likely(*bound == want))
		return;
	*bound = want;
	bind(tid, want);
}

void place_in_time(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.spin <= SPIN_MAX)
		c->arch.spin = MIN(SPIN_MAX, c->arch.spin + c->arch.spin / 8 + 1);
	else
		c->arch.spin -= c->arch.spin / 8;
	c->arch.slow -= c->arch.slow > 0;
	c->arch.in_time++;
}

void place_in_vain(void)
{
	struct cpu *c = this_cpu();

	if (c->arch.spin && !(pm_boot->flags & PM_SPIN_ALWAYS))
		c->arch.spin = MAX(SPIN_MIN, c->arch.spin - c->arch.spin / 8);
	c->arch.slow += 2;
}

u32 place_app_spin(void)
{
	struct cpu *c = this_cpu();

	return c->arch.place == PLACE_APART ? SPIN_PARKED : c->arch.spin;
}

bool place_is_bound(void)
{
	return this_cpu()->arch.home;
}

void place_release(void)
{
	place(this_cpu(), PLACE_FREE);
}
