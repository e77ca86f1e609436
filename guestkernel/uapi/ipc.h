// SPDX-License-Identifier: Apache-2.0
/*
 * ipc - Linux ABI: System V IPC permissions and commands
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       sysvipc(7)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define IPC_PRIVATE 0
#define IPC_CREAT   01000
#define IPC_EXCL    02000
#define IPC_NOWAIT  04000
#define IPC_RMID    0
#define IPC_SET	    1
#define IPC_STAT    2
#define IPC_INFO    3

struct ipc64_perm {
	s32 key;
	u32 uid;
	u32 gid;
	u32 cuid;
	u32 cgid;
	u32 mode;
	u16 seq;
	u16 pad2;
	u64 unused1;
	u64 unused2;
};
