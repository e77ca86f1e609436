// SPDX-License-Identifier: Apache-2.0
/*
 * eventfd - the 64-bit event counter behind eventfd2(2)
 */
#pragma once

#include "guestkernel/kapi/file.h"

/* flags: EFD_*, already checked. */
int must_check eventfd_create(u32 initial, u32 flags, struct file **out);
