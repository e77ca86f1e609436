// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_signal - Linux ABI values of x86_64 that other architectures have differently: stack sizes
 *
 * Rules     Included only by guestkernel/uapi/signal.h.
 */
#pragma once

#define MINSIGSTKSZ 2048
#define SIGSTKSZ    8192
