// SPDX-License-Identifier: Apache-2.0
/*
 * thread - what the machine's thread.c shares with the common one
 */
#pragma once

#include "arch/thread.h"

/* The vector state of a new program. -ENOMEM. */
int must_check thread_fpu_alloc(struct fpu_state **out);

static inline struct regs *thread_regs(const struct arch_thread *t)
{
	return (struct regs *)(t->kstack_top - sizeof(struct regs));
}
