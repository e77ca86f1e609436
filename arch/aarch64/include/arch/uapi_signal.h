// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_signal - Linux ABI values of aarch64 that other architectures have differently: stack sizes
 *
 * Rules     Included only by guestkernel/uapi/signal.h.
 */
#pragma once

#define MINSIGSTKSZ 5120
#define SIGSTKSZ    16384
