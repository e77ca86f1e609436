// SPDX-License-Identifier: Apache-2.0
/*
 * types - integer types of the Linux ABI headers and device number encoding
 *
 * Rules     The same typedefs as kapi/types.h (C11 allows repeating them), so that uapi/ stands alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* A device number as stat(2) and mknod(2) carry it: 12 bits major, 20 bits minor, interleaved. */
static inline u32 makedev(u32 major, u32 minor)
{
	return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12);
}

static inline u32 dev_major(u64 dev)
{
	return (u32)(dev >> 8) & 0xfff;
}

static inline u32 dev_minor(u64 dev)
{
	return ((u32)dev & 0xff) | ((u32)(dev >> 12) & 0xfff00);
}
