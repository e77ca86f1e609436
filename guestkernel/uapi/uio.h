// SPDX-License-Identifier: Apache-2.0
/*
 * uio - Linux ABI: vectored input and output
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       readv(2), preadv2(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define UIO_FASTIOV 8
#define UIO_MAXIOV  1024

#define RWF_HIPRI  0x1
#define RWF_DSYNC  0x2
#define RWF_SYNC   0x4
#define RWF_NOWAIT 0x8
#define RWF_APPEND 0x10

#define RWF_NOAPPEND 0x20
#define RWF_ATOMIC   0x40

struct iovec {
	u64 iov_base;
	u64 iov_len;
};
