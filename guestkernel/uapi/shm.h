// SPDX-License-Identifier: Apache-2.0
/*
 * shm - Linux ABI: System V shared memory
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       shmget(2), shmctl(2)
 */
#pragma once

#include "guestkernel/uapi/ipc.h"

#define SHM_R	      0400
#define SHM_W	      0200
#define SHM_HUGETLB   04000
#define SHM_NORESERVE 010000
#define SHM_RDONLY    010000
#define SHM_RND	      020000
#define SHM_REMAP     040000
#define SHM_EXEC      0100000
#define SHM_LOCK      11
#define SHM_UNLOCK    12
#define SHM_STAT      13
#define SHM_INFO      14
#define SHM_STAT_ANY  15
#define SHM_DEST      01000
#define SHM_LOCKED    02000
#define SHMMNI	      4096

struct shmid64_ds {
	struct ipc64_perm shm_perm;
	u64 shm_segsz;
	s64 shm_atime;
	s64 shm_dtime;
	s64 shm_ctime;
	s32 shm_cpid;
	s32 shm_lpid;
	u64 shm_nattch;
	u64 unused4;
	u64 unused5;
};

struct shminfo64 {
	u64 shmmax;
	u64 shmmin;
	u64 shmmni;
	u64 shmseg;
	u64 shmall;
	u64 unused[4];
};

struct shm_info {
	s32 used_ids;
	u64 shm_tot;
	u64 shm_rss;
	u64 shm_swp;
	u64 swap_attempts;
	u64 swap_successes;
};
