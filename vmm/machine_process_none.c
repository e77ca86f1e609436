// SPDX-License-Identifier: Apache-2.0
/*
 * machine_process_none - stands in for the process machine where this architecture has none
 *
 * Missing   The machine: arch/process has no part for this architecture yet.
 */
#include <errno.h>

#include "vmm/machine.h"

static int refuse(struct vm *vm, struct err *e)
{
	(void)vm;
	return err_set(e, ENOTSUP,
		       "there is no process machine for this processor yet; use --platform=kvm");
}

static void nothing(struct vm *vm)
{
	(void)vm;
}

const struct machine machine_process = {
	.name = "process",
	.open = refuse,
	.destroy = nothing,
};
