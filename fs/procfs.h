// SPDX-License-Identifier: Apache-2.0
/*
 * procfs - /proc; what goes into it is handed over with procfs_setup() (kapi/proc.h)
 */
#pragma once

#include "fs/synth.h"

extern const struct fs_type procfs_type;

/* The process whose directory /proc/<pid> this is, without a reference (the file holds it); NULL: another file. */
struct task *procfs_process_of(struct file *f);
/* net/ of processes, for procfs_setup(). */
extern const struct proc_table procfs_net_table;
