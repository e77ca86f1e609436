// SPDX-License-Identifier: Apache-2.0
/*
 * filter - rows of seccomp.tbl become a system call filter
 *
 * Role      For the monitor's own threads (sandbox.c) and for the processes of the process machine, which gets its
 *           filters as data.
 * Rules     What no row allows traps. A call of another architecture ends a monitor, and traps in the process
 *           machine: application code may try it. Only the lower half of an argument is compared: the
 *           arguments named in the table are int or flags.
 */
#pragma once

#include "vmm/sandbox.h"

#define FILTER_MAX 512 /* instructions */

struct sock_filter;

/* Writes the filter of a kind to f, which has room for max; how many, 0 when there is too little room. */
uint32_t filter_build(enum sandbox_thread kind, struct sock_filter *f, uint32_t max);
/* How many different calls a kind may make. */
uint32_t filter_calls(enum sandbox_thread kind);
