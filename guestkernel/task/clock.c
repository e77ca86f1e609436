// SPDX-License-Identifier: Apache-2.0
/*
 * clock - the kernel's clocks: monotonic, wall, CPU time
 *
 * Rules     CLOCK_REALTIME is CLOCK_MONOTONIC plus one offset; nothing slews. BOOTTIME equals MONOTONIC (a
 *           sandbox does not suspend), MONOTONIC_RAW and the COARSE clocks are as precise as the others.
 * Missing   futexes that wait for a time of CLOCK_REALTIME do not follow when the clock is set; TAI offset is 0.
 * See       clock_gettime(2)
 */
#include "guestkernel/task/clock.h"
#include "arch/clock.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task.h"

struct waitq clock_was_set_wq = WAITQ_INIT(clock_was_set_wq);

static u64 wall_offset; /* [a] 0: not read yet */

u64 clock_wall_offset_ns(void)
{
	u64 o = READ_ONCE(wall_offset);

	if (unlikely(!o)) {
		o = arch_wall_offset_ns();
		WRITE_ONCE(wall_offset, o);
	}
	return o;
}

void clock_set_wall_offset(u64 offset_ns)
{
	u64 old = clock_wall_offset_ns();

	WRITE_ONCE(wall_offset, offset_ns);
	arch_vdso_set_wall_offset(offset_ns);
	posix_timer_clock_was_set((s64)(old - offset_ns));
	wake_all(&clock_was_set_wq);
}

u64 clock_monotonic_ns(void)
{
	return arch_clock_ns();
}

u64 clock_realtime_ns(void)
{
	return arch_clock_ns() + clock_wall_offset_ns();
}

bool clock_is_wall(s32 id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM || id == CLOCK_TAI;
}

bool clock_is_cpu(s32 id)
{
	return id < 0 || id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
}

static u64 cpu_time(struct task *t, bool whole_process, u32 kind)
{
	struct task_times tt;

	if (kind == 2)
		return whole_process ? tgroup_runtime_now(t->group) : task_runtime_now(t);
	if (whole_process)
		tgroup_times(t->group, &tt);
	else
		task_times(t, &tt);
	return kind == 1 ? tt.utime_ns : tt.utime_ns + tt.stime_ns;
}

int clock_cpu_get_ns(s32 id, u64 *out)
{
	bool per_thread = id & 4;
	u32 kind = (u32)id & 3;
	s32 pid = ~(id >> 3);
	struct task *t;

	if (kind == 3)
		return -EINVAL;
	if (pid == 0) {
		*out = cpu_time(current(), !per_thread, kind);
		return 0;
	}
	t = per_thread ? task_find_get(pid) : task_find_process_get(pid);
	if (!t)
		return -EINVAL;
	if (per_thread && t->group != current_group()) {
		task_put(t);
		return -EINVAL;
	}
	*out = cpu_time(t, !per_thread, kind);
	task_put(t);
	return 0;
}

int clock_get_ns(s32 id, u64 *out)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*out = clock_realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*out = arch_clock_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*out = tgroup_runtime_now(current_group());
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*out = task_runtime_now(current());
		return 0;
	}
	return id < 0 ? clock_cpu_get_ns(id, out) : -EINVAL;
}

bool clock_exists(s32 id)
{
	u64 ns;

	return id == CLOCK_REALTIME_ALARM || id == CLOCK_BOOTTIME_ALARM ||
	       clock_get_ns(id, &ns) == 0;
}

int clock_to_monotonic(s32 id, u64 ns, bool absolute, u64 *deadline_ns)
{
	u64 now = arch_clock_ns(), offset = 0;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		offset = clock_wall_offset_ns();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return -EINVAL;
	}
	if (absolute)
		*deadline_ns = ns > offset ? ns - offset : 0;
	else
		*deadline_ns = ns > U64_MAX - 1 - now ? U64_MAX - 1 : now + ns;
	if (*deadline_ns == U64_MAX)
		*deadline_ns = U64_MAX - 1;
	return 0;
}

static bool sec_frac_to_ns(s64 sec, u64 frac_ns, u64 *out)
{
	if ((u64)sec >= (U64_MAX - 1) / NSEC_PER_SEC)
		*out = U64_MAX - 1;
	else
		*out = (u64)sec * NSEC_PER_SEC + frac_ns;
	return true;
}

bool timespec_to_ns(const struct timespec *ts, u64 *out)
{
	if (ts->tv_sec < 0 || (u64)ts->tv_nsec >= NSEC_PER_SEC)
		return false;
	return sec_frac_to_ns(ts->tv_sec, (u64)ts->tv_nsec, out);
}

bool timeval_to_ns(const struct timeval *tv, u64 *out)
{
	if (tv->tv_sec < 0 || (u64)tv->tv_usec >= 1000000)
		return false;
	return sec_frac_to_ns(tv->tv_sec, (u64)tv->tv_usec * NSEC_PER_USEC, out);
}
