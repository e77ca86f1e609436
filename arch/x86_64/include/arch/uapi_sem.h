// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_sem - Linux ABI values of x86_64 that other architectures have differently: struct semid64_ds
 *
 * Rules     Included only by guestkernel/uapi/sem.h.
 */
#pragma once

#include "guestkernel/uapi/ipc.h"

struct semid64_ds {
	struct ipc64_perm sem_perm;
	s64 sem_otime;
	u64 unused1;
	s64 sem_ctime;
	u64 unused2;
	u64 sem_nsems;
	u64 unused3;
	u64 unused4;
};
