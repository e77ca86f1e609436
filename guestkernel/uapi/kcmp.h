// SPDX-License-Identifier: Apache-2.0
/*
 * kcmp - Linux ABI: kcmp(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       kcmp(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define KCMP_FILE      0
#define KCMP_VM	       1
#define KCMP_FILES     2
#define KCMP_FS	       3
#define KCMP_SIGHAND   4
#define KCMP_IO	       5
#define KCMP_SYSVSEM   6
#define KCMP_EPOLL_TFD 7

struct kcmp_epoll_slot {
	u32 efd;
	u32 tfd;
	u32 toff;
};
