// SPDX-License-Identifier: Apache-2.0
/*
 * rand - the kernel's random generator (ChaCha20, seeded by the monitor, reseeded on demand)
 */
#pragma once

#include "guestkernel/kapi/types.h"

void rand_init(const void *seed, size_t n);
/* Mixes fresh host randomness in (after a clone or restore). */
void rand_reseed(const void *seed, size_t n);
void rand_bytes(void *p, size_t n);
u64 rand_u64(void);
/* Uniform in [0, n). */
u64 rand_below(u64 n);
