// SPDX-License-Identifier: Apache-2.0
/* itimer - interval timers and POSIX timers: what the system calls use (times in ns; 0: not armed) */
#pragma once

#include "guestkernel/task/task.h"
#include "guestkernel/uapi/time.h"

#define MIN_PERIOD_NS 50000

void itimer_get(u32 which, u64 *value, u64 *interval);
void itimer_set(u32 which, u64 value, u64 interval, u64 *old_value, u64 *old_interval);
/* RLIMIT_CPU or a CPU timer was set: look at CPU time. */
void itimer_watch_cpu(struct tgroup *g);
/* Who is told of CPU time: a thread that runs, each in turn, as Linux' tick tells the one it interrupts; the leader when none
 * does. Profilers count on it. */
struct task *itimer_running_thread_locked(struct tgroup *g) REQUIRES(g->lock);

/* value_is_id: the signal carries the timer's id (no sigevent was given). */
s64 posix_timer_create(s32 clock, const sigevent_t *ev, bool value_is_id, s32 *id);
s64 posix_timer_set(s32 id, bool absolute, u64 value, u64 interval, u64 *old_value,
		    u64 *old_interval);
s64 posix_timer_get(s32 id, u64 *value, u64 *interval);
s64 posix_timer_overrun(s32 id);
s64 posix_timer_delete(s32 id);
struct strbuf;
/* /proc/<pid>/timers; ctx: struct task. */
int posix_timers_show(struct strbuf *sb, void *ctx);
