// SPDX-License-Identifier: Apache-2.0
/*
 * pidref - a process's number, kept so that it never means another process
 *
 * Role      For objects outside task/ that remember who made them (the peers of sockets). task/pidfd.c implements it.
 * Rules     Pins the number's object, not the process. No spinlock is held around these calls.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct file;
struct pid;

/* Of the current process, referenced; NULL when it has none (the kernel itself). */
struct pid *pidref_self(void);
struct pid *pidref_get(struct pid *p); /* NULL is fine, here and below */
void pidref_put(struct pid *p);
/* Does the current task's namespace have a process or thread of this number? */
bool pidref_exists(s32 nr);
/* A pidfd file; -ESRCH when the process was reaped. */
int must_check pidref_open(struct pid *p, struct file **out);
