// SPDX-License-Identifier: Apache-2.0
/*
 * reclaim - what happens when memory for applications runs out
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Makes room, or waits for it: kills the process that uses most. True: try the allocation again; false: the
 * caller's process is the one that dies. Sleeps; no locks held. */
bool must_check reclaim_memory(void);
