// SPDX-License-Identifier: Apache-2.0
/* clone - making tasks (clone.c), vfork completion, what a task gives back when its memory goes (exec, exit) */
#pragma once

#include "guestkernel/task/task.h"

#define SET_TID_MAX 32

struct clone_req {
	u64 flags; /* CLONE_* without the exit signal */
	s32 exit_signal;
	u64 sp; /* 0: the parent's */
	u64 tls;
	uaddr_t pidfd, child_tid, parent_tid;
	s32 set_tid; /* 0: any number */
};

/* Boot: how many threads there may be, by memory; pids_limit: of --pids-limit, 0 for the default. */
void task_limits_init(u64 nr_frames, u64 pids_limit);
extern u32 threads_max;
/* A task was reaped, or never came to be: its user has one less. */
void task_uncharge(const struct cred *cred);

/* The child's number, or -errno. */
s64 task_clone(const struct regs *r, const struct clone_req *q);
/* Leaves the current address space: robust futexes, clear_child_tid, vfork parent. Touches user memory. */
void task_release_mm_users(struct task *t);
/* unshare(2) of files and fs. */
int must_check task_unshare(u64 flags);
void task_fork_return(void);
