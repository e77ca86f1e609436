// SPDX-License-Identifier: Apache-2.0
/*
 * msg - Linux ABI: System V message queues
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       msgget(2), msgctl(2)
 */
#pragma once

#include "guestkernel/uapi/ipc.h"

#define MSG_NOERROR  010000
#define MSG_EXCEPT   020000
#define MSG_COPY     040000
#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13
#define MSGMNI	     32000
#define MSGMAX	     8192
#define MSGMNB	     16384

struct msginfo {
	s32 msgpool;
	s32 msgmap;
	s32 msgmax;
	s32 msgmnb;
	s32 msgmni;
	s32 msgssz;
	s32 msgtql;
	u16 msgseg;
};

struct msqid64_ds {
	struct ipc64_perm msg_perm;
	s64 msg_stime;
	s64 msg_rtime;
	s64 msg_ctime;
	u64 msg_cbytes;
	u64 msg_qnum;
	u64 msg_qbytes;
	s32 msg_lspid;
	s32 msg_lrpid;
	u64 unused4;
	u64 unused5;
};
