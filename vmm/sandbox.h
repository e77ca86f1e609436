// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox - what the process gives up before the guest's first instruction
 *
 * Role      sandbox_enter() once, by the main thread, when everything is open and no other thread runs.
 *           sandbox_filter() by every thread, first thing.
 * Rules     Stages, in order: own mount, IPC and UTS namespaces with an empty root (where permitted), no
 *           capabilities, no new privileges, core dumps off; then per thread the system call filter. Each is
 *           final. A stage that the host refuses is reported at log level info, except no_new_privs and the filter:
 *           without them nothing runs.
 * Missing   User, PID and network namespaces of its own; Landlock.
 */
#pragma once

#include "vmm/err.h"

enum sandbox_thread {
	SANDBOX_ALL,
	SANDBOX_MAIN,
	SANDBOX_VCPU,
	SANDBOX_STREAM,
	SANDBOX_FORWARD,
	SANDBOX_WATCHDOG,
	SANDBOX_REAPER,
	/* of the process machine (abi/process.h); they take no rows of SANDBOX_ALL */
	SANDBOX_KERNEL,
	SANDBOX_SPAWNER,
	SANDBOX_SERVICE,
	SANDBOX_APP,
	SANDBOX_KINDS
};

#define SANDBOX_FILTER_MAX 256
struct sock_filter;

int sandbox_enter(struct err *e) MUST_CHECK;
/* The same for a process just forked that will never look at a file name: empty root when it has namespaces of its
 * own, no capabilities, no new privileges. 0 or -1 with errno. */
int sandbox_jail(bool has_namespaces);
/* The filter of a kind of thread, into SANDBOX_FILTER_MAX places; how many it has. filter.c. */
uint32_t sandbox_filter_build(enum sandbox_thread kind, struct sock_filter *f);
/* How many different calls a kind may make. */
uint32_t sandbox_filter_calls(enum sandbox_thread kind);
/* Ends the process with a sentence when the filter cannot be installed. */
void sandbox_filter(enum sandbox_thread kind);
