// SPDX-License-Identifier: Apache-2.0
/*
 * shm - System V shared memory segments
 *
 * Role      Objects behind shmget(2) and its relatives; sys/sys_ipc.c copies to and from applications.
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "guestkernel/uapi/shm.h"

struct aspace;

/* The number, or -errno. */
s64 shm_get(s32 key, u64 size, u32 flags);
int must_check shm_attach(struct aspace *as, s32 id, u64 addr, u32 flags, u64 *va);
int must_check shm_detach(struct aspace *as, u64 addr);
/* cmd: IPC_STAT (0), SHM_STAT, SHM_STAT_ANY (the number). */
s64 shm_stat(s32 id, u32 cmd, struct shmid64_ds *out);
int must_check shm_set(s32 id, const struct shmid64_ds *ds);
int must_check shm_remove(s32 id);
int must_check shm_lock(s32 id, bool on);
/* Both give the highest slot in use. */
s32 shm_limits(struct shminfo64 *out);
s32 shm_usage(struct shm_info *out);
