// SPDX-License-Identifier: Apache-2.0
/*
 * semundo - what semaphores give back when a process ends (SEM_UNDO)
 *
 * Role      A task has a list, made at its first use and shared by CLONE_SYSVSEM. ipc/sem.c implements it.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct sem_undo_list;

/* The list at *mine, made when there is none, with a reference for another task; NULL: out of memory. */
struct sem_undo_list *must_check sem_undo_share(struct sem_undo_list **mine);
/* The last user is gone: every operation is undone. */
void sem_undo_put(struct sem_undo_list *l);
