// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_fcntl - Linux ABI values of aarch64 that other architectures have differently: open flags
 *
 * Rules     Included only by guestkernel/uapi/fcntl.h.
 */
#pragma once

#define O_DIRECTORY 040000
#define O_NOFOLLOW  0100000
#define O_DIRECT    0200000
#define O_LARGEFILE 0400000
