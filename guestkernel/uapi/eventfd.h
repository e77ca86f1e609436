// SPDX-License-Identifier: Apache-2.0
/*
 * eventfd - Linux ABI: eventfd(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       eventfd(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK  04000
#define EFD_CLOEXEC   02000000
