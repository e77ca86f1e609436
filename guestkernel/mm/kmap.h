// SPDX-License-Identifier: Apache-2.0
/*
 * kmap - kernel virtual memory outside the direct map: task stacks with guard pages
 */
#pragma once

#include "guestkernel/kapi/types.h"

void kmap_init(void);
/* A stack of KSTACK_SIZE bytes; *top is its upper end. The page below it is never mapped. */
int must_check kstack_alloc(void **top);
void kstack_free(void *top);
u64 kstack_frames(void);
