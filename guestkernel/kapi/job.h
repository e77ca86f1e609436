// SPDX-License-Identifier: Apache-2.0
/*
 * job - sessions and process groups as terminals see them, and terminals as sessions see them
 *
 * Role      The first part is implemented by task/job.c, the second by fs/tty.c. A terminal knows the
 *           session it controls by number; a session finds its terminal by asking the terminals.
 * Rules     A session or group number stays unique as long as the session or group has a member.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Implemented by task/job.c. */
s32 job_current_session(void);
s32 job_current_pgrp(void);
bool job_current_is_session_leader(void);
/* True when the group exists and belongs to the session. */
bool job_pgrp_in_session(s32 pgrp, s32 sid);
/* True when no member has a parent in the same session but in another group. */
bool job_pgrp_is_orphaned(s32 pgrp);
/* True when the current thread blocks or ignores sig. */
bool job_current_ignores(s32 sig);
/* Sends to every member as the kernel; 0 or -ESRCH. */
int job_signal_pgrp(s32 pgrp, s32 sig);
/* SIGHUP then SIGCONT to the leader of a session whose terminal hung up. */
void job_hangup_session(s32 sid);

/* Implemented by fs/tty.c. */
/* A session leader exits: its terminal, if any, loses its session; the foreground group gets SIGHUP and
 * SIGCONT. Called with no locks held. */
void tty_session_leader_exit(s32 sid);
/* For /proc/<pid>/stat: device number of the session's terminal and its foreground group; 0 and -1 when
 * there is none. */
u32 tty_of_session(s32 sid, s32 *fg_pgrp);
