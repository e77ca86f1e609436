// SPDX-License-Identifier: Apache-2.0
/* job_int - job control as exit.c and sys_task.c need it (kapi/job.h for terminals) */
#pragma once

#include "guestkernel/kapi/job.h"
#include "guestkernel/task/task.h"

/* [T] g exits or loses its parent. If that relation was what kept g's process group from being orphaned (parent in another
 * group of the session), and no other does, stopped members are hung up. ignored: does not count any more. */
void job_check_orphaned(struct tgroup *g, struct tgroup *parent, struct tgroup *ignored);
/* The last thread of a session leader exits: the terminal is detached and its foreground group hung up. */
void job_leader_exit(struct tgroup *g);
s64 job_setsid(void);
s64 job_setpgid(s32 pid, s32 pgid);
s64 job_getpgid(s32 pid);
s64 job_getsid(s32 pid);
/* kill(2) with pid <= 0 or < -1: every process of a group, or all but ourselves and process 1. */
s64 job_kill_group(s32 pgrp, s32 sig);
s64 job_kill_all(s32 sig);
