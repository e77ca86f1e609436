// SPDX-License-Identifier: Apache-2.0
/* timer - the part of the per-CPU timer trees that the scheduler needs (kapi/timer.h for everybody else) */
#pragma once

#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/timer.h"

void timer_init_cpu(struct cpu *c);
/* This CPU's hardware timer fires at the deadline, or at an earlier one that is already set. Own CPU only. */
void timer_program(struct cpu *c, u64 deadline_ns);
