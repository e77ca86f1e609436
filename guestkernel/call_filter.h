// SPDX-License-Identifier: Apache-2.0
/*
 * call_filter - system calls of threads under seccomp, judged before they are made
 *
 * Role      syscall.c asks for each call of a thread with seccomp_is_on(); task/seccomp.c has the filters.
 * See       seccomp(2)
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct regs;

/* May the current thread make the call in r? If not, what it gets instead is done: a result, a signal, its end. */
bool call_filter_allows(struct regs *r);
