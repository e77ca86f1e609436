// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs_impl - shared by sysfs*.c only
 */
#pragma once

#include "fs/sysfs.h"

/* sysfs_cpu.c: devices/system/{cpu,node}; one CPU's directory. */
extern const struct proc_table sysfs_cpu_table;
int must_check sysfs_add_cpu(struct synth_node *root, u32 cpu);
