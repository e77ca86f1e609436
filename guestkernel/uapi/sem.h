// SPDX-License-Identifier: Apache-2.0
/*
 * sem - Linux ABI: System V semaphores
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       semop(2), semctl(2)
 */
#pragma once

#include "guestkernel/uapi/ipc.h"
#include "arch/uapi_sem.h"

#define SEM_UNDO     0x1000
#define GETPID	     11
#define GETVAL	     12
#define GETALL	     13
#define GETNCNT	     14
#define GETZCNT	     15
#define SETVAL	     16
#define SETALL	     17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20
#define SEMMNI	     32000
#define SEMMSL	     32000
#define SEMOPM	     500
#define SEMVMX	     32767

struct sembuf {
	u16 sem_num;
	s16 sem_op;
	s16 sem_flg;
};

struct seminfo {
	s32 semmap;
	s32 semmni;
	s32 semmns;
	s32 semmnu;
	s32 semmsl;
	s32 semopm;
	s32 semume;
	s32 semusz;
	s32 semvmx;
	s32 semaem;
};
