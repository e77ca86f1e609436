// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_prctl - Linux ABI values of aarch64 that other architectures have differently: arch_prctl codes (there is no arch_prctl)
 *
 * Rules     Included only by guestkernel/uapi/prctl.h.
 */
#pragma once
