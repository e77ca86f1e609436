// SPDX-License-Identifier: Apache-2.0
/*
 * rand - the kernel's random generator (ChaCha20, seeded by the monitor, reseeded on demand)
 */
#pragma once

#include "guestkernel/kapi/types.h"

void rand_init(const void *seed, size_t n);
/* Mixes fresh host randomness in (after a clone or restore). */
void rand_reseed(const void *seed, size_t n);
/* The same for one of two copies of this kernel: nothing drawn before, and nothing kept for later, is handed out again.
 * -EINVAL: fewer than 32 bytes, or all of them zero, do not tell copies apart; nothing is changed. */
int must_check rand_reseed_after_clone(const void *seed, size_t n);
void rand_bytes(void *p, size_t n);
u64 rand_u64(void);
/* Uniform in [0, n). */
u64 rand_below(u64 n);
