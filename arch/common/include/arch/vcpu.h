// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - the monitor's side of this architecture: the state at entry, registers, exits
 *
 * Role      Included by vmm/. Implemented in arch/<cpu>/vmm/ and arch/common/vmm/.
 */
#pragma once

#include <stdint.h>

#include "arch/boot_pte.h"
#include "vmm/err.h"

struct kvm_run;
struct vm;
struct vcpu;

/* The type of a virtual machine whose guest-physical addresses suffice. */
int arch_vm_type(int kvm_fd, unsigned long *type, struct err *e) MUST_CHECK;
/* Pages for the page tables the guest starts with. */
uint64_t arch_vm_table_pages(const struct vm *vm);
/* Page tables if the guest starts with some, interrupt controller and anything else the VM needs before vCPUs. */
int arch_vm_init(struct vm *vm, struct err *e) MUST_CHECK;
/* CPUID, control registers. */
int arch_vcpu_init(struct vm *vm, struct vcpu *v, struct err *e) MUST_CHECK;
/* The state at the kernel's first instruction: entry is an address of its image; the device tree lies at fdt_gpa. */
int arch_vcpu_set_boot(struct vcpu *v, uint64_t entry, uint64_t fdt_gpa, struct err *e) MUST_CHECK;
/* The same of a further CPU, where not KVM starts it. */
int arch_vcpu_set_entry(struct vcpu *v, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1,
			struct err *e) MUST_CHECK;
/* Picoseconds that an instruction of ring 0 takes, by a small virtual machine run in vm_fd, which is of no other use. */
int arch_kvm_probe(int kvm_fd, int vm_fd, uint64_t *ps, struct err *e) MUST_CHECK;
/* Frequency of the guest's cycle counter. */
uint64_t arch_counter_khz(struct vcpu *v);
uint64_t arch_counter_now(void);
/* What the guest's counter shows more than arch_counter_now(). */
uint64_t arch_counter_offset(struct vcpu *v);

enum arch_exit { ARCH_EXIT_DOORBELL, ARCH_EXIT_AGAIN, ARCH_EXIT_BROKEN };
/* Decodes one KVM exit; BROKEN fills e with one sentence. */
enum arch_exit arch_vcpu_exit(struct vcpu *v, struct kvm_run *run, struct err *e);
/* Instruction, stack pointer and frame pointer of a stopped vCPU, for the last words. */
void arch_vcpu_where(struct vcpu *v, uint64_t *ip, uint64_t *sp, uint64_t *fp);
/* Page table root of the kernel half, instruction and frame pointer of a stopped vCPU. */
bool arch_vcpu_frame(struct vcpu *v, uint64_t *root, uint64_t *ip, uint64_t *fp);
/* Return addresses of a stopped vCPU, innermost first, from its registers and its frame pointers; every step through
 * the guest's page tables is checked. At least the instruction pointer. */
uint32_t arch_vcpu_backtrace(struct vcpu *v, uint64_t *frames, uint32_t max);
/* Whether a stopped vCPU halted with interrupts off. */
bool arch_vcpu_sleeps_for_good(struct vcpu *v);
/* Raises the event interrupt on any CPU. Any thread. */
void arch_vm_interrupt(struct vm *vm, uint32_t cpu);
/* Routes event number gsi (an irqfd) to the event interrupt of CPU 0. All vCPUs exist. */
int arch_vm_route_event(struct vm *vm, uint32_t gsi, struct err *e) MUST_CHECK;

/* process machine: 0, or what this processor or its kernel lacks. */
int arch_process_check(struct err *e) MUST_CHECK;
/* Frequency of the processor's own cycle counter in kHz; 0: unknown. */
uint64_t arch_host_counter_khz(void);
