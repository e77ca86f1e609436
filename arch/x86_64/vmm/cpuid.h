// SPDX-License-Identifier: Apache-2.0
/*
 * cpuid - what the virtual CPUs say of themselves, and which model-specific registers they have
 *
 * Rules     An allow-list: a feature is there when the host's KVM supports it and a row of the table in cpuid.c names it with
 *           a reason. What nobody named reads as 0, whatever a later KVM adds. The same for registers: the few the guest
 *           kernel uses; any other RDMSR or WRMSR is a #GP inside the guest, and KVM's code for it is never reached.
 * See       tests/unit/cpuid_test.c
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/err.h"

#define CPUID_MAX 256

/* Takes out of what KVM supports all that is not in the table; returns the new number of entries. */
uint32_t cpuid_filter(struct kvm_cpuid_entry2 *entry, uint32_t nr);
/* What differs between CPUs of one machine, and what is not the host's to say. */
void cpuid_describe(struct kvm_cpuid_entry2 *entry, uint32_t nr, uint32_t id, uint32_t nr_cpus);

bool msr_is_allowed(uint32_t msr, bool write);
/* Before the first CPU runs. */
int msr_filter_set(int vm_fd, struct err *e);
