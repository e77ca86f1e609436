// SPDX-License-Identifier: Apache-2.0
/*
 * seccomp - Linux ABI: seccomp(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       seccomp(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define SECCOMP_MODE_DISABLED		       0x0
#define SECCOMP_RET_KILL		       0x0
#define SECCOMP_RET_KILL_THREAD		       0x0
#define SECCOMP_SET_MODE_STRICT		       0x0
#define SECCOMP_ADDFD_FLAG_SETFD	       0x1
#define SECCOMP_FILTER_FLAG_TSYNC	       0x1
#define SECCOMP_MODE_STRICT		       0x1
#define SECCOMP_SET_MODE_FILTER		       0x1
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE       0x1
#define SECCOMP_ADDFD_FLAG_SEND		       0x2
#define SECCOMP_FILTER_FLAG_LOG		       0x2
#define SECCOMP_GET_ACTION_AVAIL	       0x2
#define SECCOMP_MODE_FILTER		       0x2
#define SECCOMP_GET_NOTIF_SIZES		       0x3
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW	       0x4
#define SECCOMP_FILTER_FLAG_NEW_LISTENER       0x8
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH	       0x10
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0x20
#define SECCOMP_RET_DATA		       0xffff
#define SECCOMP_RET_TRAP		       0x30000
#define SECCOMP_RET_ERRNO		       0x50000
#define SECCOMP_RET_USER_NOTIF		       0x7fc00000
#define SECCOMP_RET_TRACE		       0x7ff00000
#define SECCOMP_RET_LOG			       0x7ffc0000
#define SECCOMP_RET_ACTION		       0x7fff0000
#define SECCOMP_RET_ALLOW		       0x7fff0000
#define SECCOMP_RET_KILL_PROCESS	       0x80000000u
#define SECCOMP_RET_ACTION_FULL		       0xffff0000u

struct seccomp_data {
	s32 nr;
	u32 arch;
	u64 instruction_pointer;
	u64 args[6];
};

#define AUDIT_ARCH_X86_64  0xc000003eu
#define AUDIT_ARCH_AARCH64 0xc00000b7u
