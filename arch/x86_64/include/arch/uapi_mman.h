// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_mman - Linux ABI values of x86_64 that other architectures have differently: mmap flags
 *
 * Rules     Included only by guestkernel/uapi/mman.h.
 */
#pragma once

#define MAP_32BIT   0x40
#define MAP_ABOVE4G 0x80
