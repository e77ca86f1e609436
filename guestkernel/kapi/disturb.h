// SPDX-License-Identifier: Apache-2.0
/*
 * disturb - failing allocations and shaken schedules, on demand, in the debug kernel; empty in others
 *
 * Role      Two files for tests: /proc/PID/fail-nth (write n: the n-th allocation of that thread from now fails, once;
 *           reads as what is left, 0 when it has failed or none is asked for) and /proc/monitor/perturb (write
 *           a seed: from now on every CPU spins and yields at locks as the seed says; 0 ends it).
 * See       guestkernel/task/disturb.c, tests/suites/57-disturb.py
 */
#pragma once

#include "guestkernel/kapi/types.h"

#ifdef DEBUG_LEAKS
struct proc_table;

/* State of a task. */
struct disturb {
	u32 fail_nth; /* allocations until one fails; 0: none */
	bool failed;  /* one has, and nobody asked since */
};

/* The allocation that is being made shall fail. */
bool disturb_alloc_fails(void);
/* Memory only seemed to be short to the current task: nobody need be killed for it. Asks once. */
bool disturb_was_alloc(void);
/* A lock is about to be taken, may_yield: where the task may sleep; or is about to be released. */
void disturb_lock(bool may_yield);
extern const struct proc_table disturb_proc_process, disturb_proc_root;
#define DISTURB_PROC_PROCESS &disturb_proc_process,
#define DISTURB_PROC_ROOT    &disturb_proc_root,
#else
struct disturb {
};

static inline bool disturb_alloc_fails(void)
{
	return false;
}
static inline bool disturb_was_alloc(void)
{
	return false;
}
#define DISTURB_PROC_PROCESS
#define DISTURB_PROC_ROOT
#endif
