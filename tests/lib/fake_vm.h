// SPDX-License-Identifier: Apache-2.0
/*
 * fake_vm - a virtual machine without KVM: real guest memory, the real handlers, nobody running
 *
 * Role      For tests and fuzzers of vmm/ on any host. Replaces vm.c and sandbox.c.
 */
#pragma once

#include "vmm/vm.h"

#define FAKE_RAM (32ull << 20)

/* Memory, channels, event page and rings, laid out as vm.c does it; aborts when the host has none. */
void fake_vm_init(struct vm *vm, uint32_t nr_cpus);
void fake_vm_fini(struct vm *vm);
/* Zeroes what the guest shares with the monitor, forgets how it ended. */
void fake_vm_reset(struct vm *vm);
