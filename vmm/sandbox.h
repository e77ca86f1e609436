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
	/* of the process machine: enum pm_filter in this order */
	SANDBOX_KERNEL,
	SANDBOX_SPAWNER,
	SANDBOX_SERVICE,
	SANDBOX_APP,
	SANDBOX_KINDS
};

int sandbox_enter(struct err *e) MUST_CHECK;
/* Ends the process with a sentence when the filter cannot be installed. */
void sandbox_filter(enum sandbox_thread kind);
