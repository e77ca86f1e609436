// SPDX-License-Identifier: Apache-2.0
/*
 * local - what the files of arch/x86_64/guest share among themselves
 */
#pragma once

#include "arch/regs.h"
#include "arch/thread.h"
#include "arch/x86_64/guest/x86.h"

struct cpu;

/* cpu.c */
void cpu_set_kernel_stack(struct cpu *c, u64 top);
/* Only where traps from user mode start; the scratch stack is free except in a double fault. */
void cpu_set_trap_stack(struct cpu *c, u64 top);
u64 cpu_scratch_stack(struct cpu *c);
noreturn_fn void arch_start(const void *fdt);
noreturn_fn void arch_start_secondary(struct cpu *c);

/* irq.c */
void irq_setup_cpu(void);
void irq_eoi(void);
/* Serves IPI_FLUSH and IPI_STOP of this CPU; leaves IPI_RESCHED to trap_resched(). */
void ipi_serve(void);
/* After an interrupt of kernel code, which is that of the idle loop: the CPU does not fall asleep any more. */
void irq_leave_idle(struct regs *r);

/* mmu.c */
void mmu_setup(void);

/* trap.c */
bool arch_syscall(struct regs *r);
void arch_trap_user(struct regs *r, u32 vec);
void arch_trap_kernel(struct regs *r, u32 vec);

/* entry.S */
noreturn_fn void user_enter_frame(struct regs *r);

/* switch.S */
void switch_stacks(u64 *save_sp, u64 load_sp);
void thread_start(void);

/* quirk_pvm.c */
void quirk_probe(void);
u64 quirk_syscall_entry(void);
/* True when this #UD is a system call (frame already rewritten as one). */
bool quirk_take_syscall(struct regs *r);
/* Ends the probe when this #UD is its; then does not return. */
void quirk_end_probe(struct regs *r);
/* The same for the end of quirk_fpu_save() and quirk_fpu_restore(), which use ring 3's xsave and xrstor. */
void quirk_end_fpu(struct regs *r);
void quirk_fpu_save(void *state);
void quirk_fpu_restore(const void *state);
