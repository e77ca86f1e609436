// SPDX-License-Identifier: Apache-2.0
/*
 * times - Linux ABI: times(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       times(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define USER_HZ 100

struct tms {
	s64 tms_utime;
	s64 tms_stime;
	s64 tms_cutime;
	s64 tms_cstime;
};
