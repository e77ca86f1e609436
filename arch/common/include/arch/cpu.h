// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - the running CPU: per-CPU area, halting, relaxing, cycle counter
 *
 * Role      Contract of the cpu part of an architecture. arch/cpu_local.h of the machine adds struct arch_cpu and,
 *           inline: this_cpu(), current(), arch_cycles(), arch_doorbell(nr).
 * Rules     The kernel runs with interrupts off; they are on only in user mode and inside
 *           arch_cpu_idle(). A spinning CPU must call arch_spin_relax() so that it answers remote calls.
 */
#pragma once

#include "arch/cpu_local.h"

/* One round of a spin loop: pause, and serve pending remote calls (TLB shootdown, stop). */
void arch_spin_relax(void);
/* Sleeps until an interrupt; returns with interrupts off after it was handled. The caller has checked that
 * there is nothing to do; a wake-up sent since then is not lost. */
void arch_cpu_idle(void);
/* The boot block has been read: maps the memory it tells of, where the monitor has not, and sets up the devices. CPU 0. */
void arch_init(void);
/* Starts CPU id: it calls sched_secondary_main() on its own idle stack. 0 or -errno. */
int arch_cpu_start(struct cpu *c, void *stack_top);
/* Upper end of the stack kmain() runs on. */
void *arch_boot_stack_top(void);
/* Halts this CPU forever (panic, shutdown). */
noreturn_fn void arch_cpu_stop(void);
