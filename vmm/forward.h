// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals to the process the caller sees become signals of the container's first process
 *
 * Role      Two ends: forward_attend() in that process passes on what it gets, the thread of forward_start() in the
 *           locked-in process (launch.h) brings it to the guest.
 */
#pragma once

#include "vmm/vm.h"

struct forward_opts {
	int stop_signal;	 /* sent for SIGTERM */
	uint32_t stop_timeout_s; /* from SIGTERM to the end */
	bool has_tty;		 /* SIGWINCH carries the new size inside */
};

/* Blocks the forwarded signals. Before the fork, in the process the caller sees. */
void forward_block(void);
/* Passes signals on to the locked-in process until that ends; its wait status. */
int forward_attend(pid_t locked_in);
/* The other end. */
int forward_start(struct vm *vm, const struct forward_opts *o, struct err *e) MUST_CHECK;
