// SPDX-License-Identifier: Apache-2.0
/*
 * futex - Linux ABI: futex(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       futex(2), set_robust_list(2), futex_waitv(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define FUTEX_OP_CMP_EQ		      0x0
#define FUTEX_OP_SET		      0x0
#define FUTEX_WAIT		      0x0
#define FUTEX_OP_ADD		      0x1
#define FUTEX_OP_CMP_NE		      0x1
#define FUTEX_WAKE		      0x1
#define FUTEX_32		      0x2
#define FUTEX_FD		      0x2
#define FUTEX_OP_CMP_LT		      0x2
#define FUTEX_OP_OR		      0x2
#define FUTEX_OP_ANDN		      0x3
#define FUTEX_OP_CMP_LE		      0x3
#define FUTEX_REQUEUE		      0x3
#define FUTEX_CMP_REQUEUE	      0x4
#define FUTEX_OP_CMP_GT		      0x4
#define FUTEX_OP_XOR		      0x4
#define FUTEX_OP_CMP_GE		      0x5
#define FUTEX_WAKE_OP		      0x5
#define FUTEX_LOCK_PI		      0x6
#define FUTEX_UNLOCK_PI		      0x7
#define FUTEX_OP_OPARG_SHIFT	      0x8
#define FUTEX_TRYLOCK_PI	      0x8
#define FUTEX_WAIT_BITSET	      0x9
#define FUTEX_WAKE_BITSET	      0xa
#define FUTEX_WAIT_REQUEUE_PI	      0xb
#define FUTEX_CMP_REQUEUE_PI	      0xc
#define FUTEX_LOCK_PI2		      0xd
#define FUTEX_PRIVATE_FLAG	      0x80
#define FUTEX_WAITV_MAX		      0x80
#define FUTEX_WAIT_PRIVATE	      0x80
#define FUTEX_WAKE_PRIVATE	      0x81
#define FUTEX_REQUEUE_PRIVATE	      0x83
#define FUTEX_CMP_REQUEUE_PRIVATE     0x84
#define FUTEX_WAKE_OP_PRIVATE	      0x85
#define FUTEX_LOCK_PI_PRIVATE	      0x86
#define FUTEX_UNLOCK_PI_PRIVATE	      0x87
#define FUTEX_TRYLOCK_PI_PRIVATE      0x88
#define FUTEX_WAIT_BITSET_PRIVATE     0x89
#define FUTEX_WAKE_BITSET_PRIVATE     0x8a
#define FUTEX_WAIT_REQUEUE_PI_PRIVATE 0x8b
#define FUTEX_CMP_REQUEUE_PI_PRIVATE  0x8c
#define FUTEX_LOCK_PI2_PRIVATE	      0x8d
#define FUTEX_CLOCK_REALTIME	      0x100
#define FUTEX_TID_MASK		      0x3fffffff
#define FUTEX_OWNER_DIED	      0x40000000
#define FUTEX_WAITERS		      0x80000000u
#define FUTEX_BITSET_MATCH_ANY	      0xffffffffu
#define FUTEX_CMD_MASK		      0xfffffe7fu

#define FUTEX2_SIZE_U8	  0x00
#define FUTEX2_SIZE_U16	  0x01
#define FUTEX2_SIZE_U32	  0x02
#define FUTEX2_SIZE_U64	  0x03
#define FUTEX2_SIZE_MASK  0x03
#define FUTEX2_NUMA	  0x04
#define FUTEX2_PRIVATE	  FUTEX_PRIVATE_FLAG
#define ROBUST_LIST_LIMIT 2048

struct futex_waitv {
	u64 val;
	u64 uaddr;
	u32 flags;
	u32 reserved;
};

struct robust_list {
	u64 next;
};

struct robust_list_head {
	struct robust_list list;
	s64 futex_offset;
	u64 list_op_pending;
};
