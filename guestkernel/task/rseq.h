// SPDX-License-Identifier: Apache-2.0
/* rseq - restartable sequences: what deliver.c calls */
#pragma once

struct regs;

/* The task was switched: writes the CPU number, leaves an interrupted critical section. May queue SIGSEGV. */
void rseq_update(struct regs *r);
/* A handler is about to run: its frame must not return into a critical section. */
void rseq_before_signal(struct regs *r);
