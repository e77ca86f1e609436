// SPDX-License-Identifier: Apache-2.0
/*
 * thread_state - what a task keeps of this machine
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define FPU_IN_MEMORY (~0u) /* fpu_cpu: no CPU has the vector state, thread->fpu alone */

struct fpu_state;

struct exception {
	u64 esr, addr;
};

struct arch_thread {
	u64 ksp;	/* saved kernel stack pointer while not running */
	u64 kstack_top; /* [I] */
	u64 tls;	/* TPIDR_EL0, valid while not running */
	struct fpu_state *fpu;
	u64 pauth_key
		[10]; /* of this program: instruction A and B, data A and B, generic; low and high */
	u32 fpu_cpu;  /* CPU that saved fpu last */
	struct exception last;	    /* the one being handled; most become no signal */
	struct exception signalled; /* the last that became one, for signal frames */
	bool is_stepped;	    /* MDSCR_EL1.SS while it runs */
};
