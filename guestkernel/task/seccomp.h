// SPDX-License-Identifier: Apache-2.0
/*
 * seccomp - the programs a thread has loaded to judge its system calls
 *
 * Role      sys_seccomp.c loads filters; call_filter.c does what they say.
 * Rules     Filters form a tree: each thread points at its newest, which points at the one before. They are never
 *           changed, and never taken away from a thread.
 * Locking   A thread's own filters are read without locks; changed with tasklist_lock and group->lock held, since
 *           SECCOMP_FILTER_FLAG_TSYNC changes those of other threads.
 * See       seccomp(2)
 */
#pragma once

#include "arch/param.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/seccomp.h"

#define AUDIT_ARCH_HERE (0xc0000000u | ARCH_ELF_MACHINE) /* 64 bits, little endian */

struct sock_filter;

static inline bool seccomp_is_on(const struct task *t)
{
	return READ_ONCE(t->seccomp.mode) != SECCOMP_MODE_DISABLED;
}
/* What the strictest of the current thread's filters returns, of equal ones the newest. */
u32 seccomp_run(const struct seccomp_data *data, bool *is_logged);

/* A filter of len instructions, to be filled; NULL: no memory. */
struct seccomp_filter *must_check seccomp_filter_alloc(u32 len);
struct sock_filter *seccomp_filter_code(struct seccomp_filter *f);
void seccomp_filter_put(struct seccomp_filter *f);
/* Checks f and makes it the current thread's newest. Takes the reference over, also when it fails. flags:
 * SECCOMP_FILTER_FLAG_TSYNC, _TSYNC_ESRCH, _LOG. A positive number: that thread has filters the current one has not. */
s64 seccomp_add(struct seccomp_filter *f, u32 flags);
int must_check seccomp_set_strict(void);

/* [T S] The current thread's filters become those of a thread it makes. */
void seccomp_inherit_locked(struct task *child);
void seccomp_exit(struct task *t);
u32 seccomp_filter_count(struct task *t); /* takes [S] */
/* [S] of t: filter number index from the oldest, referenced; NULL: there are not so many. */
struct seccomp_filter *seccomp_filter_get_locked(struct task *t, u64 index);
u32 seccomp_filter_len(const struct seccomp_filter *f);
