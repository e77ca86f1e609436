// SPDX-License-Identifier: Apache-2.0
/*
 * rseq - Linux ABI: restartable sequences
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       rseq(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define RSEQ_FLAG_UNREGISTER		   1
#define RSEQ_CPU_ID_UNINITIALIZED	   (-1)
#define RSEQ_CPU_ID_REGISTRATION_FAILED	   (-2)
#define RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT 1u
#define RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL  2u
#define RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE 4u

struct rseq_cs {
	u32 version;
	u32 flags;
	u64 start_ip;
	u64 post_commit_offset;
	u64 abort_ip;
} __attribute__((aligned(32)));

struct rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs;
	u32 flags;
	u32 node_id;
	u32 mm_cid;
} __attribute__((aligned(32)));
