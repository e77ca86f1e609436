// SPDX-License-Identifier: Apache-2.0
/*
 * kstack - kernel stacks with a guard page below
 *
 * Role      Implemented by mm/kmap.c, used by task/.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* A stack of KSTACK_SIZE bytes; *top is its end. -ENOMEM. */
int must_check kstack_alloc(void **top);
void kstack_free(void *top);
