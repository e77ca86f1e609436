// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals of the monitor become signals of the container's first process
 */
#pragma once

#include "vmm/vm.h"

struct forward_opts {
	int stop_signal;	 /* sent for SIGTERM */
	uint32_t stop_timeout_s; /* from SIGTERM to the end */
	bool has_tty;		 /* SIGWINCH carries the new size inside */
};

/* Blocks the forwarded signals in the caller (and so in every thread started after). Before any thread. */
void forward_block(void);
int forward_start(struct vm *vm, const struct forward_opts *o, struct err *e) MUST_CHECK;
