// SPDX-License-Identifier: Apache-2.0
/*
 * launch - the two processes of a run: the one the caller sees, and the locked-in one that runs the machine
 *
 * Role      launch() forks the locked-in process, which makes and runs the machine; the caller's process keeps the
 *           terminal, passes signals on and waits. It exists because only a new process can be in a new PID
 *           namespace, and because what a run needs at its end (names of addresses, terminal, exit status) need not be
 *           in reach of whoever takes the locked-in process over.
 * Rules     They share one page-aligned struct launch_report and nothing else. The locked-in process may be in the
 *           guest's hands: the report is copied once, when that process has ended, then checked and made printable.
 *           Either ends with the other: the locked-in process by its parent-death signal.
 */
#pragma once

#include "vmm/forward.h"
#include "vmm/vm.h"

struct launch_job {
	const struct vm_config *config;
	struct forward_opts forward;
	bool has_stdin, wants_raw_terminal, no_namespaces;
};

struct launch_report {
	struct err error;	 /* code: it never ran */
	struct vm_result result; /* else how it ended */
	int exec_errno;
	uint32_t suspended; /* futex: the machine stands still, see forward.c */
	int refused_call;   /* number + 1 of a call that a filter refused */
};

/* 0 when there is a result in *r, else -errno with the reason. */
int launch(const struct launch_job *job, struct launch_report *r, struct err *e) MUST_CHECK;
/* Whether a process can be locked in here, all stages but the filters; else the stage that the host refuses. */
int launch_check(struct err *e) MUST_CHECK;
