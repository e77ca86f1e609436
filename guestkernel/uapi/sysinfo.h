// SPDX-License-Identifier: Apache-2.0
/*
 * sysinfo - Linux ABI: sysinfo(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       sysinfo(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define SI_LOAD_SHIFT 16

struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram;
	u64 freeram;
	u64 sharedram;
	u64 bufferram;
	u64 totalswap;
	u64 freeswap;
	u16 procs;
	u16 pad;
	u64 totalhigh;
	u64 freehigh;
	u32 mem_unit;
};
