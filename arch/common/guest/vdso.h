// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - the page the kernel shares with the vDSO code of every program
 */
#pragma once

#include <stdint.h>

struct vdso_data {
	uint32_t seq; /* odd while the wall offset changes */
	uint32_t pad;
	uint64_t base_cycles, mult; /* ns since boot = (cycles - base) * mult >> 32 */
	uint64_t wall_offset_ns;    /* realtime minus monotonic */
	uint8_t rest[4096 - 32];
};
