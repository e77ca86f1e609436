// SPDX-License-Identifier: Apache-2.0
/*
 * slab - set-up and statistics of the kernel heap; everything else is kapi/alloc.h
 */
#pragma once

#include "guestkernel/kapi/types.h"

void slab_init(void);
/* Frames used by all caches and large blocks. */
void slab_stats(u64 *frames);
