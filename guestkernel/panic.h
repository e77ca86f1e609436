// SPDX-License-Identifier: Apache-2.0
/*
 * panic - the end of a kernel that cannot go on
 */
#pragma once

#include "arch/regs.h"
#include "guestkernel/kapi/bug.h"

/* As panic(), with the registers at the fault. */
noreturn_fn void panic_at(const struct regs *r, u64 fault_addr, const char *fmt, ...)
	printf_like(3, 4);
