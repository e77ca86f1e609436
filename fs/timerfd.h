// SPDX-License-Identifier: Apache-2.0
/*
 * timerfd - timers that are read as files
 *
 * See       timerfd_create(2)
 */
#pragma once

#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/time.h"

bool timerfd_clock_valid(s32 clock);
/* flags: TFD_NONBLOCK. The clock is valid. */
int must_check timerfd_create_file(s32 clock, u32 flags, struct file **out);
/* -EINVAL when f is not a timerfd. flags: TFD_TIMER_*. old may be NULL. */
int must_check timerfd_set(struct file *f, u32 flags, const struct itimerspec *new,
			   struct itimerspec *old);
int must_check timerfd_get(struct file *f, struct itimerspec *out);
/* CLOCK_REALTIME was set: absolute timers move, TFD_TIMER_CANCEL_ON_SET ones are cancelled. Called with no
 * locks held, after the clock changed. */
void timerfd_clock_was_set(void);
