// SPDX-License-Identifier: Apache-2.0
/*
 * utsname - Linux ABI: uname(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       uname(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define __NEW_UTS_LEN 64

struct new_utsname {
	char sysname[__NEW_UTS_LEN + 1];
	char nodename[__NEW_UTS_LEN + 1];
	char release[__NEW_UTS_LEN + 1];
	char version[__NEW_UTS_LEN + 1];
	char machine[__NEW_UTS_LEN + 1];
	char domainname[__NEW_UTS_LEN + 1];
};
