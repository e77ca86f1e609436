// SPDX-License-Identifier: Apache-2.0
/*
 * guest_cpu - what bare guest programs know of aarch64
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define PSCI_CPU_ON 0xc4000003u

/* A call of KVM's own firmware: PSCI, mostly. */
u64 guest_hvc(u64 nr, u64 a, u64 b, u64 c);

#define guest_relax() __asm__ volatile("yield")
#define guest_lost()  __asm__ volatile("brk #0")
