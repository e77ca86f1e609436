// SPDX-License-Identifier: Apache-2.0
/*
 * hostile - a guest kernel that breaks the contract, one way per case
 *
 * Role      Booted by the monitor in place of the kernel; tests/guest/run.py holds what must come of each case.
 *           Cases that only one kind of CPU has are in <cpu>/machine.c.
 */
#include "guest_cpu.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/guestlib.h"

#define RACE_CALLS  400
#define FLOOD_LINES 3000

static u8 blank[HYP_PAYLOAD_MAX];

static void nothing(void)
{
}

static void exit_odd(void)
{
	exit_with((s32)0x8badff7f);
}

static void exit_signal(void)
{
	exit_with(9);
}

static void exit_exec_errno(void)
{
	struct hyp_exit e = { .exec_errno = -5 };

	raw_call(HYP_EXIT, sizeof e, &e, sizeof e);
}

static void exit_exec_huge(void)
{
	struct hyp_exit e = { .exec_errno = 0x7fffffff };

	raw_call(HYP_EXIT, sizeof e, &e, sizeof e);
}

static void call_zero(void)
{
	raw_call(0, 0, blank, 0);
}

static void call_past_end(void)
{
	raw_call(HYP_CALL_MAX, 0, blank, 0);
}

static void call_huge(void)
{
	raw_call(0xffffffff, 0, blank, 0);
}

static void len_huge(void)
{
	raw_call(HYP_LOG, 0xffffffff, blank, 16);
}

static void len_over(void)
{
	raw_call(HYP_LOG, HYP_PAYLOAD_MAX + 1, blank, 16);
}

static void len_short(void)
{
	raw_call(HYP_LOG, 15, blank, 16);
}

static void len_exit(void)
{
	raw_call(HYP_EXIT, sizeof(struct hyp_exit) - 1, blank, 96);
}

static void len_release(void)
{
	raw_call(HYP_MEM_RELEASE, 8, blank, 8);
}

static void len_panic(void)
{
	raw_call(HYP_PANIC, 0, blank, 0);
}

static void log_level(void)
{
	u32 req[4] = { HYP_LOG_LEVELS, 0 };

	raw_call(HYP_LOG, 16, req, 16);
}

static void log_len(void)
{
	u32 req[4] = { HYP_LOG_ERR, 1 };

	raw_call(HYP_LOG, 16, req, 16);
}

static void log_len_wrap(void)
{
	u32 req[4] = { HYP_LOG_ERR, 0xfffffff0 };

	raw_call(HYP_LOG, HYP_PAYLOAD_MAX, req, 16);
}

static void log_control(void)
{
	say("clear \033[2J\033]0;title\007 \nsecond line\r\177 end");
}

static void log_flood(void)
{
	u32 i;

	for (i = 0; i < FLOOD_LINES; i++)
		say("flood");
}

static void random_len(void)
{
	u32 req[2] = { HYP_RANDOM_MAX + 1 };

	raw_call(HYP_RANDOM, 8, req, 8);
}

static void start_self(void)
{
	start_cpu(0, nothing);
}

static void start_far(void)
{
	start_cpu(2, nothing);
}

static void start_wrap(void)
{
	start_cpu(0xffffffff, nothing);
}

static void spin(void)
{
	for (;;)
		guest_relax();
}

static void start_twice(void)
{
	start_cpu(1, spin);
	start_cpu(1, spin);
}

/* The other CPU enters at an address where nothing is. */
static void start_nowhere(void)
{
	start_cpu(1, (void (*)(void))0x1234567800ull);
	spin();
}

static void kick_bad(void)
{
	kick(1u << HYP_STREAMS);
}

static void kick_all_bits(void)
{
	kick(0xffffffff);
}

static void release(u64 gpa, u64 npages)
{
	struct hyp_mem_release r = { .count = 1 };

	r.range[0].start.gpa = gpa;
	r.range[0].npages = npages;
	raw_call(HYP_MEM_RELEASE, sizeof r, &r, sizeof r);
}

static void release_good(void)
{
	u64 gpa = boot.ram_base + boot.ram_size - 8192;
	volatile u8 *p = at_gpa(gpa);

	*p = 7;
	release(gpa, 2);
	if (*p)
		exit_with(3 << 8);
}

static void release_count(void)
{
	struct hyp_mem_release r = { .count = HYP_RELEASE_MAX + 1 };

	raw_call(HYP_MEM_RELEASE, sizeof r, &r, sizeof r);
}

static void release_reserved(void)
{
	release(boot.reserved_end - 4096, 1);
}

static void release_kernel(void)
{
	release(HYP_RAM_BASE, 1);
}

static void release_below(void)
{
	release(0, 1);
}

static void release_unaligned(void)
{
	release(boot.reserved_end + 8, 1);
}

static void release_none(void)
{
	release(boot.reserved_end, 0);
}

static void release_over_top(void)
{
	release(boot.ram_base + boot.ram_size - 4096, 2);
}

static void release_outside(void)
{
	release(boot.ram_base + boot.ram_size, 1);
}

static void release_window(void)
{
	release(HYP_WINDOW_BASE, 1);
}

static void release_wrap_len(void)
{
	release(boot.reserved_end, (1ull << 52) + 1);
}

static void release_wrap_end(void)
{
	release(boot.reserved_end, 0xfffffffffffffull);
}

static void release_last_bad(void)
{
	struct hyp_mem_release r = { .count = HYP_RELEASE_MAX };
	u32 i;

	for (i = 0; i < HYP_RELEASE_MAX; i++) {
		r.range[i].start.gpa = boot.ram_base + boot.ram_size - 4096;
		r.range[i].npages = i == HYP_RELEASE_MAX - 1 ? ~0ull : 1;
	}
	raw_call(HYP_MEM_RELEASE, sizeof r, &r, sizeof r);
}

static void do_panic(u32 frames)
{
	static struct hyp_panic p = {
		.ip = ~0ull, .sp = 1, .fault_addr = ~0ull, .cpu = 0xffffffff
	};
	u32 i;

	p.nr_frames = frames;
	for (i = 0; i < HYP_BACKTRACE_MAX; i++)
		p.frames[i] = i * 0x0807060504030201ull;
	for (i = 0; i < HYP_PANIC_TEXT_MAX; i++)
		p.text[i] = i < 3 ? (u8) "%s\033"[i] : 'x'; /* no NUL */
	raw_call(HYP_PANIC, sizeof p, &p, sizeof p);
}

static void panic_nonsense(void)
{
	do_panic(HYP_BACKTRACE_MAX);
}

static void panic_frames(void)
{
	do_panic(HYP_BACKTRACE_MAX + 1);
}

static void ring_head(void)
{
	ring(HYP_STDOUT)->head = HYP_RING_BYTES + 1;
	kick(2);
	spin();
}

static void ring_back(void)
{
	put_stdout("out\n", 4);
	while (ring(HYP_STDOUT)->tail != 4)
		kick(2);
	ring(HYP_STDOUT)->head = 3;
	kick(2);
	spin();
}

static void ring_stdin(void)
{
	ring(HYP_STDIN)->tail = 0x80000000;
	kick(1);
	spin();
}

/* The monitor's own index is its own: this changes nothing. */
static void ring_tail(void)
{
	ring(HYP_STDOUT)->tail = 0x12345678;
	put_stdout("fine\n", 5);
}

static void race_channel(void)
{
	volatile u32 *p = (u32 *)channel(0);
	u32 n = 0;

	for (;;) {
		n++;
		p[0] = n % HYP_CALL_MAX + (n & 64);
		p[1] = n * 2654435761u;
		p[8] = n;
		p[9] = n << 20;
	}
}

static void race_requests(void)
{
	u32 i;

	start_cpu(1, race_channel);
	for (i = 0; i < RACE_CALLS; i++)
		ring_doorbell();
}

static void race_release(void)
{
	volatile u64 *p = (u64 *)channel(0)->payload;

	for (;;) {
		p[0] = 1;
		p[1] = boot.ram_base + boot.ram_size - 4096;
		p[2] = 1;
		p[1] = 0;
		p[2] = ~0ull;
		p[0] = 0xffffffff;
	}
}

static void race_release_fields(void)
{
	u32 i;

	start_cpu(1, race_release);
	for (i = 0; i < RACE_CALLS; i++)
		release(boot.ram_base + boot.ram_size - 4096, 1);
}

static void race_indexes(void)
{
	volatile u32 *head = &ring(HYP_STDOUT)->head;
	u32 n = 0;

	for (;;)
		*head = n++ * 4099u;
}

static void race_ring(void)
{
	start_cpu(1, race_indexes);
	for (;;)
		kick(2);
}

static __attribute__((noinline)) void hang_inner(void)
{
	spin();
	__asm__ volatile("");
}

static void hang(void)
{
	hang_inner();
	__asm__ volatile("");
}

#define CASE(f)       \
	{             \
#f, f \
	}
const struct guest_case cases[] = {
	CASE(nothing),		 CASE(exit_odd),
	CASE(exit_signal),	 CASE(exit_exec_errno),
	CASE(exit_exec_huge),	 CASE(call_zero),
	CASE(call_past_end),	 CASE(call_huge),
	CASE(len_huge),		 CASE(len_over),
	CASE(len_short),	 CASE(len_exit),
	CASE(len_release),	 CASE(len_panic),
	CASE(log_level),	 CASE(log_len),
	CASE(log_len_wrap),	 CASE(log_control),
	CASE(log_flood),	 CASE(random_len),
	CASE(start_self),	 CASE(start_far),
	CASE(start_wrap),	 CASE(start_twice),
	CASE(start_nowhere),	 CASE(kick_bad),
	CASE(kick_all_bits),	 CASE(release_good),
	CASE(release_count),	 CASE(release_reserved),
	CASE(release_kernel),	 CASE(release_below),
	CASE(release_unaligned), CASE(release_none),
	CASE(release_over_top),	 CASE(release_outside),
	CASE(release_window),	 CASE(release_wrap_len),
	CASE(release_wrap_end),	 CASE(release_last_bad),
	CASE(panic_nonsense),	 CASE(panic_frames),
	CASE(ring_head),	 CASE(ring_back),
	CASE(ring_stdin),	 CASE(ring_tail),
	CASE(race_requests),	 CASE(race_release_fields),
	CASE(race_ring),	 CASE(hang),
};
const u32 nr_cases = sizeof cases / sizeof cases[0];
