// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - the application's vector and floating-point state
 *
 * Rules     The kernel uses general registers only, so the state is saved at context switch, in signal
 *           frames and on fork, never on a system call.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct fpu_state; /* arch_fpu_size() bytes, 64-aligned */

size_t arch_fpu_size(void);
/* The state a program starts with. */
void arch_fpu_init_state(struct fpu_state *s);
/* Live registers of the running task to and from s. */
void arch_fpu_save(struct fpu_state *s);
void arch_fpu_restore(const struct fpu_state *s);
/* The running task's registers are as arch_fpu_init_state() says. */
void arch_fpu_reset(void);
