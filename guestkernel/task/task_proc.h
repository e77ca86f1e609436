// SPDX-License-Identifier: Apache-2.0
/* task_proc - what /proc shows about tasks and the system as a whole */
#pragma once

#include "guestkernel/kapi/proc.h"

/* stat, uptime, loadavg, version, sys/kernel/... */
extern const struct proc_table task_proc_root;
/* Rows of /proc/<pid>; ctx: struct task. */
extern const struct proc_table task_proc_process;
/* More of them, for threads too; those of processes alone, and of threads alone. */
extern const struct proc_table task_proc_more, task_proc_process_only, task_proc_thread_only;
/* sys/kernel, sys/user. */
extern const struct proc_table task_sysctl;
extern s32 sysctl_nr_open;	/* rlimit.c */
extern s32 sysctl_randomize_va; /* 0: programs lie where they always do */
extern const struct proc_task_ops task_proc_ops;
