// SPDX-License-Identifier: Apache-2.0
/*
 * trace - what ptrace(2) needs of a machine: register sets, single steps
 *
 * Rules     A register set has the layout of Linux's core files on this machine and is named by its NT_* number.
 *           The thread does not run and will not while the call lasts; sets may be written by anybody who may
 *           trace, so every word is checked or masked on the way in.
 */
#pragma once

#include "arch/thread.h"

struct aspace;

/* Bytes of the set; 0: this machine has none of that name. */
u32 arch_regset_size(u32 note);
/* All of it; buf has room for arch_regset_size(). */
void arch_regset_get(struct arch_thread *t, u32 note, void *buf);
/* All of it; buf may be changed. -EIO, -EINVAL: a value no program can have; the thread is as before. */
int must_check arch_regset_set(struct arch_thread *t, u32 note, void *buf);
/* The set an old request (PTRACE_GETREGS and its like) moves; 0: no such request here. */
u32 arch_ptrace_regset(u64 request, bool *is_write);
/* PTRACE_PEEKUSR, PTRACE_POKEUSR: a word of struct user. -EIO. */
int must_check arch_user_word_get(struct arch_thread *t, u64 off, u64 *word);
int must_check arch_user_word_set(struct arch_thread *t, u64 off, u64 word);

/* arch_prctl(2) of a thread: 0 *value is set, 1 *value was read, -EPERM; -EIO: this machine has no such request. */
int must_check arch_trace_prctl(struct arch_thread *t, u64 code, u64 *value);

/* The current thread traps after its next instruction in user mode. False: its program does that itself already. */
bool arch_step_begin(void);
/* The current thread, or a child it is about to start. */
void arch_step_end(struct arch_thread *t);

/* Somebody is about to trace a thread of this space: its code is what the program wrote. */
void arch_trace_begin(struct aspace *as);
