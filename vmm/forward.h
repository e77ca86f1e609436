// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals of the monitor become signals of the container's first process, or stop it with the monitor
 */
#pragma once

#include "vmm/vm.h"

struct forward_opts {
	int stop_signal; /* sent for SIGTERM */
	bool has_stop_timeout;
	uint32_t stop_timeout_s; /* from SIGTERM to the end */
	bool has_tty;		 /* SIGWINCH carries the new size inside */
};

/* Blocks the forwarded signals in the caller (and so in every thread started after). Before any thread. */
void forward_block(void);
/* The program was ended by a signal. If that came through here, the monitor ends by it too: the shell it was started from
 * acts on that (a loop ends at Ctrl-C). Else it returns. */
void forward_die(int signo);
int forward_start(struct vm *vm, const struct forward_opts *o, struct err *e) MUST_CHECK;
