// SPDX-License-Identifier: Apache-2.0
/*
 * platform - which machine runs a sandbox here
 *
 * Role      platform_look() finds out what the host offers, platform_choose() decides as --platform wishes. `auto` is
 *           KVM when it runs the guest kernel at hardware speed, else the process machine, else KVM as it is.
 * Rules     How fast KVM is, is measured once per boot of the host and remembered beside the image cache; what cannot
 *           be remembered is measured again.
 */
#pragma once

#include "vmm/err.h"
#include "vmm/options.h"

struct machine;

struct platform_report {
	bool has_kvm, has_process;
	struct err kvm_error, process_error; /* why not */
	bool is_measured, is_remembered;     /* ring0_ps holds something, of an earlier run */
	uint64_t ring0_ps;		     /* picoseconds an instruction of ring 0 takes */
	uint64_t probe_us;		     /* what measuring took */
	const struct machine *chosen;	     /* NULL: nothing can run */
	char why[128];
};

/* Whatever wanted is, all of the report is filled in. */
void platform_look(enum platform wanted, struct platform_report *r);
/* What to run on; says so at log level info. */
int platform_choose(enum platform wanted, const struct machine **out, struct err *e) MUST_CHECK;
/* "monitor platform" */
int cmd_platform(int argc, char **argv);
