// SPDX-License-Identifier: Apache-2.0
/*
 * release - free memory goes back to the host while a CPU is idle
 *
 * Role      Called by the idle loop. The frame allocator (mm/phys.c) says what is free, the monitor takes it.
 * Rules     One part every RELEASE_EVERY_NS, of at most RELEASE_FRAMES, so that a task that wakes meanwhile waits
 *           a few milliseconds at worst, and memory that is only free for a moment is not given away. A timer wakes
 *           the CPU for the next part; with nothing left to give there is none.
 * Locking   due and is_armed change by exchange: one CPU does a part, one timer is queued.
 * See       vmm/abi/hyp.h: HYP_MEM_RELEASE
 */
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/timer.h"

#define RELEASE_EVERY_NS (100 * NSEC_PER_MSEC)
#define RELEASE_FRAMES	 8192u

static void timer_fired(struct ktimer *t);
static struct ktimer timer = { .fn = timer_fired };
static bool due, is_armed;

static void timer_fired(struct ktimer *t)
{
	WRITE_ONCE(is_armed, false);
	store_release(&due, true);
}

static void release_part(void)
{
	static struct page_range r[HYP_RELEASE_MAX]; /* of whoever took `due` */
	static struct hyp_mem_release req;
	u32 i;

	req.count = page_release_begin(r, HYP_RELEASE_MAX, RELEASE_FRAMES);
	if (!req.count)
		return;
	for (i = 0; i < req.count; i++) {
		req.range[i].start.gpa = r[i].start.pa;
		req.range[i].npages = r[i].nr;
	}
	arch_hostcall(HYP_MEM_RELEASE, &req, sizeof req, NULL, 0);
	page_release_end(r, req.count);
}

void page_release_idle(void)
{
	static bool is_busy;

	if (likely(!page_release_wanted()))
		return;
	if (READ_ONCE(due) && !xchg(&is_busy, true)) {
		WRITE_ONCE(due, false);
		release_part();
		store_release(&is_busy, false);
	}
	if (page_release_wanted() && !READ_ONCE(due) && !xchg(&is_armed, true))
		ktimer_arm(&timer, clock_monotonic_ns() + RELEASE_EVERY_NS);
}
