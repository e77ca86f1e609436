// SPDX-License-Identifier: Apache-2.0
/*
 * handshake_model - the futex protocols of the process machine: every order of their sides' steps
 *
 * Role      Two protocols as small machines, each step one access to shared memory or one futex call:
 *             doorbell   kernel and monitor over hyp_channel.bell, with a third side that kicks the monitor
 *                        (vmm/abi/process.h, machine_process.c process_run(), guest/wait.c arch_doorbell())
 *             handover   application thread and kernel over area->state, with interrupts to the kernel
 *                        (stub.S park, guest/wait.c handover_run())
 *           All reachable states are visited. Nobody may be stuck: in a state where no side has a step left, all
 *           must have come to their ends.
 * Rules     A step here is a step there, in the same order: who changes the protocol changes both. Each protocol has
 *           a variant with a known mistake, which must be found: a model that finds nothing proves nothing.
 *           futex wait compares and sleeps in one step; a sleeper goes on when it is woken.
 */
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"

#define STATES	 (1u << 16)
#define ROUNDS	 3u
#define SIDES	 3u
#define END	 15u
#define NO_SLEEP 0u

/* Of all sides together; compared as bytes. */
struct state {
	u8 pc[SIDES];
	u8 sleeps[SIDES]; /* the words it waits for, bits; NO_SLEEP: it does not */
	u8 word[2];	  /* what both see */
	u8 seen[2];	  /* what the waiting side loaded */
	u8 left;	  /* rounds */
	u8 served;
};

struct protocol {
	u32 nr_sides;
	struct state start;
	void (*step)(struct state *s, u32 side, bool mistaken);
	/* Only called when nothing moves. */
	bool (*is_end)(const struct state *s);
};

static struct state visited[STATES];
static u32 nr_visited;

static void wake(struct state *s, u32 word)
{
	for (u32 i = 0; i < SIDES; i++)
		if (s->sleeps[i] & 1u << word)
			s->sleeps[i] = NO_SLEEP;
}

/* The side sleeps on the words of the mask unless one has changed. */
static void wait_for(struct state *s, u32 side, u8 mask, u8 v0, u8 v1)
{
	if ((!(mask & 1) || s->word[0] == v0) && (!(mask & 2) || s->word[1] == v1))
		s->sleeps[side] = mask;
}

static bool is_new(const struct state *s)
{
	u32 i = 2166136261u;

	for (u32 k = 0; k < sizeof *s; k++)
		i = (i ^ ((const u8 *)s)[k]) * 16777619u;
	for (i %= STATES; visited[i].pc[0] != 255; i = (i + 1) % STATES)
		if (!memcmp(&visited[i], s, sizeof *s))
			return false;
	visited[i] = *s;
	CHECK(++nr_visited < STATES / 2);
	return true;
}

/* Whether some order of steps ends in a state that is no end. */
static bool can_get_stuck(const struct protocol *p, const struct state *s, bool mistaken)
{
	bool moved = false;

	if (!is_new(s))
		return false;
	for (u32 i = 0; i < p->nr_sides; i++) {
		struct state next = *s;

		if (s->pc[i] == END || s->sleeps[i])
			continue;
		moved = true;
		p->step(&next, i, mistaken);
		if (can_get_stuck(p, &next, mistaken))
			return true;
	}
	return !moved && !p->is_end(s);
}

static bool stuck(const struct protocol *p, bool mistaken)
{
	memset(visited, 255, sizeof visited);
	nr_visited = 0;
	return can_get_stuck(p, &p->start, mistaken);
}

/* Doorbell: word 0 the bell, word 1 the kicks. */
enum { KERNEL, MONITOR, KICKER };
enum { QUIET, RUNG, NONSENSE };

static void bell_kernel(struct state *s)
{
	switch (s->pc[KERNEL]) {
	case 0: /* store_release(&ch->bell, PM_BELL_RUNG) */
		s->word[0] = RUNG;
		s->pc[KERNEL] = 1;
		break;
	case 1: /* host_futex_wake */
		wake(s, 0);
		s->pc[KERNEL] = 2;
		break;
	case 2: /* while (load_acquire(&ch->bell) == PM_BELL_RUNG) */
		s->pc[KERNEL] = 3;
		if (s->word[0] != RUNG)
			s->pc[KERNEL] = --s->left ? 0 : END;
		break;
	default: /* host_futex_wait(&ch->bell, PM_BELL_RUNG) */
		wait_for(s, KERNEL, 1, RUNG, 0);
		s->pc[KERNEL] = 2;
	}
}

static void bell_monitor(struct state *s, bool mistaken)
{
	switch (s->pc[MONITOR]) {
	case 0: /* the kicks, then what they announce */
		s->seen[1] = s->word[1];
		s->pc[MONITOR] = 1;
		break;
	case 1: /* stopping: the kicker has set it before its kick */
		s->pc[MONITOR] = s->pc[KICKER] ? END : 2;
		break;
	case 2: /* the bell */
		s->seen[0] = s->word[0];
		s->pc[MONITOR] = s->seen[0] == RUNG ? 5 : mistaken ? 3 : 4;
		break;
	case 3: /* the mistake: stores before it waits */
		s->word[0] = s->seen[0] = QUIET;
		s->pc[MONITOR] = 4;
		break;
	case 4: /* futex_waitv */
		wait_for(s, MONITOR, 3, s->seen[0], s->seen[1]);
		s->pc[MONITOR] = 0;
		break;
	case 5: /* hypercall_dispatch(), store QUIET */
		s->served++;
		s->word[0] = QUIET;
		s->pc[MONITOR] = 6;
		break;
	default:
		wake(s, 0);
		s->pc[MONITOR] = 0;
	}
}

/* Sets `stopping` (its step 0), counts a kick, wakes; only when everything was served. */
static void bell_kicker(struct state *s)
{
	switch (s->pc[KICKER]) {
	case 0:
		s->pc[KICKER] = 1;
		break;
	case 1:
		s->word[1]++;
		s->pc[KICKER] = 2;
		break;
	default:
		wake(s, 1);
		s->pc[KICKER] = END;
	}
}

static void bell_step(struct state *s, u32 side, bool mistaken)
{
	if (side == KERNEL)
		bell_kernel(s);
	else if (side == MONITOR)
		bell_monitor(s, mistaken);
	else
		bell_kicker(s);
}

/* The kernel may wait for ever only when the monitor was told to stop. */
static bool bell_ends(const struct state *s)
{
	return s->pc[MONITOR] == END && s->pc[KICKER] == END;
}

static bool bell_is_served(const struct state *s)
{
	return s->pc[KERNEL] == END && s->served == ROUNDS;
}

/* The kick is lost when the kicks are loaded after what they announce was looked for. */
static void bell_step_late_kicks(struct state *s, u32 side, bool mistaken)
{
	bell_step(s, side, false);
	if (mistaken && side == MONITOR && s->pc[MONITOR] == 4)
		s->seen[1] = s->word[1];
}

TEST(every_ring_is_served_and_every_kick_seen)
{
	struct protocol p = { .nr_sides = 2,
			      .start = { .left = ROUNDS },
			      .step = bell_step,
			      .is_end = bell_is_served };

	CHECK(!stuck(&p, false));
	CHECK(stuck(&p, true));
	p.start.word[0] = NONSENSE; /* a kernel process in other hands */
	CHECK(!stuck(&p, false));
	p = (struct protocol){
		.nr_sides = 3, .start = { .left = ROUNDS }, .step = bell_step, .is_end = bell_ends
	};
	CHECK(!stuck(&p, false));
	p.step = bell_step_late_kicks;
	CHECK(!stuck(&p, false));
	CHECK(stuck(&p, true));
}

/* Handover: word 0 area->state, word 1 the wake word of the kernel's channel. */
enum { APP = 1, SENDER = 2 };
enum { RUN = 1, RUN_KSLEEP, PARKED, SLEEPING };

static void hand_app(struct state *s, bool mistaken)
{
	u8 was = s->word[0];

	switch (s->pc[APP]) {
	case 0: /* xchg of PARKED; the mistake: only a store, and no look at what was there */
		s->word[0] = PARKED;
		s->pc[APP] = was == RUN_KSLEEP && !mistaken ? 1 : 2;
		break;
	case 1:
		wake(s, 0);
		s->pc[APP] = 2;
		break;
	case 2: /* spun in vain: cmpxchg PARKED, SLEEPING */
		if (was == PARKED)
			s->word[0] = SLEEPING;
		s->pc[APP] = was == PARKED ? 3 : 0;
		break;
	case 3:
		wait_for(s, APP, 1, SLEEPING, 0);
		s->pc[APP] = 4;
		break;
	default: /* runs, and parks again */
		s->pc[APP] = was == SLEEPING ? 3 : 0;
	}
}

static void hand_kernel(struct state *s)
{
	u8 was = s->word[0];

	switch (s->pc[KERNEL]) {
	case 0: /* the thread is parked: it has its next turn */
		s->word[0] = RUN;
		s->pc[KERNEL] = was == SLEEPING ? 1 : 2;
		break;
	case 1:
		wake(s, 0);
		s->pc[KERNEL] = 2;
		break;
	case 2: /* interrupts are served: the word is emptied */
		s->word[1] = 0;
		s->pc[KERNEL] = 3;
		break;
	case 3: /* sleep_on_both(): cmpxchg RUN, RUN_KSLEEP */
		if (was == RUN)
			s->word[0] = RUN_KSLEEP;
		s->pc[KERNEL] = was == RUN || was == RUN_KSLEEP ? 4 : 5;
		break;
	case 4:
		wait_for(s, KERNEL, 3, RUN_KSLEEP, 0);
		s->pc[KERNEL] = 5;
		break;
	default:
		s->pc[KERNEL] = 2;
		if (was == PARKED || was == SLEEPING)
			s->pc[KERNEL] = --s->left ? 0 : END;
	}
}

/* arch_ipi_send(), process_interrupt(); the mistake: wakes first. */
static void hand_sender(struct state *s, bool mistaken)
{
	if (!s->pc[SENDER] != mistaken)
		s->word[1] = 1;
	else
		wake(s, 1);
	s->pc[SENDER] = s->pc[SENDER] ? END : 1;
}

static void hand_step(struct state *s, u32 side, bool mistaken)
{
	if (side == KERNEL)
		hand_kernel(s);
	else if (side == APP)
		hand_app(s, mistaken);
	else
		hand_sender(s, mistaken);
}

static bool hand_ends(const struct state *s)
{
	return s->pc[KERNEL] == END;
}

/* The application computes for ever: the kernel may sleep, but not with an interrupt to be served. */
static bool hand_is_quiet(const struct state *s)
{
	return !s->word[1];
}

TEST(every_turn_comes_back)
{
	const struct protocol p = {
		.nr_sides = 3,
		.start = {.left = ROUNDS, .word = { SLEEPING, 0 }, .pc = { 0, 3, 0 }},
		.step = hand_step,
		.is_end = hand_ends
	};

	CHECK(!stuck(&p, false));
	CHECK(stuck(&p, true));
}

TEST(no_interrupt_is_slept_through)
{
	const struct protocol p = {
		.nr_sides = 3,
		.start = {.left = 1, .word = { RUN, 0 }, .pc = { 2, END, 0 }},
		.step = hand_step,
		.is_end = hand_is_quiet
	};

	CHECK(!stuck(&p, false));
	CHECK(stuck(&p, true));
}
