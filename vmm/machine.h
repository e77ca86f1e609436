// SPDX-License-Identifier: Apache-2.0
/*
 * machine - what runs the guest: the operations that differ between KVM and the `process` machine
 *
 * Role      vm.c makes memory, loads the kernel, writes the boot block and ends the run; everything between is one
 *           of these tables. machine_kvm.c, machine_process.c.
 * Rules     Order: open, create (memory is there), enter (boot block is there; still one thread), then from their
 *           threads run, from any thread kick, interrupt, raise; stop when all CPU threads have ended, destroy
 *           in any state. Functions with a struct err return 0 or -errno with one sentence in it.
 */
#pragma once

#include "vmm/vm.h"

struct machine {
	const char *name;
	enum sandbox_machine sandbox;		  /* whose rows of the filter tables */
	uint64_t kernel_va;			  /* where its kernel's image begins */
	const unsigned char *kernel, *kernel_end; /* embedded ELF file */
	bool kvm_starts_cpus;			  /* HYP_CPU_START is not the way */
	uint32_t boot_pages; /* of its own between device tree and channels (vm->at.pm_boot) */

	/* Opens what the host must offer; before memory, so that what is missing is said first. */
	int (*open)(struct vm *vm, struct err *e);
	/* Pages of page tables it wants between kernel and boot block. */
	uint64_t (*table_pages)(const struct vm *vm);
	/* Memory and kernel are in place: gives them to the machine, makes CPUs. */
	int (*create)(struct vm *vm, struct err *e);
	/* Frequency of the guest's cycle counter, and how much more it shows than arch_counter_now(). */
	uint64_t (*counter_khz)(struct vm *vm);
	uint64_t (*counter_offset)(struct vm *vm);
	/* Everything is written. Before the monitor's other threads and its lock-in. */
	int (*enter)(struct vm *vm, struct err *e);
	/* Threads of its own, after the jail and before those of the CPUs. */
	int (*start)(struct vm *vm, struct err *e);
	/* All filters stand: lets the guest run, where run() alone does not. With vm->lock held; may be NULL. */
	void (*go)(struct vm *vm);
	/* On the thread of the CPU: until vm->stopping. */
	void (*run)(struct vcpu *v);
	/* Makes run() look at vm->stopping and v->look again. With vm->lock held. */
	void (*kick)(struct vcpu *v);
	/* Event interrupt on this CPU; on any CPU. */
	void (*interrupt)(struct vm *vm, uint32_t cpu);
	void (*raise)(struct vm *vm);
	/* CPU time of guest code on this CPU, for the watchdog; it may count other CPUs in. */
	clockid_t (*clock)(struct vcpu *v);
	/* Return addresses, innermost first, of a CPU whose own thread calls; how many. */
	uint32_t (*backtrace)(struct vcpu *v, uint64_t *frames, uint32_t max);
	/* Whether a quiet CPU can never wake again. Its own thread calls. */
	bool (*sleeps_for_good)(struct vcpu *v);
	/* With the monitor, which is about to be stopped by its terminal, and again on. NULL: it stops by itself. */
	void (*suspend)(struct vm *vm, bool on);
	/* No guest instruction runs after this returns. run() has returned on every thread. */
	void (*stop)(struct vm *vm);
	void (*destroy)(struct vm *vm);
};

extern const struct machine machine_kvm, machine_process;
