// SPDX-License-Identifier: Apache-2.0
/* exit - reaping, shared by exit.c and wait.c */
#pragma once

#include "guestkernel/task/task.h"

/* [T] Takes a zombie out of the world: usage to the parent, numbers, references. */
void task_reap_group(struct tgroup *g);
