// SPDX-License-Identifier: Apache-2.0
/* exit - reaping, shared by exit.c and wait.c */
#pragma once

#include "guestkernel/task/task.h"

/* [T] Takes a zombie out of the world: usage to the parent, numbers, references. */
void task_reap_group(struct tgroup *g, bool was_waited_for);
/* [T] The last thread has left, and no tracer keeps one. */
void task_group_dead(struct tgroup *g);
/* [T] A thread is gone: number, signals, its place in the group, one reference. */
void task_release_thread(struct task *t);
