// SPDX-License-Identifier: Apache-2.0
/*
 * boot - the tables of the kernel half: first for start.S, then complete
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Makes the tables of the kernel half; returns the physical address of their root. Runs at physical addresses. */
u64 boot_tables(void);
/* The boot block has been read. */
void boot_map(void);
