// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_fcntl - Linux ABI values of x86_64 that other architectures have differently: open flags
 *
 * Rules     Included only by guestkernel/uapi/fcntl.h.
 */
#pragma once

#define O_DIRECT    040000
#define O_LARGEFILE 0100000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW  0400000
