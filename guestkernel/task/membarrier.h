// SPDX-License-Identifier: Apache-2.0
/* membarrier - a barrier on all CPUs */
#pragma once

#include "guestkernel/kapi/types.h"

/* Every CPU that runs another task passes through the kernel, which is a full barrier on each side. rseq: as if that task
 * had been switched. No locks. */
void membarrier_others(bool rseq);
