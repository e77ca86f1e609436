// SPDX-License-Identifier: Apache-2.0
/*
 * extable - where the kernel goes on when an access to application memory faults
 *
 * Role      uaccess.S of the machine lists its accesses in the section .extable.
 */
#pragma once

#include "arch/regs.h"

static inline bool extable_apply(struct regs *r)
{
	extern const struct extable_entry {
		u64 at, to;
	} extable_start[], extable_end[];
	const struct extable_entry *f;

	for (f = extable_start; f < extable_end; f++) {
		if (f->at == regs_ip(r)) {
			regs_set_ip(r, f->to);
			return true;
		}
	}
	return false;
}
