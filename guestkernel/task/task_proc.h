// SPDX-License-Identifier: Apache-2.0
/* task_proc - what /proc shows about tasks and the system as a whole */
#pragma once

#include "guestkernel/kapi/proc.h"

/* stat, uptime, loadavg, version, sys/kernel/... */
extern const struct proc_table task_proc_root;
/* Rows of /proc/<pid>; ctx: struct task. */
extern const struct proc_table task_proc_process;
extern const struct proc_task_ops task_proc_ops;
