// SPDX-License-Identifier: Apache-2.0
/*
 * strace - shows the system calls of the application
 *
 * Role      syscall_dispatch() comes here while strace_on is set. Lines look like strace(1)'s:
 *           [tid] name(arguments) = result
 * Rules     A line is written when the call has returned, or before it when it never does.
 */
#pragma once

#include "guestkernel/kapi/log.h"

struct regs;

extern bool strace_on;

/* Chooses the calls to show: NULL or "" all; else names and classes (%file %process %memory %network
 * %signal %desc) separated by commas; a leading ! shows all but those. -EINVAL: unknown word, which *bad
 * (may be NULL) points at. Called once at boot. */
int must_check strace_select(const char *words, const char **bad);
/* Dispatches the call in r and shows it if it was selected. */
s64 strace_syscall(struct regs *r);
/* Shows the call in r, which seccomp did not let be made; its result is set. */
void strace_refused(struct regs *r);
