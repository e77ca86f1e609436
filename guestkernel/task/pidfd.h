// SPDX-License-Identifier: Apache-2.0
/* pidfd - files that name a process */
#pragma once

#include "guestkernel/kapi/file.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/pidfd.h"

/* flags: PIDFD_NONBLOCK, PIDFD_THREAD. */
int must_check pidfd_file_create(struct pid *pid, u32 flags, struct file **out);
/* The number behind a descriptor, referenced; -EBADF. */
int must_check pidfd_lookup(s32 fd, struct pid **out, u32 *flags);
/* The number of a task, referenced; -ESRCH when it was reaped. */
int must_check task_pid_get(struct task *t, struct pid **out);
/* The task behind it, referenced; -ESRCH when it was reaped. */
int must_check pid_task_get(struct pid *pid, struct task **out);
