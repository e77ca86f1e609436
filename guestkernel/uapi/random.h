// SPDX-License-Identifier: Apache-2.0
/*
 * random - Linux ABI: getrandom(2) and /dev/random
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       getrandom(2), random(4)
 */
#pragma once

#define GRND_NONBLOCK 0x1
#define GRND_RANDOM   0x2
#define GRND_INSECURE 0x4

#define RNDZAPENTCNT   0x5204
#define RNDCLEARPOOL   0x5206
#define RNDRESEEDCRNG  0x5207
#define RNDADDTOENTCNT 0x40045201
#define RNDADDENTROPY  0x40085203
#define RNDGETENTCNT   0x80045200u
