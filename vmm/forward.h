// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals of the monitor become signals of the container's first process, or stop it with the monitor
 *
 * Role      Two ends: forward_attend() in the process the caller sees, forward_start() in the locked-in one (launch.h).
 */
#pragma once

#include "vmm/vm.h"

struct forward_opts {
	int stop_signal; /* sent for SIGTERM */
	bool has_stop_timeout;
	uint32_t stop_timeout_s; /* from SIGTERM to the end */
	bool has_tty;		 /* SIGWINCH carries the new size inside */
};

/* Blocks the forwarded signals; before anything of the terminal is changed. */
void forward_block(void);
/* And those a background process gets from its terminal; after that. */
void forward_block_terminal(void);
/* Passes signals on to the locked-in process until that ends; its wait status. *suspended: shared by both. */
int forward_attend(pid_t locked_in, const struct forward_opts *o, uint32_t *suspended);
/* The program was ended by a signal. If that came through here, the monitor ends by it too: the shell it was started from
 * acts on that (a loop ends at Ctrl-C). Else it returns. */
void forward_die(int signo);
/* The other end. */
int forward_start(struct vm *vm, const struct forward_opts *o, uint32_t *suspended,
		  struct err *e) MUST_CHECK;
