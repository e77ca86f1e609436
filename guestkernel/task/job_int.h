// SPDX-License-Identifier: Apache-2.0
/* job_int - job control as exit.c and sys_task.c need it (kapi/job.h for terminals) */
#pragma once

#include "guestkernel/kapi/job.h"
#include "guestkernel/task/task.h"

/* [T] pgrp may have lost its last outside parent (without being counted: ignored): hang up stopped members. g: the
 * process whose relation changed. */
void job_check_orphaned(struct pid *pgrp, struct tgroup *ignored, struct tgroup *g);
/* The last thread of a session leader exits: the terminal is detached and its foreground group hung up. */
void job_leader_exit(struct tgroup *g);
s64 job_setsid(void);
s64 job_setpgid(s32 pid, s32 pgid);
s64 job_getpgid(s32 pid);
s64 job_getsid(s32 pid);
/* kill(2) with pid <= 0 or < -1: every process of a group, or all but ourselves and process 1. */
s64 job_kill_group(s32 pgrp, s32 sig);
s64 job_kill_all(s32 sig);
