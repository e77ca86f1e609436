// SPDX-License-Identifier: Apache-2.0
/* wait - waiting for children: what sys_task.c calls */
#pragma once

#include "guestkernel/task/task.h"
#include "guestkernel/uapi/wait.h"

struct wait_req {
	u32 type; /* P_ALL, P_PID, P_PGID */
	s32 id;
	u32 options; /* W* */
};

struct wait_result {
	s32 pid;
	u32 uid;
	s32 status; /* as wait4() stores it */
	s32 code;   /* CLD_* */
	struct rusage usage;
};

/* The child's number, 0 (WNOHANG), -ECHILD, -ERESTARTSYS. */
s64 task_wait(const struct wait_req *q, struct wait_result *res);
void rusage_of_group(struct tgroup *g, struct rusage *ru);
