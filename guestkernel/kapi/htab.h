// SPDX-License-Identifier: Apache-2.0
/*
 * htab - intrusive hash table with chains
 *
 * Role      Dentries, inodes by number, futex queues, abstract socket names, pids.
 * Rules     The size is a power of two, fixed by the owner; buckets are lists. Keyed hash: hash_mix()
 *           is seeded at boot so that applications cannot choose collisions.
 */
#pragma once

#include "guestkernel/kapi/list.h"

/* Per-boot secret for hash tables; set once by rand_init(). */
extern u64 hash_seed;

static inline u64 hash_u64(u64 x)
{
	x ^= hash_seed;
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ (x >> 32);
}

/* Keyed FNV-like string hash, good enough behind hash_seed; word steps because ring 0 may be slow. */
u64 hash_bytes(const void *p, size_t n, u64 seed);
