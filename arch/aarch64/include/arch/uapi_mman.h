// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_mman - Linux ABI values of aarch64 that other architectures have differently: mmap protections
 *
 * Rules     Included only by guestkernel/uapi/mman.h.
 */
#pragma once

#define PROT_BTI 0x10
#define PROT_MTE 0x20
