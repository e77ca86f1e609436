// SPDX-License-Identifier: Apache-2.0
/*
 * sem - System V semaphores
 *
 * Role      Behind semget, semop, semtimedop and semctl (sys/sys_ipc.c).
 */
#pragma once

#include "guestkernel/kapi/semundo.h"
#include "guestkernel/uapi/sem.h"

s64 sem_get(s32 key, s32 n, u32 flags);
/* deadline_ns: NO_DEADLINE or monotonic. *mine: the caller's undo list, made when needed. */
int must_check sem_operate(s32 id, const struct sembuf *op, u32 n, u64 deadline_ns,
			   struct sem_undo_list **mine);
/* GETVAL, GETPID, GETNCNT, GETZCNT of one semaphore. */
s64 sem_read(s32 id, u32 index, u32 cmd);
int must_check sem_set_value(s32 id, s32 index, s32 value);
/* How many there are; -EINVAL, -EACCES. */
s64 sem_count(s32 id, u32 mode);
/* All values, n as sem_count() said; -EIDRM when it changed meanwhile. */
int must_check sem_get_all(s32 id, u16 *values, u32 n);
int must_check sem_set_all(s32 id, const u16 *values, u32 n);
s64 sem_stat(s32 id, u32 cmd, struct semid64_ds *out);
int must_check sem_set(s32 id, const struct semid64_ds *ds);
int must_check sem_remove(s32 id);
/* The highest slot. usage: SEM_INFO instead of IPC_INFO. */
s32 sem_info(struct seminfo *out, bool usage);
