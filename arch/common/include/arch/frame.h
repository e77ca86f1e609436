// SPDX-License-Identifier: Apache-2.0
/*
 * frame - walking kernel stack frames, for panic
 */
#pragma once

#include "arch/regs.h"

/* Return addresses of the frames from fp outwards; stops at anything that is not a kernel stack address. */
u32 arch_backtrace(u64 fp, u64 *out, u32 max);
