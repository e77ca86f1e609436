// SPDX-License-Identifier: Apache-2.0
/*
 * chacha - the ChaCha20 block function
 *
 * See       RFC 8439
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define CHACHA_KEY_WORDS   8
#define CHACHA_BLOCK_BYTES 64

/* One block of key stream. counter and nonce fill the last four words of the state. */
void chacha20_block(const u32 key[CHACHA_KEY_WORDS], u32 counter, const u32 nonce[3],
		    u8 out[CHACHA_BLOCK_BYTES]);
