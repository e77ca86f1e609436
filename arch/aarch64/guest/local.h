// SPDX-License-Identifier: Apache-2.0
/*
 * local - what the files of arch/aarch64/guest share among themselves
 */
#pragma once

#include "arch/aarch64/guest/arm64.h"
#include "arch/regs.h"
#include "arch/thread.h"

struct cpu;

/* cpu.c */
noreturn_fn void arch_start(const void *fdt);
noreturn_fn void arch_start_secondary(struct cpu *c);

/* irq.c */
void irq_setup_cpu(void);
/* Takes and handles all pending interrupts. */
void irq_take(void);
/* Serves IPI_FLUSH and IPI_STOP of this CPU; leaves IPI_RESCHED to trap_resched(). */
void ipi_serve(void);

/* mmu.c */
void mmu_setup(void);
void mmu_setup_cpu(void);

/* trace.c: this CPU stops, or not, after each instruction of its program. */
void step_load(bool on);

/* trap.c */
void arch_syscall(struct regs *r);
void arch_trap_user(struct regs *r, u64 esr, u64 far);
void arch_irq_user(struct regs *r);
void arch_trap_kernel(struct regs *r, u64 esr, u64 far);
noreturn_fn void arch_trap_bad(struct regs *r, u64 esr, u64 far);

/* switch.S */
void switch_stacks(u64 *save_sp, u64 load_sp);
void thread_start(void);
