// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - the monitor's side of this architecture: page tables at entry, registers, exits
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
struct gmem;

/* Boot page tables: allocated from [next, end) of guest memory. */
struct arch_pagetables {
	struct gmem *mem;
	uint64_t root, next, end;
	bool has_1g;
};

/* May a mapping be 1 GiB large. */
bool arch_has_1g_pages(int kvm_fd);
int arch_pt_init(struct arch_pagetables *pt, struct gmem *m, uint64_t start, uint64_t end,
		 bool has_1g);
/* Maps with the largest pages that fit; ENOMEM when [next, end) is used up. */
int arch_pt_map(struct arch_pagetables *pt, uint64_t va, uint64_t gpa, uint64_t len, int flags,
		struct err *e) MUST_CHECK;
/* What the guest reaches beside memory: the doorbell page, where it is one. */
int arch_pt_map_devices(struct arch_pagetables *pt, struct err *e) MUST_CHECK;
/* Guest-virtual address of the direct map. */
uint64_t arch_direct_map(uint64_t gpa);

/* Interrupt controller and anything the VM needs before vCPUs. */
int arch_vm_init(struct vm *vm, struct err *e) MUST_CHECK;
/* CPUID, control registers, the state at the kernel's first instruction. */
int arch_vcpu_init(struct vm *vm, struct vcpu *v, struct err *e) MUST_CHECK;
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
