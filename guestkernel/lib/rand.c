// SPDX-License-Identifier: Apache-2.0
/*
 * rand - the random generator
 *
 * Role      See kapi/rand.h. ChaCha20 with fast key erasure: each refill's first 32 bytes become the next
 *           key and what is handed out is wiped, so a later look at memory does not tell earlier output.
 * Rules     Large requests draw a key of their own under the lock and generate outside it. Before
 *           rand_init() the output is constant: nothing may use it that early.
 * Locking   rand_lock (RANK_RAND) covers the pool.
 * See       tests/unit/rand_test.c
 */
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/lib/chacha.h"

#define KEY_BYTES   (CHACHA_KEY_WORDS * sizeof(u32))
#define POOL_BLOCKS 2
#define POOL_BYTES  (POOL_BLOCKS * CHACHA_BLOCK_BYTES)

u64 hash_seed;

static struct spinlock rand_lock = SPINLOCK_INIT(RANK_RAND);
static u32 rand_key[CHACHA_KEY_WORDS]; /* [rand_lock] */
static u8 rand_pool[POOL_BYTES];       /* [rand_lock] the last rand_left bytes are unused output */
static u32 rand_left;		       /* [rand_lock] */

static const u32 zero_nonce[3];

static void wipe(void *p, size_t n)
{
	memset(p, 0, n);
	barrier();
}

static void refill_locked(void) REQUIRES(&rand_lock)
{
	for (u32 i = 0; i < POOL_BLOCKS; i++)
		chacha20_block(rand_key, i, zero_nonce, rand_pool + i * CHACHA_BLOCK_BYTES);
	memcpy(rand_key, rand_pool, KEY_BYTES);
	wipe(rand_pool, KEY_BYTES);
	rand_left = POOL_BYTES - KEY_BYTES;
}

/* The key becomes a function of the old one and the chunk. */
static void mix_locked(const u8 chunk[KEY_BYTES]) REQUIRES(&rand_lock)
{
	u8 block[CHACHA_BLOCK_BYTES];

	for (u32 i = 0; i < KEY_BYTES; i++)
		((u8 *)rand_key)[i] ^= chunk[i];
	chacha20_block(rand_key, 0, zero_nonce, block);
	memcpy(rand_key, block, KEY_BYTES);
	wipe(block, sizeof block);
}

static void take_locked(u8 *out, u32 n) REQUIRES(&rand_lock)
{
	while (n) {
		u32 m;

		if (!rand_left)
			refill_locked();
		m = MIN(n, rand_left);
		memcpy(out, rand_pool + POOL_BYTES - rand_left, m);
		wipe(rand_pool + POOL_BYTES - rand_left, m);
		rand_left -= m;
		out += m;
		n -= m;
	}
}

void rand_bytes(void *p, size_t n)
{
	u8 block[CHACHA_BLOCK_BYTES];
	u32 key[CHACHA_KEY_WORDS], nonce[3] = { 0 };
	u8 *out = p;
	u64 counter = 0;

	if (n <= POOL_BYTES) {
		spin_lock(&rand_lock);
		take_locked(out, (u32)n);
		spin_unlock(&rand_lock);
		return;
	}
	spin_lock(&rand_lock);
	take_locked((u8 *)key, sizeof key);
	spin_unlock(&rand_lock);
	while (n) {
		size_t m = MIN(n, sizeof block);

		nonce[0] = (u32)(counter >> 32);
		chacha20_block(key, (u32)counter++, nonce, block);
		memcpy(out, block, m);
		out += m;
		n -= m;
	}
	wipe(key, sizeof key);
	wipe(block, sizeof block);
}

void rand_reseed(const void *seed, size_t n)
{
	const u8 *s = seed;

	spin_lock(&rand_lock);
	for (;;) {
		u8 chunk[KEY_BYTES] = { 0 };
		size_t m = MIN(n, sizeof chunk);

		memcpy(chunk, s, m);
		mix_locked(chunk);
		wipe(chunk, sizeof chunk);
		n -= m;
		s += m;
		if (!n)
			break;
	}
	wipe(rand_pool, sizeof rand_pool);
	rand_left = 0; /* output of the old key is not handed out */
	spin_unlock(&rand_lock);
}

int rand_reseed_after_clone(const void *seed, size_t n)
{
	u8 any = 0;

	for (size_t i = 0; i < n; i++)
		any |= ((const u8 *)seed)[i];
	if (n < KEY_BYTES || !any)
		return -EINVAL;
	rand_reseed(seed, n);
	return 0;
}

void rand_init(const void *seed, size_t n)
{
	rand_reseed(seed, n);
	hash_seed = rand_u64();
}

u64 rand_u64(void)
{
	u64 v;

	rand_bytes(&v, sizeof v);
	return v;
}

u64 rand_below(u64 n)
{
	u64 reject, v;

	if (n <= 1)
		return 0;
	/* Values below 2^64 mod n would make small results more likely. */
	reject = (0 - n) % n;
	do
		v = rand_u64();
	while (v < reject);
	return v % n;
}
