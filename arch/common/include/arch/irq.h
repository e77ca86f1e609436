// SPDX-License-Identifier: Apache-2.0
/*
 * irq - interrupts between CPUs and from the monitor
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct cpu;

enum arch_ipi {
	IPI_RESCHED = 1u << 0, /* look at need_resched */
	IPI_FLUSH = 1u << 1,   /* TLB shootdown mailbox */
	IPI_STOP = 1u << 2,    /* panic or shutdown */
};

void arch_ipi_send(struct cpu *to, u32 ipi);
