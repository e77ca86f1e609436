// SPDX-License-Identifier: Apache-2.0
/*
 * gic - the interrupt controller's part of arch/vcpu.h
 */
#pragma once

#include "vmm/err.h"

struct vm;

int gic_create(struct vm *vm, struct err *e) MUST_CHECK;
/* All vCPUs exist: fixes the controller and sets its registers. Event number gsi arrives at CPU 0. */
int gic_finish(struct vm *vm, uint32_t gsi, struct err *e) MUST_CHECK;
